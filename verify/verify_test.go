package verify

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/books"
	"sluice/internal/civil"
	"sluice/plan"
	"sluice/policy/mechanism"
	"sluice/store"
)

// fake is a city's books in memory, and what it shows.
type fake struct {
	plan     *plan.Stream
	canon    []byte
	streams  []books.Stream
	entries  []books.Entry
	releases []books.Released
	shown    []store.Observation
	hidden   []books.Withdrawal
	gaps     []books.Gap
	removals []books.Removal
	retain   string // in the decision's words
	city     string // the gateway's name
	cityID   string
	zones    string
	state    string // of the decision
	charter  string
}

// Get writes the books anew, with right chains: what is wrong in them is wrong by
// its content.
func (f *fake) Get(name string) ([]byte, error) {
	prev := ""
	var lines []string
	add := func(v any) {
		raw, _ := json.Marshal(v)
		prev = books.Hash(string(raw))
		lines = append(lines, string(raw)+"\n")
	}
	switch name {
	case "ledger.jsonl":
		for i, e := range f.entries {
			e.N, e.PrevSHA256 = int64(i+1), prev
			add(e)
		}
	case "releases.jsonl":
		for i, r := range f.releases {
			r.N, r.PrevSHA256 = int64(i+1), prev
			add(r)
		}
	case "withdrawals.jsonl":
		for _, w := range f.hidden {
			add(w)
		}
	case "removals.jsonl":
		for i, r := range f.removals {
			r.N, r.PrevSHA256 = int64(i+1), prev
			add(r)
		}
	case "city.json":
		return json.Marshal(books.City{ID: f.cityID, Gateway: f.city, Charter: f.charter})
	case "zones.geojson":
		if f.zones != "" {
			return []byte(f.zones), nil
		}
		return nil, fs.ErrNotExist
	case "decisions.json":
		return json.Marshal(
			[]books.Decision{{ID: "1", Policy: "now", State: f.state,
				YAML: "decision: \"1\"\nretain: " + f.retain + " # of numbers\n"}})
	case "gaps.jsonl":
		for _, g := range f.gaps {
			add(g)
		}
	case "plans/" + f.plan.Digest + ".json":
		return f.canon, nil
	case "streams.json":
		return json.Marshal(append([]books.Stream{}, f.streams...))
	default:
		return nil, fmt.Errorf("there is no %s: %w", name, fs.ErrNotExist)
	}
	return []byte(strings.Join(lines, "")), nil
}

func (f *fake) Streams(context.Context) ([]string, error) { return []string{"s"}, nil }

// Walk shows two rows at a time, so that windows lie across pages.
func (f *fake) Walk(_ context.Context, stream string, page func([]Observation) error) error {
	for rows := range slices.Chunk(f.shown, 2) {
		if stream != "s" {
			return nil
		}
		if err := page(rows); err != nil {
			return err
		}
	}
	return nil
}

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// right makes books in which everything adds up: two windows of one day.
func right(t *testing.T) *fake {
	t.Helper()
	s := &plan.Stream{
		ID: "s", Decision: "1", Timezone: "UTC", Every: civil.MustPeriod("PT1H"), Forget: civil.MustPeriod("PT12H"),
		From: noon.AddDate(0, -1, 0), Until: noon.AddDate(0, 1, 0), Zones: []string{"a"},
		Unit:     plan.Unit{Field: "d", StandsFor: "device"},
		Measures: []plan.Measure{{Name: "n", Of: plan.Distinct, Unit: "device"}},
		Protect:  plan.Protect{MinUnits: 3, Epsilon: 0.5, Delta: 1e-6, MaxContributions: 1},
	}
	if err := s.Finish(); err != nil {
		t.Fatal(err)
	}
	mech, err := mechanism.New(s)
	if err != nil {
		t.Fatal(err)
	}
	epsilon, scale, threshold := mech.Parameters(s.Measures[0])
	f := &fake{plan: s, canon: s.Canonical()}
	f.entries = []books.Entry{{Day: "2026-03-02", Gateway: "g", Decision: "1", Plan: s.Digest, Unit: "device",
		Kind: "reserve", Epsilon: 1, Delta: 2e-6, Cap: 1, Method: mechanism.Method}}
	for h := range 2 {
		start, value := noon.Add(time.Duration(h)*time.Hour), 100.0
		o := store.Observation{
			Stream: "s", Start: start, End: start.Add(time.Hour), Cell: "a", Zone: "a", Measure: "n",
			Status: store.Published,
			Value:  &value, Low: &value, High: &value, Mechanism: mech.Name(), Epsilon: epsilon, Scale: scale,
			Threshold: threshold,
		}
		f.shown = append(f.shown, o)
		f.releases = append(f.releases,
			books.Released{Gateway: "g", Stream: "s", Start: start, End: o.End, Plan: s.Digest, Ledger: 1, Rows: 1,
				SHA256: store.Digest([]store.Observation{o})})
	}
	return f
}

