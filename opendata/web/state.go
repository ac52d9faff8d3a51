package web

import (
	"html"
	"html/template"
	"strings"
	"time"

	"sluice/books"
	"sluice/opendata/i18n"
	"sluice/opendata/query"
	"sluice/store"
)

// stateReason is why the council has suspended it, in the reader's language where the
// council has said it in that, else marked with the one that it is in (WCAG 2.2, 3.1.2).
func stateReason(s *i18n.Localizer, st books.Standing) template.HTML {
	text, code := s.Title(st.Reason)
	if text == "" {
		return ""
	}
	if code == books.Unsaid {
		code = "" // a language that is not known (HTML, 3.2.6.1)
	}
	quoted := `<q lang="` + html.EscapeString(code) + `">` + html.EscapeString(text) + `</q>`
	return template.HTML(html.EscapeString(s.Say("Reason")) + ": " + quoted) //nolint:gosec // escaped
}

// suspendedRow is what rows that a suspension withheld look like, and the beginning of their
// public reason.
const suspendedRow = "suspended"

// look is the class of what an observation looks like: its status, or suspended.
func look(o *store.Observation) string {
	if query.Suspended(o) {
		return suspendedRow
	}
	return string(o.Status)
}

// ended is the first instant after the end of what has ended, in its own time zone; zero
// for what has not, and where it is not known.
func ended(st query.Stream) time.Time {
	if st.Standing.State != books.Past || st.Standing.Since == "" {
		return time.Time{}
	}
	t, err := time.ParseInLocation(time.DateOnly, st.Standing.Since, query.Place(st.Timezone))
	if err != nil {
		return time.Time{}
	}
	return t
}

// maxReasons are shown of the suspensions in one view.
const maxReasons = 5

// stops notes why windows of the view are without a number because of suspensions, in the
// reader's language where that is known: the reason of a row is one text, and the decision has
// it in several while it is suspended.
func (p *streamPage) stops(list []store.Observation) {
	seen := map[string]bool{}
	for i := range list {
		if !query.Suspended(&list[i]) {
			continue
		}
		why := strings.TrimPrefix(list[i].Reason, suspendedRow+": ")
		if seen[why] || len(p.Stops) == maxReasons || why == suspendedRow {
			continue
		}
		seen[why] = true
		st := books.Standing{Reason: map[string]string{books.Unsaid: why}}
		for _, text := range p.Standing.Reason {
			if text == why {
				st.Reason = p.Standing.Reason
			}
		}
		p.Stops = append(p.Stops, st)
	}
}
