package council

import (
	"maps"
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

// Statement is one member's verified ballot that is not for the motion, or the reason of one that is:
// it is public, and counts to no quorum.
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

// StatementOf is the text for a member who is against a motion, or abstains, or says why they vote
// for it.
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

// statements verifies every statement that is there. Who is for the motion and against it as well
// has said two things, and no gateway chooses between them; a reason for a vote comes with that vote.
func (v Verifier) statements(e *Enacted, r *roster, parts Parts, strict bool) error {
	for _, name := range parts.stated() {
		s, err := r.stated(name, parts, e)
		if err != nil {
			return err
		}
		_, voted := parts[BallotsName+name+".sig"]
		switch {
		case voted && s.Choice != ballot.For:
			return twoMinds(name)
		case !voted && s.Choice == ballot.For:
			return unvoted(name)
		case strict && !(Ballot{Raw: s.Raw}).tidy():
			return refuse(BadSignature, "ballots/%s is not in the one form that gateways take; make the file anew "+
				"with sluice motion enact", name+statedSig)
		}
		e.Statements = append(e.Statements, *s)
	}
	slices.SortStableFunc(e.Statements, func(a, b Statement) int { return r.rank(a.Member) - r.rank(b.Member) })
	return nil
}

func unvoted(member string) error {
	return refuse(WrongParts, "%s has signed why they are for the motion, and not motion.txt; only that is a vote",
		member)
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

// collectStatements takes statements by whoever signed them, each with its text, which is found by
// what was signed; used are those texts.
func (p Parts) collectStatements(
	voters *decision.Council, sigs, texts map[string][]byte,
) (t *tray, used map[string]bool) {
	t, used = newTray(p, voters), make(map[string]bool)
	for _, name := range slices.Sorted(maps.Keys(sigs)) {
		t.take(name, sigs[name], func(member string, tidy []byte) (paper, error) {
			from := signedText(name, tidy, texts)
			used[from] = true
			if from == "" {
				return paper{}, refuse(BadSignature,
					"%s: the text that it signs is not here; put it beside it, as %s", name, member+statedText)
			}
			files := Parts{BallotsName + member + statedText: texts[from], BallotsName + member + statedSig: tidy}
			return paper{rank: p.statedRank(voters, texts[from], tidy), files: files}, nil
		})
	}
	t.misnamed()
	return t, used
}

// statedRank is that of a signed statement: 2 if it is not for this motion, 1 if it is a reason for
// a vote, and 0 if it is about another motion or by a revoked key.
func (p Parts) statedRank(voters *decision.Council, text, file []byte) int {
	s, sig, err := ballot.ReadStatement(text, file)
	switch {
	case err != nil || s.Text != Sum(p[TextName]) || slices.Contains(voters.Revoked, sig.Key):
		return 0
	case s.Choice == ballot.For:
		return 1
	}
	return 2
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
