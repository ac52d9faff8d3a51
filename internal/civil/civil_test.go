package civil

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestPeriod(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"PT15M": 15 * time.Minute, "PT1H": time.Hour, "P1D": 24 * time.Hour, "P1DT12H": 36 * time.Hour,
		"PT1H30M": 90 * time.Minute, "PT90S": 90 * time.Second, "P2W": 14 * 24 * time.Hour, "P1Y": 365 * 24 * time.Hour,
	} {
		p, err := ParsePeriod(text)
		if err != nil || p.Nominal() != want {
			t.Errorf("%s is %v (%v); want %v", text, p.Nominal(), err, want)
		}
	}
	for _, text := range []string{"", "P", "PT", "1H", "P1H", "PT1D", "PT1M1H", "P-1D", "P1.5D", "PT1", "P999999Y",
		"pt1h", "P1DT"} {
		if p, err := ParsePeriod(text); err == nil {
			t.Errorf("%q was read as %v", text, p)
		}
	}
}

func FuzzPeriod(f *testing.F) {
	for _, s := range []string{"PT15M", "P1Y2M3DT4H5M6S", "P", "PT99999H"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePeriod(s)
		if err != nil {
			return
		}
		q, err := ParsePeriod(p.String())
		if err != nil || q != p && q.Nominal() != p.Nominal() {
			t.Errorf("%q is written as %q and read as %v (%v)", s, p, q, err)
		}
	})
}

func location(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// The days on which clocks change in Madrid in 2026: 29 March has 23 hours, 25
// October has 25.
func TestGridOfOddDays(t *testing.T) {
	loc := location(t, "Europe/Madrid")
	for _, c := range []struct {
		day   time.Time
		step  time.Duration
		steps int
	}{
		{time.Date(2026, 3, 29, 12, 0, 0, 0, loc), time.Hour, 23},
		{time.Date(2026, 10, 25, 12, 0, 0, 0, loc), time.Hour, 25},
		{time.Date(2026, 10, 25, 12, 0, 0, 0, loc), 6 * time.Hour, 5},
		{time.Date(2026, 3, 29, 12, 0, 0, 0, loc), 6 * time.Hour, 4},
		{time.Date(2026, 3, 29, 12, 0, 0, 0, loc), 24 * time.Hour, 1},
		{time.Date(2026, 10, 25, 12, 0, 0, 0, loc), 24 * time.Hour, 1},
		{time.Date(2026, 6, 1, 12, 0, 0, 0, loc), 15 * time.Minute, 96},
	} {
		g := NewGrid(c.step, loc)
		if n := g.Steps(c.day); n != c.steps {
			t.Errorf("%s in steps of %s has %d; want %d", g.Day(c.day), c.step, n, c.steps)
		}
	}
}

// Steps tile time: each instant is in exactly one, none crosses local midnight,
// and an epoch begins and ends with a window.
func TestGridTiles(t *testing.T) {
	zones := []string{"Europe/Madrid", "UTC", "America/Sao_Paulo", "Asia/Kolkata", "Australia/Lord_Howe", "Asia/Beirut"}
	rapid.Check(t, func(r *rapid.T) {
		loc, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(r, "zone"))
		if err != nil {
			r.Fatal(err)
		}
		every := rapid.SampledFrom([]time.Duration{time.Minute, 15 * time.Minute, time.Hour, 6 * time.Hour,
			24 * time.Hour}).Draw(r, "every")
		epoch := every * time.Duration(rapid.SampledFrom([]int{1, 2, 4}).Draw(r, "windows"))
		if 24*time.Hour%epoch != 0 || epoch > 24*time.Hour {
			epoch = 24 * time.Hour
		}
		at := time.Unix(rapid.Int64Range(0, 4_000_000_000).Draw(r, "at"),
			rapid.Int64Range(0, 999_999_999).Draw(r, "ns"))
		g := NewGrid(every, loc)
		start, end := g.Step(at)
		if at.Before(start) || !at.Before(end) || end.Sub(start) > every+2*time.Hour {
			r.Fatalf("%v is in [%v, %v)", at, start, end)
		}
		if again, _ := g.Step(start); !again.Equal(start) {
			r.Fatalf("the start of a step is in another step")
		}
		if next, _ := g.Step(end); !next.Equal(end) {
			r.Fatalf("a step ends at %v and the next begins at %v", end, next)
		}
		if g.Day(start) != g.Day(end.Add(-1)) {
			r.Fatalf("a step crosses midnight")
		}
		e0, e1 := NewGrid(epoch, loc).Step(at)
		if start.Before(e0) || end.After(e1) {
			r.Fatalf("window [%v, %v) is not inside epoch [%v, %v)", start, end, e0, e1)
		}
	})
}
