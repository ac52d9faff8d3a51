package council

import (
	"bytes"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"sluice/policy/ballot"
	"sluice/policy/decision"
)

// The files of a statement, after the member's name.
const (
	statedText = ".txt"
	statedSig  = ".txt.sig"
)

// Statement is one member's verified ballot that is not for the motion: it is public, and
// counts to no quorum.
type Statement struct {
	ballot.Statement
	Member, Name string
	Fingerprint  string // as a Ballot's
	Signed       []byte // the text, byte for byte
	Raw          []byte
}

// Files are the statement's files by their names among the ballots.
func (s *Statement) Files() map[string][]byte {
	return map[string][]byte{s.Member + statedText: s.Signed, s.Member + statedSig: s.Raw}
}

// StatementOf is the text for a member who is against a motion, or abstains.
func StatementOf(text []byte, choice ballot.Choice, reason string) (ballot.Statement, error) {
	m, err := ParseMotion(text)
	if err != nil {
		return ballot.Statement{}, err
	}
	s := ballot.Statement{City: m.City, Motion: m.ID, Text: Sum(text), Choice: choice,
		Reason: strings.TrimSpace(reason)}
	return s, s.Check()
}

// stated are the members whose statements are in the parts.
func (p Parts) stated() []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(p)) {
		member, ours := strings.CutPrefix(name, BallotsName)
		if member, text := strings.CutSuffix(member, statedText); ours && text {
			out = append(out, member)
		}
	}
	return out
}

// whole: a text and its signature are there together, and there is no crowd of signatures.
func (p Parts) whole() error {
	sigs := 0
	for name := range p {
		other := name + ".sig"
		switch {
		case strings.HasSuffix(name, ".sig"):
			if sigs++; sigs > decision.MaxMembers {
				return refuse(WrongParts, "the motion file has more than %d ballots", decision.MaxMembers)
			}
			if other = strings.TrimSuffix(name, ".sig"); !strings.HasSuffix(other, statedText) {
				continue
			}
		case !strings.HasPrefix(name, BallotsName): // each file of a statement is among the ballots
			continue
		}
		if _, ok := p[other]; !ok {
			return refuse(WrongParts, "the motion file has %s without %s", name, other)
		}
	}
	return nil
}

// statements verifies every statement that is there. Who is for the motion as well has said two
// things, and no gateway chooses between them.
func (v Verifier) statements(e *Enacted, r *roster, parts Parts, strict bool) error {
	for _, name := range parts.stated() {
		if _, both := parts[BallotsName+name+".sig"]; both {
			return twoMinds(name)
		}
		s, err := r.stated(name, parts, e)
		if err == nil && strict && !(Ballot{Raw: s.Raw}).tidy() {
			err = refuse(BadSignature, "ballots/%s is not in the one form that gateways take; make the file anew "+
				"with sluice motion enact", name+statedSig)
		}
		if err != nil {
			return err
		}
		e.Statements = append(e.Statements, *s)
	}
	slices.SortStableFunc(e.Statements, func(a, b Statement) int { return r.rank(a.Member) - r.rank(b.Member) })
	return nil
}

func twoMinds(member string) error {
	return refuse(Twice, "%s has signed for the motion, and another ballot too; they count for it only when the other "+
		"one is taken away", member)
}

