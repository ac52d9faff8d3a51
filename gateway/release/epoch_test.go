package release

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"sluice/internal/civil"
	"sluice/plan"
	"sluice/policy/mechanism"
	"sluice/store"
	"sluice/test/chance"
)

// last is the last window of the day of start.
var last = time.Date(2026, 3, 2, 23, 0, 0, 0, time.UTC)

// ofEpoch publishes the window [at, at+1h), with an epoch's counts, and returns what is
// released of the epoch, by measure, and of the window.
func ofEpoch(
	t *testing.T, s *plan.Stream, book *memory, r rules, from source, at time.Time, e *Epoch,
) (map[string]store.Observation, []store.Observation) {
	t.Helper()
	p := NewPublisher(book, true)
	if from != nil {
		p.source = func() source { return from }
	}
	cells := make([]Sums, len(s.Cells))
	for n := range cells {
		cells[n] = counted(s, 500)
	}
	b := NewBatch(s, "policy", at, at.Add(time.Hour), cells, "").WithEpoch(e)
	charter := Charter{EpsilonPerDay: map[string]float64{s.Unit.StandsFor: 1}}
	if err := p.Publish(context.Background(), b, charter, r); err != nil {
		t.Fatal(err)
	}
	epoch, window := make(map[string]store.Observation), []store.Observation(nil)
	for _, x := range book.released[b.Key()] {
		if o := x.Observation(); o.OfEpoch() {
			epoch[o.Measure] = o
		} else {
			window = append(window, o)
		}
	}
	return epoch, window
}

// TestWhatAnEpochReleases: two numbers with the last window of an epoch, whatever they are
// and whatever the window is; none with any other, for sensors that are the units, about
// nobody, or on a day that was paid by an earlier method.
func TestWhatAnEpochReleases(t *testing.T) {
	counts := &Epoch{Known: true, Units: 40, Bounded: 7}
	two := func(s *plan.Stream) { s.Zones = []string{"port", "rambla"} }
	of := func(u plan.Unit) func(*plan.Stream) {
		return func(s *plan.Stream) {
			s.Unit, s.Measures = u, []plan.Measure{{Name: "n", Of: plan.Count, Bounded: true, High: 4}}
		}
	}
	for name, c := range map[string]struct {
		change func(*plan.Stream)
		book   memory
		rules  rules
		at     time.Time
		epoch  *Epoch
		status store.Status // empty for none at all
		reason string
	}{
		"the last window":     {two, memory{}, rules{}, last, counts, store.Published, ""},
		"nobody":              {two, memory{}, rules{}, last, &Epoch{Known: true}, store.Published, ""},
		"another window":      {two, memory{}, rules{}, last.Add(-time.Hour), nil, "", ""},
		"its bounds are lost": {two, memory{}, rules{}, last, &Epoch{}, store.NoData, ""},
		"a batch without it":  {two, memory{}, rules{}, last, nil, store.NoData, ""},
		"every zone is withheld": {two, memory{},
			rules{zones: map[string]string{"port": "demonstration", "rambla": "demonstration"}}, last, counts,
			store.Withheld, "demonstration"},
		"one zone is": {two, memory{}, rules{zones: map[string]string{"port": "demonstration"}}, last,
			counts, store.Published, ""},
		"the rules give no answer": {two, memory{}, rules{err: context.Canceled}, last, counts, store.Withheld,
			"rules"},
		"no budget":                    {two, memory{spent: true}, rules{}, last, counts, store.Withheld, "budget"},
		"a day paid by another method": {two, memory{method: 2}, rules{}, last, counts, "", ""},
		"six hours": {func(s *plan.Stream) {
			s.Forget = civil.MustPeriod("PT6H")
		}, memory{}, rules{}, last.Add(-6 * time.Hour), counts, store.Published, ""},
		"homes": {of(plan.Unit{Sensor: true, StandsFor: "home"}), memory{}, rules{}, last,
			counts, "", ""},
		"about nobody": {of(plan.Unit{StandsFor: "none"}), memory{}, rules{}, last, counts, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := stream(t, c.change)
			epoch, window := ofEpoch(t, s, &c.book, c.rules, nil, c.at, c.epoch)
			if len(window) != len(s.Cells)*len(s.Measures) {
				t.Errorf("the window has %d numbers", len(window))
			}
			if c.status == "" {
				if len(epoch) > 0 {
					t.Errorf("it releases %+v", epoch)
				}
				return
			}
			m, err := mechanism.New(s)
			if err != nil {
				t.Fatal(err)
			}
			epsilon, scale := m.EpochParameters()
			for _, name := range store.EpochMeasures {
				o, there := epoch[name]
				if !there || o.Status != c.status || o.Reason != c.reason ||
					(o.Value != nil) != (c.status == store.Published) {
					t.Errorf("%s: %+v; want it %s (%s)", name, o, c.status, c.reason)
				}
				if o.Cell != s.FirstZone()+"/" || o.Every != s.Forget.String() || !o.Start.Equal(c.at) ||
					o.Epsilon != epsilon || o.Scale != scale || o.Threshold != 0 || o.Ledger != 1 {
					t.Errorf("%s: %+v", name, o)
				}
			}
		})
	}
}

