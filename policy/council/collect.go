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

// Collect adds ballots by whoever signed them, whatever they are called, in the
// form that gateways take. What is no ballot of a member is left out and said. Of two by one
// member the one that holds counts, or else the first.
func (p Parts) Collect(voters *decision.Council, ballots map[string][]byte) []error {
	sigs, texts := p.apart(ballots)
	problems := p.collectStatements(voters, sigs, texts)
	from := make(map[string]string) // the file of each member's ballot
	for _, name := range slices.Sorted(maps.Keys(ballots)) {
		beside := path.Dir(name)+"/" != BallotsName && path.Ext(name) == statedText
		if sigs[name] != nil || texts[name] != nil || beside {
			continue
		}
		tidy, err := Tidy(ballots[name])
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", name, err))
			continue
		}
		m, err := Who(voters, tidy)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", name, err))
			continue
		}
		to := BallotsName + m.ID + ".sig"
		if p[to] != nil {
			second := refuse(Twice, "%s has signed already; one ballot counts", m.ID)
			if p.holds(voters, p[to]) || !p.holds(voters, tidy) {
				problems = append(problems, fmt.Errorf("%s: %w", name, second))
				continue
			}
			problems = append(problems, fmt.Errorf("%s: %w", from[m.ID], second))
		}
		p[to], from[m.ID] = tidy, name
	}
	for _, m := range voters.Members {
		if err := misnamed(voters, from[m.ID], m.ID); err != nil {
			problems = append(problems, err)
		}
	}
	return problems
}

// apart are the files of statements among the ballots: their signatures and their texts.
func (p Parts) apart(ballots map[string][]byte) (sigs, texts map[string][]byte) {
	sigs, texts = make(map[string][]byte), make(map[string][]byte)
	m, err := ParseMotion(p[TextName])
	for name, raw := range ballots {
		if isText(name, raw) {
			texts[name] = raw
		} else if tidy, bad := Tidy(raw); err == nil && bad == nil && isStated(tidy, m.City) {
			sigs[name] = raw
		}
	}
	return sigs, texts
}

// holds reports whether a ballot in its one form is over the motion's text, by a key that is not
// revoked.
func (p Parts) holds(voters *decision.Council, tidy []byte) bool {
	m, err := ParseMotion(p[TextName])
	if err != nil {
		return false
	}
	sig, err := ballot.Parse(tidy)
	return err == nil && !slices.Contains(voters.Revoked, sig.Key) &&
		sig.Verify(p[TextName], NamespaceOf(m.City)) == nil
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
