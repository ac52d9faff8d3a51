package ingest

import (
	"testing"
	"time"

	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/intake"
)

// TestWhatChangesIsCommitted: whatever part has changed, the next commit writes it, and
// nothing is written where none has; the clock alone is worth one a minute.
func TestWhatChangesIsCommitted(t *testing.T) {
	i := awake(t, inMemory(t), footfall(t, 2))
	defer i.journal.log.Close()
	commits := func() uint64 {
		t.Helper()
		if err := i.brief(); err != nil {
			t.Fatal(err)
		}
		return i.account.commits
	}
	i.reception.refuse(nil, fault.New(fault.UnknownTopic), nil) // so that there is a count to show
	commits()
	for name, change := range map[string]func(){
		"a reading":            func() { i.hear(device(1, 1)) },
		"a reading is refused": func() { i.reception.refuse(nil, fault.New(fault.UnknownTopic), nil) },
		"a message": func() { // which says nothing
			i.sources.queue.Put(t.Context(), intake.Message{Topic: "city/v1/o/a/hb"})
			i.next(t)
		},
		"a minute":           func() { i.clock.now = i.clock.now.Add(time.Minute) },
		"a heartbeat":        func() { i.liveness.note(4711) },
		"counters are shown": func() { i.reporter.revealCounters() },
		"a close":            func() { i.closes.list = append(i.closes.list, closing{Stream: "s"}) },
		"a loss":             func() { i.windows.losses.add("w-1-s") },
		"a stream":           func() { i.windows.streams["footfall"].next = noon.Add(time.Hour) },
		"the broker":         func() { i.catchUp.session = true },
		"a key is written":   func() { i.journal.rewrite = true },
		"a life in a window": func() {
			w, _ := i.windows.at(&i.sensor().routes[0], noon.Add(90*time.Minute).UnixNano())
			w.markAlive(4711)
		},
	} {
		before := commits()
		if again := commits(); again != before {
			t.Errorf("%s: nothing has changed, and %d commits were made", name, again-before)
		}
		i.clock.now = i.clock.now.Add(time.Second) // worth no commit
		if again := commits(); again != before && !minutePassed(i.clock.now.Add(-time.Second), i.clock.now) {
			t.Errorf("%s: a second is worth %d commits", name, again-before)
		}
		before = commits()
		change()
		if after := commits(); after != before+1 {
			t.Errorf("%s: %d commits were made; want 1", name, after-before)
		}
	}
}

// TestATimeThatHasPassedTakesOne: where the machine was elsewhere until the commit was due, the message of which the
// queue has said that it waits is taken all the same, or nobody would be told of it again.
func TestATimeThatHasPassedTakesOne(t *testing.T) {
	i := awake(t, inMemory(t), footfall(t, 2))
	defer i.journal.log.Close()
	for range 3 {
		i.sources.queue.Put(t.Context(), intake.Message{Topic: "city/v1/o/a/hb"})
	}
	for left := 2; left >= 0; left-- {
		select {
		case <-i.sources.queue.Ready():
		default:
			t.Fatalf("%d messages wait, and nobody is told", left+1)
		}
		if err := i.takeUntil(t.Context(), wall{}, time.Now().Add(-time.Second), commitReadings); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(i.reception.batch.messages); n != 3 {
		t.Errorf("%d messages of 3 were taken", n)
	}
}
