package simulate

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"sluice/configs/portalba"
	"sluice/firmware-sim/street"
	"sluice/gateway/release"
	"sluice/plan"
	"sluice/policy/bundle"
	"sluice/policy/mechanism"
	"sluice/store"
	"sluice/test/raced"
)

// memory is a ledger that has room for everything and keeps it.
type memory struct{ list []store.Observation }

func (m *memory) Released(context.Context, release.Key) (bool, error) { return false, nil }

func (m *memory) Reserve(context.Context, release.Reservation) (release.Paid, error) {
	return release.Paid{Line: 1, Method: mechanism.Method}, nil
}

func (m *memory) Commit(_ context.Context, c release.Commit) error {
	for _, r := range c.Releases {
		m.list = append(m.list, r.Observation())
	}
	return nil
}

func (m *memory) Withhold(context.Context, plan.Question) (map[string]string, error) { return nil, nil }

// rehearse is a day without a gateway: what a gateway would have counted goes
// through disclosure control as it is, with its noise. It is for decisions whose
// measures are the number of units.
func rehearse(t *testing.T, p *bundle.Policy, d *bundle.Decision, tr Traffic) (*model, []store.Observation) {
	t.Helper()
	ctx := context.Background()
	m := newModel(p, d, tr.Sensors)
	if err := tr.each(ctx, func(int) {}, m.see); err != nil {
		t.Fatal(err)
	}
	return m, disclosed(t, m, d, tr)
}

// disclosed is what is released of what a model has counted.
func disclosed(t *testing.T, m *model, d *bundle.Decision, tr Traffic) []store.Observation {
	t.Helper()
	ctx, book := context.Background(), &memory{}
	pub := release.NewPublisher(book, true)
	end := tr.Start.Add(time.Duration(tr.Minutes) * time.Minute)
	for at := tr.Start; at.Before(end); {
		start, next := d.Stream.Window(at)
		var sums []release.Sums
		for _, c := range d.Stream.Cells {
			s := release.NewSums(d.Stream)
			v, _ := m.counted(c.ID(), start, unitsOf)
			s.Units, s.Alive = int64(v), true
			for i := range s.Total {
				s.Total[i][0], s.Weight[i] = int64(v), int64(v)
			}
			sums = append(sums, s)
		}
		batch := release.NewBatch(d.Stream, "", start, next, sums, "")
		if err := pub.Publish(ctx, batch, release.Charter{}, book); err != nil {
			t.Fatal(err)
		}
		at = next
	}
	return book.list
}

// TestTheExampleHoldsWhatPassed: on simulated days of seeds 1 to 20, at least 90 %
// of the shown footfall intervals hold what passed. Some 1,300 are shown, each of
// which holds it with 95 %: that fewer than 90 % do has a chance of at most 4e-12
// (Chernoff's bound). It takes about 10 s.
func TestTheExampleHoldsWhatPassed(t *testing.T) {
	raced.Skip(t)
	p, err := bundle.Read(portalba.Policy())
	if err != nil {
		t.Fatal(err)
	}
	d := p.Decision("2026-14")
	shown, inside, worst, expected, bias := 0, 0.0, 1.0, 0.0, 0.0
	for seed := range uint64(20) {
		m, list := rehearse(t, p, d, City(p, d, 1, seed+1))
		side := m.side(list)
		if side.Inside == nil || side.Published < 30 {
			t.Fatalf("seed %d: %d numbers are shown", seed+1, side.Published)
		}
		shown, inside, worst = shown+side.Published, inside+*side.Inside*float64(side.Published),
			min(worst, *side.Inside)
		c, _ := (&search{p: p, d: d, slot: m, models: []*model{m}}).evaluate(m, d.Stream.Protect.MaxContributions)
		expected += c.Inside / 20
		bias += *side.BiasShare / 20
	}
	t.Logf("%.4f of %d shown intervals hold what passed, at worst %.3f of a day's", inside/float64(shown), shown, worst)
	// About 1 % too high, since near the threshold noise upward is shown; the deviation
	// of the mean of 20 days is a quarter of that.
	if bias < -.05 || bias > .05 {
		t.Errorf("what is shown is off by %.3f on average", bias)
	}
	// What is proposed by is what is drawn, but for the conditional intervals near the threshold.
	if got := inside / float64(shown); math.Abs(got-expected) > .03 {
		t.Errorf("%.3f of the intervals hold what passed; %.3f are expected", got, expected)
	}
	if inside < .9*float64(shown) {
		t.Errorf("%.3f of %d shown intervals hold what passed; want 0.9", inside/float64(shown), shown)
	}
}

