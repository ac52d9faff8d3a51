package news

import (
	"context"
	"encoding/json"
	"io/fs"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/books"
	"sluice/opendata/i18n"
	"sluice/opendata/query"
	"sluice/store"
)

// shelf are books in memory.
type shelf map[string]any

func (s shelf) Get(name string) ([]byte, error) {
	if text, is := s[name].(string); is {
		return []byte(text), nil
	}
	if s[name] == nil {
		return nil, fs.ErrNotExist
	}
	return json.Marshal(s[name])
}

// rows is a store in memory.
type rows []store.Observation

func (r rows) Observations(_ context.Context, q store.Query) (out []store.Observation, _ error) {
	for _, o := range r {
		if o.Stream == q.Stream && !o.Start.Before(q.From) && o.Start.Before(q.To) && len(out) < q.Limit &&
			(len(q.Measures) == 0 || slices.Contains(q.Measures, o.Measure)) {
			out = append(out, o)
		}
	}
	return out, nil
}

func (r rows) ClosedUntil(context.Context, string) (last time.Time, _ error) {
	for _, o := range r {
		if o.End.After(last) {
			last = o.End
		}
	}
	return last, nil
}

// number is an exact observation of one hour of 2 March 2026, local time of Madrid.
func number(hour int, value float64) store.Observation {
	start := time.Date(2026, 3, 1, 23+hour, 0, 0, 0, time.UTC)
	return store.Observation{Stream: "air", Start: start, End: start.Add(time.Hour), Every: "PT1H", Cell: "port",
		Zone: "port", Measure: "no2", Status: store.Published, Value: &value, Low: &value, High: &value, Unit: "ug/m3",
		Decision: "17"}
}

func withheld(hour int) store.Observation {
	o := number(hour, 0)
	o.Status, o.Value, o.Low, o.High = store.Withheld, nil, nil, nil
	return o
}

func air(of string, limits ...books.Limit) books.Stream {
	return books.Stream{ID: "air", Title: map[string]string{"en": "Air", "ca": "Aire"}, Every: "PT1H",
		Timezone: "Europe/Madrid", Unit: "none", Decision: "17", From: "2026-01-01", Until: "2026-12-31",
		Measures: []books.Measure{{Name: "no2", Unit: "ug/m3", Of: of, Limits: limits}},
		Cells:    []books.Cell{{ID: "port", Zone: "port"}}}
}

func desk(s shelf, r rows) *Desk { return New(&query.Source{Store: r, Books: books.Reader{Source: s}}) }

func city() shelf {
	return shelf{"city.json": books.City{ID: "c", Name: "Portalba", Timezone: "Europe/Madrid"},
		"decisions.json": []books.Decision{}, "streams.json": []books.Stream{}}
}

func names(code string) Names {
	kinds := map[string]map[string]string{"meter": {"en": "noise meter", "ca": "sonòmetre"}}
	place := func(id string) string { return map[string]string{"port": "El Port"}[id] }
	return Names{Words: i18n.In(code), Place: place, Vocabulary: books.Vocabulary{Kinds: kinds}}
}

