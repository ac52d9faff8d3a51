package retention

import (
	"strings"
	"testing"
	"time"

	"sluice/internal/retention"
)

// TestJoined: where a series had two plans nothing of either goes too early, and it has windows
// from the first one's first to the last one's last.
func TestJoined(t *testing.T) {
	term := func(s string) retention.Term {
		t.Helper()
		x, err := retention.ParseTerm(s)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	day := func(n int) time.Time { return june.AddDate(0, 0, n) }
	a := kept{term("P1Y"), time.UTC, day(3), day(5)}
	b := kept{term("P2Y"), madrid, day(1), day(9)}
	want := kept{term("P2Y"), madrid, day(1), day(9)}
	for _, got := range []kept{a.joined(b), b.joined(a)} {
		if got != want {
			t.Errorf("%+v; want %+v", got, want)
		}
	}
}

// TestSaidOnce: a problem that lasts is logged once, and another one again.
func TestSaidOnce(t *testing.T) {
	w := newTown(t, "P3D", "forever")
	for _, problem := range []string{"the disk is full", "the disk is full", "the store is away"} {
		w.say(problem)
	}
	if n := strings.Count(w.log.String(), "\n"); n != 2 {
		t.Errorf("%d lines:\n%s", n, w.log.String())
	}
}