// finds looks that a check names what is wrong with the books; nothing for empty.
func finds(t *testing.T, f *fake, named string) {
	t.Helper()
	r, err := checkAPI(context.Background(), []books.Reader{{Source: f}}, f, func(int, int) {}, time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(r.Problems, "\n")
	if named == "" && all != "" || named != "" && !strings.Contains(all, named) {
		t.Errorf("it finds %q; want %q", all, named)
	}
}

// TestWhatIsFound: right books pass; each thing that can be wrong in books whose
// chains are right is found, and named.
func TestWhatIsFound(t *testing.T) {
	other := 101.0
	for name, c := range map[string]struct {
		spoil func(*fake)
		named string
	}{
		"nothing": {func(*fake) {}, ""},
		"a price too low": {func(f *fake) {
			f.entries[0].Epsilon, f.entries[0].Left = 0.5, 0.5
		}, "epochs of its plan cost"},
		"delta too low":    {func(f *fake) { f.entries[0].Delta = 1e-6 }, "delta is"},
		"what is left":     {func(f *fake) { f.entries[0].Left = 0.5 }, "it leaves"},
		"an overdrawn day": {func(f *fake) { f.entries[0].Cap = 0.9 }, "overdrawn"},
		"a refusal for nothing": {func(f *fake) {
			f.entries[0].Kind, f.entries[0].Left = "refuse", 1
		}, "would do"},
		"a day twice": {func(f *fake) {
			f.entries = append(f.entries, f.entries[0])
			f.entries[1].Kind = "refuse"
		}, "there twice"},
		"another unit":      {func(f *fake) { f.entries[0].Unit = "card" }, "its plan is of"},
		"a negative amount": {func(f *fake) { f.entries[0].Left = -1 }, "negative"},
		"an unknown kind":   {func(f *fake) { f.entries[0].Kind = "gift" }, "kind is unknown"},
		"a plan that is another": {func(f *fake) {
			f.canon = append([]byte(" "), f.canon...)
		}, "not what its name says"},
		"a window twice": {func(f *fake) { f.releases[1] = f.releases[0] }, "decided before"},
		"a window off the grid": {func(f *fake) {
			f.releases[1].Start = f.releases[1].Start.Add(time.Minute)
		}, "no window of its plan"},
		"a window that nothing pays": {func(f *fake) { f.releases[1].Ledger = 0 }, "nothing paid"},
		"a line of another day":      {func(f *fake) { f.entries[0].Day = "2026-03-03" }, "is not for it"},
		"rows that are too many":     {func(f *fake) { f.releases[1].Rows = 2 }, "its plan has 1"},
		"a number that was changed": {func(f *fake) {
			f.shown[0].Value, f.shown[0].High = &other, &other
		}, "not what was released"},
		"a number that is not shown": {func(f *fake) { f.shown = f.shown[1:] }, "is not shown"},
		"a number that the store has lost": {func(f *fake) {
			f.shown = f.shown[1:]
			f.gaps = []books.Gap{{Stream: "s", Start: noon, End: noon.Add(time.Hour), Reason: books.StoreLost}}
		}, ""},
		"another that is not shown": {func(f *fake) {
			f.shown = f.shown[1:]
			f.gaps = []books.Gap{
				{Stream: "s", Start: noon.Add(time.Hour), End: noon.Add(2 * time.Hour), Reason: books.StoreLost},
				{Stream: "s", Start: noon, End: noon.Add(time.Hour), Reason: "keys_lost"},
				{Stream: "t", Start: noon, End: noon.Add(time.Hour), Reason: books.StoreLost},
			}
		}, "is not shown"},
		"a number that was removed": {func(f *fake) { removed(f, nil) }, ""},
		"one that was not":          {func(f *fake) { removed(f, nil); f.shown = nil }, "is not shown"},
		"one that is shown still": {func(f *fake) {
			shown := f.shown
			removed(f, nil)
			f.shown = shown
		}, "removals.jsonl says that it was removed"},
		"another decision's removal": {func(f *fake) {
			removed(f, func(r *books.Removal) { r.Decision = "2" })
		}, "does not say for how long"},
		"another stream's": {func(f *fake) {
			removed(f, func(r *books.Removal) { r.Stream = "t" })
		}, "is not shown"},
		"another gateway's": {func(f *fake) {
			removed(f, func(r *books.Removal) { r.Gateway = "h" })
		}, "is not shown"},
		"a removal until before": {func(f *fake) {
			removed(f, func(r *books.Removal) { r.Until = noon })
		}, "is not shown"},
		"a removal too early": {func(f *fake) {
			removed(f, func(r *books.Removal) { r.At = r.At.Add(-time.Second) })
		}, "before P1M were over"},
		"a removal to come": {func(f *fake) {
			removed(f, func(r *books.Removal) { r.At = time.Now().AddDate(1, 0, 0) })
		}, "has not come"},
		"a shorter time than decided": {func(f *fake) {
			removed(f, func(r *books.Removal) { r.Retain = "P3W" })
		}, "says P1M"},
		"a longer one": {func(f *fake) {
			removed(f, func(r *books.Removal) { r.Retain, r.At = "P2M", r.At.AddDate(0, 1, 3) })
		}, ""},
		"words of then": {func(f *fake) {
			removed(f, func(r *books.Removal) { r.Retain, r.Policy = "P3W", "then" })
		}, ""},
		"no time at all": {func(f *fake) {
			removed(f, func(r *books.Removal) { r.Retain = "soon" })
		}, "does not say for how long"},
		"a decision without words": {func(f *fake) { removed(f, nil); f.retain = "" }, "does not say for how long"},
		"a later method": {func(f *fake) {
			f.entries[0].Method = mechanism.Method + 1
		}, "of a later version"},
		"less noise than is said": {func(f *fake) { f.shown[0].Scale /= 2 }, "other noise"},
		"a lower threshold":       {func(f *fake) { f.shown[0].Threshold-- }, "other noise"},
		"an interval beside":      {func(f *fake) { f.shown[0].Low = &other }, "inside its interval"},
		"a number with no status": {func(f *fake) { f.shown[0].Status = store.Withheld }, "has a number"},
		"a refused day, published": {func(f *fake) {
			f.entries[0].Kind, f.entries[0].Cap, f.entries[0].Left = "refuse", 0.9, 0.9
		}, "budget was refused"},
		"a number that was withdrawn": {func(f *fake) {
			f.shown[0] = f.shown[0].Withdraw("x")
			f.hidden = []books.Withdrawal{{Stream: "s", Start: noon}}
		}, ""},
		"a window that never was": {func(f *fake) {
			o := f.shown[1]
			o.Start, o.End = o.Start.Add(time.Hour), o.End.Add(time.Hour)
			f.shown = append(f.shown, o)
		}, "never released"},
		"one before all others": {func(f *fake) {
			o := f.shown[0]
			o.Start, o.End = o.Start.AddDate(-9, 0, 0), o.End.AddDate(-9, 0, 0)
			f.shown = append([]store.Observation{o}, f.shown...)
		}, "never released"},
		"very many": {forge, "more windows are shown"},
		"a cell too many": {func(f *fake) {
			f.shown = append(f.shown, f.shown[1])
			f.shown[2].Cell = "b"
		}, "not what was released"},
		"a row twice":    {func(f *fake) { f.shown = append(f.shown, f.shown[1]) }, "not what was released"},
		"another policy": {func(f *fake) { f.shown[0].Policy = "q" }, "another end or policy"},
		"another end": {func(f *fake) {
			f.shown[0].End = f.shown[0].End.Add(time.Hour)
		}, "another end or policy"},
		"withdrawn by nobody": {func(f *fake) {
			two(f)
			f.shown[0] = f.shown[0].Withdraw("x")
			f.shown[1] = f.shown[1].Withdraw("x")
		}, "the books say false"},
		"not withdrawn": {func(f *fake) { two(f) }, "the books say true"},
		"a half taken out": {func(f *fake) {
			two(f)
			f.shown = append([]store.Observation{f.shown[0].Withdraw("x")}, f.shown[2:]...)
		}, "1 numbers are shown of 2"},
		"a half":                {func(f *fake) { two(f); f.shown[0] = f.shown[0].Withdraw("x") }, ""},
		"hidden without a word": {func(f *fake) { f.shown[0] = f.shown[0].Withdraw("x") }, "not what was released"},
	} {
		t.Run(name, func(t *testing.T) {
			f := right(t)
			c.spoil(f)
			finds(t, f, c.named)
		})
	}
}

// two makes the first window one of two cells, of which the first is withdrawn.
func two(f *fake) {
	s := *f.plan
	s.Zones = []string{"a", "b"}
	s.Cells = nil
	if err := s.Finish(); err != nil {
		panic(err)
	}
	f.plan, f.canon = &s, s.Canonical()
	o := f.shown[0]
	o.Cell, o.Zone = "b", "b"
	f.shown = []store.Observation{f.shown[0], o}
	f.releases = f.releases[:1]
	f.releases[0].Plan, f.releases[0].Rows, f.releases[0].SHA256 = s.Digest, 2, store.Digest(f.shown)
	f.entries[0].Plan = s.Digest
	f.hidden = []books.Withdrawal{{Stream: "s", Start: noon, Cell: "a"}}
}

// forge shows more windows that never were than are named.
func forge(f *fake) {
	for h := range 2 * maxProblems {
		o := f.shown[1]
		o.Start, o.End = o.Start.Add(time.Duration(h+1)*time.Hour), o.End.Add(time.Duration(h+1)*time.Hour)
		f.shown = append(f.shown, o)
	}
}

// TestYoung: a window whose line comes a moment after its numbers was released.
func TestYoung(t *testing.T) {
	f := right(t)
	late := &lateBooks{fake: f, after: 2}
	r, err := checkAPI(context.Background(), []books.Reader{{Source: late}}, f, func(int, int) {}, time.Millisecond)
	if err != nil || len(r.Problems) > 0 || r.Observations != 2 {
		t.Errorf("it finds %v, %v", r, err)
	}
}

// lateBooks have the last release only from some reading on.
type lateBooks struct {
	*fake
	after int
}

func (l *lateBooks) Get(name string) ([]byte, error) {
	f := *l.fake
	if name == "releases.jsonl" {
		if l.after--; l.after >= 0 {
			f.releases = f.releases[:1]
		}
	}
	return f.Get(name)
}

// TestDays: what was spent, what is coming, what was refused.
func TestDays(t *testing.T) {
	f := right(t)
	f.entries = append(f.entries, f.entries[0])
	f.entries[1].Kind, f.entries[1].Plan = "refuse", "another"
	days, err := Days([]books.Reader{{Source: f}}, 3)
	if err != nil || len(days) != 1 || days[0].Spent != 1 || days[0].Refused != 1 || days[0].Left != 0 ||
		days[0].Cap != 1 {
		t.Errorf("the days are %+v, %v", days, err)
	}
	b := described(t, f, mechanism.Method)
	if days, err := Days([]books.Reader{{Source: f}}, 3); err != nil || len(days) != 4 || days[3].Coming == 0 {
		t.Errorf("with a stream in force the days are %+v, %v", days, err)
	}
	f.state = books.Suspended
	if days, err := Days([]books.Reader{{Source: f}}, 3); err != nil || len(days) != 1 {
		t.Errorf("what is suspended will cost nothing; the days are %+v, %v", days, err)
	}
	f.state = ""
	b.Stopped = true
	if days, err := Days([]books.Reader{{Source: f}}, 3); err != nil || len(days) != 1 {
		t.Errorf("what was stopped will cost nothing; the days are %+v, %v", days, err)
	}
	if svg := Chart(days); !strings.Contains(svg, "1 spent") || strings.Contains(svg, "NaN") {
		t.Errorf("the chart is\n%s", svg)
	}
	if svg := Chart(nil); strings.Contains(svg, "NaN") {
		t.Error("a chart of nothing is broken")
	}
}