// stated verifies the statement of one member over the motion's text.
func (r *roster) stated(name string, parts Parts, e *Enacted) (*Statement, error) {
	text, file := parts[BallotsName+name+statedText], parts[BallotsName+name+statedSig]
	s, err := ballot.ParseStatement(text)
	if err != nil {
		return nil, refuse(BadSignature, "ballots/%s: %w", name+statedText, err)
	}
	if s.City != e.City || s.Motion != e.ID || s.Text != e.Hash {
		return nil, refuse(BadSignature, "ballots/%s is about another motion.txt; make the ballot anew",
			name+statedText)
	}
	sig, err := ballot.Parse(file)
	if err != nil {
		return nil, refuse(BadSignature, "ballots/%s: %w", name+statedSig, err)
	}
	print := sig.Key.Fingerprint()
	h, known := r.keys[sig.Key]
	switch {
	case h.revoked:
		return nil, refuse(RevokedKey, "ballots/%s.sig: the key %s is revoked", name+statedText, print)
	case !known:
		return nil, refuse(UnknownKey, "ballots/%s.sig: the key %s is nobody's in the roster in force",
			name+statedText, print)
	case sig.Namespace != ballot.StatementNamespace(e.City):
		return nil, refuse(Namespace, "ballots/%s.sig: signed for another namespace; sign with -n %s", name+statedText,
			ballot.StatementNamespace(e.City))
	case h.member.ID != name:
		return nil, refuse(WrongParts, "ballots/%s.sig is signed by %s; each file has its member's name",
			name+statedText, h.member.ID)
	}
	if err := sig.Verify(text, ballot.StatementNamespace(e.City)); err != nil {
		return nil, refuse(BadSignature, "ballots/%s.sig: the signature is not over the text beside it; sign again",
			name+statedText)
	}
	return &Statement{s, name, h.member.Name, print, text, file}, nil
}

// isStated reports whether a file is a signature over a statement.
func isStated(file []byte, city string) bool {
	sig, err := ballot.Parse(file)
	return err == nil && sig.Namespace == ballot.StatementNamespace(city)
}

// collectStatements adds statements by whoever signed them, each with its text, which is found by
// what was signed. Of two by one member the one that holds counts, or else the first: what was signed
// about another motion, or with a key that is lost, hides none. It does not hide a vote for the motion.
func (p Parts) collectStatements(voters *decision.Council, sigs, texts map[string][]byte) (problems []error) {
	used, by := make(map[string]bool), make(map[string]string) // by is the file of each member's
	for _, name := range slices.Sorted(maps.Keys(sigs)) {
		tidy, err := Tidy(sigs[name])
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", name, err))
			continue
		}
		m, err := Who(voters, tidy)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", name, err))
			continue
		}
		from := signedText(name, tidy, texts)
		used[from] = true
		if from == "" {
			problems = append(problems, refuse(BadSignature,
				"%s: the text that it signs is not here; put it beside it, as %s", name, m.ID+statedText))
			continue
		}
		text, sig := BallotsName+m.ID+statedText, BallotsName+m.ID+statedSig
		if p[text] != nil {
			second := refuse(Twice, "%s has signed already; one ballot counts", m.ID)
			if p.about(voters, p[text], p[sig]) || !p.about(voters, texts[from], tidy) {
				problems = append(problems, fmt.Errorf("%s: %w", name, second))
				continue
			}
			problems = append(problems, fmt.Errorf("%s: %w", by[m.ID], second))
		}
		p[text], p[sig], by[m.ID] = texts[from], tidy, name
	}
	for _, m := range voters.Members {
		if err := misnamed(voters, by[m.ID], m.ID); err != nil {
			problems = append(problems, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		if !used[name] && strings.HasPrefix(name, BallotsName) {
			problems = append(problems, fmt.Errorf(
				"%s: nobody has signed it; the signature belongs beside it, as %s.sig", name, path.Base(name)))
		}
	}
	return problems
}

// about reports whether a signed statement is about this motion, by a key that is not revoked.
func (p Parts) about(voters *decision.Council, text, file []byte) bool {
	s, sig, err := ballot.ReadStatement(text, file)
	return err == nil && s.Text == Sum(p[TextName]) && !slices.Contains(voters.Revoked, sig.Key)
}

// signedText is the name of the text that a signature is over, the one of its own name first;
// empty for none.
func signedText(name string, file []byte, texts map[string][]byte) string {
	own := strings.TrimSuffix(name, ".sig")
	for _, other := range append([]string{own}, slices.Sorted(maps.Keys(texts))...) {
		if text, ok := texts[other]; ok {
			if _, _, err := ballot.ReadStatement(text, file); err == nil {
				return other
			}
		}
	}
	return ""
}

// isText reports whether a file among the ballots is meant as the text of one.
func isText(name string, raw []byte) bool {
	return path.Ext(name) == statedText && bytes.HasPrefix(raw, []byte("Sluice ballot, "))
}
