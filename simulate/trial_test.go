package simulate

import (
	"context"
	"math"
	"reflect"
	"slices"
	"sort"
	"testing"
	"time"

	"sluice/internal/civil"
	"sluice/policy/bundle"
	"sluice/policy/mechanism"
	"sluice/store"
	"sluice/test/raced"
)

func rehearsed(t *testing.T, p *bundle.Policy, d *bundle.Decision, tr Traffic) *Rehearsal {
	t.Helper()
	r, err := NewRehearsal(context.Background(), p, d, tr, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func tried(t *testing.T, r *Rehearsal, v Values, seed uint64) *Trial {
	t.Helper()
	x, err := r.Try(v, seed)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// TestTrialIsTheGateways: on the same traffic, a rehearsal says what a real gateway does. What has no
// noise is the same: who came, who was turned away, what was dropped, what a unit spends, and how wide
// the intervals are. What the gateway counted is what the rehearsal counts, with noise that is greater
// than this once in a million runs.
func TestTrialIsTheGateways(t *testing.T) {
	raced.Skip(t)
	p := edited(t)
	for id, a := range map[string]Answers{"2026-14": {5000, 11, .8}, "2026-15": {3000, 10, 1.5}} {
		d := p.Decision(id)
		tr := a.Traffic(p, d, 1, 5)
		tr.Start, tr.Minutes = tr.Start.Add(8*time.Hour), 6*60
		full, err := Run(context.Background(), Options{Draft: p, Decision: id, Traffic: tr})
		if err != nil {
			t.Fatal(err)
		}
		x := tried(t, rehearsed(t, p, d, tr), ValuesOf(d), 1)
		side := full.Draft
		if side.Hours != x.Hours || !reflect.DeepEqual(side.Dropped, x.Dropped) || side.Cell != x.Cell ||
			side.Budget != x.Budget || len(side.Series) != 6 || len(x.Side.Series) != 6 {
			t.Errorf("%s: a gateway has\n%+v\nand a rehearsal\n%+v", id, side, x.Side)
		}
		mech, err := mechanism.New(d.Stream)
		if err != nil {
			t.Fatal(err)
		}
		most, numbers := mech.Units().Law().Beyond(1e-6/2/2/6), 0
		for i, real := range side.Series {
			mine := x.Side.Series[i]
			if real.Start != mine.Start || real.Truth != mine.Truth {
				t.Errorf("%s: %+v and %+v", id, real, mine)
			}
			counted, _ := x.m.counted(side.Cell, real.Start, unitsOf)
			if counted < 2*float64(x.PublicFrom) {
				continue
			}
			numbers++
			if real.Status != store.Published || math.Abs(real.Value-counted) > most ||
				real.High-real.Low != mine.High-mine.Low {
				t.Errorf("%s: of %v units a gateway says %+v, a rehearsal %+v", id, counted, real, mine)
			}
		}
		if numbers < 3 {
			t.Errorf("%s: only %d numbers were compared", id, numbers)
		}
	}
}

// TestTrialsNoiseIsTheReleases: what trials publish over and above what was counted, and how often
// they publish, is distributed as what real noise gives. Both samples are further from their own
// distribution than that once in a million runs (Dvoretzky, Kiefer, Wolfowitz; Massart), and so from
// each other than twice that.
func TestTrialsNoiseIsTheReleases(t *testing.T) {
	raced.Skip(t)
	const repeats = 150
	p := edited(t)
	for _, id := range []string{"2026-14", "2026-15"} { // Gaussian or Laplace, exact and noisy floors
		d := p.Decision(id)
		tr := Answers{3000, 18, .8}.Traffic(p, d, 1, 5)
		r := rehearsed(t, p, d, tr)
		m := r.model(d.Stream, false)
		var real, mine []float64
		for seed := range uint64(repeats) {
			real = append(real, deviations(m, disclosed(t, m, d, tr))...)
			mine = append(mine, deviations(m, tried(t, r, ValuesOf(d), seed).list)...)
		}
		n := float64(len(real))
		if n < 20*repeats || len(mine) != len(real) {
			t.Fatalf("%s: %v and %d numbers", id, n, len(mine))
		}
		if most := 2 * math.Sqrt(math.Log(2*2e6)/2/n); apart(real, mine) > most {
			t.Errorf("%s: the two are %.4f apart; at most %.4f", id, apart(real, mine), most)
		}
	}
}

// deviations are those of the numbers of units from what was counted; what is withheld is far below.
func deviations(m *model, list []store.Observation) (out []float64) {
	for _, o := range list {
		if o.Measure != m.s.Measures[0].Name {
			continue
		}
		want, _ := m.counted(o.Cell, o.Start, unitsOf)
		switch {
		case want == 0: // of nobody nothing is shown
		case o.Status == store.Published:
			out = append(out, *o.Value-want)
		default:
			out = append(out, -1e9)
		}
	}
	return out
}

// apart is how far the distributions of two samples of one size are from each other.
func apart(a, b []float64) (far float64) {
	slices.Sort(a)
	slices.Sort(b)
	for i, x := range a {
		if i+1 < len(a) && a[i+1] == x {
			continue
		}
		j := sort.Search(len(b), func(k int) bool { return b[k] > x })
		far = max(far, math.Abs(float64(i+1-j))/float64(len(a)))
	}
	return far
}

// TestTrialIsRepeated: the same seed gives the same trial, and values that are near each other the same
// noise.
func TestTrialIsRepeated(t *testing.T) {
	p := edited(t)
	d := p.Decision("2026-14")
	r := rehearsed(t, p, d, Answers{4000, 18, .4}.Traffic(p, d, 1, 1))
	a, b, c := tried(t, r, ValuesOf(d), 1), tried(t, r, ValuesOf(d), 1), tried(t, r, ValuesOf(d), 2)
	if !reflect.DeepEqual(a.Side, b.Side) {
		t.Error("the same seed gives another trial")
	}
	if reflect.DeepEqual(a.Series, c.Series) {
		t.Error("another seed gives the same noise")
	}
	if slices.ContainsFunc(a.list, func(o store.Observation) bool { return !o.Simulation }) {
		t.Error("a number of a trial is not marked as one of a simulation")
	}
	v := ValuesOf(d)
	v.MinUnits++
	if e := tried(t, r, v, 1); e.Side.Series[18].Value != a.Side.Series[18].Value {
		t.Error("a smallest group that is larger by one changes the noise of a large group")
	}
}

// TestAnswersAreTheStreet: as many pass as was said, most of them at the peak, and they come back as
// often as was said.
func TestAnswersAreTheStreet(t *testing.T) {
	p := edited(t)
	d := p.Decision("2026-14")
	for _, a := range []Answers{{10_000, 18, 1}, {3000, 9, 0}, {5000, 0, 3}} {
		r := rehearsed(t, p, d, a.Traffic(p, d, 1, 3))
		if len(r.list) != a.Passes {
			t.Errorf("%v: %d pass", a, len(r.list))
		}
		x := tried(t, r, ValuesOf(d), 1)
		// The number of units varies by 2 % at most, four deviations, where each comes back as often as that.
		got := float64(a.Passes)/float64(x.Missed.Units) - 1
		if math.Abs(got-a.Returns) > .15*(a.Returns+.001) {
			t.Errorf("%v: one comes back %.3f times", a, got)
		}
		most := 0
		for h := range x.Hours {
			if x.Hours[h].Units > x.Hours[most].Units {
				most = h
			}
		}
		if away := (most - a.Peak + 24) % 24; away > 1 && away < 23 {
			t.Errorf("%v: most pass at %d", a, most)
		}
		if a.Returns == 0 && x.Missed.TurnedAway != 0 {
			t.Errorf("%v: %d are turned away", a, x.Missed.TurnedAway)
		}
	}
}

func TestParseAnswers(t *testing.T) {
	for text, want := range map[string]Answers{"3000,18,0.5": {3000, 18, .5}, "1, 18:00 ,0": {1, 18, 0}} {
		if a, err := ParseAnswers(text); err != nil || a != want {
			t.Errorf("%q: %v, %v", text, a, err)
		}
	}
	for _, text := range []string{"", "1,2", "1,2,3,4", "0,1,1", "1,24,1", "1,-1,1", "1,1,-1", "1,1,NaN", "1,1,21",
		"100001,1,1", "many,1,1"} {
		if a, err := ParseAnswers(text); err == nil {
			t.Errorf("%q is %v", text, a)
		}
	}
}

// TestValuesThatCannotBe are refused, and a window that another has found is not counted twice.
func TestValuesThatCannotBe(t *testing.T) {
	p := edited(t)
	d := p.Decision("2026-14")
	r := rehearsed(t, p, d, Answers{500, 18, 0}.Traffic(p, d, 1, 1))
	for _, v := range []Values{
		{civil.MustPeriod("PT7H"), 10, 1, 4}, {civil.MustPeriod("PT1H"), 0, 1, 4}, {civil.MustPeriod("PT1H"), 10, 0, 4},
		{civil.MustPeriod("PT1H"), 10, 1, 0}, {civil.MustPeriod("PT1H"), 10, math.NaN(), 4}, {civil.Period{}, 10, 1, 4},
	} {
		if x, err := r.Try(v, 1); err == nil {
			t.Errorf("%+v gives %+v", v, x.Side)
		}
	}
}

// TestTrialIsQuick: a day of the example city is tried, with a window that is new, in less time than
// the city itself takes to be made; that is far less than a second. The best of five is compared, since
// the machine may be another's for a moment.
func TestTrialIsQuick(t *testing.T) {
	raced.Skip(t)
	p := edited(t)
	d := p.Decision("2026-14")
	tr := City(p, d, 1, 1)
	best := func(do func()) (least time.Duration) {
		least = time.Hour
		for range 5 {
			begun := time.Now()
			do()
			least = min(least, time.Since(begun))
		}
		return least
	}
	r := rehearsed(t, p, d, tr)
	made := best(func() { _ = tr.each(context.Background(), func(int) {}, r.models[key(d.Stream.Every, true)].see) })
	fresh := best(func() {
		clear(r.models)
		tried(t, r, ValuesOf(d), 1)
	})
	again := best(func() { tried(t, r, ValuesOf(d), 1) })
	t.Logf("made in %s, tried in %s, and again in %s", made, fresh, again)
	if fresh > 2*made || again > made/2 {
		t.Errorf("made in %s, tried in %s, and again in %s", made, fresh, again)
	}
}
