package ingest

import (
	"strings"
	"testing"
	"time"

	"sluice/gateway/ingest/internal/intake"
)

// TestJumps: what the gateway believes after the clock has jumped, some minutes later.
func TestJumps(t *testing.T) {
	const m = time.Minute
	for name, c := range map[string]struct {
		jump, after time.Duration
		believed    bool
	}{
		"set right by seconds":        {20 * time.Second, 0, true},
		"back by seconds":             {-20 * time.Second, 0, true},
		"ahead, at once":              {time.Hour, 0, false},
		"ahead, soon":                 {time.Hour, 9 * m, false},
		"ahead, after ten minutes":    {time.Hour, 11 * m, true},
		"back, soon":                  {-time.Hour, 9 * m, false},
		"back, after ten minutes":     {-time.Hour, 11 * m, true},
		"a small one, soon":           {3 * m, 2 * m, false},
		"a small one, a little later": {3 * m, 4 * m, true},
		"a year":                      {365 * 24 * time.Hour, 48 * time.Hour, false},
		"back by a year":              {-365 * 24 * time.Hour, 11 * m, true},
	} {
		var r jumpFilter
		r.observe(noon, 0)
		r.observe(noon.Add(m), m)
		var got time.Time
		for up := m; up <= m+c.after; up += 15 * time.Second {
			got = r.observe(noon.Add(up+c.jump), up)
		}
		want := noon.Add(m + c.after)
		if c.believed {
			want = want.Add(c.jump)
		}
		if !got.Equal(want) {
			t.Errorf("%s: it is %s; want %s", name, got, want)
		}
		if said := r.problem(want, m+c.after); (said == "") != c.believed {
			t.Errorf("%s: it says %q", name, said)
		}
	}
}

// TestAJumpThatGoes: when the clock comes back, nothing has happened.
func TestAJumpThatGoes(t *testing.T) {
	var r jumpFilter
	r.observe(noon, 0)
	for up := time.Second; up < 5*time.Minute; up += time.Second {
		r.observe(noon.Add(up+time.Hour), up)
	}
	if got, want := r.observe(noon.Add(5*time.Minute), 5*time.Minute), noon.Add(5*time.Minute); !got.Equal(want) ||
		r.off != 0 {
		t.Errorf("it is %s, off by %s; want %s", got, r.off, want)
	}
}

// TestReadingsInDoubt: while a jump is doubted, readings are judged by the time that is
// believed; so one without a time of its own opens no window years ahead, not even
// before the next tick.
func TestReadingsInDoubt(t *testing.T) {
	wall, up := noon, time.Duration(0)
	i := walled(t, noon)
	i.cfg.Now, i.cfg.Uptime = func() time.Time { return wall }, func() time.Duration { return up }
	i.cfg.Future = time.Minute
	i.startClock()
	wall, up = noon.AddDate(1, 0, 0), time.Second
	if got, want := i.clock.at(wall), noon.Add(time.Second).UnixNano(); got != want {
		t.Errorf("a reading without a time is of %s; want %s", time.Unix(0, got).UTC(), time.Unix(0, want).UTC())
	}
	if before := noon.Add(-2 * time.Minute); i.clock.at(before) != before.UnixNano() {
		t.Error("what waited from before the jump has another time now")
	}
	for n, at := range []time.Time{noon, noon.AddDate(0, 0, 20)} {
		i.deliver(i.sensor(), &intake.Message{Topic: "city/v1/o/a/up", Payload: []byte(said(at, n)), Received: wall},
			i.clock.at(wall))
	}
	if open(i) != 1 || i.account.Refused["E301"] != 1 {
		t.Errorf("open %d, refused %v; want one of each", open(i), i.account.Refused)
	}
	if now := i.clock.believed(); !now.Equal(noon.Add(time.Second)) ||
		!strings.Contains(i.Clock(), "jumped ahead by 8759h59m59s") {
		t.Errorf("it is %s, and it says %q", now, i.Clock())
	}
}

// TestBehind: a clock behind the last tick closes nothing, and says so.
func TestBehind(t *testing.T) {
	i := walled(t, noon)
	i.clock.now = noon.AddDate(1, 0, 0)
	i.startClock()
	if said := i.Clock(); !strings.Contains(said, "8760h0m0s behind") || !strings.Contains(said, "The clock") {
		t.Errorf("it says %q", said)
	}
}

// TestTheClockIsSetRight: one that is known to be wrong, since it says 1970 or is behind
// the last tick, is held against nothing.
func TestTheClockIsSetRight(t *testing.T) {
	for name, last := range map[string]time.Time{"from 1970": {}, "from behind": noon.AddDate(0, 0, -3)} {
		wall := time.Unix(1000, 0)
		if !last.IsZero() {
			wall = noon.AddDate(-1, 0, 0)
		}
		i := walled(t, noon)
		i.cfg.Now, i.clock.now = func() time.Time { return wall }, last
		i.startClock()
		if i.Clock() == "" {
			t.Errorf("%s: nothing is said", name)
		}
		i.clock.believed()
		wall = noon
		if now := i.clock.believed(); !now.Equal(noon) || i.Clock() != "" {
			t.Errorf("%s: it is %s, and it says %q", name, now, i.Clock())
		}
	}
}

// TestMostReadingsAreOutOfTime: then the gateway's clock may be wrong.
func TestMostReadingsAreOutOfTime(t *testing.T) {
	i := walled(t, noon)
	i.account.Received, i.account.Late = 100, 60
	i.reporter.revealCounters()
	if i.Clock() == "" {
		t.Error("60 of 100 readings were late, and nothing is said")
	}
	i.account.Received, i.account.Late = 200, 70
	i.reporter.revealCounters()
	if said := i.Clock(); said != "" {
		t.Errorf("10 of 100 readings were late, and it says %q", said)
	}
}

// TestPulse: a standstill is said, with where and what to do.
func TestPulse(t *testing.T) {
	p := pulse{begun: time.Now().Add(-time.Minute)}
	p.beat(releasing)
	if said := p.problem(); said != "" {
		t.Errorf("at once it says %q", said)
	}
	p.begun = p.begun.Add(-12 * time.Second)
	if said := p.problem(); !strings.Contains(said, "not moved for 12s: it waits until a window is released") {
		t.Errorf("after 12 seconds it says %q", said)
	}
}
