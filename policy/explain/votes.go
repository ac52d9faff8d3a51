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
	said := t.say("voted", v.Motion, fmt.Sprint(v.Version), t.l.List(v.Members))
	switch {
	case v.Motion == "":
		said = t.say("unvoted")
	case len(v.Members) == 0:
		said = t.say("voting", v.Motion)
	}
	return append([]string{said}, Consulted(t.l, t.d.Consultation)...)
}

// Consulted says where the public was asked and where the session has its record, a line for each.
func Consulted(l Lang, list []decision.Consultation) (out []string) {
	for _, c := range list {
		line, none := say(l, "asked.other", c.Link), civil.Date{}
		switch c.Kind {
		case "decidim":
			line = say(l, "asked.decidim", c.Link)
		case "session":
			line = say(l, "asked.session", c.Link)
		}
		switch {
		case c.From != none && (c.From == c.Until || c.Kind == "session" && c.Until == none):
			line = say(l, "asked.on", line, l.Date(c.From))
		case c.From != none && c.Until != none:
			line = say(l, "asked.during", line, l.Date(c.From), l.Date(c.Until))
		case c.From != none:
			line = say(l, "asked.since", line, l.Date(c.From))
		case c.Until != none:
			line = say(l, "asked.until", line, l.Date(c.Until))
		}
		out = append(out, Elide(l, line))
	}
	return out
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