// TestEvents: what the books say has happened, the newest first, in words; what is later than
// the last number that anybody can know is not told.
func TestEvents(t *testing.T) {
	s := city()
	told := time.Date(2026, 2, 1, 9, 0, 0, 0, time.UTC)
	s["decisions.json"] = []books.Decision{
		{ID: "17", Motion: "m1", Title: map[string]string{"en": "Air"}, State: books.Suspended, By: books.ByCouncil,
			Since: "2026-02-20",
			From:  "2026-01-01", Until: "2026-12-31", Published: told,
			Reason: map[string]string{"en": "A sensor was moved"},
			Next: &books.Next{Motion: "m2", From: told.AddDate(0, 2, 0), Published: told.AddDate(0, 0, 5),
				Changes: map[string][]string{"en": {"stronger: epsilon is smaller."}}}},
		{ID: "3", Title: map[string]string{"en": "Steps"}, State: books.Past, Since: "2026-01-31", From: "2025-06-01",
			Until: "2026-01-30", Motion: "m0"},
	}
	s["streams.json"] = []books.Stream{air("mean(no2)")}
	s["register.json"] = books.Register{Sensors: []books.Sensor{
		{ID: "a", Kind: "meter", Zone: "port", Registered: "2026-02-10", Purpose: map[string]string{"en": "Noise"}},
		{ID: "b", Kind: "meter", Zone: "port", Registered: "2026-02-10"},
		{ID: "c", Kind: "meter", Zone: "port", Registered: "2026-02-11", Purpose: map[string]string{"en": "Noise"}},
		{ID: "old", Kind: "meter", Zone: "port", Registered: "2020-01-01"},
		{ID: "later", Kind: "meter", Zone: "port", Registered: "2026-07-01"},
	}}
	taken, err := json.Marshal(books.Withdrawal{N: 1, At: told.AddDate(0, 0, 20), Stream: "air",
		Start: number(3, 0).Start, Reason: "it stood in a shop"})
	if err != nil {
		t.Fatal(err)
	}
	s["withdrawals.jsonl"] = string(taken) + "\n"
	d := desk(s, rows{number(0, 1)})
	list, err := d.Events(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	seen := map[string]bool{}
	for _, e := range list {
		x := e.Tell(names("en"))
		got = append(got, x.At.Format(time.RFC3339)+" "+x.Path+" "+x.Title+" | "+x.Text)
		if seen[x.ID] || x.ID == "" {
			t.Errorf("the id %s is there twice, or empty", x.ID)
		}
		seen[x.ID] = true
	}
	want := []string{
		"2026-02-21T09:00:00Z /streams/air Numbers were taken back: Air | Those of Monday, 2 March 2026 between " +
			"03:00 and " +
			"04:00. Reason: it stood in a shop",
		"2026-02-19T23:00:00Z /decisions/17 Suspended: Air | Suspended since Friday, 20 February 2026: the council " +
			"has " +
			"stopped it. Nothing of it is measured or published until the council lifts that. Reason: A sensor was " +
			"moved",
		"2026-02-10T23:00:00Z /sensors/c 1 new sensor in El Port: noise meter | Registered on Wednesday, 11 " +
			"February 2026. " +
			"Purpose: Noise",
		"2026-02-09T23:00:00Z /sensors 2 new sensors in El Port: noise meter | Registered on Tuesday, 10 February " +
			"2026. " +
			"Purpose: Noise",
		"2026-02-06T09:00:00Z /decisions/17 A change was voted: Air | From Wednesday, 1 April 2026 on: stronger: " +
			"epsilon is " +
			"smaller.",
		"2026-02-01T09:00:00Z /decisions/17 Decided: Air | Decision 17 holds from Thursday, 1 January 2026 to " +
			"Thursday, 31 " +
			"December 2026.",
		"2026-01-30T23:00:00Z /decisions/3 Ended: Steps | It ended on Friday, 30 January 2026, its last day. " +
			"Nothing of it " +
			"is measured any more; what was published stays as long as the decision says.",
		"2025-05-31T22:00:00Z /decisions/3 Decided: Steps | Decision 3 holds from Sunday, 1 June 2025 to Friday, 30 " +
			"January " +
			"2026.",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	port, err := d.About(t.Context(), func(e *Event) bool { return slices.Contains(e.Zones, "port") })
	if err != nil || len(port) != 6 {
		t.Errorf("%d events of a zone, %v; want 6", len(port), err)
	}
}

// TestLimits: a limit is passed where the whole interval is above it; once a place and day;
// a day's mean needs three quarters of the day's numbers, and the day's end; levels are
// averaged as energies.
func TestLimits(t *testing.T) {
	day := func(n int, value float64) (out rows) {
		for hour := range 24 {
			if hour < n {
				out = append(out, number(hour, value))
			} else {
				out = append(out, withheld(hour))
			}
		}
		return out
	}
	noisy := number(1, 60)
	low := 45.0
	noisy.Low = &low
	loud := append(day(23, 0), number(23, 80))
	loud = slices.Delete(loud, 23, 24)
	for name, x := range map[string]struct {
		of    string
		limit books.Limit
		rows  rows
		want  []string
	}{
		"a window": {"mean(x)", books.Limit{Value: 50, Source: "S"},
			rows{number(1, 50), number(2, 50.5), number(3, 90)}, []string{"50.5"}},
		"the next day too": {"mean(x)", books.Limit{Value: 50, Over: "PT1H"},
			rows{number(1, 51), number(30, 52)}, []string{"51", "52"}},
		"its interval is not above": {"count()", books.Limit{Value: 50}, rows{noisy}, nil},
		"none was published":        {"mean(x)", books.Limit{Value: -1}, rows{withheld(1)}, nil},
		"a day":                     {"mean(x)", books.Limit{Value: 50, Over: "P1D"}, day(24, 51), []string{"51"}},
		"a day with 18 hours":       {"mean(x)", books.Limit{Value: 50, Over: "P1D"}, day(18, 51), []string{"51"}},
		"a day with 17 hours":       {"mean(x)", books.Limit{Value: 50, Over: "P1D"}, day(17, 51), nil},
		"a day that is not over":    {"mean(x)", books.Limit{Value: 50, Over: "P1D"}, day(24, 51)[:23], nil},
		"a day below": {"mean(x)", books.Limit{Value: 50, Over: "P1D"},
			append(day(23, 50), number(23, 0)), nil},
		"a loud hour of a day":      {"leq(x)", books.Limit{Value: 66, Over: "P1D"}, loud, []string{"66.197888"}},
		"eight hours":               {"mean(x)", books.Limit{Value: 50, Over: "PT8H"}, day(24, 51), []string{"51"}},
		"no mean of sums":           {"count()", books.Limit{Value: 50, Over: "P1D"}, day(24, 51), nil},
		"a period that fits no day": {"mean(x)", books.Limit{Value: 50, Over: "PT7H"}, day(24, 51), nil},
	} {
		s := city()
		s["streams.json"] = []books.Stream{air(x.of, x.limit)}
		list, err := desk(s, x.rows).Events(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		slices.Reverse(list)
		if len(list) != len(x.want) {
			t.Errorf("%s: %d events, want %d", name, len(list), len(x.want))
			continue
		}
		for i, e := range list {
			if got := *e.number.Value; math.Abs(got-parse(t, x.want[i])) > 1e-5 {
				t.Errorf("%s: %v, want %s", name, got, x.want[i])
			}
		}
	}
}

func parse(t *testing.T, text string) (v float64) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestLimitWords: a limit that was passed, in each language, with its source.
func TestLimitWords(t *testing.T) {
	s := city()
	s["streams.json"] = []books.Stream{air("mean(no2)", books.Limit{Value: 40, Over: "P1D", Source: "Directive 1",
		Title: map[string]string{"en": "the EU's limit", "ca": "el límit de la UE", "es": "el límite de la UE"}})}
	var all rows
	for hour := range 24 {
		all = append(all, number(hour, 51.5))
	}
	list, err := desk(s, all).Events(t.Context())
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	for code, want := range map[string]string{
		"en": "Air, El Port: a limit was exceeded (the EU's limit) | The mean of the published numbers of Monday, 2 " +
			"March 2026 was 51.5 " +
			"µg/m³. The limit is 40 µg/m³: Directive 1.",
		"ca": "Aire, El Port: s’ha superat un límit (el límit de la UE) | La mitjana dels nombres publicats del " +
			"dilluns, 2 de " +
			"març de 2026 va ser de 51,5 µg/m³. El límit és de 40 µg/m³: Directive 1.",
	} {
		x := list[0].Tell(names(code))
		if got := x.Title + " | " + x.Text; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if x.Path != "/streams/air?cell=port&day=2026-03-02&measure=no2" {
			t.Error(x.Path)
		}
	}
}

// TestSeveralMeasures: what is told of a stream with several measures says of which.
func TestSeveralMeasures(t *testing.T) {
	s := city()
	st := air("mean(no2)", books.Limit{Value: 40, Source: "law"})
	st.Measures[0].Names = map[string]string{"en": "NO₂"}
	pm := books.Measure{Name: "pm10", Unit: "ug/m3", Names: map[string]string{"en": "PM₁₀"}}
	st.Measures = append(st.Measures, pm)
	s["streams.json"] = []books.Stream{st}
	s["decisions.json"] = []books.Decision{{ID: "17", Title: st.Title, State: books.InForce, From: "2026-01-01",
		Until: "2026-12-31", Motion: "m1"}}
	list, err := desk(s, rows{number(9, 77)}).Events(t.Context())
	if err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	for i, want := range []string{"Air, NO₂, El Port: a limit was exceeded", "Decided: Air (NO₂, PM₁₀)"} {
		if got := list[i].Tell(names("en")).Title; got != want {
			t.Errorf("it is %q; want %q", got, want)
		}
	}
}

// TestCategoryWords: a category is told in the city's words for its field.
func TestCategoryWords(t *testing.T) {
	n := names("ca")
	n.Vocabulary.Categories = map[string]map[string]string{"class/bike": {"ca": "bicicleta"}}
	for category, want := range map[string]string{
		"": "El Port", "bike": "El Port · bicicleta", "car": "El Port · car",
	} {
		if got := n.where("port", "class", category); got != want {
			t.Errorf("%q is %q; want %q", category, got, want)
		}
	}
}

// TestTakenBack: a number above a limit that is taken back is not told of any more, by a desk that
// has told of it before either.
func TestTakenBack(t *testing.T) {
	s := city()
	s["streams.json"] = []books.Stream{air("mean(no2)", books.Limit{Value: 40, Source: "law"})}
	all := rows{number(9, 77), number(10, 5)}
	d := desk(s, all)
	if list, err := d.Events(t.Context()); err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	all[0] = all[0].Withdraw("it stood in a shop")
	for begun := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		list, err := d.Events(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			return
		}
		if time.Since(begun) > 10*fresh {
			t.Fatal("the number is still told of")
		}
	}
}
