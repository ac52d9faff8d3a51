package release

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"sluice/internal/civil"
	"sluice/plan"
	"sluice/policy/mechanism"
	"sluice/store"
	"sluice/test/footfall"
)

// The example of gateway/release's package doc.
var (
	start  = footfall.Start
	stream = footfall.Stream
)

// memory is a Book without a database, which keeps what is committed.
type memory struct {
	released map[Key][]Release
	spent    bool
	reserved []Reservation
	method   int // that the day was entered with; 0 for the reservation's
	fail     error
}

func (m *memory) Released(_ context.Context, k Key) (bool, error) {
	_, ok := m.released[k]
	return ok, nil
}

func (m *memory) Reserve(_ context.Context, r Reservation) (Paid, error) {
	m.reserved = append(m.reserved, r)
	paid := Paid{1, r.Method}
	if m.method != 0 {
		paid.Method = m.method
	}
	if m.spent {
		return paid, ErrSpent
	}
	return paid, nil
}

func (m *memory) Commit(_ context.Context, c Commit) error {
	if m.fail != nil {
		return m.fail
	}
	if m.released == nil {
		m.released = make(map[Key][]Release)
	}
	m.released[c.Key] = c.Releases
	return nil
}

type rules struct {
	zones map[string]string
	err   error
}

func (r rules) Withhold(context.Context, plan.Question) (map[string]string, error) {
	return r.zones, r.err
}

func publish(t *testing.T, s *plan.Stream, book *memory, r rules, sums Sums) []store.Observation {
	t.Helper()
	b := NewBatch(s, "policy", start, start.Add(time.Hour), []Sums{sums}, "")
	if err := NewPublisher(book, true).Publish(context.Background(), b,
		Charter{EpsilonPerDay: map[string]float64{"device": 1}}, r); err != nil {
		t.Fatal(err)
	}
	var out []store.Observation
	for _, x := range book.released[b.Key()] {
		out = append(out, x.Observation())
	}
	return out
}

func distinct(n int64) Sums {
	return Sums{Units: n, Alive: true, Total: [][]int64{{n}}, Weight: []int64{n}}
}

// TestNeverBelowMinUnits draws 20,000 times at each count below the floor. With
// delta 0.5 the noisy threshold alone would let thousands through.
func TestNeverBelowMinUnits(t *testing.T) {
	s := stream(t, func(s *plan.Stream) { s.Protect.Delta, s.Protect.MaxContributions = 0.5, 1 })
	for _, n := range []int64{0, 1, 9} {
		for range 20_000 {
			if o := publish(t, s, &memory{}, rules{}, distinct(n))[0]; o.Status != store.Withheld || o.Value != nil ||
				o.Low != nil || o.High != nil {
				t.Fatalf("with %d units it is %s", n, o.Status)
			}
		}
	}
}

// TestStepGivesNobodyAway: with exactly min_units units the chance to be
// published is at most delta for each pair. At delta 0.02 and one pair, 20,000
// draws of a right mechanism exceed 500 (0.025) with a probability below 1e-6.
func TestStepGivesNobodyAway(t *testing.T) {
	s := stream(t, func(s *plan.Stream) { s.Protect.Delta, s.Protect.MaxContributions = 0.02, 1 })
	published := 0
	for range 20_000 {
		if publish(t, s, &memory{}, rules{}, distinct(10))[0].Status == store.Published {
			published++
		}
	}
	if published > 500 || published < 100 {
		t.Errorf("published %d of 20,000 with min_units units; delta allows about 400", published)
	}
}

// TestCoverage: the interval holds the truth as often as the mechanism says. A
// right mechanism is off by more than 1 point in 20,000 draws with a probability
// below 1e-8, since a standard deviation is 0.14 points.
func TestCoverage(t *testing.T) {
	s := stream(t, nil)
	const truth, draws = 200, 20_000
	covered := 0.0
	var o store.Observation
	for range draws {
		o = publish(t, s, &memory{}, rules{}, distinct(truth))[0]
		if *o.Low <= truth && truth <= *o.High {
			covered++
		}
	}
	a := math.Exp(-1 / o.Scale)
	exact := 1 - 2*math.Pow(a, (*o.High-*o.Low)/2+1)/(1+a)
	if exact < 0.95 || math.Abs(covered/draws-exact) > 0.01 {
		t.Errorf("coverage is %.4f; the mechanism's is %.4f and must be at least 0.95", covered/draws, exact)
	}
}

