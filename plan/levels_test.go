package plan

import (
	"math"
	"math/big"
	"math/bits"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sluice/internal/civil"
)

func level(of Aggregation, low, high float64) *Measure {
	return &Measure{Name: "l", Of: of, Field: "laeq", Bounded: true, Low: low, High: high}
}

// TestEnergyFits: no energy leaves an int64, and the proof of its resolution holds at both
// ends and between.
func TestEnergyFits(t *testing.T) {
	m := level(Leq, 20, 140)
	if least, most := m.Energy(-5e9), m.Energy(5e9); least != 1<<23 || most != 1e12*(1<<23) {
		t.Fatalf("energies are from %d to %d", least, most)
	}
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Int64Range(20*Fixed, 140*Fixed).Draw(t, "level")
		e := m.Energy(v)
		exact := math.Pow(10, (float64(v)/Fixed-20)/10) * (1 << 23)
		if e < 1<<23 || math.Abs(float64(e)-exact) > exact/(1<<24)*(1+1e-6) {
			t.Fatalf("the energy of %d is %d, not %v", v, e, exact)
		}
		if got := m.Decibels([]int64{e}); got != float64(v)/Fixed { // a level alone is itself
			t.Fatalf("%d comes back as %v", v, got)
		}
	})
}

// TestLevelIsRight: against energies of 200 bits, the level of a hundred readings is right
// to two millionths.
func TestLevelIsRight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := level(Leq, 20, 140)
		values := rapid.SliceOfN(rapid.Int64Range(20*Fixed, 140*Fixed), 1, 100).Draw(t, "levels")
		high, low, exact := uint64(0), uint64(0), new(big.Float).SetPrec(200)
		for _, v := range values {
			var carry uint64
			low, carry = bits.Add64(low, uint64(m.Energy(v)), 0)
			high += carry
			exact.Add(exact, new(big.Float).SetPrec(200).SetFloat64(math.Pow(10, float64(v)/Fixed/10)))
		}
		mean, _ := bits.Div64(high, low, uint64(len(values)))
		want, _ := exact.Quo(exact, big.NewFloat(float64(len(values)))).Float64()
		if got := m.Decibels([]int64{int64(mean)}); math.Abs(got-10*math.Log10(want)) > 2e-6 {
			t.Fatalf("%v of %v, not %v", got, values, 10*math.Log10(want))
		}
	})
}

// TestKnownLevels: the sum of PUBLIC's quarter of an hour, and levels of the day by the
// directive's formula.
func TestKnownLevels(t *testing.T) {
	m := level(Leq, 20, 140)
	mean := (m.Energy(71.5*Fixed) + m.Energy(90*Fixed) + m.Energy(50*Fixed)) / 3
	if got := m.Decibels([]int64{mean}); math.Abs(got-85.290132) > 2e-6 {
		t.Errorf("71.5, 90 and 50 dB make %v", got)
	}
	d := level(Lden, 20, 140)
	e := func(v float64) int64 { return d.Energy(int64(v * Fixed)) }
	// 10 lg((12 + 4*10^0.5 + 80)/24) more
	if got := d.Decibels([]int64{e(60), e(60), e(60)}); math.Abs(got-66.3951) > 1e-3 {
		t.Errorf("60 dB all day and night is Lden %v", got)
	}
	if got := d.Decibels([]int64{e(65), e(60), e(55)}); math.Abs(got-65) > 1e-6 {
		t.Errorf("65, 60 and 55 dB is Lden %v", got)
	}
}

// TestPartsOfTheDay: by local time, on days of 23, 24 and 25 hours.
func TestPartsOfTheDay(t *testing.T) {
	loc, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		t.Fatal(err)
	}
	s := &Stream{windows: civil.NewGrid(24*time.Hour, loc)}
	for _, c := range []struct {
		day   string
		night int
	}{{"2026-03-29", 7}, {"2026-06-01", 8}, {"2026-10-25", 9}} {
		noon, err := time.ParseInLocation("2006-01-02 15", c.day+" 12", loc)
		if err != nil {
			t.Fatal(err)
		}
		start, end := s.Window(noon)
		clock := s.ClockOf(start)
		var minutes [partsOfDay]int
		for at := start; at.Before(end); at = at.Add(time.Minute) {
			p := clock.Part(at.UnixNano())
			minutes[p]++
			h := at.In(loc).Hour()
			if want := map[bool]PartOfDay{h >= 7 && h < 19: Day, h >= 19 && h < 23: Evening, h < 7 ||
				h == 23: Night}[true]; p != want {
				t.Fatalf("%s is in part %d", at.In(loc), p)
			}
		}
		if minutes != [partsOfDay]int{12 * 60, 4 * 60, c.night * 60} {
			t.Errorf("%s has %v minutes", c.day, minutes)
		}
	}
}

// TestLevelsAreRefused: levels, and shares, where they would not be honest.
func TestLevelsAreRefused(t *testing.T) {
	nobody, device := Unit{StandsFor: "none"}, Unit{Field: "device", StandsFor: "device"}
	for _, c := range []struct {
		m     *Measure
		u     Unit
		every time.Duration
		says  string
	}{
		{level(Leq, 20, 140), nobody, time.Hour, ""},
		{level(Lden, 20, 140), nobody, 24 * time.Hour, ""},
		{level(Leq, 20, 140), device, time.Hour, "about nobody"},
		{level(Leq, 20, 140.1), nobody, time.Hour, "at most 120"},
		{level(Leq, 20, 20), nobody, time.Hour, "between"},
		{level(Lnight, 20, 140), nobody, time.Hour, "P1D"},
		{&Measure{Name: "l", Of: Leq, Field: "laeq"}, nobody, time.Hour, "between"},
		{&Measure{Name: "l", Of: Leq, Field: "laeq", High: 100}, nobody, time.Hour, "between"},
		{&Measure{Name: "l", Of: Leq, Field: "laeq", Bounded: true, High: 100, Edges: []float64{0, 1}}, nobody,
			time.Hour, "edges"},
		{&Measure{Name: "l", Of: Leq, Bounded: true, High: 100}, nobody, time.Hour, "field"},
		{&Measure{Name: "s", Of: Mean, Field: "dry", Share: true, Bounded: true, High: 1}, nobody, time.Hour, ""},
		{&Measure{Name: "s", Of: Mean, Field: "dry", Share: true, Bounded: true, High: 2}, nobody, time.Hour,
			"from 0 to 1"},
		{&Measure{Name: "s", Of: Mean, Field: "dry", Share: true, Bounded: true, Low: -1, High: 1}, nobody, time.Hour,
			"from 0 to 1"},
		{&Measure{Name: "s", Of: Mean, Field: "dry", Share: true, High: 1}, nobody, time.Hour, "from 0 to 1"},
		{&Measure{Name: "s", Of: Sum, Field: "dry", Share: true, Bounded: true, High: 1}, nobody, time.Hour,
			"from 0 to 1"},
	} {
		err := c.m.check(c.u, c.every)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: %v; want %q", c.m, err, c.says)
		}
	}
}
