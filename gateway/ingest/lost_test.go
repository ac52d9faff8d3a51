package ingest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"sluice/gateway/ingest/internal/checkpoint"
	"sluice/internal/civil"
	"sluice/plan"
)

// device is a reading of one device, minutes after noon.
func device(minute, seq int) string {
	return fmt.Sprintf(`{"ts":%q,"seq":%d,"fields":{"device":"d","rssi":-50}}`,
		noon.Add(time.Duration(minute)*time.Minute).Format(time.RFC3339), seq)
}

// TestAnew: a new simulation at the path of an old one finds nothing of it; other new
// state directories do.
func TestAnew(t *testing.T) {
	for _, anew := range []bool{true, false} {
		dir := inMemory(t)
		i := awake(t, dir, footfall(t, 1))
		i.hear(device(1, 1))
		i.save(t)
		_ = i.journal.log.Close()
		if err := os.RemoveAll(filepath.Join(dir, "checkpoint")); err != nil {
			t.Fatal(err)
		}
		i = awakeWith(t, dir, func(c *Config) { c.Anew = anew }, footfall(t, 1))
		i.hear(device(1, 1))
		if i.windows.losses.unread == anew || (open(i) == 1) != anew {
			t.Errorf("anew %v: unread %v, %d readings", anew, i.windows.losses.unread, open(i))
		}
		_ = i.journal.log.Close()
	}
}

// TestFactsAreCompared: a change of any field that changes rarely is seen, and so is
// written.
func TestFactsAreCompared(t *testing.T) {
	full := func() facts {
		return facts{
			Shown: account{Received: 1, Refused: map[string]int64{"E101": 1}}, Next: map[string]time.Time{"s": noon},
			Closes: []closing{{Stream: "s"}}, Lost: []string{"w-1-s"}, LostUntil: noon, Holes: []gap{{Reason: "r"}},
			Secret: []byte("s"), Lives: []string{"l"},
		}
	}
	a, b := full(), full()
	if !a.equal(&b) {
		t.Fatal("equal facts differ")
	}
	if c := a.clone(); !a.equal(&c) {
		t.Error("a clone differs")
	}
	for _, of := range []func(*facts) reflect.Value{
		func(f *facts) reflect.Value { return reflect.ValueOf(f).Elem() },
		func(f *facts) reflect.Value { return reflect.ValueOf(&f.Shown).Elem() },
	} {
		for n := range of(&a).NumField() {
			name := of(&a).Type().Field(n).Name
			if name == "At" || name == "Bounded" {
				continue // counts what is written; is of an earlier version
			}
			b := full()
			if f := of(&b).Field(n); f.IsZero() {
				switch f.Kind() {
				case reflect.Bool:
					f.SetBool(true)
				case reflect.Int64:
					f.SetInt(7)
				default:
					t.Fatalf("the test has nothing in %s", name)
				}
			} else {
				f.SetZero()
			}
			if a.equal(&b) {
				t.Errorf("a change of %s is not seen", name)
			}
		}
	}
}

// TestCommitsDoNotGrow: what a commit says of the state does not grow with sensors
// that have been heard or with streams; a segment begins with all of it, and what
// changed comes back, also after a commit that was given up.
func TestCommitsDoNotGrow(t *testing.T) {
	dir := inMemory(t)
	i := awake(t, dir, footfall(t, 2))
	for n := range 10_000 {
		i.liveness.note(uint64(n) * 77)
		i.windows.next[fmt.Sprint("stream-", n%500)] = noon
	}
	size := func() (n int) {
		now := i.snapshot()
		records, _, err := i.journal.records(&now)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			n += len(r.Body)
		}
		return n
	}
	if n := size(); n < 80_000 {
		t.Errorf("a segment begins with %d bytes; want all of the state", n)
	}
	i.save(t)
	if n := size(); n > 1000 {
		t.Errorf("a commit in which nothing changes has %d bytes", n)
	}
	i.liveness.note(5)
	i.catchUp.session = true
	_ = size() // given up
	if err := i.journal.log.Append(
		[]checkpoint.Record{{Kind: checkpoint.Window, Name: "w-1-x", Body: make([]byte, 17<<20)}}); err != nil {
		t.Fatal(err)
	}
	if n := size(); n < 80_000 {
		t.Errorf("the next segment begins with %d bytes; want all of the state", n)
	}
	i.save(t)
	_ = i.journal.log.Close()
	again := awake(t, dir, footfall(t, 2))
	defer again.journal.log.Close()
	if !again.catchUp.session || !again.liveness.heard[5] || len(again.liveness.list) != 10_001 ||
		len(again.windows.next) < 500 || again.windows.losses.unread {
		t.Errorf("after a restart: session %v, %d heard, %d streams, unread %v", again.catchUp.session,
			len(again.liveness.list), len(again.windows.next), again.windows.losses.unread)
	}
}