// TestOtherMeasures: means and sums are near the truth and inside their
// intervals about as often as promised: at least 93.5 of 100 in 4,000 draws, which
// a right mechanism at a rate of 0.95 misses with a probability below 10^-5.
func TestOtherMeasures(t *testing.T) {
	s := stream(t, func(s *plan.Stream) {
		s.Measures = []plan.Measure{
			{Name: "sum", Of: plan.Sum, Field: "x", Bounded: true, Low: 0, High: 10},
			{Name: "mean", Of: plan.Mean, Field: "x", Bounded: true, Low: 0, High: 10},
			{Name: "n", Of: plan.Count, Bounded: true, High: 4},
		}
		s.Protect.Epsilon = 8
	})
	const units = 1000
	sums := Sums{Units: units, Alive: true, Total: [][]int64{{3000 * plan.Fixed}, {-2000 * plan.Fixed}, {2500}},
		Weight: []int64{units, units, units}}
	truth := map[string]float64{"sum": 3000, "mean": 3, "n": 2500}
	inside := map[string]int{}
	const draws = 4000
	for range draws {
		for _, o := range publish(t, s, &memory{}, rules{}, sums) {
			if o.Status != store.Published {
				t.Fatalf("%s is %s", o.Measure, o.Status)
			}
			if *o.Low <= truth[o.Measure] && truth[o.Measure] <= *o.High {
				inside[o.Measure]++
			}
			if *o.Low > *o.Value || *o.Value > *o.High || o.Measure == "mean" && (*o.Low < 0 || *o.High > 10) {
				t.Fatalf("%s is %v in [%v, %v]", o.Measure, *o.Value, *o.Low, *o.High)
			}
		}
	}
	for name, n := range inside {
		if n < draws*935/1000 {
			t.Errorf("%s is inside its interval in %d of %d draws", name, n, draws)
		}
	}
	// Four shares of 24/25: three measures and the number of units.
	if o := publish(t, s, &memory{}, rules{}, sums)[0]; math.Abs(o.Epsilon-1.92) > 1e-12 {
		t.Errorf("a measure has epsilon %v; want 1.92", o.Epsilon)
	}
}

func TestNobodyAndTooFewAreEqual(t *testing.T) {
	s := stream(t, nil)
	a, b := publish(t, s, &memory{}, rules{}, distinct(0))[0], publish(t, s, &memory{}, rules{}, distinct(9))[0]
	if a != b {
		t.Errorf("nobody is\n%+v\ntoo few is\n%+v", a, b)
	}
}

func TestStatuses(t *testing.T) {
	s := stream(t, nil)
	dead := distinct(100)
	dead.Alive = false
	for name, c := range map[string]struct {
		book   *memory
		rules  rules
		sums   Sums
		status store.Status
		reason string
	}{
		"no data": {&memory{}, rules{}, dead, store.NoData, ""},
		"blackout": {&memory{}, rules{zones: map[string]string{"rambla": "demonstration"}}, distinct(100),
			store.Withheld, "demonstration"},
		"budget":       {&memory{spent: true}, rules{}, distinct(100), store.Withheld, "budget"},
		"rules failed": {&memory{}, rules{err: errors.New("timeout")}, distinct(100), store.Withheld, "rules"},
		"published":    {&memory{}, rules{}, distinct(100), store.Published, ""},
	} {
		o := publish(t, s, c.book, c.rules, c.sums)[0]
		if o.Status != c.status || o.Reason != c.reason || (o.Value != nil) != (c.status == store.Published) {
			t.Errorf("%s: %s (%s); want %s (%s)", name, o.Status, o.Reason, c.status, c.reason)
		}
	}
}

func TestExactAboutNobody(t *testing.T) {
	s := stream(t, func(s *plan.Stream) {
		s.Unit = plan.Unit{StandsFor: "none"}
		s.Measures = []plan.Measure{{Name: "mean", Of: plan.Mean, Field: "x"},
			{Name: "gone", Of: plan.Mean, Field: "y"}}
	})
	book := &memory{}
	got := publish(t, s, book, rules{}, Sums{Total: [][]int64{{169 * plan.Fixed}, {0}}, Weight: []int64{2, 0}})
	if got[0].Status != store.Published || *got[0].Value != 84.5 || *got[0].Low != 84.5 ||
		got[0].Mechanism != "exact" || got[0].Epsilon != 0 {
		t.Errorf("got %+v; want 84.5, exact", got[0])
	}
	if got[1].Status != store.NoData || len(book.reserved) > 0 {
		t.Errorf("a measure without readings is %s; want no_data, and no budget reserved", got[1].Status)
	}
}

// TestReleasedOnce: a key in the journal is not drawn again, and a commit that
// fails leaves nothing.
func TestReleasedOnce(t *testing.T) {
	s := stream(t, nil)
	book := &memory{}
	first := *publish(t, s, book, rules{}, distinct(500))[0].Value
	for range 50 {
		if again := *publish(t, s, book, rules{}, distinct(500))[0].Value; again != first {
			t.Fatalf("the value became %v; it was %v", again, first)
		}
	}
	failing := &memory{fail: errors.New("disk full")}
	b := NewBatch(s, "policy", start, start.Add(time.Hour), []Sums{distinct(500)}, "")
	if err := NewPublisher(failing, true).Publish(context.Background(), b, Charter{}, rules{}); err == nil {
		t.Error("a commit that failed was taken for done")
	}
}

func TestReservationIsOfTheDay(t *testing.T) {
	s := stream(t, func(s *plan.Stream) { s.Forget = civil.MustPeriod("PT6H") })
	book := &memory{}
	publish(t, s, book, rules{}, distinct(5))
	want := Reservation{Day: "2026-03-02", Decision: "1", Plan: s.Digest, Unit: "device", Epsilon: 4, Delta: 4e-6,
		Cap: 1, Method: mechanism.Method}
	if len(book.reserved) != 1 || book.reserved[0] != want {
		t.Errorf("reserved %+v; want %+v", book.reserved, want)
	}
}
