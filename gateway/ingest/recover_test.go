package ingest

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sluice/test/raced"

	"pgregory.net/rapid"

	"sluice/plan"
	"sluice/register"
)

// awake is an Ingest over a state directory, without a listener.
func awake(t interface{ Fatal(...any) }, dir string, streams ...*plan.Stream) *Ingest {
	return awakeWith(t, dir, func(*Config) {}, streams...)
}

func awakeWith(t interface{ Fatal(...any) }, dir string, set func(*Config), streams ...*plan.Stream) *Ingest {
	reg, err := register.Parse("register.yaml",
		[]byte("sensors: [{id: a, owner: o, kind: k, zone: rambla, registered: 2026-01-01}]"))
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{
		Dir: filepath.Join(dir, "checkpoint"), Keys: filepath.Join(dir, "keys"), Register: reg, Future: time.Hour,
		Now: time.Now, Log: slog.New(slog.DiscardHandler), Clock: "c",
	}
	set(&cfg)
	i := newIngest(cfg)
	i.clock.opened = time.Time{} // long ago
	v := Version{Digest: "v", Location: time.UTC, Streams: streams, Plans: map[string][]plan.Plan{},
		Kinds: map[string]register.Kind{
			"k": {Fields: []register.Field{{Name: "device", Type: "string"}, {Name: "rssi", Type: "int"}}},
		}}
	for _, s := range streams {
		v.Plans["a"] = append(v.Plans["a"], plan.Plan{Stream: s, Zone: "rambla"})
	}
	if err := i.changes.adopt(v); err != nil {
		t.Fatal(err)
	}
	if err := newRecovery(i).run(); err != nil {
		t.Fatal(err)
	}
	if i.clock.now.IsZero() {
		i.clock.now = noon
	}
	return i
}

func (i *Ingest) hear(payload string) {
	i.decode([]byte(payload), noon.UnixNano())
}

// save is a commit without anybody to acknowledge to.
func (i *Ingest) save(t interface{ Fatal(...any) }) {
	s := i.snapshot()
	records, after, err := i.journal.records(&s)
	if err == nil {
		err = i.journal.log.Append(records)
	}
	if err != nil {
		t.Fatal(err)
	}
	i.journal.written(after)
	i.windows.markSaved()
}