// TestPassedIsTheStreetsTruth: what the model calls passed is what the street says.
func TestPassedIsTheStreetsTruth(t *testing.T) {
	p := edited(t)
	sensors := street.Portalba()
	for id, hint := range map[string]string{"2026-14": "footfall", "2026-15": "boardings"} {
		d := p.Decision(id)
		tr := City(p, d, 1, 3)
		s := street.New(street.Config{Seed: 3, Sensors: sensors, PerHour: 900, Location: p.Location})
		tr.Begin = func() func(time.Time) []street.Observation { return s.Minute }
		m := newModel(p, d, sensors)
		if err := tr.each(context.Background(), func(int) {}, m.see); err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, line := range s.Truth().Lines() {
			if line.StreamHint != hint {
				continue
			}
			n++
			if v, _ := m.passed(cell{line.Zone, line.Start.Unix()}, unitsOf); v != float64(line.Units) {
				t.Errorf("%s: %v passed in %s at %v; the street says %d", id, v, line.Zone, line.Start, line.Units)
			}
		}
		if n != len(m.cells) || n < 20 {
			t.Errorf("%s: the street has %d lines, the model %d", id, n, len(m.cells))
		}
	}
}

// TestProposal: the example decisions are what is proposed for them; where the
// charter allows less, it is said what would serve.
func TestProposal(t *testing.T) {
	raced.Skip(t)
	const two = "max_contributions: 2"
	for name, c := range map[string]struct {
		file  string
		edits [][3]string
		pairs int64
		every string
		says  string
	}{
		"footfall as it is":     {footfall, nil, 4, "PT1H", "the charter allows nothing better"},
		"boardings as they are": {boardings, nil, 2, "PT1H", "the charter allows nothing better"},
		"twice only": {footfall, with(footfall, "max_contributions: 4", two), 4, "PT1H",
			"with the draft's 2 and PT1H it is"},
		"once only": {boardings, with(boardings, two, "max_contributions: 1"), 2, "PT1H",
			"with the draft's 1 and PT1H it is"},
		"a long window": {footfall, with(footfall, "every: PT1H", "every: PT6H"), 4, "PT1H",
			"with the draft's 4 and PT6H it is"},
	} {
		t.Run(name, func(t *testing.T) {
			p := edited(t, c.edits...)
			r, err := looked(p, id[c.file], City(p, p.Decision(id[c.file]), 1, 7))
			if err != nil {
				t.Fatal(err)
			}
			if x := r.Proposal; x.MaxContributions != c.pairs || x.Every != c.every || x.Inside < holdsEnough ||
				!strings.Contains(x.Why, c.says) {
				t.Errorf("%+v; want %d and %s, and %q", x, c.pairs, c.every, c.says)
			}
		})
	}
	p := edited(t,
		append(with("charter.yaml", "max_contributions: 4", two), with(footfall, "max_contributions: 4", two)...)...)
	r, err := looked(p, "2026-14", City(p, p.Decision("2026-14"), 1, 7))
	if err != nil {
		t.Fatal(err)
	}
	if x := r.Proposal; x.MaxContributions > 2 ||
		!strings.Contains(x.Why, "The charter allows 2 at most; with max_contributions") {
		t.Errorf("%+v; the charter allows 2", x)
	}
}

// TestOwnersParts: under by_owner, a unit counts in as many pairs as each owner's part
// has room for, and who is not named counts nowhere.
func TestOwnersParts(t *testing.T) {
	p := edited(t, with(footfall, "max_contributions: 4", "by_owner: {acme: 2, tram: 1}\n  max_contributions: 4")...)
	d := p.Decision("2026-14")
	m := newModel(p, d, []street.Sensor{
		{ID: "a", Owner: "acme", Zone: "rambla", Kind: street.WiFi},
		{ID: "b", Owner: "tram", Zone: "rambla", Kind: street.WiFi},
		{ID: "c", Owner: "sona", Zone: "rambla", Kind: street.WiFi},
	})
	for _, x := range []struct{ hour, sensor int }{{0, 0}, {1, 0}, {2, 0}, {2, 1}, {3, 0}, {3, 1}, {4, 2}} {
		m.see(street.Observation{Sensor: x.sensor, Time: d.Stream.From.Add(time.Duration(x.hour) * time.Hour),
			Fields: map[string]any{"device": "d", "rssi": -50}})
	}
	for hour, want := range []float64{1, 1, 1, 0, 0} {
		if got, _ := m.counted("rambla", d.Stream.From.Add(time.Duration(hour)*time.Hour), unitsOf); got != want {
			t.Errorf("hour %d: %v are counted; want %v", hour, got, want)
		}
	}
	if v, _ := m.exact("rambla", d.Stream.From.Add(4*time.Hour), unitsOf); v != 0 {
		t.Errorf("%v passed by a sensor that the decision does not name", v)
	}
}
