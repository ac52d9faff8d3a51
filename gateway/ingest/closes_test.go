package ingest

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"sluice/gateway/ingest/internal/intake"
	"sluice/gateway/ingest/internal/window"
	"sluice/gateway/release"
	"sluice/internal/civil"
	"sluice/plan"
	"sluice/test/raced"
	"sluice/test/stalls"
)

// ears is a way in that counts what is acknowledged.
type ears struct{ acked atomic.Int64 }

func (e *ears) Ack(list []intake.Message) { e.acked.Add(int64(len(list))) }

func (*ears) Publish(string, []byte) error { return nil }

func (*ears) Close() error { return nil }

// running is an Ingest that runs, with a wall whose other side is the test's.
type running struct {
	*Ingest
	ears *ears
	now  atomic.Int64
	out  chan release.Batch
	done chan release.Key
	stop func() error
}

// run starts an Ingest over dir at a time; an empty clock is wall time.
func run(t *testing.T, dir, clock string, at time.Time, s *plan.Stream) *running {
	t.Helper()
	r := &running{Ingest: awake(t, dir, s), ears: &ears{}, out: make(chan release.Batch), done: make(chan release.Key)}
	r.now.Store(at.UnixNano())
	r.cfg.Clock, r.cfg.Exact, r.cfg.Feedback = clock, true, time.Hour
	r.cfg.Now = func() time.Time { return time.Unix(0, r.now.Load()) }
	r.cfg.Uptime = func() time.Duration { return time.Duration(r.now.Load()) } // no jump is doubted
	if clock == "" {
		r.startClock()
	}
	r.sources.all = []source{r.ears}
	r.reporter.refresh()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx, r.out, r.done) }()
	r.stop = func() error { cancel(); return <-ended }
	return r
}

func (r *running) send(topic, payload string) {
	r.sources.queue.Put(context.Background(),
		intake.Message{Topic: topic, Payload: []byte(payload), Received: r.cfg.Now(), Tick: topic == r.cfg.Clock})
}

func (r *running) reading(hour, seq int) {
	r.send("city/v1/o/a/up",
		fmt.Sprintf(`{"ts":"2026-03-02T%02d:01:00Z","seq":%d,"fields":{"device":"d%d","rssi":-50}}`, hour, seq, seq))
}

// until waits for something that comes to be.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	stalls.Until(t, 20*time.Second, "this to come to be: "+what, is)
}