// TestAnyOrderAnyRedeliveryAKillAtAnyCommit: the same readings, shuffled and
// repeated, with the process killed after commits of any size, and what was not
// committed sent again, come to the same sums, which a few lines of brute force
// confirm.
func TestAnyOrderAnyRedeliveryAKillAtAnyCommit(t *testing.T) {
	raced.Skip(t)
	base, err := os.MkdirTemp("/dev/shm", "sluice-test-")
	if err != nil {
		t.Skip("there is no /dev/shm here")
	}
	defer os.RemoveAll(base)
	unlimited := footfall(t, 1000)
	total := footfall(t, 1)
	total.ID, total.Decision, total.Unit = "total", "2", plan.Unit{StandsFor: "none"}
	total.Measures = []plan.Measure{{Name: "n", Of: plan.Count}, {Name: "sum", Of: plan.Sum, Field: "rssi"}}
	if err := total.Finish(); err != nil {
		t.Fatal(err)
	}
	run := 0
	rapid.Check(t, func(r *rapid.T) {
		type pair struct{ hour, device int }
		units := map[pair]bool{}
		count, sum := map[int]int{}, map[int]int{}
		var list []string
		for seq := range rapid.IntRange(1, 25).Draw(r, "readings") {
			hour, device, rssi := rapid.IntRange(0, 2).Draw(r, "hour"), rapid.IntRange(0, 5).Draw(r, "device"),
				rapid.IntRange(-85, -30).Draw(r, "rssi")
			units[pair{hour, device}] = true
			count[hour]++
			sum[hour] += rssi
			list = append(list,
				fmt.Sprintf(`{"ts":"2026-03-02T%d:%02d:00Z","seq":%d,"fields":{"device":"d%d","rssi":%d}}`, 12+hour,
					seq, seq%7, device, rssi))
		}
		run++
		dir := filepath.Join(base, fmt.Sprint(run))
		i := awake(r, dir, unlimited, total)
		i.clock.now = noon.Add(3 * time.Hour)
		rnd := rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "seed"), 2))
		todo := append(append([]string{}, list...), list[:len(list)/3]...)
		rnd.Shuffle(len(todo), func(a, b int) { todo[a], todo[b] = todo[b], todo[a] })
		var unsaved []string
		for len(todo) > 0 {
			i.hear(todo[0])
			unsaved, todo = append(unsaved, todo[0]), todo[1:]
			switch rnd.IntN(4) {
			case 0:
				i.save(r)
				unsaved = nil
			case 1: // killed: what was not acknowledged comes again
				_ = i.journal.log.Close()
				i = awake(r, dir, unlimited, total)
				i.clock.now = noon.Add(3 * time.Hour)
				todo, unsaved = append(todo, unsaved...), nil
			}
		}
		i.save(r)
		_ = i.journal.log.Close()
		i = awake(r, dir, unlimited, total)
		defer i.journal.log.Close()
		for hour := range 3 {
			devices := 0
			for p := range units {
				if p.hour == hour {
					devices++
				}
			}
			at := noon.Add(time.Duration(hour) * time.Hour).UnixNano()
			if count[hour] == 0 {
				continue
			}
			got, exact := i.windows.streams["footfall"].windows[at].Sums(nil)[0],
				i.windows.streams["total"].windows[at].Sums(nil)[0]
			if got.Units != int64(devices) || exact.Total[0][0] != int64(count[hour]) ||
				exact.Total[1][0] != int64(sum[hour])*plan.Fixed {
				r.Fatalf("hour %d: %d devices, %v; want %d, %d readings, sum %d", hour, got.Units, exact.Total, devices,
					count[hour], sum[hour])
			}
		}
		if s := &i.account; s.Received != s.Counted+s.Duplicate+s.Late+open(i) {
			r.Fatalf("the account does not add up: %+v and %d open", s, open(i))
		}
	})
}

func open(i *Ingest) (n int64) {
	for _, s := range i.windows.streams {
		for _, w := range s.windows {
			n += w.Readings
		}
	}
	return n
}

// TestBoundsSurviveAKill: contributions are counted over windows and restarts.
func TestBoundsSurviveAKill(t *testing.T) {
	base, err := os.MkdirTemp("/dev/shm", "sluice-test-")
	if err != nil {
		t.Skip("there is no /dev/shm here")
	}
	defer os.RemoveAll(base)
	total := footfall(t, 1)
	total.ID, total.Decision = "total", "2"
	if err := total.Finish(); err != nil {
		t.Fatal(err)
	}
	two := footfall(t, 2)
	i := awake(t, base, two, total)
	for hour := range 3 {
		i.clock.now = noon.Add(time.Duration(hour) * time.Hour)
		for n := range 2 {
			i.hear(fmt.Sprintf(`{"ts":"2026-03-02T%d:0%d:00Z","seq":%d,"fields":{"device":"d","rssi":-50}}`, 12+hour, n,
				10*hour+n))
		}
		i.save(t)
		_ = i.journal.log.Close()
		i = awake(t, base, two, total)
	}
	defer i.journal.log.Close()
	for id, want := range map[string][]int64{"footfall": {1, 1, 0}, "total": {1, 0, 0}} {
		for hour, units := range want {
			got := int64(-1)
			if w := i.windows.streams[id].windows[noon.Add(time.Duration(hour)*time.Hour).UnixNano()]; w != nil {
				got = w.Sums(nil)[0].Units
			}
			if got != units {
				t.Errorf("%s in hour %d has %d units; want %d (-1 is none)", id, hour, got, units)
			}
		}
	}
	if n := open(i); n != 6 || len(i.account.Refused) > 0 {
		t.Errorf("%d readings are open, %v refused; want 6, whether or not they count", n, i.account.Refused)
	}
}