// TestLostIsNotForgotten: that the log could not be read is remembered, whatever kills
// come before the gateway knows the time; then every window and epoch that may have
// been in it is lost, those before now and a little after, and nobody is admitted.
func TestLostIsNotForgotten(t *testing.T) {
	dir := inMemory(t)
	people, total := footfall(t, 1), footfall(t, 1)
	people.Forget = civil.MustPeriod("PT1H")
	total.ID, total.Decision, total.Unit = "total", "2", plan.Unit{StandsFor: "none"}
	total.Measures = []plan.Measure{{Name: "n", Of: plan.Count}}
	for _, s := range []*plan.Stream{people, total} {
		if err := s.Finish(); err != nil {
			t.Fatal(err)
		}
	}
	i := awake(t, dir, people, total)
	i.hear(device(1, 1))
	i.save(t)
	_ = i.journal.log.Close()
	if err := os.RemoveAll(filepath.Join(dir, "checkpoint")); err != nil {
		t.Fatal(err)
	}
	i = awake(t, dir, people, total)
	for range 2 {
		if !i.windows.losses.unread {
			t.Fatal("nobody says that the log is gone")
		}
		i.hear(device(2, 2))
		if open(i) != 0 {
			t.Fatal("a reading was taken into a window that is lost")
		}
		i.save(t) // and killed before the first tick
		_ = i.journal.log.Close()
		i = awake(t, dir, people, total)
	}
	now := noon.Add(119*time.Minute + 30*time.Second)
	for _, s := range i.windows.streams {
		s.next = noon // as the ledger says
	}
	i.cfg.Future = time.Minute
	i.windows.resumeAfterLoss(now)
	i.clock.now = now
	for minute, lost := range map[int]bool{30: true, 90: true, 120: true, 180: false} {
		for _, spec := range []*plan.Stream{people, total} {
			start, _ := spec.Window(noon.Add(time.Duration(minute) * time.Minute))
			if got := i.windows.losses.window(spec.ID, start); got != lost {
				t.Errorf("%s: the window %d minutes after noon is lost: %v; want %v", spec.ID, minute, got, lost)
			}
			if got := i.windows.losses.epoch(spec.ID, start); got != lost {
				t.Errorf("%s: the epoch %d minutes after noon is lost: %v; want %v", spec.ID, minute, got, lost)
			}
		}
	}
	i.save(t)
	_ = i.journal.log.Close()
	i = awake(t, dir, people, total)
	defer i.journal.log.Close()
	if i.windows.losses.unread || !i.windows.losses.until.Equal(now.Add(time.Minute)) {
		t.Errorf("after a restart it is unread: %v, lost until %s", i.windows.losses.unread, i.windows.losses.until)
	}
	i.hear(device(60, 3))
	if open(i) != 0 {
		t.Error("a reading was taken into a window that is lost")
	}
}

// TestPendingCloseOfALostLog: a close that was read from a log that is lost is
// released as a gap, before any tick.
func TestPendingCloseOfALostLog(t *testing.T) {
	dir := inMemory(t)
	s := footfall(t, 1)
	i := awake(t, dir, s)
	i.hear(device(1, 1))
	i.closes.list = append(i.closes.list,
		closing{Stream: s.ID, Start: noon, End: noon.Add(time.Hour), Policy: "v", Readings: 1})
	i.windows.streams[s.ID].next = noon.Add(time.Hour)
	i.save(t)
	_ = i.journal.log.Close()
	resume := map[string]time.Time{s.ID: noon.Add(5 * time.Hour)} // released since, says the ledger
	i = awakeWith(t, dir, func(c *Config) { c.Resume = resume }, s)
	defer i.journal.log.Close()
	if !i.windows.losses.unread {
		t.Fatal("a log that is older than the ledger is believed")
	}
	if c := i.closes.list; len(c) != 1 || !i.windows.losses.window(c[0].Stream, c[0].Start) {
		t.Errorf("of a pending close, %v, the numbers would be released", c)
	}
}

// accountNow is the account as the last commit has said it.
func (i *Ingest) accountNow() accountRecord {
	return accountRecord{Now: i.clock.now, account: i.account.account, FactsAt: i.journal.factsAt,
		HeardCount: len(i.liveness.list)}
}

