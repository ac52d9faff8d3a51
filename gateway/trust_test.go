package gateway

import (
	"testing"
	"time"

	"sluice/policy"
	"sluice/policy/bundle"
)

// TestSilentUntil: how long a recovery keeps a stream silent. What a clock far ahead has
// closed binds only the directory that it was closed in.
func TestSilentUntil(t *testing.T) {
	madrid, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, madrid)
	tomorrow, year := time.Date(2026, 3, 3, 0, 0, 0, 0, madrid), now.AddDate(1, 0, 0)
	for name, c := range map[string]struct {
		last         time.Time
		fresh, known bool
		want         time.Time
	}{
		"an older directory":                   {now.Add(-time.Hour), false, true, tomorrow},
		"one that was away":                    {now.AddDate(0, 0, -9), false, true, tomorrow},
		"one whose clock was ahead":            {year, false, true, time.Date(2027, 3, 3, 0, 0, 0, 0, madrid)},
		"a new one after that":                 {year, true, true, tomorrow},
		"a new one, and no policy":             {year, true, false, now.Add(25 * time.Hour)},
		"a new one, and a clock that is right": {now.Add(11 * time.Hour), true, true, tomorrow},
	} {
		g := &Gateway{fresh: c.fresh}
		if c.known {
			g.latest = &policy.Set{Policy: &bundle.Policy{Location: madrid}}
		}
		if got := g.silentUntil(c.last, now); !got.Equal(c.want) {
			t.Errorf("%s: silent until %s; want %s", name, got.In(madrid), c.want)
		}
	}
}
