package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"sluice/gateway/ingest/internal/intake"
	"sluice/gateway/release"
	"sluice/test/raced"
)

// nowhere is an outlet that takes everything, or nothing.
type nowhere struct {
	bytes int
	away  error
}

func (n *nowhere) Put(_ context.Context, _ int64, _ int, _ string, body []byte) error {
	n.bytes += len(body)
	return n.away
}

func (n *nowhere) Wait(context.Context) error { return n.away }

// facing is an Ingest that is a front to so many partitions.
func facing(t testing.TB, of int, out Outlet) *Ingest {
	t.Helper()
	i := still(t, footfall(t, 2))
	if err := i.lead(&Front{Name: "f", Partitions: of, Keys: memoryKeys{}, Out: out}); err != nil {
		t.Fatal(err)
	}
	i.clock.now = noon.Add(time.Hour)
	return i
}

// acks counts what is acknowledged.
type acks struct{ n int }

func (a *acks) Ack(list []intake.Message)    { a.n += len(list) }
func (a *acks) Publish(string, []byte) error { return nil }
func (a *acks) Close() error                 { return nil }

// TestNothingIsAcknowledgedThatIsNotThere: while what a front hands over does not arrive, who has sent it is not
// answered; once it does, it is, and what was handed over before comes once.
func TestNothingIsAcknowledgedThatIsNotThere(t *testing.T) {
	logs := newLogs()
	out := &failing{memoryLogs: logs, away: errors.New("nobody answers")}
	v := newTown(t, filepath.Join(inMemory(t), "front"), &Front{Name: "f", Partitions: 3, Keys: memoryKeys{}, Out: out})
	told := &acks{}
	v.i.sources.all = append(v.i.sources.all, told)
	v.i.sources.queue.Put(t.Context(), intake.Message{Topic: "city/v1/o/scan-a/up", Payload: []byte(`{"ts":"2026-03-02T12:00:00Z","seq":1,` +
		`"fields":{"device":"d","rssi":-50}}`), Received: noon, Checked: true, Sender: "scan-a"})
	m, _ := v.i.sources.queue.Take()
	if err := v.i.handle(t.Context(), v.w, m); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := v.i.commit(t.Context()); !errors.Is(err, out.away) || told.n > 0 {
			t.Fatalf("%d messages are acknowledged, %v", told.n, err)
		}
	}
	out.away = nil
	v.commit()
	if told.n != 1 {
		t.Errorf("%d messages are acknowledged", told.n)
	}
	o := 0
	for p := range 3 {
		owner := logs.owner(v, p, memoryKeys{})
		owner.takeAll(t, logs)
		o += int(owner.inner.account.Received)
	}
	if o != 1 {
		t.Errorf("%d readings are counted", o)
	}
}

// failing is a log that does not say that something is there, although it may be.
type failing struct {
	*memoryLogs
	away error
}

func (f *failing) Wait(context.Context) error { return f.away }

// cut is a log that does not wait past a stop.
type cut struct{ *memoryLogs }

func (c cut) Wait(ctx context.Context) error { return ctx.Err() }

// TestAFrontSaysThatItEnds to every partition, also where it is stopped in the middle of handing something over: then
// nobody waits for it.
func TestAFrontSaysThatItEnds(t *testing.T) {
	for _, middle := range []bool{false, true} {
		logs := newLogs()
		v := newTown(t, filepath.Join(inMemory(t), "front"),
			&Front{Name: "f", Partitions: 3, Keys: memoryKeys{}, Out: cut{logs}})
		v.i.sources.queue.Put(t.Context(), intake.Message{Topic: "city/v1/o/scan-a/up", Payload: []byte(
			`{"ts":"2026-03-02T12:00:00Z","seq":1,"fields":{"device":"d","rssi":-50}}`),
			Received: noon, Checked: true, Sender: "scan-a"})
		m, _ := v.i.sources.queue.Take()
		if err := v.i.handle(t.Context(), v.w, m); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		var err error
		if stop(); middle {
			if err = v.i.commit(ctx); !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
		}
		if err := v.i.stop(ctx, err); err != nil {
			t.Error(err)
		}
		for p := range 3 {
			owner := logs.owner(v, p, memoryKeys{})
			owner.takeAll(t, logs)
			for _, of := range owner.lives {
				if !of.Lapsed {
					t.Errorf("stopped in the middle: %v; partition %d waits for it", middle, p)
				}
			}
			if len(owner.lives) != 1 {
				t.Errorf("partition %d has heard of %d fronts", p, len(owner.lives))
			}
		}
	}
}

// TestAFrontWithoutKeys acknowledges nothing, and says why; for those on their way it waits.
func TestAFrontWithoutKeys(t *testing.T) {
	for late, ok := range map[int]bool{0: true, 3: true, 1 << 30: false} {
		i := still(t, footfall(t, 2))
		keys := &lateKeys{late: late, asked: make(map[int64]bool)}
		if err := i.lead(&Front{Partitions: 1, Keys: keys, Out: &nowhere{}}); err != nil {
			t.Fatal(err)
		}
		if !ok {
			i.front.patience.most = time.Millisecond
		}
		i.decode(payload(0, 0), noon.UnixNano())
		if err := i.front.flush(t.Context()); (err == nil) != ok || !ok && !errors.Is(err, errLate) {
			t.Errorf("keys that are late by %d: %v", late, err)
		}
		if n := i.account.Counted; ok && n != 1 {
			t.Errorf("keys that are late by %d: %d readings are handed over", late, n)
		}
	}
}