// TestWhatAnEpochDraws: noise of a fiftieth of the budget over each of the two, and over
// the measures what is left; the numbers are what was counted and the noise, and nothing
// else; the interval holds 97.5 of 100, and not much more.
func TestWhatAnEpochDraws(t *testing.T) {
	for _, gaussian := range []bool{false, true} {
		s := stream(t, func(s *plan.Stream) {
			s.Measures = append(s.Measures, plan.Measure{Name: "n", Of: plan.Count, Bounded: true, High: 4})
			s.Protect.Delta = 1e-30
			if gaussian {
				s.Protect.MaxContributions, s.Protect.Delta = 200, 0.01
			}
		})
		r := &recorder{add: 1000}
		epoch, _ := ofEpoch(t, s, &memory{}, rules{}, r, last, &Epoch{Known: true, Units: 40, Bounded: 7})
		want := []float64{2 * 2 * 25 / 24., 4 * 2 * 2 * 25 / 24., 50, 50}
		if gaussian {
			sigma := chance.Sigma(1, 0.01)
			want = []float64{math.Sqrt(400*25/24.) * sigma, 4 * math.Sqrt(400*25/24.) * sigma, math.Sqrt(50) * sigma,
				math.Sqrt(50) * sigma}
		}
		if !same(r.scales, want) {
			t.Errorf("Gaussian %v: drawn are scales %v; want %v", gaussian, r.scales, want)
		}
		if slices.Sort(r.exact); !slices.Equal(r.exact, []int64{7, 40, 500, 500}) {
			t.Errorf("Gaussian %v: noise is added to %v", gaussian, r.exact)
		}
		units, bounded := epoch[store.EpochUnits], epoch[store.EpochBounded]
		if *units.Value != 1040 || *bounded.Value != 1007 {
			t.Errorf("Gaussian %v: %v units, %v bounded; want 1040, 1007", gaussian, *units.Value, *bounded.Value)
		}
		m, err := mechanism.New(s)
		if err != nil {
			t.Fatal(err)
		}
		l, half := m.Epoch().Law(), *units.High-*units.Value
		if 2*l.Tail(half+1) > 0.025 || 2*l.Tail(half) <= 0.025 || *units.Value-*units.Low != half {
			t.Errorf("Gaussian %v: the interval is %v to %v", gaussian, *units.Low, *units.High)
		}
		// What is shown from ShareFrom units on: 99 of 100.
		if n := float64(m.ShareFrom()); l.Tail(n-store.ShareHalfWidths*half+1) > 0.01 ||
			l.Tail(n-store.ShareHalfWidths*half) <= 0.01 {
			t.Errorf("Gaussian %v: the share is shown from %v units", gaussian, n)
		}
	}
}

// TestTheRestIsDrawn: noise over what the numbers of epochs leave is as wide as it is said
// to be, which is 4 % more than of the whole budget: E|X| of 200,000 draws tells. They
// are that many for Gaussian noise, whose two scales are 2 % apart: 12 standard deviations of the
// mean, of which near takes 7, so that one run of ten million fails in vain.
func TestTheRestIsDrawn(t *testing.T) {
	const draws = 200_000
	from := newRandom()
	for _, c := range []mechanism.Noise{
		{Bound: 3, Pairs: 8, Parts: 2, Rest: true, Epsilon: 1},
		{Gaussian: true, Bound: 7, Pairs: 24, Parts: 4, Rest: true, Epsilon: 1, Delta: 1e-6},
	} {
		sum := 0.0
		for range draws {
			x, err := from.draw(c, 0)
			if err != nil {
				t.Fatal(err)
			}
			sum += math.Abs(float64(x))
		}
		of := c
		of.Rest = false
		if l := c.Law(); !chance.Noise(l).Near(sum/draws, draws) || chance.Noise(of.Law()).Near(sum/draws, draws) {
			t.Errorf("%+v: E|X| is %v; the scale is %v", c, sum/draws, l.Scale)
		}
	}
}
