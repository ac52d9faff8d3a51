package ingest

import (
	"flag"
	"fmt"
	"log/slog"
	"runtime"
	"testing"
	"time"

	"github.com/valyala/fastjson"

	"sluice/gateway/ingest/internal/checkpoint"
	"sluice/gateway/ingest/internal/intake"
	"sluice/internal/civil"
	"sluice/plan"
	"sluice/register"
	"sluice/test/raced"
)

const crowd = 100_000

// noon is inside the bench's window.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// footfall is a stream that counts devices by the hour.
func footfall(t testing.TB, most int64) *plan.Stream {
	t.Helper()
	s := &plan.Stream{
		ID: "footfall", Decision: "1", Timezone: "UTC", Every: civil.MustPeriod("PT1H"),
		Lateness: civil.MustPeriod("PT2M"),
		Forget:   civil.MustPeriod("P1D"), From: noon.AddDate(0, -1, 0), Until: noon.AddDate(0, 1, 0),
		Unit: plan.Unit{Field: "device", StandsFor: "device"}, Keep: []string{"device", "rssi"},
		Where: []plan.Condition{{Field: "rssi", Op: ">=", Value: -85.0}}, Zones: []string{"rambla"},
		Measures: []plan.Measure{{Name: "devices", Of: plan.Distinct, Unit: "device"}},
		Protect:  plan.Protect{MinUnits: 10, Epsilon: 1, Delta: 1e-6, MaxContributions: most},
	}
	if err := s.Finish(); err != nil {
		t.Fatal(err)
	}
	return s
}

// still is an Ingest without listener, log or clock, for one sensor.
func still(t testing.TB, streams ...*plan.Stream) *Ingest {
	t.Helper()
	reg, err := register.Parse("register.yaml",
		[]byte("sensors: [{id: a, owner: o, kind: k, zone: rambla, registered: 2026-01-01}]"))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := checkpoint.OpenKeys("")
	if err != nil {
		t.Fatal(err)
	}
	i := newIngest(Config{Register: reg, Future: time.Minute, Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Clock: "c"})
	i.clock.opened = time.Time{} // long ago
	i.journal.keys = keys
	v := Version{
		Digest: "v", Location: time.UTC, Streams: streams, Plans: map[string][]plan.Plan{},
		Kinds: map[string]register.Kind{"k": {Fields: []register.Field{
			{Name: "device", Type: "string", Class: "identifier"}, {Name: "rssi", Type: "int", Class: "measurement"},
			{Name: "channel", Type: "int", Class: "measurement"}, {Name: "vendor", Type: "string", Class: "free-text"},
			{Name: "frame", Type: "string", Class: "free-text"}, {Name: "level", Type: "float", Class: "measurement"},
		}}},
	}
	for _, s := range streams {
		v.Plans["a"] = append(v.Plans["a"], plan.Plan{Stream: s, Zone: "rambla"})
	}
	if err := i.changes.adopt(v); err != nil {
		t.Fatal(err)
	}
	i.clock.now = noon
	return i
}

// payloads are readings of 250 bytes, each of another device, with seq from n on.
func payloads(n int) [][]byte {
	out := make([][]byte, crowd)
	for i := range out {
		out[i] = payload(n, i)
	}
	return out
}

// payload is the one of a device.
func payload(n, device int) []byte {
	out := fmt.Appendf(nil,
		`{"ts":"2026-03-02T12:%02d:%02d.%03dZ","seq":%d,"fields":{"device":"02:00:5e:%02x:%02x:%02x","rssi":-%d,"channel":11,"vendor":"Example Devices of the Street Ltd.","frame":"probe request","level":12.5}}`,
		device/60/1000%30, device/1000%60, device%1000, n+device, device>>16, device>>8&0xff, device&0xff, 40+device%40)
	for len(out) < 250 {
		out = append(out, ' ')
	}
	return out
}

func (i *Ingest) settleBench() {
	i.windows.markSaved()
	i.reception.batch.readings = 0
}

// again delivers payloads of the first sensor, one after the other, in the same message, so
// that what allocates is the engine.
func (i *Ingest) again() func(payload []byte) {
	m, s := &intake.Message{Topic: "city/v1/o/a/up", Received: noon}, i.sensor()
	return func(payload []byte) {
		m.Payload = payload
		i.deliver(s, m, noon.UnixNano())
	}
}

// BenchmarkEngine is decode, redact, pseudonym and window for one reading of 250
// bytes with seq, among 100,000 people; BenchmarkParse is fastjson's parse of
// the same bytes.
func BenchmarkEngine(b *testing.B) {
	i := still(b, footfall(b, 2))
	i.clock.now = noon.Add(time.Hour)
	n, deliver := 0, i.again()
	list := payloads(0)
	for _, p := range list { // everybody has been seen once
		deliver(p)
	}
	i.settleBench()
	// Each round has seqs of its own; the bytes are rewritten outside the clock.
	b.ReportAllocs()
	b.SetBytes(250)
	b.ResetTimer()
	for range b.N {
		if n%crowd == 0 {
			b.StopTimer()
			list = payloads(crowd + n)
			b.StartTimer()
		}
		if n%1000 == 0 {
			i.settleBench()
		}
		deliver(list[n%crowd])
		n++
	}
	b.StopTimer()
	if got := i.account.Received; got != int64(b.N+crowd) || len(i.account.Refused) > 0 || i.account.Duplicate > 0 {
		b.Fatalf("%d readings were received, %v refused, %d duplicate; want %d and none", got, i.account.Refused,
			i.account.Duplicate, b.N+crowd)
	}
}

