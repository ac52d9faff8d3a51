package window

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"sluice/gateway/ingest/internal/pseudonym"
	"sluice/plan"
)

// hour is an open window about nobody.
func hour(t testing.TB, b *Budget) *Window {
	w := New(people(t, plan.Unit{StandsFor: "none"}), "p", time.Unix(0, 0), time.Unix(3600, 0))
	w.Share(b)
	return w
}

// offer applies an entry where there is room, and reports whether there was.
func offer(t testing.TB, w *Window, e Entry) bool {
	t.Helper()
	if w.Seen(&e) {
		t.Fatalf("a reading that is new, seq %d, was seen before", e.Seq)
	}
	if !w.Room(&e) {
		return false
	}
	w.Apply(&e)
	if !w.Seen(&e) {
		t.Fatalf("a reading that was counted, seq %d, is forgotten", e.Seq)
	}
	return true
}

// rogues are the ways of one sensor to cost memory for each reading.
var rogues = map[string]func(n uint64) Entry{
	"random seq": func(n uint64) Entry {
		return Entry{Sequenced: true, Seq: n * 0x9e3779b97f4a7c15, Time: int64(n)}
	},
	"a boot each time": func(n uint64) Entry { return Entry{Sequenced: true, Boot: n + 1, Seq: 1, Time: int64(n)} },
	"the same seq":     func(n uint64) Entry { return Entry{Sequenced: true, Seq: 7, Time: int64(n * n)} },
	"every second seq": func(n uint64) Entry { return Entry{Sequenced: true, Seq: 2 * n, Time: int64(n * n)} },
	"no seq": func(n uint64) Entry {
		return Entry{Message: pseudonym.Tag{byte(n), byte(n >> 8), byte(n >> 16)}}
	},
	"boots and no seqs": func(n uint64) Entry {
		return Entry{Boot: n, Message: pseudonym.Tag{1, byte(n), byte(n >> 8), byte(n >> 16)}}
	},
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestOneSensorsMemoryIsBounded: whatever one sensor sends, it costs some MiB, and
// what comes then is refused, while another goes on.
func TestOneSensorsMemoryIsBounded(t *testing.T) {
	const n = 300_000
	for name, next := range rogues {
		before := heap()
		w := hour(t, &Budget{})
		taken := 0
		for i := range uint64(n) {
			e := next(i)
			if e.Sensor = 1; w.Seen(&e) {
				continue // by seq alone
			}
			if offer(t, w, e) {
				taken++
			}
		}
		cost := int64(heap()) - int64(before)
		t.Logf("%s: %d of %d are taken, for %.1f MiB", name, taken, n, float64(cost)/(1<<20))
		if cost > 16<<20 {
			t.Errorf("%s: one sensor costs %d bytes", name, cost)
		}
		if taken < most/perBoot/2 || taken > 3*most {
			t.Errorf("%s: %d readings are taken; the bounds should let about %d", name, taken, 2*most)
		}
		for i := range uint64(n) {
			if !offer(t, w, Entry{Sensor: 2, Sequenced: true, Seq: i, Time: int64(i * i)}) {
				t.Fatalf("%s: reading %d of another sensor is refused", name, i)
			}
		}
		runtime.KeepAlive(w)
	}
}

// TestACountingSensorIsNeverRefused: its times may be as irregular as they like, its
// readings come in any order of blocks, and be as many as there are; what is sent
// again is known.
func TestACountingSensorIsNeverRefused(t *testing.T) {
	const n, block = 400_000, 5000
	w := hour(t, &Budget{})
	order := rand.New(rand.NewPCG(1, 2)).Perm(n / block)
	list := make([]Entry, 0, n)
	for _, b := range order {
		for i := range block {
			seq := uint64(b*block + i)
			list = append(list,
				Entry{Sensor: 1, Sequenced: true, Boot: 9, Seq: seq, Time: int64(seq)*1e6 + int64(seq*seq%99991)})
		}
	}
	for _, e := range list {
		if !offer(t, w, e) {
			t.Fatalf("seq %d is refused", e.Seq)
		}
	}
	for _, e := range list {
		if !w.Seen(&e) {
			t.Fatalf("seq %d comes again and is not known", e.Seq)
		}
	}
}

// TestWhoCountsOnIsTaken: a sensor that has used all that it may costs no more when it
// counts on from what is known, up or down, and is taken.
func TestWhoCountsOnIsTaken(t *testing.T) {
	w := hour(t, &Budget{})
	n := uint64(2)
	for ; offer(t, w, Entry{Sequenced: true, Seq: 4 * n, Time: int64(n * n)}); n++ {
		if n > 1<<20 {
			t.Fatal("nothing is refused")
		}
	}
	used := *w.memory.budget
	for seq := 4*(n-1) + 1; seq < 4*n+1000; seq++ {
		if !offer(t, w, Entry{Sequenced: true, Seq: seq, Time: int64(seq * seq)}) {
			t.Fatalf("seq %d follows one that is known, and is refused", seq)
		}
	}
	for seq := 4*(n-2) - 1; seq > 4*(n-3); seq-- {
		if !offer(t, w, Entry{Sequenced: true, Seq: seq, Time: int64(seq * seq)}) {
			t.Fatalf("seq %d comes right before one that is known, and is refused", seq)
		}
	}
	if w.memory.budget.exact > used.exact || w.memory.budget.coarse > used.coarse {
		t.Errorf("that cost %+v; was %+v", *w.memory.budget, used)
	}
}

// TestADayOfASecondIsExact: a sensor that sends each second with irregular times is
// remembered exactly all day, so that it may begin at the same seq anew.
func TestADayOfASecondIsExact(t *testing.T) {
	w := New(people(t, plan.Unit{StandsFor: "none"}), "p", time.Unix(0, 0), time.Unix(86400, 0))
	for n := range uint64(86400) {
		offer(t, w, Entry{Sequenced: true, Seq: n % 43200, Time: int64(n)*1e9 + int64(n*n%99991)})
	}
	if w.memory.budget.coarse > perBoot {
		t.Errorf("%d marks are by seq alone; want none", w.memory.budget.coarse-perBoot)
	}
}

// TestUnitsOfOneSensorAreBounded: one sensor makes up units without end; another's
// have room.
func TestUnitsOfOneSensorAreBounded(t *testing.T) {
	w := New(people(t, plan.Unit{Field: "u", StandsFor: "device"}), "p", time.Unix(0, 0), time.Unix(3600, 0))
	bring := func(sensor uint64, n int) (taken int) {
		for i := range uint64(n) {
			e := Entry{Sensor: sensor, Sequenced: true, Seq: i, Time: int64(i),
				Unit: pseudonym.Tag{byte(sensor), byte(i), byte(i >> 8), byte(i >> 16)}, Has: 1}
			counts := w.HasUnit(&e)
			if room, _ := w.UnitRoom(&e); counts || !room {
				continue
			}
			w.Apply(&e)
			taken++
		}
		return taken
	}
	if got, want := bring(1, 300_000), burst+3600*unitRate; got != want {
		t.Errorf("one sensor brings %d units; want at most %d", got, want)
	}
	if got := bring(2, 100_000); got != 100_000 {
		t.Errorf("beside it another brings %d units; want 100000", got)
	}
}

// TestTheBudgetOfAll: many rogues cost no more than the budget and their own
// allowances; beside them, quiet sensors begin and go on; and closed windows give
// back what they took.
func TestTheBudgetOfAll(t *testing.T) {
	const many = 200
	b, before := &Budget{}, heap()
	w := hour(t, b)
	for i := range uint64(20_000) {
		for s := range uint64(many) {
			e := rogues["every second seq"](i)
			if e.Sensor = s; !w.Seen(&e) && w.Room(&e) {
				w.Apply(&e)
			}
		}
	}
	if b.exact > allExact+many*own || b.coarse > allCoarse+many*own {
		t.Errorf("%d and %d marks are used; the budget is %d and %d", b.exact, b.coarse, allExact, allCoarse)
	}
	if cost := heap() - before; cost > 300<<20 {
		t.Errorf("%d sensors cost %d bytes", many, cost)
	} else {
		t.Logf("%d sensors cost %.0f MiB", many, float64(cost)/(1<<20))
	}
	if b.exact < allExact || b.coarse < allCoarse {
		t.Errorf("%d and %d marks are used; the test should spend the budget", b.exact, b.coarse)
	}
	for i := range uint64(10_000) {
		if !offer(t, w, Entry{Sensor: many, Sequenced: true, Seq: i, Time: int64(i * i)}) {
			t.Fatalf("reading %d of a sensor that counts up is refused", i)
		}
	}
	if w.Forget(); *b != (Budget{}) {
		t.Errorf("%+v is not given back", *b)
	}
}

// TestRecoveryIsNeverRefused: what was taken is applied in another order, in bounds
// that are spent already, and all of it is known and counted.
func TestRecoveryIsNeverRefused(t *testing.T) {
	for name, next := range rogues {
		w := hour(t, &Budget{})
		var taken []Entry
		for i := range uint64(60_000) {
			if e := next(i); !w.Seen(&e) && offer(t, w, e) {
				taken = append(taken, e)
			}
		}
		rand.New(rand.NewPCG(3, 4)).Shuffle(len(taken), func(a, b int) { taken[a], taken[b] = taken[b], taken[a] })
		again := hour(t, &Budget{exact: allExact, coarse: allCoarse})
		for i := range taken {
			again.Apply(&taken[i])
		}
		if a, b := w.cells[0].readings, again.cells[0].readings; a != b {
			t.Errorf("%s: %d readings are recovered; want %d", name, b, a)
		}
		if i := slices.IndexFunc(taken, func(e Entry) bool { return !again.Seen(&e) }); i >= 0 {
			t.Errorf("%s: seq %d is forgotten", name, taken[i].Seq)
		}
	}
}

// TestAsManyTakeAsLong: eight times as many readings take about eight times the time,
// not sixty-four times.
func TestAsManyTakeAsLong(t *testing.T) {
	var few, many time.Duration
	span := func(n int) time.Duration {
		var s Runs
		begun := busy(t)
		for i := range uint64(n) {
			s.Add(i*0x9e3779b97f4a7c15, int64(i*i))
		}
		return busy(t) - begun
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for range 3 { // by turns: others use the caches as well
		for range 8 { // a short span may be less than a tick of the clock
			few += span(25_000)
		}
		many += span(200_000)
	}
	few, many = few/24, many/3
	t.Logf("25,000 random seqs take %s, 200,000 %s", few, many)
	if many > 40*few { // 8 to 20 times, as caches have it
		t.Errorf("eight times as many take %.1f times as long; want less than 40", float64(many)/float64(few))
	}
}

// busy is the processor's time that this thread has used (getrusage(2), RUSAGE_THREAD):
// how long others had it is no matter.
func busy(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(1, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestLayersOfManyChunks compares with a plain map, over gaps that are made and filled.
func TestLayersOfManyChunks(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for range 20 {
		var l layer
		plain, runs := map[uint64]int64{}, 0
		for range 4000 {
			seq := rnd.Uint64N(3000)
			at := int64(7 * seq)
			if rnd.IntN(8) == 0 {
				at++
			}
			_, known := plain[seq]
			more, ok := l.insert(seq, at)
			if ok == known {
				t.Fatalf("seq %d: put in is %v, and it was there: %v", seq, ok, known)
			}
			if runs += more; ok {
				plain[seq] = at
			}
		}
		if runs != runsOf(&l) {
			t.Fatalf("%d runs are counted, and there are %d", runs, runsOf(&l))
		}
		for seq := range uint64(3000) {
			at, known := plain[seq]
			if l.has(seq, int64(7*seq)) != (known && at == int64(7*seq)) ||
				l.has(seq, int64(7*seq)+1) != (known && at != int64(7*seq)) {
				t.Fatalf("seq %d is wrong", seq)
			}
			_, before := plain[seq-1]
			_, after := plain[seq+1]
			if !known && l.touches(seq) != (before || after) {
				t.Fatalf("what seq %d touches is wrong", seq)
			}
		}
	}
}

// TestFilledGapsGiveTheirRoomBack: many runs that become few keep the room of few.
func TestFilledGapsGiveTheirRoomBack(t *testing.T) {
	var l layer
	for _, first := range []uint64{0, 1} {
		for seq := first; seq < 100_000; seq += 2 {
			if seq%256 != 255 {
				l.insert(seq, int64(seq))
			}
		}
	}
	runs, kept := runsOf(&l), 0
	for _, c := range l.chunks {
		kept += cap(c)
	}
	if runs > 100_000/256+1 || kept > 8*runs {
		t.Errorf("%d runs keep room for %d", runs, kept)
	}
}
