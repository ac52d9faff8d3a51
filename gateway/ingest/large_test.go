package ingest

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
	"weak"

	"sluice/gateway/ingest/internal/intake"
	"sluice/internal/civil"
	"sluice/plan"
	"sluice/test/raced"
)

// array is a message of so many readings; the format says how one with a number looks.
func array(n int, format string) string {
	list := make([]string, n)
	for k := range list {
		list[k] = strings.ReplaceAll(format, "%d", fmt.Sprint(k))
	}
	return "[" + strings.Join(list, ",") + "]"
}

const (
	identified = `{"ts":"2026-03-02T12:00:01Z","seq":%d,"fields":{"device":"d%d","rssi":-50}}`
	anonymous  = `{"fields":{"device":"d%d","rssi":-50}}`
)

// put puts a message in, and next takes one out as burst does.
func (i *Ingest) put(id uint16, payload string) {
	i.sources.queue.Put(context.Background(),
		intake.Message{Topic: "city/v1/o/a/up", ID: id, Payload: []byte(payload), Received: noon})
}

func (i *Ingest) next(t *testing.T) {
	t.Helper()
	m, ok := i.sources.queue.Take()
	if !ok {
		t.Fatal("nothing is to be taken")
	}
	if err := i.handle(context.Background(), wall{}, m); err != nil {
		t.Fatal(err)
	}
}

// TestLargeMessagesInParts: one of ten thousand readings does not hold up the others: they
// have their turns between its parts, and it is acknowledged after its last.
func TestLargeMessagesInParts(t *testing.T) {
	i := awake(t, inMemory(t), footfall(t, 2))
	defer i.journal.log.Close()
	i.put(1, array(10_000, identified))
	for n := range 10 {
		i.sources.queue.Put(context.Background(), intake.Message{Topic: "unknown", ID: uint16(10 + n)})
	}
	turns, most := 0, 0
	for open(i) < 10_000 {
		before := i.reception.batch.readings
		i.next(t)
		turns++
		most = max(most, i.reception.batch.readings-before)
		if n := len(i.reception.batch.messages); turns == 15 && n != 10 {
			t.Errorf("after 15 turns %d messages are through; want the 10 small ones", n)
		}
		if i.reception.large.on() && len(i.reception.batch.messages) > 0 &&
			i.reception.batch.messages[len(i.reception.batch.messages)-1].ID == 1 {
			t.Fatal("it is acknowledged before it is through")
		}
	}
	if most > part || turns < 10_000/part {
		t.Errorf("%d turns of at most %d readings; want parts of %d", turns, most, part)
	}
	if n := len(i.reception.batch.messages); n != 11 || i.reception.batch.messages[10].ID != 1 ||
		i.reception.large.on() || i.reception.large.held.Payload != nil {
		t.Errorf("%d are to be acknowledged", n)
	}
	if r := i.account.Received; r != 10_010 {
		t.Errorf("%d received", r)
	}
}

// TestAKillInALargeMessage: it comes again, and what was durable of it counts once. What
// nothing identifies is durable as a whole or not at all.
func TestAKillInALargeMessage(t *testing.T) {
	for name, c := range map[string]struct {
		payload string
		parts   int // until the kill
		durable int64
	}{
		"seq":     {array(1000, identified), 2, 2 * part},
		"neither": {array(1000, anonymous), 1, 1000},
		"neither, at last": {strings.TrimSuffix(array(900, identified), "]") + "," + array(100, anonymous)[1:], 3,
			3 * part},
		"all the same":      {array(1000, identified), 4, 1000},
		"seq, and no parts": {array(1000, identified), 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			dir, stream := inMemory(t), footfall(t, 2)
			i := awake(t, dir, stream)
			i.put(1, c.payload)
			for range c.parts {
				i.next(t)
			}
			i.save(t)
			acknowledged := len(i.reception.batch.messages) > 0
			if acknowledged != (c.durable == 1000) {
				t.Errorf("acknowledged: %v, with %d of it durable", acknowledged, c.durable)
			}
			_ = i.journal.log.Close()
			i = awake(t, dir, stream)
			defer i.journal.log.Close()
			if n := open(i); n != c.durable {
				t.Fatalf("%d are there after a kill; want %d", n, c.durable)
			}
			if !acknowledged {
				i.put(2, c.payload)
				for len(i.reception.batch.messages) == 0 {
					i.next(t)
				}
			}
			if n := open(i); n != 1000 {
				t.Errorf("%d are counted at last; want 1000", n)
			}
		})
	}
}