func BenchmarkParse(b *testing.B) {
	list := payloads(0)
	var p fastjson.Parser
	b.ReportAllocs()
	b.SetBytes(250)
	for n := range b.N {
		if _, err := p.ParseBytes(list[n%crowd]); err != nil {
			b.Fatal(err)
		}
	}
}

// TestEngineAllocatesNothing holds the hot path to no allocation per reading.
// What amortises to less than one in a thousand (a map or slice that grows) is
// let pass.
func TestEngineAllocatesNothing(t *testing.T) {
	raced.Skip(t)
	shared, apart := footfall(t, 2), footfall(t, 2)
	apart.ID, apart.Decision, apart.Protect.ByOwner = "apart", "2", map[string]int64{"o": 1, "p": 1}
	if err := apart.Finish(); err != nil {
		t.Fatal(err)
	}
	i := still(t, shared, apart)
	i.clock.now = noon.Add(time.Hour)
	rounds := [][][]byte{payloads(0), payloads(crowd), payloads(2 * crowd)}
	deliver := i.again()
	decode := func(list [][]byte) {
		for n, p := range list {
			if n%1000 == 0 {
				i.settleBench()
			}
			deliver(p)
		}
	}
	decode(rounds[0])
	decode(rounds[1])
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	decode(rounds[2])
	runtime.ReadMemStats(&after)
	if n := after.Mallocs - before.Mallocs; n > crowd/1000 {
		t.Errorf("%d allocations for %d readings; want at most %d", n, crowd, crowd/1000)
	}
	if i.account.Received != 3*crowd || len(i.account.Refused) > 0 {
		t.Errorf("%d readings came through, %v refused; want %d", i.account.Received, i.account.Refused, 3*crowd)
	}
}

// briefly runs a benchmark as often as is enough for a bound that is wide; as long as -benchtime says
// where it says anything, as make bench does.
func briefly(bench func(*testing.B)) testing.BenchmarkResult {
	if f := flag.Lookup("test.benchtime"); f.Value.String() == f.DefValue {
		defer func() { _ = f.Value.Set(f.DefValue) }()
		_ = f.Value.Set("100000x")
	}
	return testing.Benchmark(bench)
}

// TestEngineRatio asserts a bound that is far wider than the target of 3, which
// make bench prints: shared machines are noisy.
func TestEngineRatio(t *testing.T) {
	raced.Skip(t)
	if testing.Short() {
		t.Skip("takes seconds")
	}
	engine, parse := briefly(BenchmarkEngine), briefly(BenchmarkParse)
	ratio := float64(engine.NsPerOp()) / float64(parse.NsPerOp())
	t.Logf("engine %d ns and %d allocations a reading, parse %d ns: %.1f times (target 3)", engine.NsPerOp(),
		engine.AllocsPerOp(), parse.NsPerOp(), ratio)
	if ratio > 30 {
		t.Errorf("the engine takes %.1f times as long as fastjson's parse; want at most 30", ratio)
	}
}

// BenchmarkLookup is what finding a reading's plan and window costs. Target: 100 ns.
func BenchmarkLookup(b *testing.B) {
	i := still(b, footfall(b, 2))
	i.clock.now = noon.Add(time.Hour)
	i.decode(payload(0, 0), noon.UnixNano())
	at := noon.UnixNano()
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		for n := range i.sensor().routes {
			if w, code := i.windows.at(&i.sensor().routes[n], at); w == nil {
				b.Fatal(code)
			}
		}
	}
}

// BenchmarkLookupAcross is the same for readings that fall into two windows by
// turns, where the window must be found anew each time.
func BenchmarkLookupAcross(b *testing.B) {
	i := still(b, footfall(b, 2))
	i.clock.now = noon.Add(2 * time.Hour)
	at := []int64{noon.UnixNano(), noon.Add(time.Hour).UnixNano()}
	b.ReportAllocs()
	for n := range b.N {
		if w, code := i.windows.at(&i.sensor().routes[0], at[n&1]); w == nil {
			b.Fatal(code)
		}
	}
}

// TestLookupIsCheap holds the look-up to ten times its target.
func TestLookupIsCheap(t *testing.T) {
	raced.Skip(t)
	if r := briefly(BenchmarkLookup); r.NsPerOp() > 1000 || r.AllocsPerOp() > 0 {
		t.Errorf("a look-up takes %d ns and %d allocations; want at most 1000 and none (target 100)", r.NsPerOp(),
			r.AllocsPerOp())
	}
}
