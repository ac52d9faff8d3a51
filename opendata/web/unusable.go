package web

import (
	"sluice/opendata/i18n"
	"sluice/opendata/query"
)

// unusable says what is wrong with a part of a page's address; empty for what pages do
// not ask for.
func unusable(s *i18n.Localizer, e *query.Invalid) string {
	switch e.Parameter {
	case "cell":
		return s.Say("It asks for a place that this stream does not have.")
	case "measure":
		return s.Say("It asks for a measure that this stream does not have.")
	case "span":
		if e.Hint == query.TooLong {
			return s.Say("So long a span has too many windows. Choose a shorter one, or fewer places.")
		}
		return s.Say("A span is hour, day, week, month or year.")
	case "compare":
		return s.Say("A view is compared with yesterday or week.")
	case "day":
		return s.Say("A day is written so: 2026-11-23.")
	case "to":
		return s.Say("An instant is written so: 2026-11-23T10:00:00Z.")
	case "at":
		return s.Say("An instant is written so: 2026-11-23T10:00:00Z.")
	case "zone":
		return s.Say("It asks for a place that this city does not have.")
	case "kind":
		return s.Say("It asks for a kind of sensors that this city does not have.")
	case "q":
		return s.Say("A search has at most 100 letters.")
	case "size":
		return s.Say("A notice is of size a4, a5 or a6.")
	case "lang":
		return s.Say("These pages are in ca, en and es.")
	case "layer":
		return s.Say("It asks for a map that this city does not have. Choose one on the first page.")
	}
	return ""
}