// TestFeedbackOfALargeMessage: what is told of one is of its own readings, whatever small
// message has its turn between its parts.
func TestFeedbackOfALargeMessage(t *testing.T) {
	i := awake(t, inMemory(t), footfall(t, 2))
	defer i.journal.log.Close()
	for seq, n := range []int{7, 9} {
		i.decode([]byte(said(noon, n)), noon.UnixNano())
		if open(i) != int64(seq+1) {
			t.Fatal("a small message is not taken")
		}
	}
	i.put(1, array(1000, `{"seq":4%d,"fields":{"device":7}}`))
	for len(i.reception.batch.messages) == 0 {
		i.next(t)
	}
	for f, n := range i.feedback.tally[i.sensor()] {
		if n.count != 1000 || !n.known || n.seq != 40 {
			t.Errorf("%s is told %d times, first of seq %d (%v); want 1000 and 40", f.Code, n.count, n.seq, n.known)
		}
	}
	if len(i.feedback.tally[i.sensor()]) != 1 {
		t.Errorf("%d faults are told; want 1", len(i.feedback.tally[i.sensor()]))
	}
}

// TestPlansChangeInALargeMessage: what was begun under the plans of before is taken under
// them, and is acknowledged once.
func TestPlansChangeInALargeMessage(t *testing.T) {
	i := awake(t, inMemory(t), footfall(t, 2))
	defer i.journal.log.Close()
	i.put(1, array(1000, identified))
	i.next(t)
	r := Renewal{Register: i.routing.register, Digest: "v", Plans: i.routing.versions[0].Plans}
	if !i.changes.renew(renewal{r, newRoster(r.Register), nil}) {
		t.Fatal("the register is not taken")
	}
	if n := open(i); n != 1000 {
		t.Errorf("%d readings are taken under the plans of before; want 1000", n)
	}
	i.dropBuffers()
	i.put(2, array(1000, `{"ts":"2026-03-02T12:00:02Z","seq":1%d,"fields":{"device":"d%d","rssi":-50}}`))
	for len(i.reception.batch.messages) < 2 {
		i.next(t)
	}
	i.put(3, array(1000, strings.ReplaceAll(identified, "00:01Z", "00:03Z")))
	i.next(t)
	v := i.routing.versions[0]
	if err := i.changes.enact(enactment{version: v, settle: atOnce}); err != nil {
		t.Fatal(err)
	}
	if n := open(i); n != 3000 {
		t.Errorf("%d readings are taken under the policy of before; want 3000", n)
	}
	i.next(t)
	i.reception.batch.messages = i.reception.batch.messages[:2]
	if n := len(i.reception.batch.messages); n != 2 || i.reception.batch.messages[0].ID != 1 ||
		i.reception.batch.messages[1].ID != 2 {
		t.Errorf("%d are to be acknowledged; want 2", n)
	}
	if _, more := i.sources.queue.Take(); more {
		t.Error("there is still something to be taken")
	}
}

// TestAMessageIsHashedOnce: what a reading without seq costs does not grow with what else
// is in its message.
func TestAMessageIsHashedOnce(t *testing.T) {
	raced.Skip(t)
	nobody := footfall(t, 1)
	nobody.Unit, nobody.Protect, nobody.Forget, nobody.Measures = plan.Unit{StandsFor: "none"}, plan.Protect{},
		civil.Period{}, []plan.Measure{{Name: "n", Of: plan.Count}}
	if err := nobody.Finish(); err != nil {
		t.Fatal(err)
	}
	took := func(payload string) time.Duration {
		best := time.Hour
		for range 3 { // by turns: others use the processor as well
			i := still(t, nobody)
			begun := time.Now()
			i.decode([]byte(payload), noon.UnixNano())
			best = min(best, time.Since(begun))
			if n := open(i); n != 5000 {
				t.Fatalf("%d readings are open; want 5000", n)
			}
		}
		return best
	}
	plain := array(5000, anonymous)
	small, large := took(plain), took(plain[:len(plain)-1]+strings.Repeat(" ", 1<<20-len(plain))+"]")
	t.Logf("5000 readings take %s, and %s with blanks up to 1 MiB", small, large)
	if large > 10*small {
		t.Errorf("blanks make a message take %.0f times as long", float64(large)/float64(small))
	}
}

// TestNothingHoldsWhoHasSent: of a register that was exchanged nothing is held by the last
// message, whose rules would keep what its readings were in past their epoch.
func TestNothingHoldsWhoHasSent(t *testing.T) {
	i := awake(t, inMemory(t), footfall(t, 2))
	defer i.journal.log.Close()
	i.put(1, fmt.Sprintf(one, 1, 1))
	i.put(2, array(1000, identified))
	for len(i.reception.batch.messages) < 2 {
		i.next(t)
	}
	before := weak.Make(i.sensor())
	r := Renewal{Register: i.routing.register, Digest: "v", Plans: i.routing.versions[0].Plans}
	if !i.changes.renew(renewal{r, newRoster(r.Register), nil}) {
		t.Fatal("the register is not taken")
	}
	i.dropBuffers()
	runtime.GC()
	runtime.GC()
	if before.Value() != nil {
		t.Error("a sensor of the register of before is still held, with the rules that its readings went through")
	}
	runtime.KeepAlive(i)
}
