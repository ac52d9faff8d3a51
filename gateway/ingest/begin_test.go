package ingest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"sluice/gateway/ingest/internal/intake"
	"sluice/internal/civil"
	"sluice/plan"
)

// said is a reading with a time of its own.
func said(at time.Time, seq int) string {
	return fmt.Sprintf(`{"ts":%q,"seq":%d,"fields":{"device":"d","rssi":-50}}`, at.Format(time.RFC3339), seq)
}

// unborn has heard three readings before its first tick, of long ago, of now and of
// years ahead.
func unborn(t *testing.T, ahead time.Time) *Ingest {
	t.Helper()
	s := footfall(t, 2)
	s.From, s.Until = noon.AddDate(-1, 0, 0), noon.AddDate(20, 0, 0)
	if err := s.Finish(); err != nil {
		t.Fatal(err)
	}
	i := awake(t, inMemory(t), s)
	t.Cleanup(func() { _ = i.journal.log.Close() })
	i.clock.now = time.Time{}
	for n, at := range []time.Time{noon.AddDate(0, -2, 0), noon, ahead} {
		i.hear(said(at, n))
	}
	return i
}

// TestOneWrongClockBeforeTheFirstTick: it neither begins months of windows nor leaves
// one open for years; every reading is accounted for.
func TestOneWrongClockBeforeTheFirstTick(t *testing.T) {
	i := unborn(t, noon.AddDate(9, 0, 0))
	if i.windows.known() {
		t.Error("a policy would be taken while nobody knows where the open windows lie")
	}
	w, keys := drain(t)
	for _, at := range []time.Duration{30 * time.Minute, 90 * time.Minute} {
		if err := i.tick(context.Background(), w, noon.Add(at)); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(keys()); n != 1 {
		t.Errorf("%d windows were released; want the one of noon", n)
	}
	if s := &i.account; s.Late != 1 || s.Refused["E301"] != 1 || s.Counted != 1 || s.Received != 3 {
		t.Errorf("the account is %+v", s.account)
	}
	if !i.windows.known() {
		t.Error("no policy would be taken after the first tick")
	}
}

// TestAPolicyIsInForceSoon: however far ahead windows lie that an earlier version has
// let in.
func TestAPolicyIsInForceSoon(t *testing.T) {
	i := unborn(t, noon.AddDate(9, 0, 0))
	i.clock.now = noon // an earlier version's tick has taken them
	var since time.Time
	next := i.routing.versions[0]
	next.Digest = "next"
	err := i.changes.enact(enactment{version: next, settle: func(at time.Time) (time.Time, error) {
		since = at
		return at, nil
	}})
	if err != nil || since.After(noon.Add(reach+time.Hour)) || since.Before(noon) {
		t.Errorf("the new policy is in force from %s (%v)", since, err)
	}
}

// TestOneReadingBeginsNoWindow: about units, the first tick begins the first window; what
// was published for one before it is late. A stream about nobody begins with its readings.
func TestOneReadingBeginsNoWindow(t *testing.T) {
	for _, unit := range []plan.Unit{{Field: "device", StandsFor: "device"}, {StandsFor: "none"}} {
		s := footfall(t, 2)
		if s.Unit = unit; unit.None() {
			s.Measures, s.Protect, s.Forget = []plan.Measure{{Name: "n", Of: plan.Count}}, plan.Protect{},
				civil.Period{}
		}
		if err := s.Finish(); err != nil {
			t.Fatal(err)
		}
		i := awake(t, inMemory(t), s)
		i.clock.now = time.Time{}
		i.hear(said(noon.Add(-5*time.Hour), 1))
		w, keys := drain(t)
		if err := i.tick(t.Context(), w, noon.Add(30*time.Minute)); err != nil {
			t.Fatal(err)
		}
		want, late := 0, int64(1)
		if unit.None() {
			want, late = 5, 0
		}
		if n := len(keys()); n != want || i.account.Late != late {
			t.Errorf("%s: %d windows are released, %d readings late; want %d and %d", unit.StandsFor, n, i.account.Late,
				want, late)
		}
		if names := i.journal.keys.Names(); !unit.None() && len(names) > 0 &&
			strings.Contains(strings.Join(names, " "), "w-") {
			t.Errorf("keys are left: %v", names)
		}
		_ = i.journal.log.Close()
	}
}

// TestTwoDaysAroundTheFirstTick: whoever drives the clock may publish first.
func TestTwoDaysAroundTheFirstTick(t *testing.T) {
	i := unborn(t, noon.Add(24*time.Hour))
	w, keys := drain(t)
	for _, at := range []time.Time{noon.Add(30 * time.Minute), noon.Add(time.Hour), noon.Add(26 * time.Hour)} {
		if err := i.tick(context.Background(), w, at); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(keys()); n != 25 || i.account.Counted != 2 {
		t.Errorf("%d windows and %d readings were released; want 25 and 2", n, i.account.Counted)
	}
}

// walled is an Ingest by wall time that has no time yet.
func walled(t *testing.T, now time.Time) *Ingest {
	t.Helper()
	i := awake(t, inMemory(t), footfall(t, 2))
	t.Cleanup(func() { _ = i.journal.log.Close() })
	i.cfg.Clock, i.cfg.Now, i.clock.now = "", func() time.Time { return now }, time.Time{}
	i.cfg.Uptime = func() time.Duration { return 0 }
	return i
}

// TestWallTimeBeforeTheWays: before anybody can send, the gateway knows the time and
// each stream where it begins.
func TestWallTimeBeforeTheWays(t *testing.T) {
	i := walled(t, noon)
	i.startClock()
	if !i.clock.now.Equal(noon) {
		t.Fatalf("the gateway's time is %s; want %s", i.clock.now, noon)
	}
	i.hear(said(noon.Add(-90*time.Minute), 1))
	i.hear(said(noon.Add(2*time.Hour), 2))
	if i.account.Late != 1 || i.account.Refused["E301"] != 1 || open(i) != 0 {
		t.Errorf("late %d, refused %v, open %d; want one late and one ahead", i.account.Late, i.account.Refused,
			open(i))
	}
}

// TestNobodyKnowsTheTime: a machine that wakes in 1970 measures nothing, and says so.
func TestNobodyKnowsTheTime(t *testing.T) {
	i := walled(t, time.Unix(1000, 0))
	i.startClock()
	if err := i.tick(context.Background(), wall{}, i.clock.believed()); err != nil {
		t.Fatal(err)
	}
	m := &intake.Message{Topic: "city/v1/o/a/up", Payload: []byte(said(noon, 1)), Received: time.Unix(1000, 0)}
	i.deliver(i.sensor(), m, i.clock.at(m.Received))
	if !i.clock.now.IsZero() || i.account.Refused["E301"] != 1 || i.Clock() == "" {
		t.Errorf("the time is %s, refused %v, and it says %q", i.clock.now, i.account.Refused, i.Clock())
	}
}

// TestReadingsBetweenRounds: after a long time away, one tick closes one round of
// windows and leaves intake its turn.
func TestReadingsBetweenRounds(t *testing.T) {
	i := walled(t, noon)
	i.startClock()
	i.reporter.refresh()
	w, keys := drain(t)
	later := noon.Add((maxCloses + 10) * time.Hour)
	i.clock.opened = noon.Add(-time.Hour)
	i.cfg.Now = func() time.Time { return later }
	if err := i.tick(context.Background(), w, later); err != nil {
		t.Fatal(err)
	}
	if i.Report().Through.Equal(later) {
		t.Error("everything is said to be released, and some is not")
	}
	if n := len(i.closes.list); n != maxCloses {
		t.Errorf("one tick closes %d windows; want %d", n, maxCloses)
	}
	for len(i.closes.list) > 0 {
		if i.Report().Through.Equal(later) {
			t.Fatal("everything is said to be released, and some is not")
		}
		<-w.done
		if err := i.crossed(context.Background(), w); err != nil {
			t.Fatal(err)
		}
	}
	if !i.Report().Through.Equal(later) {
		t.Error("everything is released, and that is not said")
	}
	if n := len(keys()); n != maxCloses+9 {
		t.Errorf("%d windows were released; want %d", n, maxCloses+9)
	}
}