// TestStateOfTwoTimes: an account that belongs to facts, or to numbers of sensors, that
// cannot be read is not believed.
func TestStateOfTwoTimes(t *testing.T) {
	for name, change := range map[string]func(*accountRecord){
		"facts": func(s *accountRecord) { s.FactsAt++ }, "heard": func(s *accountRecord) { s.HeardCount++ },
	} {
		dir := inMemory(t)
		i := awake(t, dir, footfall(t, 1))
		i.hear(device(1, 1))
		i.save(t)
		record := i.accountNow()
		change(&record)
		body, err := json.Marshal(&record)
		if err != nil {
			t.Fatal(err)
		}
		if err := i.journal.log.Append([]checkpoint.Record{{Kind: checkpoint.Account, Body: body}}); err != nil {
			t.Fatal(err)
		}
		_ = i.journal.log.Close()
		i = awake(t, dir, footfall(t, 1))
		if !i.windows.losses.unread {
			t.Errorf("%s that are missing are not missed", name)
		}
		_ = i.journal.log.Close()
	}
}

// TestClosesOfAnEarlierTime: readings of a close that the account has counted since are
// not counted again, whose facts were lost meanwhile.
func TestClosesOfAnEarlierTime(t *testing.T) {
	dir := inMemory(t)
	s := footfall(t, 1)
	i := awake(t, dir, s)
	i.hear(device(1, 1))
	i.account.Received, i.account.Counted = 30, 0
	for n, readings := range []int64{10, 20} {
		start := noon.Add(time.Duration(n-5) * time.Hour)
		i.closes.list = append(i.closes.list,
			closing{Stream: s.ID, Start: start, End: start.Add(time.Hour), Policy: "v", Readings: readings})
	}
	i.save(t)
	i.account.Counted = 15
	record := i.accountNow()
	record.FactsAt++
	body, err := json.Marshal(&record)
	if err != nil {
		t.Fatal(err)
	}
	if err := i.journal.log.Append([]checkpoint.Record{{Kind: checkpoint.Account, Body: body}}); err != nil {
		t.Fatal(err)
	}
	_ = i.journal.log.Close()
	i = awake(t, dir, s)
	defer i.journal.log.Close()
	if c := i.closes.list; len(c) != 2 || c[0].Readings != 0 || c[1].Readings != 15 {
		t.Fatalf("the closes are %+v; want none of the first one's 10 readings and 15 of the other's 20", c)
	}
	if sum := i.account.Counted + i.closes.unreleased(); sum != i.account.Received {
		t.Errorf("%d readings are accounted for; want %d", sum, i.account.Received)
	}
}

// TestAnEntryThatDoesNotFit: a window with an entry of a cell that its stream has not
// is a gap, and no reason not to start.
func TestAnEntryThatDoesNotFit(t *testing.T) {
	dir := inMemory(t)
	s := footfall(t, 1)
	i := awake(t, dir, s)
	i.hear(device(1, 1))
	for _, w := range i.windows.streams[s.ID].windows {
		e := i.reception.small.entry
		e.Cell = 99
		w.pending = checkpoint.AppendEntry(w.pending, &e)
	}
	i.save(t)
	_ = i.journal.log.Close()
	i = awake(t, dir, s)
	defer i.journal.log.Close()
	if !i.windows.losses.window(s.ID, noon) || i.windows.losses.epoch(s.ID, noon) {
		t.Error("a window that cannot be read is not lost")
	}
}

// TestAStreamBeginsWithWhatIsLost: the first window of a stream is a gap when nothing of
// it is left but its name, in the list of segments or on its key.
func TestAStreamBeginsWithWhatIsLost(t *testing.T) {
	for _, hurt := range []string{"checkpoint/segment-*.log", "keys/segments"} {
		dir := inMemory(t)
		s := footfall(t, 1)
		s.Lateness = civil.MustPeriod("PT6H")
		if err := s.Finish(); err != nil {
			t.Fatal(err)
		}
		i := awake(t, dir, s)
		i.hear(device(1, 1))
		i.save(t)
		_ = i.journal.log.Close()
		list, err := filepath.Glob(filepath.Join(dir, hurt))
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		if err := os.Truncate(list[0], 0); err != nil {
			t.Fatal(err)
		}
		i = awake(t, dir, s)
		w, keys := drain(t)
		if err := i.tick(context.Background(), w, noon.Add(9*time.Hour)); err != nil {
			t.Fatal(err)
		}
		if got := keys(); len(got) == 0 || !got[0].Start.Equal(noon) {
			t.Errorf("%s emptied: released are %v; want the window of noon first, as a gap", hurt, got)
		}
		_ = i.journal.log.Close()
	}
}
