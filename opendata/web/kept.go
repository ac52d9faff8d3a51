package web

import (
	"cmp"

	"sluice/books"
)

// kept is for how long a decision's published numbers are kept.
func (t *teller) kept(r books.Retain) string {
	hours, days, s := r.Hours, r.Days, t.s
	switch own := cmp.Or(hours, days); {
	case own == "":
		return ""
	case hours != "" && days != "" && hours != days && days == books.Forever:
		return " " + s.Say("Numbers within the day are kept for %s, those of whole days for ever.", s.Period(hours))
	case hours != "" && days != "" && hours != days:
		return " " + s.Say("Numbers within the day are kept for %s, those of whole days for %s.", s.Period(hours),
			s.Period(days))
	case own == books.Forever:
		return " " + s.Say("Published numbers are kept for ever.")
	default:
		return " " + s.Say("Published numbers are kept for %s.", s.Period(own))
	}
}
