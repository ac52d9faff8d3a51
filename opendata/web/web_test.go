package web

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sluice/books"
	"sluice/opendata/i18n"
	"sluice/opendata/query"
	"sluice/opendata/zonemap"
	"sluice/store"
)

// TestClasses cuts any values into five classes at most that hold all of them.
func TestClasses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.OneOf(rapid.Float64Range(-50, 1000), rapid.Float64Range(1e-3, 1e-2),
			rapid.SampledFrom([]float64{0, 702})), 1, 20).Draw(t, "values")
		low, step := classes(values)
		if step <= 0 || math.IsNaN(low) || low > slices.Min(values) || low+colors*step < slices.Max(values) {
			t.Fatalf("%v is cut from %v in steps of %v", values, low, step)
		}
	})
	if low, step := classes(nil); low != 0 || step != 1 {
		t.Error("nothing is cut")
	}
}

func TestLabel(t *testing.T) {
	for _, x := range []struct {
		name string
		room float64
		want []string
	}{
		{"El Port", 100, []string{"El Port"}},
		{"Carrer Nou (your street)", 200, []string{"Carrer Nou (your", "street)"}},
		{"Carrer Nou", 60, []string{"Carrer", "Nou"}}, {"Sarrià-Sant Gervasi", 60, nil}, {"La Marina", 40, nil},
		{"Àrea", 40, []string{"Àrea"}},
	} {
		if got := label(x.name, x.room); !slices.Equal(got, x.want) {
			t.Errorf("%q within %v is %q; want %q", x.name, x.room, got, x.want)
		}
	}
}

func TestLink(t *testing.T) {
	for _, x := range []struct {
		path  string
		pairs []string
		want  string
	}{
		{"/a", nil, "/a"}, {"/a", []string{"x", ""}, "/a"}, {"/a", []string{"x", "1 2", "y", ""}, "/a?x=1+2"},
		{"/a?b=c#d", []string{"lang", "ca"}, "/a?b=c&lang=ca#d"}, {"/a#d", []string{"x", "1"}, "/a?x=1#d"},
	} {
		if got := link(x.path, x.pairs...); got != x.want {
			t.Errorf("%s with %v is %s; want %s", x.path, x.pairs, got, x.want)
		}
	}
}

// TestWhen finds the span of a view, also over the nights on which clocks change.
func TestWhen(t *testing.T) {
	closed := time.Date(2026, 3, 29, 10, 0, 0, 0, time.UTC)
	for raw, want := range map[string]string{
		// a day of 23 hours
		"":                                  "day 2026-03-28T12:00:00+01:00 2026-03-29T12:00:00+02:00",
		"span=week":                         "week 2026-03-22T12:00:00+01:00 2026-03-29T12:00:00+02:00",
		"day=2026-03-29":                    "day 2026-03-29T00:00:00+01:00 2026-03-30T00:00:00+02:00",
		"span=month&day=2026-03-31":         "month 2026-03-01T00:00:00+01:00 2026-04-01T00:00:00+02:00",
		"to=2026-03-01T10:00:00Z&measure=m": "day 2026-02-28T11:00:00+01:00 2026-03-01T11:00:00+01:00",
		"span=decade":                       "span",
		"compare=today":                     "compare",
		"span=year":                         "year 2025-03-29T12:00:00+01:00 2026-03-29T12:00:00+02:00",
		"day=yesterday":                     "day", "to=noon": "to", "measure=x": "measure",
		"cell=x": "cell", "day=9999-01-01": "day",
	} {
		p := &view{Stream: query.At(books.Stream{
			ID: "s", Every: "PT1H", Timezone: "Europe/Madrid", Measures: []books.Measure{{Name: "m"}},
			Cells: []books.Cell{{ID: "a"}},
		}, closed)}
		values, err := query.Values(raw, "span", "day", "to", "measure", "cell", "compare")
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := p.read(values); err != nil {
			got, _, _ = strings.Cut(err.Error(), ":")
		} else {
			place := query.Place("Europe/Madrid")
			got = p.Span + " " + p.From.In(place).Format(time.RFC3339) + " " + p.To.In(place).Format(time.RFC3339)
		}
		if got != want {
			t.Errorf("%q shows %s; want %s", raw, got, want)
		}
	}
}

// TestLegendOfOneValue: where all zones have one value the legend says that one, and no
// class around it; with two it says classes.
func TestLegendOfOneValue(t *testing.T) {
	s := i18n.Localizers()["en"]
	at := func(values ...float64) []class {
		var l layer
		l.Measure.Name = "n"
		for i := range values {
			l.newest = append(l.newest,
				store.Observation{Zone: string(rune('a' + i)), Measure: "n", Status: store.Published, Value: &values[i],
					Low: &values[i], High: &values[i]})
		}
		return color(l, s, zonemap.Map{}).Legend
	}
	for _, v := range []float64{22, 0, 0.4, 1200} {
		if got := at(v, v); len(got) != 1 || got[0].From != s.Number(v) || got[0].To != "" {
			t.Errorf("of %v alone the legend is %+v", v, got)
		}
	}
	if got := at(0, 50); len(got) < 2 || got[0].To == "" {
		t.Errorf("of two values the legend is %+v", got)
	}
	if got := at(); len(got) != 0 {
		t.Errorf("of none the legend is %+v", got)
	}
}
