package web

import (
	"strings"
	"testing"
	"time"

	"sluice/books"
	"sluice/opendata/i18n"
	"sluice/opendata/query"
	"sluice/store"
)

// TestAgainst says how a number lies to what is usual and to a limit, and says nothing that its
// interval does not bear.
func TestAgainst(t *testing.T) {
	s := i18n.In("en")
	st := query.At(books.Stream{ID: "s", Every: "PT1H", Timezone: "UTC",
		Measures: []books.Measure{{Name: "devices", Of: "distinct(mac)"}}}, time.Time{})
	at := func(low, value, high float64) *answer {
		return &answer{Observation: &store.Observation{Start: time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC),
			Value: &value, Low: &low, High: &high, Measure: "devices", Status: store.Published}}
	}
	const rest = " Usual on a Tuesday at this hour: 100, the middle of what was published in 6 of the last 8 weeks."
	for _, x := range []struct {
		a    *answer
		want string
	}{
		{at(90, 95, 99), "As usual." + rest}, {at(50, 60, 70), "Less than usual." + rest},
		{at(120, 130, 140), "More than usual." + rest}, {at(60, 130, 200), "As usual." + rest},
		{at(104, 104, 104), "As usual." + rest},
	} {
		x.a.Usual = &query.Usual{Value: 100, Weeks: 6, Of: 8}
		if got := usual(s, st, x.a); got != x.want {
			t.Errorf("of %v it says %q; want %q", *x.a.Value, got, x.want)
		}
	}
	if got := usual(s, st, at(1, 2, 3)); got != "" {
		t.Errorf("where nothing is known to be usual it says %q", got)
	}
	limit := books.Limit{Value: 100, Title: map[string]string{"en": "level for action"}, Source: "by-law"}
	daily := limit
	daily.Over = "P1D"
	for _, x := range []struct {
		a    *answer
		l    books.Limit
		want string
	}{
		{at(10, 20, 30), limit, "Below this limit: level for action, 100."},
		{at(110, 120, 130), limit, "Above this limit: level for action, 100."},
		{at(90, 120, 130), limit, "Level for action: 100."}, // it may be either
		{at(10, 20, 30), daily, "Level for action: 100."},   // an hour is no day
	} {
		if got := against(s.Words(books.Vocabulary{}), s, st, x.a, x.l); got != x.want {
			t.Errorf("of %v and %v it says %q; want %q", *x.a.Value, x.l.Over, got, x.want)
		}
	}
	got := between(s, st, at(117, 123, 129).Observation)
	if got != "Between 117 and 129 were counted, in 95 of 100 cases." {
		t.Errorf("the interval is %q", got)
	}
}

// TestView: what is asked for and not shown is counted, and what cannot be compared is not.
func TestView(t *testing.T) {
	st := books.Stream{ID: "s", Every: "PT15M", Timezone: "UTC", Measures: []books.Measure{{Name: "m"}}}
	cells := []string{}
	for n := range 11 {
		id := string(rune('a' + n))
		st.Cells, cells = append(st.Cells, books.Cell{ID: id}), append(cells, id)
	}
	p := &view{Stream: query.At(st, time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC))}
	err := p.read(map[string][]string{"cell": append(cells, "a")})
	if err != nil || len(p.chosen) != 8 || p.TooMany != 3 {
		t.Errorf("of 11 places %d are shown and %d are not: %v", len(p.chosen), p.TooMany, err)
	}
	for _, x := range []struct {
		span, compare string
		ago           int
		width         string
	}{
		{"hour", "yesterday", 1, ""}, {"day", "yesterday", 1, ""}, {"day", "week", 7, ""}, {"day", "", 0, ""},
		{"week", "week", 7, query.Hourly}, {"week", "yesterday", 0, query.Hourly}, {"month", "week", 0, query.Daily},
		{"year", "week", 0, query.Daily},
	} {
		p := &view{Stream: query.At(st, time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC))}
		err := p.read(map[string][]string{"span": {x.span}, "compare": {x.compare}})
		if err != nil || p.ago() != x.ago || p.Width() != x.width {
			t.Errorf("a %s compared with %q: %d days ago, bands of %q, %v", x.span, x.compare, p.ago(), p.Width(), err)
		}
		if fixed := p.Picture("png"); x.compare != "" && !strings.Contains(fixed, "compare="+x.compare) {
			t.Errorf("the picture %s is of another view", fixed)
		}
	}
}