// TestAFrontThatIsStopped waits for no key.
func TestAFrontThatIsStopped(t *testing.T) {
	i := still(t, footfall(t, 2))
	if err := i.lead(&Front{Partitions: 1, Keys: &lateKeys{late: 1 << 30, asked: make(map[int64]bool)},
		Out: &nowhere{}}); err != nil {
		t.Fatal(err)
	}
	i.front.patience.most = time.Hour
	ctx, stop := context.WithCancel(t.Context())
	i.front.patience.stopping = ctx.Done()
	ended := make(chan bool)
	go func() {
		defer close(ended)
		i.decode(payload(0, 0), noon.UnixNano())
	}()
	stop()
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Fatal("it waits past its stop")
	}
	if !errors.Is(i.front.unready, errLate) || !errors.Is(i.front.unready, context.Canceled) || i.account.Counted != 0 {
		t.Errorf("it has handed over something: %v, %d", i.front.unready, i.account.Counted)
	}
}

// TestAFrontBeforeTheFirstTick asks for the keys of no day of which nothing has come.
func TestAFrontBeforeTheFirstTick(t *testing.T) {
	i := still(t, footfall(t, 2))
	i.clock.now = time.Time{}
	keys := &lateKeys{asked: make(map[int64]bool)}
	if err := i.lead(&Front{Partitions: 2, Keys: keys, Out: &nowhere{}}); err != nil {
		t.Fatal(err)
	}
	i.front.beat = true
	if err := i.front.flush(t.Context()); err != nil || len(keys.asked) > 0 {
		t.Errorf("keys of %v are asked for, %v", keys.asked, err)
	}
	i.decode(payload(0, 0), noon.UnixNano())
	if err := i.front.flush(t.Context()); err != nil || len(keys.asked) != 1 || !keys.asked[keyEpoch(noon)] {
		t.Errorf("keys of %v are asked for, %v", keys.asked, err)
	}
}

// lateKeys are there when they have been asked for so many times.
type lateKeys struct {
	late  int
	asked map[int64]bool
}

var errLate = errors.New("not yet")

func (k *lateKeys) Key(epoch int64, use string) ([]byte, error) {
	k.asked[epoch] = true
	if k.late--; k.late >= 0 {
		return nil, errLate
	}
	return memoryKeys{}.Key(epoch, use)
}

// BenchmarkFront is decode, redact, pseudonym and what is handed over, for one reading of 250 bytes.
func BenchmarkFront(b *testing.B) {
	out := &nowhere{}
	i := facing(b, 32, out)
	list, deliver := payloads(0), i.again()
	b.ReportAllocs()
	b.ResetTimer()
	for n := range b.N {
		deliver(list[n%crowd])
		if n%10_000 == 9_999 {
			if err := i.front.flush(context.Background()); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(out.bytes)/float64(b.N), "B/reading")
}

// BenchmarkOwner is what an owner does with a reading: open, know again, bound, add, and its state.
func BenchmarkOwner(b *testing.B) {
	logs := newLogs()
	i := facing(b, 1, logs)
	for n, p := range payloads(0) {
		i.decode(p, noon.UnixNano())
		if n%10_000 == 9_999 {
			if err := i.front.flush(context.Background()); err != nil {
				b.Fatal(err)
			}
		}
	}
	w := &Worker{register: i.cfg.Register, routing: i.routing}
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += crowd {
		logs.state = map[int][]Entry{}
		o, err := w.Own(context.Background(), Owned{Keys: memoryKeys{}, In: logs, State: stateOf{logs},
			Parts: noParts{}, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			b.Fatal(err)
		}
		if err := o.run(context.Background()); fmt.Sprint(err) != "the log has ended" {
			b.Fatal(err)
		}
	}
}

type noParts struct{}

func (noParts) Put(context.Context, int64, int, release.Partial) error { return nil }

// TestAFrontAllocatesNothing for a reading, in the steady state.
func TestAFrontAllocatesNothing(t *testing.T) {
	raced.Skip(t)
	i := facing(t, 32, &nowhere{})
	list, deliver := payloads(0), i.again()
	round := func() {
		for _, p := range list[:20_000] {
			deliver(p)
		}
	}
	for range 2 { // buffers find their sizes
		round()
		if err := i.front.flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := testing.AllocsPerRun(1, round); n > 100 {
		t.Errorf("%v allocations for 20,000 readings", n)
	}
}

// TestAnOwnerAllocatesNothing for a reading, in the steady state: only batches and commits cost any.
func TestAnOwnerAllocatesNothing(t *testing.T) {
	raced.Skip(t)
	logs := newLogs()
	i := facing(t, 1, logs)
	w := &Worker{register: i.cfg.Register, routing: i.routing}
	o, err := w.Own(t.Context(), Owned{Keys: memoryKeys{}, In: logs, State: stateOf{logs}, Parts: noParts{},
		Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	const readings = 20_000
	var before, after runtime.MemStats
	deliver, taken := i.again(), 0
	for round := range 3 { // in the first ones everybody comes for the first time, and buffers find their sizes
		for _, p := range payloads(round * readings)[:readings] {
			deliver(p)
		}
		if err := i.front.flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		list := logs.in[0][taken:]
		taken += len(list)
		runtime.ReadMemStats(&before)
		for _, e := range list {
			if err := o.take(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		if err := o.save(t.Context()); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
	}
	if n := after.Mallocs - before.Mallocs; n > 1000 {
		t.Errorf("%d allocations for %d readings", n, readings)
	}
	if n := o.inner.account.Received; n != 3*readings {
		t.Errorf("%d readings are counted of %d", n, 3*readings)
	}
}