func tmpfs(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "sluice-test-")
	if err != nil {
		t.Skip("there is no /dev/shm here")
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// TestIntakeGoesOnWhileWindowsAreReleased: in wall time, a release that takes as long
// as it likes holds up no acknowledgement. The account adds up at every moment, what
// comes for the window meanwhile is late, and Through moves when it is released.
func TestIntakeGoesOnWhileWindowsAreReleased(t *testing.T) {
	r := run(t, tmpfs(t), "", noon.Add(time.Minute), footfall(t, 2))
	for n := range 5 {
		r.reading(12, n)
	}
	until(t, "five are counted", func() bool { return r.ears.acked.Load() == 5 })
	until(t, "the clock has ticked", func() bool { return r.Report().Through.After(noon) })
	r.now.Store(noon.Add(63 * time.Minute).UnixNano())
	b := <-r.out // it is being released
	for n := range 5 {
		r.reading(12, 10+n)
		r.reading(13, 20+n)
		r.send("city/v1/o/a/hb", `{"ts":"2026-03-02T12:30:00Z","every":"PT30M"}`)
	}
	until(t, "20 are acknowledged beside a release", func() bool { return r.ears.acked.Load() == 20 })
	p := r.Report()
	if p.Received != 15 || p.Late != 5 || p.Open != 10 || p.Counted != 0 {
		t.Errorf("during the release: %+v", p)
	}
	if p.Through.After(noon.Add(time.Hour)) {
		t.Errorf("through is %s before the release has ended", p.Through)
	}
	r.done <- b.Key()
	until(t, "the window is counted", func() bool { return r.Report().Counted == 5 })
	until(t, "through moves on", func() bool { return r.Report().Through.After(noon.Add(time.Hour)) })
	if p := r.Report(); p.Open != 5 || p.Received != 15 {
		t.Errorf("after the release: %+v", p)
	}
	if err := r.stop(); err != nil {
		t.Error(err)
	}
	if _, there := r.journal.keys.Get(keyName("w", "footfall", noon)); there {
		t.Error("the released window's key is still there")
	}
}

// TestATickWaitsForItsReleases: under a simulated clock the tick is acknowledged when
// what it closes has been released, and nothing that came after it before that.
func TestATickWaitsForItsReleases(t *testing.T) {
	r := run(t, tmpfs(t), "c", noon, footfall(t, 2))
	r.reading(12, 1)
	r.send("c", "2026-03-02T12:10:00Z")
	until(t, "reading and tick are acknowledged", func() bool { return r.ears.acked.Load() == 2 })
	r.send("c", "2026-03-02T14:10:00Z")
	r.reading(14, 2)
	for range 2 { // 12 to 13, 13 to 14
		b := <-r.out
		time.Sleep(20 * time.Millisecond)
		if n := r.ears.acked.Load(); n != 2 {
			t.Fatalf("%d are acknowledged before the releases; want 2", n)
		}
		r.done <- b.Key()
	}
	until(t, "the tick is acknowledged, and what came after it", func() bool { return r.ears.acked.Load() == 4 })
	if err := r.stop(); err != nil {
		t.Error(err)
	}
}

// TestAStopBetweenCloseAndRelease: the next start sends the same window again, once.
func TestAStopBetweenCloseAndRelease(t *testing.T) {
	dir := tmpfs(t)
	r := run(t, dir, "", noon.Add(time.Minute), footfall(t, 2))
	for n := range 30 {
		r.reading(12, n)
	}
	until(t, "all are counted", func() bool { return r.ears.acked.Load() == 30 })
	r.now.Store(noon.Add(63 * time.Minute).UnixNano())
	before := fmt.Sprint((<-r.out).Key())
	r.reading(13, 40)
	until(t, "one more is counted", func() bool { return r.ears.acked.Load() == 31 })
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	r = run(t, dir, "", noon.Add(64*time.Minute), footfall(t, 2))
	b := <-r.out
	if after := fmt.Sprint(b.Key()); after != before {
		t.Errorf("%s is released after the start; want %s", after, before)
	}
	r.done <- b.Key()
	until(t, "the account adds up", func() bool {
		p := r.Report()
		return p.Counted == 30 && p.Open == 1 && p.Received == 31
	})
	if err := r.stop(); err != nil {
		t.Error(err)
	}
}

// TestMoreThanARoundIsClosed: a gateway that was away for long releases one window
// after the other, and says that it is through after the last.
func TestMoreThanARoundIsClosed(t *testing.T) {
	s := footfall(t, 2)
	s.Every = civil.MustPeriod("PT1M")
	if err := s.Finish(); err != nil {
		t.Fatal(err)
	}
	r := run(t, tmpfs(t), "", noon.Add(time.Second), s)
	r.reading(12, 1)
	until(t, "the clock has ticked", func() bool { return r.Report().Through.After(noon) })
	const minutes = 3*maxCloses + 10
	now := noon.Add((minutes + 2) * time.Minute)
	r.now.Store(now.UnixNano())
	for n := range minutes {
		b := <-r.out
		if at := noon.Add(time.Duration(n) * time.Minute); !b.Key().Start.Equal(at) {
			t.Fatalf("%s is released; want %s", b.Key().Start, at)
		}
		if through := r.Report().Through; !through.Before(now) {
			t.Fatalf("through is %s before all is released", through)
		}
		r.done <- b.Key()
	}
	until(t, "all is released", func() bool { return r.Report().Through.Equal(now.UTC()) })
	if err := r.stop(); err != nil {
		t.Error(err)
	}
}

// TestAScatteredSensorIsRefused: what can be remembered no more has its own code, costs
// no contribution, and survives a kill as it was.
func TestAScatteredSensorIsRefused(t *testing.T) {
	raced.Skip(t)
	dir := tmpfs(t)
	i := awake(t, dir, footfall(t, 2))
	for n := range uint64(60_000) {
		i.hear(fmt.Sprintf(`{"ts":"2026-03-02T12:%02d:%02dZ","seq":%d,"fields":{"device":"d%d","rssi":-50}}`, n/60%60,
			n%60, n*0x9e3779b97f4a7c15>>12, n))
		if n%1000 == 0 {
			i.save(t)
		}
	}
	i.save(t)
	refused, w := i.account.Refused["E305"], i.windows.streams["footfall"].windows[noon.UnixNano()]
	if refused < 10_000 || w.Readings < 10_000 || refused+w.Readings+i.account.Duplicate != 60_000 {
		t.Fatalf("%d are refused, %d taken", refused, w.Readings)
	}
	units := w.Sums(nil)[0].Units
	if i.windows.marks == (window.Budget{}) {
		t.Error("what the window remembers is not on the budget of all")
	}
	if i.windows.streams["footfall"].drop(noon.UnixNano()); i.windows.marks != (window.Budget{}) {
		t.Error("a window that is closed gives nothing back")
	}
	_ = i.journal.log.Close()
	i = awake(t, dir, footfall(t, 2))
	defer i.journal.log.Close()
	again := i.windows.streams["footfall"].windows[noon.UnixNano()]
	if again.Readings != w.Readings || again.Sums(nil)[0].Units != units || units != w.Readings {
		t.Errorf("%d readings of %d units are recovered; want %d of %d", again.Readings, again.Sums(nil)[0].Units,
			w.Readings, units)
	}
}

// TestOldHeartbeats reach no window that is closed, and leave nothing for it.
func TestOldHeartbeats(t *testing.T) {
	i := still(t, footfall(t, 3))
	i.clock.now = noon.Add(3 * time.Hour)
	s := i.windows.streams["footfall"]
	w, err := i.windows.open(s, i.sensor().routes[0].spec, "v", noon.Add(time.Hour), noon.Add(2*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	s.next = noon.Add(2 * time.Hour)
	i.beat(`{"ts":"2026-03-02T11:30:00Z","every":"PT1H"}`) // until 14:30
	if w.IsAlive(i.sensor().number) || len(w.pending) > 0 {
		t.Error("a closed window has heard a heartbeat")
	}
	for start := range s.ahead {
		if start < s.next.UnixNano() {
			t.Errorf("something is kept for a closed window, %s", time.Unix(0, start).UTC())
		}
	}
	if len(s.ahead) != 1 {
		t.Errorf("%d windows ahead have heard it; want 14 to 15 h", len(s.ahead))
	}
}

// TestUnitsOfAnEpochAreBounded: one sensor brings so many units into an epoch, however
// many windows it has; what it brought already goes on to count.
func TestUnitsOfAnEpochAreBounded(t *testing.T) {
	i := still(t, footfall(t, 3))
	i.clock.now = noon.Add(2 * time.Hour)
	hear := func(hour, seq int, device string) {
		p := fmt.Sprintf(`{"ts":"2026-03-02T%d:01:00Z","seq":%d,"fields":{"device":%q,"rssi":-50}}`, hour, seq, device)
		i.decode([]byte(p), noon.UnixNano())
	}
	hear(12, 1, "a")
	for _, e := range i.windows.streams["footfall"].epochs {
		e.brought[i.sensor().number] = unitsInEpoch
	}
	hear(12, 2, "a")
	if len(i.account.Refused) != 0 {
		t.Fatalf("a device that counts already is refused: %v", i.account.Refused)
	}
	hear(12, 3, "b")
	hear(13, 4, "b")
	if i.account.Refused["E306"] != 2 {
		t.Errorf("refused are %v; want 2 times E306", i.account.Refused)
	}
}

// TestDownForAWholeWindow: a window that the gateway slept through is a gap, whatever
// comes for it afterwards, unless a broker has kept it; what is about nobody counts.
func TestDownForAWholeWindow(t *testing.T) {
	nobody := footfall(t, 1)
	nobody.ID, nobody.Unit, nobody.Protect, nobody.Forget = "nobody", plan.Unit{StandsFor: "none"}, plan.Protect{},
		civil.Period{}
	nobody.Measures = []plan.Measure{{Name: "n", Of: plan.Count}}
	if err := nobody.Finish(); err != nil {
		t.Fatal(err)
	}
	for _, kept := range []bool{false, true} {
		for _, late := range []bool{false, true} {
			dir, now := tmpfs(t), noon
			open := func() *Ingest {
				i := awakeWith(t, dir, func(c *Config) {
					c.Clock, c.Future, c.Now = "", time.Minute, func() time.Time { return now }
					c.Uptime = func() time.Duration { return now.Sub(noon) }
				}, footfall(t, 2), nobody)
				i.clock.opened, i.catchUp.resumed = now, kept
				i.startClock()
				return i
			}
			i := open()
			w, _ := drain(t)
			if err := i.tick(t.Context(), w, noon.Add(5*time.Minute)); err != nil {
				t.Fatal(err)
			}
			_ = i.journal.log.Close()
			now = noon.Add(3 * time.Hour)
			i = open()
			if late {
				m := &intake.Message{Topic: "city/v1/o/a/up",
					Payload:  []byte(`{"ts":"2026-03-02T13:10:00Z","seq":1,"fields":{"device":"d","rssi":-50}}`),
					Received: now}
				i.deliver(i.sensor(), m, now.UnixNano())
			}
			out := make(chan release.Batch, 1)
			if err := i.tick(t.Context(), wall{out: out}, now.Add(3*time.Minute)); err != nil {
				t.Fatal(err)
			}
			if n := len(i.closes.list); n != 6 {
				t.Fatalf("%d windows are closed; want 12 to 15 h of two streams", n)
			}
			for _, c := range i.closes.list {
				down := c.Start.Hour() != 12 && !kept && c.Stream == "footfall" ||
					c.Stream == "nobody" && (!late || c.Start.Hour() != 13)
				if c.Down != down {
					t.Errorf("kept %v, late %v: %s from %s is down: %v", kept, late, c.Stream,
						c.Start.Format(time.TimeOnly), c.Down)
				}
			}
			if n := i.account.Refused["E406"]; n != 0 {
				t.Errorf("a reading that counts for nobody's stream is refused")
			}
			_ = i.journal.log.Close()
		}
	}
}
