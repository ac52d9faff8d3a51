package web

import (
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/books"
	"sluice/opendata/classes"
	"sluice/opendata/i18n"
	"sluice/opendata/query"
	"sluice/opendata/zonemap"
	"sluice/store"
)

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

// TestColoursOfTime: a number has the same colour on the map of any hour, and the legend says
// the same, whatever else is on it.
func TestColoursOfTime(t *testing.T) {
	s := i18n.Localizers()["en"]
	at := func(values ...float64) *choropleth {
		var l layer
		l.Measure.Name = "n"
		for i := range values {
			zone := string(rune('a' + i))
			l.Stream.Cells = append(l.Stream.Cells, books.Cell{ID: zone, Zone: zone})
			l.newest = append(l.newest,
				store.Observation{Zone: zone, Measure: "n", Status: store.Published, Value: &values[i],
					Low: &values[i], High: &values[i]})
		}
		return color(l, s, zonemap.Map{}, classes.Of(3, 778, []float64{300}), true)
	}
	busy, calm := at(22, 640, 778), at(22)
	if busy.Rows[0].Class != calm.Rows[0].Class || !slices.Equal(busy.Legend, calm.Legend) {
		t.Errorf("22 is %+v beside others and %+v alone", busy.Rows[0], calm.Rows[0])
	}
	if busy.Rows[2].Class != "c6" || busy.Legend[0] != (class{"c0", "0", "200"}) {
		t.Errorf("the highest is %s, the legend %+v", busy.Rows[2].Class, busy.Legend)
	}
	if got := color(layer{}, s, zonemap.Map{}, classes.Scale{}, false); len(got.Legend) != 0 {
		t.Errorf("of no number the legend is %+v", got.Legend)
	}
}
