package web

import (
	"context"
	"math"
	"strings"
	"time"

	"sluice/books"
	"sluice/opendata/i18n"
	"sluice/opendata/query"
	"sluice/store"
)

// answer is the newest window of a view's first place: what a stream's page begins with.
type answer struct {
	*store.Observation
	Where string // the name of its place
	// Before is the last number of a day before that, where the newest window has none.
	Before *store.Observation
	Usual  *query.Usual
	Limits []books.Limit
}

// answer finds the newest window of the view, of the first place that has a number in it,
// and what that is compared with.
func (w *Web) answer(ctx context.Context, p *view, lines []line) (*answer, error) {
	var a *answer
	var err error
	for _, id := range p.chosen {
		o, err := w.source.Last(ctx, p.Stream, id, p.Measure.Name, p.To)
		if err != nil {
			return nil, err
		}
		if o == nil {
			continue
		}
		if a == nil || published(o) && !published(a.Observation) && !o.Start.Before(a.Start) {
			a = &answer{Observation: o, Where: nameOf(lines, id), Limits: p.Measure.Limits}
		}
		if published(o) {
			break
		}
	}
	if a == nil {
		return nil, nil //nolint:nilnil // documented: there is none
	}
	if !published(a.Observation) {
		a.Before, err = w.source.Last(ctx, p.Stream, a.Cell, p.Measure.Name, p.To, store.Published)
		return a, err
	}
	usual, err := w.source.Usual(ctx, p.Stream, a.Observation)
	a.Usual = usual
	return a, err
}

func nameOf(lines []line, cell string) string {
	for i := range lines {
		if lines[i].Cell == cell {
			return lines[i].Name
		}
	}
	return cell
}

// between says the interval of a number in a sentence.
func between(s *i18n.Localizer, st query.Stream, o *store.Observation) string {
	switch {
	case !published(o):
		return ""
	case *o.Low == *o.High:
		return s.Say("Exact: this stream is about nobody.")
	case counted(st, o.Measure):
		return s.Say("Between %s and %s were counted, in 95 of 100 cases.", s.Amount(*o.Low, o.Unit),
			s.Amount(*o.High, o.Unit))
	}
	return s.Say("In 95 of 100 cases what was counted is between %s and %s.", s.Amount(*o.Low, o.Unit),
		s.Amount(*o.High, o.Unit))
}

// hidden says why the newest window has no number, where that is that there were too few.
func hidden(s *i18n.Localizer, p *view, o *store.Observation) string {
	if o.Status != store.Withheld || o.Reason != "few" || p.Membership == "public" || p.Measure.PublicFrom == 0 {
		return ""
	}
	return s.Say("Nobody, or fewer than about %d: not shown on purpose.", p.Measure.PublicFrom)
}

// usual says what is usual, what that rests on, and how the number compares.
func usual(s *i18n.Localizer, st query.Stream, a *answer) string {
	if a.Usual == nil {
		return ""
	}
	u, day := a.Usual, s.Weekday(local(a.Start, st.Timezone))
	value := s.Amount(u.Value, a.Unit)
	text := s.Say("Usual on a %s at this hour: %s, the middle of what was published in %d of the last %d weeks.", day,
		value, u.Weeks, u.Of)
	if query.Length(st.Every) >= 20*time.Hour {
		text = s.Say("Usual on a %s: %s, the middle of what was published in %d of the last %d weeks.", day, value,
			u.Weeks, u.Of)
	}
	near := 0.05 * math.Abs(u.Value)
	switch {
	case u.Value > *a.High+near:
		return s.Say("Less than usual.") + " " + text
	case u.Value < *a.Low-near:
		return s.Say("More than usual.") + " " + text
	}
	return s.Say("As usual.") + " " + text
}

// against says how a number lies to a limit; only the limit where that is about another time.
func against(words i18n.Words, s *i18n.Localizer, st query.Stream, a *answer, l books.Limit) string {
	title, value := words.Limit(l), strings.TrimSpace(s.Amount(l.Value, a.Unit)+" "+words.Unit(a.Unit, l.Value))
	switch comparable := l.Over == "" || l.Over == st.Every; {
	case comparable && *a.Low > l.Value:
		return s.Say("Above this limit: %s, %s.", title, value)
	case comparable && *a.High < l.Value:
		return s.Say("Below this limit: %s, %s.", title, value)
	}
	return sentence(title) + ": " + value + "."
}

// counted reports whether a measure counts rather than measures.
func counted(st query.Stream, measure string) bool {
	for _, m := range st.Measures {
		if m.Name == measure {
			return m.Of == "count()" || strings.HasPrefix(m.Of, "distinct(") || strings.HasPrefix(m.Of, "histogram(")
		}
	}
	return false
}

// level reports whether zero of a measure means nothing much, so that an axis need not have
// it: decibels, temperatures, pressures.
func level(m books.Measure) bool {
	name, _, _ := strings.Cut(m.Of, "(")
	switch name {
	case "leq", "lday", "levening", "lnight", "lden":
		return true
	case "count", "distinct", "sum", "share", "histogram":
		return false
	}
	switch m.Unit {
	case "degC", "Cel", "K", "hPa", "mbar", "pH":
		return true
	}
	return strings.HasPrefix(m.Unit, "dB")
}
