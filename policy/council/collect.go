package council

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"sluice/policy/ballot"
	"sluice/policy/decision"
)

// Misnamed says of a ballot that it counts, and is not of the member whose name its file has.
type Misnamed struct{ error }

// Collect adds ballots and statements by whoever signed them, whatever they are called, in the form
// that gateways take. What is no ballot of a member is left out and said. Of two of a sort by one
// member the one that holds counts, or else the first: what was signed about another motion, or with
// a key that is lost, hides none, and a reason for a vote hides no ballot against.
func (p Parts) Collect(voters *decision.Council, ballots map[string][]byte) []error {
	sigs, texts := p.apart(ballots)
	said, used := p.collectStatements(voters, sigs, texts)
	problems := said.problems
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		if !used[name] && strings.HasPrefix(name, BallotsName) {
			problems = append(problems, fmt.Errorf(
				"%s: nobody has signed it; the signature belongs beside it, as %s.sig", name, path.Base(name)))
		}
	}
	voted := newTray(p, voters)
	for _, name := range slices.Sorted(maps.Keys(ballots)) {
		beside := path.Dir(name)+"/" != BallotsName && path.Ext(name) == statedText
		if sigs[name] != nil || texts[name] != nil || beside {
			continue
		}
		voted.take(name, ballots[name], func(member string, tidy []byte) (paper, error) {
			return paper{rank: p.rank(voters, tidy), files: Parts{BallotsName + member + ".sig": tidy}}, nil
		})
	}
	voted.misnamed()
	return append(problems, voted.problems...)
}

// tray takes one paper of each member.
type tray struct {
	into     Parts
	voters   *decision.Council
	of       map[string]paper
	problems []error
}

// paper is what one member has signed: the file that it came in, its files in a motion, and how much
// it is worth. One that does not hold is worth nothing.
type paper struct {
	from  string
	files Parts
	rank  int
}

func newTray(into Parts, voters *decision.Council) *tray {
	return &tray{into: into, voters: voters, of: make(map[string]paper)}
}

// take takes a signature, of which read says what it is of, unless the member has a paper here that
// is worth as much.
func (t *tray) take(name string, raw []byte, read func(member string, tidy []byte) (paper, error)) {
	tidy, err := Tidy(raw)
	if err != nil {
		t.problems = append(t.problems, fmt.Errorf("%s: %w", name, err))
		return
	}
	m, err := Who(t.voters, tidy)
	if err != nil {
		t.problems = append(t.problems, fmt.Errorf("%s: %w", name, err))
		return
	}
	is, err := read(m.ID, tidy)
	if err != nil {
		t.problems = append(t.problems, err)
		return
	}
	is.from = name
	if was, twice := t.of[m.ID]; twice {
		out := name
		if is.rank > was.rank {
			out = was.from
		}
		t.problems = append(t.problems, fmt.Errorf("%s: %w", out,
			refuse(Twice, "%s has signed already; one ballot counts", m.ID)))
		if out == name {
			return
		}
	}
	t.of[m.ID] = is
	maps.Copy(t.into, is.files)
}

// misnamed says which papers have the name of another member than signed them.
func (t *tray) misnamed() {
	for _, m := range t.voters.Members {
		if err := misnamed(t.voters, t.of[m.ID].from, m.ID); err != nil {
			t.problems = append(t.problems, err)
		}
	}
}

// apart are the files of statements among the ballots: their signatures and their texts.
func (p Parts) apart(ballots map[string][]byte) (sigs, texts map[string][]byte) {
	sigs, texts = make(map[string][]byte), make(map[string][]byte)
	m, err := ParseMotion(p[TextName])
	for name, raw := range ballots {
		if path.Ext(name) == statedText && ballot.IsStatement(raw) {
			texts[name] = raw
		} else if tidy, bad := Tidy(raw); err == nil && bad == nil && isStated(tidy, m.City) {
			sigs[name] = raw
		}
	}
	return sigs, texts
}

// rank is 1 for a ballot in its one form that is over the motion's text, by a key that is not
// revoked, and 0 for any other.
func (p Parts) rank(voters *decision.Council, tidy []byte) int {
	m, err := ParseMotion(p[TextName])
	if err != nil {
		return 0
	}
	sig, err := ballot.Parse(tidy)
	if err != nil || slices.Contains(voters.Revoked, sig.Key) || sig.Verify(p[TextName], NamespaceOf(m.City)) != nil {
		return 0
	}
	return 1
}

// misnamed is an error if a file has the name of another member than signed it.
func misnamed(voters *decision.Council, file, by string) error {
	named := strings.TrimSuffix(strings.TrimSuffix(path.Base(file), ".sig"), statedText)
	other := func(m decision.Member) bool { return m.ID == named && m.ID != by }
	if !slices.ContainsFunc(voters.Members, other) {
		return nil
	}
	return &Misnamed{fmt.Errorf("%s is signed by %s and counts as theirs; %s has not signed with it", file, by, named)}
}

// SignedBy names the files among the ballots that a member has signed, and the texts that nobody else
// has.
func (p Parts) SignedBy(voters *decision.Council, ballots map[string][]byte, member string) (list []string) {
	sigs, texts := p.apart(ballots)
	others := make(map[string]bool) // texts that others have signed as well
	for _, name := range slices.Sorted(maps.Keys(ballots)) {
		tidy, err := Tidy(ballots[name])
		if err != nil {
			continue
		}
		text := ""
		if sigs[name] != nil {
			text = signedText(name, tidy, texts)
		}
		if m, err := Who(voters, tidy); err != nil || m.ID != member {
			others[text] = true
			continue
		}
		list = append(list, name, text)
	}
	list = slices.DeleteFunc(list, func(name string) bool { return name == "" || others[name] })
	slices.Sort(list)
	return slices.Compact(list)
}

// Sift takes out the ballots that gateways would refuse, and says why: a motion that enough
// others have signed needs none of them.
func (p Parts) Sift(s *Standing) (problems []error) {
	for _, m := range s.Members {
		if m.Problem != nil {
			delete(p, BallotsName+m.ID+".sig")
			problems = append(problems, m.Problem)
		}
		if m.Misstated != nil {
			delete(p, BallotsName+m.ID+statedText)
			delete(p, BallotsName+m.ID+statedSig)
			problems = append(problems, m.Misstated)
		}
	}
	return problems
}

// IsMisnamed reports whether a problem is that of a ballot that counts all the same.
func IsMisnamed(err error) bool {
	var m *Misnamed
	return errors.As(err, &m)
}
