package roster

import (
	"fmt"
	"slices"
	"strings"

	"sluice/internal/civil"
)

// Changes says in words, a line for each member, what is otherwise than in the roster before.
func (r *Roster) Changes(before *Roster) (list []string) {
	for _, m := range r.Members {
		was, there := before.find(func(o Member) bool { return o.Key == m.Key })
		old, named := before.Member(m.Name)
		switch {
		case there && was.Name != m.Name:
			list = append(list, fmt.Sprintf("%s was called %s: %s", m.Name, was.Name, m.does()))
		case there && was.does() != m.does():
			list = append(list, fmt.Sprintf("%s was %s, and is %s", m.Name, was.does(), m.does()))
		case !there && named:
			list = append(list, fmt.Sprintf("%s has another key (%s, before %s): %s", m.Name, m.Key.Fingerprint(),
				old.Key.Fingerprint(), m.does()))
		case !there:
			list = append(list, fmt.Sprintf("%s comes: %s", m.Name, m.does()))
		}
	}
	for _, was := range before.Members {
		_, key := r.find(func(m Member) bool { return m.Key == was.Key })
		_, name := r.Member(was.Name)
		if !key && !name {
			list = append(list, fmt.Sprintf("%s is taken out, and was %s", was.Name, was.does()))
		}
	}
	return list
}

// does is what a member may do, in words.
func (m Member) does() string {
	var words []string
	for _, role := range roles {
		if slices.Contains(m.Roles, role) {
			words = append(words, string(role))
		}
	}
	text := strings.Join(words, ", ")
	if text == "" {
		text = "without a role"
	}
	if m.FrontUntil == (civil.Date{}) {
		return text
	}
	return text + ", front until " + m.FrontUntil.String()
}
