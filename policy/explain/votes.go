package explain

import (
	"fmt"

	"sluice/internal/civil"
	"sluice/policy/decision"
)

// Vote is who decided; the zero value for nobody yet, a motion without members
// while it is put to the vote.
type Vote struct {
	Motion  string
	Version int
	Members []string // names, in the roster's order
	// Format is that of the motion, 0 for the newest: a motion in force says what it said
	// when it was signed.
	Format int
}

func (t *text) decided(v Vote) []string {
	switch {
	case v.Motion == "":
		return []string{t.say("unvoted")}
	case len(v.Members) == 0:
		return []string{t.say("voting", v.Motion)}
	}
	return []string{t.say("voted", v.Motion, fmt.Sprint(v.Version), t.l.List(v.Members))}
}

// suspended says since when, where that is known or an old motion says so, and why, in
// this language where the council has said it in this one.
func (t *text) suspended(s *decision.Suspension, signed bool) string {
	why, _ := s.Reason.Best(t.l.String())
	if s.Since == (civil.Date{}) && !signed {
		return t.say("suspended-some-day", why)
	}
	return t.say("suspended", t.l.Date(s.Since), why)
}
