package web

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
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

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// seen is an observation of the n-th quarter of an hour; a number, or a status.
func seen(n int, v any) store.Observation {
	o := store.Observation{Start: noon.Add(time.Duration(n) * 15 * time.Minute),
		End: noon.Add(time.Duration(n+1) * 15 * time.Minute)}
	switch v := v.(type) {
	case store.Status:
		o.Status = v
	case float64:
		low, high := v-3, v+3
		o.Status, o.Value, o.Low, o.High = store.Published, &v, &low, &high
	}
	return o
}

func drawing(values ...any) string {
	l := line{Cell: "a", Name: "A <b>"}
	for n, v := range values {
		l.Items = append(l.Items, seen(n, v))
	}
	return string(drawChart(i18n.Localizers()["en"], time.UTC, noon,
		noon.Add(time.Duration(len(values))*15*time.Minute), time.Time{}, []line{l}))
}

// TestChartTellsApart draws zero, withheld, no data and withdrawn: each is another mark,
// and none is a point of the line but zero.
func TestChartTellsApart(t *testing.T) {
	svg := drawing(5.0, 0.0, store.Withheld, store.Withheld, store.NoData, store.Withdrawn, 7.0, 7.0)
	if n := strings.Count(svg, "<circle"); n != 4 {
		t.Errorf("%d points; want the four numbers, zero among them", n)
	}
	for _, mark := range []string{`class="gap withheld"`, `class="gap no_data"`, `class="gap withdrawn"`} {
		if strings.Count(svg, mark) != 1 {
			t.Errorf("%s is there %d times; a stretch is one mark", mark, strings.Count(svg, mark))
		}
	}
	if n := strings.Count(svg, `class="s0 line" d="M`); n != 3 { // two stretches, and the row's sample
		t.Errorf("%d lines; the line must break where there is no number", n)
	}
	if !strings.Contains(svg, "A &lt;b&gt;") || strings.Contains(svg, "<b>") {
		t.Error("a name is not escaped")
	}
	if odd := drawing(5.0, store.Status(`x"><b>`)); strings.Contains(odd, "<b>") {
		t.Error("a status of the store, which several gateways may write to, is not escaped")
	}
	if hour := drawing(5.0, 6.0, 7.0, 8.0); !strings.Contains(hour, ">12:10<") {
		t.Error("the axis of an hour has no times")
	}
	if odd := drawing(5.0, store.Published); strings.Count(odd, "<circle") != 1 {
		t.Error("what is published without a number is drawn")
	}
	empty := drawing(store.Withheld, store.NoData)
	if !strings.Contains(empty, "No number was published in this span.") || strings.Contains(empty, "<circle") {
		t.Error("a chart without a number does not say so")
	}
}

// TestChartIsXML draws whatever comes: it is well formed and every number is one.
func TestChartIsXML(t *testing.T) {
	number := regexp.MustCompile(`NaN|Inf`)
	rapid.Check(t, func(t *rapid.T) {
		var values []any
		for n := range rapid.IntRange(1, 2000).Draw(t, "windows") {
			switch rapid.IntRange(0, 9).Draw(t, fmt.Sprint("kind", n%3)) {
			case 0:
				values = append(values, store.Withheld)
			case 1:
				values = append(values, store.NoData)
			default:
				values = append(values, rapid.Float64Range(-1e9, 1e9).Draw(t, "value"))
			}
		}
		svg := drawing(values...)
		d := xml.NewDecoder(strings.NewReader(svg))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if number.MatchString(svg) || len(svg) > 120_000 {
			t.Fatalf("the chart has %d bytes, or what is no number", len(svg))
		}
	})
}

// TestM4 keeps in each column of the picture its first, lowest, highest and last.
func TestM4(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(0, 100), 1, 50).Draw(t, "values")
		var c []store.Observation
		for n, v := range values {
			c = append(c, seen(n, v))
		}
		kept := m4(c)
		var shown []float64
		for _, i := range kept {
			shown = append(shown, values[i])
		}
		if !slices.IsSorted(kept) || kept[0] != 0 || kept[len(kept)-1] != len(values)-1 ||
			slices.Max(shown) != slices.Max(values) || slices.Min(shown) != slices.Min(values) || len(kept) > 4 {
			t.Fatalf("of %v it keeps %v", values, kept)
		}
	})
}

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
		"span=year":                         "span", "day=yesterday": "day", "to=noon": "to", "measure=x": "measure",
		"cell=x": "cell", "day=9999-01-01": "day",
	} {
		p := &streamPage{Stream: query.At(books.Stream{
			ID: "s", Every: "PT1H", Timezone: "Europe/Madrid", Measures: []books.Measure{{Name: "m"}},
			Cells: []books.Cell{{ID: "a"}},
		}, closed)}
		values, err := query.Values(raw, "span", "day", "to", "measure", "cell")
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
