package proof

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"sluice/books"
	"sluice/gateway/release"
	"sluice/policy/plan"
	"sluice/store"
)

// fake is a city's books in memory, and what it shows.
type fake struct {
	plan     *plan.Stream
	canon    []byte
	entries  []books.Entry
	releases []books.Released
	shown    []store.Observation
	hidden   []books.Withdrawal
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
	case "plans/" + f.plan.Digest + ".json":
		return f.canon, nil
	case "streams.json":
		return []byte("[]"), nil
	default:
		return nil, fmt.Errorf("there is no %s", name)
	}
	return []byte(strings.Join(lines, "")), nil
}

func (f *fake) Observations(_ context.Context, _ string, from, to time.Time) (out []Shown, err error) {
	for _, o := range f.shown {
		if !o.Start.Before(from) && o.Start.Before(to) {
			out = append(out, o)
		}
	}
	return out, nil
}

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// right makes books in which everything adds up: two windows of one day.
func right(t *testing.T) *fake {
	t.Helper()
	s := &plan.Stream{
		ID: "s", Decision: "1", Timezone: "UTC", Every: plan.MustPeriod("PT1H"), Forget: plan.MustPeriod("PT12H"),
		From: noon.AddDate(0, -1, 0), Until: noon.AddDate(0, 1, 0), Zones: []string{"a"}, Unit: plan.Unit{Field: "d", StandsFor: "device"},
		Measures: []plan.Measure{{Name: "n", Of: plan.Distinct, Unit: "device"}},
		Protect:  plan.Protect{MinUnits: 3, Epsilon: 0.5, Delta: 1e-6, MaxContributions: 1},
	}
	if err := s.Finish(); err != nil {
		t.Fatal(err)
	}
	mech, err := release.NewMechanism(s)
	if err != nil {
		t.Fatal(err)
	}
	epsilon, scale, threshold := mech.Parameters(s.Measures[0])
	f := &fake{plan: s, canon: s.Canonical()}
	f.entries = []books.Entry{{Day: "2026-03-02", Gateway: "g", Decision: "1", Plan: s.Digest, Unit: "device", Kind: "reserve", Epsilon: 1, Delta: 2e-6, Cap: 1}}
	for h := range 2 {
		start, value := noon.Add(time.Duration(h)*time.Hour), 100.0
		o := store.Observation{
			Stream: "s", Start: start, End: start.Add(time.Hour), Cell: "a", Zone: "a", Measure: "n", Status: store.Published,
			Value: &value, Low: &value, High: &value, Mechanism: mech.Name(), Epsilon: epsilon, Scale: scale, Threshold: threshold,
		}
		f.shown = append(f.shown, o)
		f.releases = append(f.releases, books.Released{Gateway: "g", Stream: "s", Start: start, End: o.End, Plan: s.Digest, Ledger: 1, Rows: 1, SHA256: store.Digest([]store.Observation{o})})
	}
	return f
}

// TestWhatIsFound: right books pass; each thing that can be wrong in books whose
// chains are right is found, and named.
func TestWhatIsFound(t *testing.T) {
	other := 101.0
	for name, c := range map[string]struct {
		spoil func(*fake)
		named string
	}{
		"nothing":                    {func(*fake) {}, ""},
		"a price too low":            {func(f *fake) { f.entries[0].Epsilon, f.entries[0].Left = 0.5, 0.5 }, "epochs of its plan cost"},
		"delta too low":              {func(f *fake) { f.entries[0].Delta = 1e-6 }, "delta is"},
		"what is left":               {func(f *fake) { f.entries[0].Left = 0.5 }, "it leaves"},
		"an overdrawn day":           {func(f *fake) { f.entries[0].Cap = 0.9 }, "overdrawn"},
		"a refusal for nothing":      {func(f *fake) { f.entries[0].Kind, f.entries[0].Left = "refuse", 1 }, "would do"},
		"a day twice":                {func(f *fake) { f.entries = append(f.entries, f.entries[0]); f.entries[1].Kind = "refuse" }, "there twice"},
		"another unit":               {func(f *fake) { f.entries[0].Unit = "card" }, "its plan is of"},
		"a negative amount":          {func(f *fake) { f.entries[0].Left = -1 }, "negative"},
		"an unknown kind":            {func(f *fake) { f.entries[0].Kind = "gift" }, "kind is unknown"},
		"a plan that is another":     {func(f *fake) { f.canon = append([]byte(" "), f.canon...) }, "not what its name says"},
		"a window twice":             {func(f *fake) { f.releases[1] = f.releases[0] }, "decided before"},
		"a window off the grid":      {func(f *fake) { f.releases[1].Start = f.releases[1].Start.Add(time.Minute) }, "no window of its plan"},
		"a window that nothing pays": {func(f *fake) { f.releases[1].Ledger = 0 }, "nothing paid"},
		"a line of another day":      {func(f *fake) { f.entries[0].Day = "2026-03-03" }, "is not for it"},
		"rows that are too many":     {func(f *fake) { f.releases[1].Rows = 2 }, "its plan has 1"},
		"a number that was changed":  {func(f *fake) { f.shown[0].Value, f.shown[0].High = &other, &other }, "not what was released"},
		"a number that is not shown": {func(f *fake) { f.shown = f.shown[1:] }, "is not shown"},
		"less noise than is said":    {func(f *fake) { f.shown[0].Scale /= 2 }, "other noise"},
		"a lower threshold":          {func(f *fake) { f.shown[0].Threshold-- }, "other noise"},
		"an interval beside":         {func(f *fake) { f.shown[0].Low = &other }, "inside its interval"},
		"a number with no status":    {func(f *fake) { f.shown[0].Status = store.Withheld }, "has a number"},
		"a refused day, published":   {func(f *fake) { f.entries[0].Kind, f.entries[0].Cap, f.entries[0].Left = "refuse", 0.9, 0.9 }, "budget was refused"},
		"a number that was withdrawn": {func(f *fake) {
			f.shown[0] = f.shown[0].Withdraw("x")
			f.hidden = []books.Withdrawal{{Stream: "s", Start: noon}}
		}, ""},
		"hidden without a word": {func(f *fake) { f.shown[0] = f.shown[0].Withdraw("x") }, "not what was released"},
	} {
		t.Run(name, func(t *testing.T) {
			f := right(t)
			c.spoil(f)
			r, err := CheckShown(context.Background(), books.Reader{Source: f}, f, func(int, int) {})
			if err != nil {
				t.Fatal(err)
			}
			all := strings.Join(r.Problems, "\n")
			if c.named == "" && all != "" || c.named != "" && !strings.Contains(all, c.named) {
				t.Errorf("it finds %q; want %q", all, c.named)
			}
		})
	}
}

// TestDays: what was spent, what is coming, what was refused.
func TestDays(t *testing.T) {
	f := right(t)
	f.entries = append(f.entries, f.entries[0])
	f.entries[1].Kind, f.entries[1].Plan = "refuse", "another"
	days, err := Days(books.Reader{Source: f}, 3)
	if err != nil || len(days) != 1 || days[0].Spent != 1 || days[0].Refused != 1 || days[0].Left != 0 || days[0].Cap != 1 {
		t.Errorf("the days are %+v, %v", days, err)
	}
	if svg := Chart(days); !strings.Contains(svg, "1 spent") || strings.Contains(svg, "NaN") {
		t.Errorf("the chart is\n%s", svg)
	}
	if svg := Chart(nil); strings.Contains(svg, "NaN") {
		t.Error("a chart of nothing is broken")
	}
}