// TestOneKeyLost loses the key of one window, or of the epoch, while the log can
// be read: the window is a gap, and an epoch without its bounds admits nobody.
func TestOneKeyLost(t *testing.T) {
	for _, lose := range []string{"w-", "e-"} {
		base, err := os.MkdirTemp("/dev/shm", "sluice-test-")
		if err != nil {
			t.Skip("there is no /dev/shm here")
		}
		defer os.RemoveAll(base)
		total := footfall(t, 1)
		total.ID, total.Decision, total.Unit = "total", "2", plan.Unit{StandsFor: "none"}
		total.Measures = []plan.Measure{{Name: "n", Of: plan.Count}}
		if err := total.Finish(); err != nil {
			t.Fatal(err)
		}
		s := footfall(t, 1)
		i := awake(t, base, s, total)
		i.hear(`{"ts":"2026-03-02T12:00:00Z","seq":1,"fields":{"device":"d","rssi":-50}}`)
		i.save(t)
		_ = i.journal.log.Close()
		keys, err := filepath.Glob(filepath.Join(base, "keys", lose+"*-footfall.key"))
		if err != nil || len(keys) != 1 {
			t.Fatalf("keys %v (%v); want one", keys, err)
		}
		if err := os.Remove(keys[0]); err != nil {
			t.Fatal(err)
		}
		i = awake(t, base, s, total)
		i.hear(`{"ts":"2026-03-02T12:30:00Z","seq":2,"fields":{"device":"d","rssi":-50}}`)
		i.clock.now = noon.Add(time.Hour)
		i.hear(`{"ts":"2026-03-02T13:00:00Z","seq":3,"fields":{"device":"d","rssi":-50}}`)
		_ = i.journal.log.Close()
		for hour, wantLost := range []bool{true, lose == "e-"} {
			at := noon.Add(time.Duration(hour) * time.Hour).UnixNano()
			w, n := i.windows.streams["footfall"].windows[at], i.windows.streams["total"].windows[at]
			if lost := w == nil || w.Lost; lost != wantLost {
				t.Errorf("without key %s hour %d is lost: %v; want %v", lose, hour, lost, wantLost)
			}
			if n == nil || n.Lost || n.Readings+n.Sums(nil)[0].Total[0][0] == 0 {
				t.Errorf("without key %s the other stream has lost hour %d", lose, hour)
			}
		}
	}
}

// TestCountersAdvanceOnceAnHour: outside simulations the account shows what it
// was at the last full hour, also after a restart, and adds up then too.
func TestCountersAdvanceOnceAnHour(t *testing.T) {
	dir, err := os.MkdirTemp("/dev/shm", "sluice-test-")
	if err != nil {
		t.Skip("there is no /dev/shm here")
	}
	defer os.RemoveAll(dir)
	stream := footfall(t, 2)
	i := awake(t, dir, stream)
	shows := func(when string, received, open int64) {
		t.Helper()
		i.reporter.publish()
		if r := i.Report(); r.Received != received || r.Open != open ||
			r.Received != r.Counted+r.Duplicate+r.Late+r.Open+r.Refused["E102"] {
			t.Errorf("%s: %d received, %d open; want %d and %d", when, r.Received, r.Open, received, open)
		}
	}
	wallTo := func(now time.Time) {
		t.Helper()
		if err := i.tick(context.Background(), wall{}, now); err != nil {
			t.Fatal(err)
		}
	}
	hear := func(seq int) {
		i.hear(fmt.Sprintf(`{"ts":"2026-03-02T12:00:00Z","seq":%d,"fields":{"device":"02:00:5e:00:00:01","rssi":-50}}`,
			seq))
	}
	wallTo(noon.Add(30 * time.Minute))
	hear(1)
	i.hear(`{"ts":"2026-03-02T12:00:00Z","fields":{}}`)
	shows("in the middle of the hour", 0, 0)
	wallTo(noon.Add(59 * time.Minute))
	shows("at its end", 0, 0)
	wallTo(noon.Add(time.Hour))
	shows("after it", 2, 1)
	hear(2)
	wallTo(noon.Add(61 * time.Minute))
	shows("a minute later", 2, 1)
	if err := i.journal.log.Close(); err != nil {
		t.Fatal(err)
	}
	i = awake(t, dir, stream)
	shows("after a restart", 2, 1)
	i.cfg.Exact = true
	shows("in a simulation", 3, 2)
}
