package logs_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/firmware-sim/device"
	keyring "sluice/gateway/cluster/keys"
	"sluice/gateway/cluster/logs"
	"sluice/gateway/cluster/parts"
	"sluice/gateway/ingest"
	"sluice/gateway/release"
	"sluice/internal/civil"
	"sluice/plan"
	"sluice/register"
	"sluice/test/harness"
)

var (
	_ ingest.Outlet = (*logs.Out)(nil)
	_ ingest.Inlet  = logs.In{}
	_ ingest.State  = logs.State{}
	_ ingest.Parts  = (*parts.Writer)(nil)
	_ ingest.Keys   = (*keyring.Ring)(nil)
	_ parts.Keys    = ingest.Keys(nil)
)

// noon is when the test's afternoon begins.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

const partitions = 8

// city is what one process and a cluster have in common.
type city struct {
	t        *testing.T
	register *register.Register
	version  ingest.Version
}

func newCity(t *testing.T) *city {
	t.Helper()
	stream := func(id, unit string, measures ...plan.Measure) *plan.Stream {
		s := &plan.Stream{
			ID: id, Decision: id, Timezone: "UTC", Every: civil.MustPeriod("PT1H"), Lateness: civil.MustPeriod("PT2M"),
			From: noon.AddDate(0, -1, 0), Until: noon.AddDate(0, 1, 0), Unit: plan.Unit{StandsFor: unit},
			Keep: []string{"device", "rssi"}, Zones: []string{"rambla", "port"}, Measures: measures,
		}
		if unit != "none" {
			s.Unit.Field, s.Forget = unit, civil.MustPeriod("P1D")
			s.Protect = plan.Protect{MinUnits: 3, Epsilon: 1, Delta: 1e-6, MaxContributions: 2}
		}
		if err := s.Finish(); err != nil {
			t.Fatal(err)
		}
		return s
	}
	streams := []*plan.Stream{
		stream("footfall", "device", plan.Measure{Name: "devices", Of: plan.Distinct}),
		stream("signal", "device",
			plan.Measure{Name: "mean", Of: plan.Mean, Field: "rssi", Bounded: true, Low: -100, High: 0},
			plan.Measure{Name: "n", Of: plan.Count, Bounded: true, High: 3}),
		stream("messages", "none", plan.Measure{Name: "n", Of: plan.Count}),
	}
	text := "sensors:\n"
	for n := range 6 {
		text += fmt.Sprintf("  - {id: scan-%d, owner: o, kind: scan, zone: %s, registered: 2026-01-01}\n", n,
			[]string{"rambla", "port"}[n%2])
	}
	reg, err := register.Parse("register.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	v := ingest.Version{Digest: "v", Location: time.UTC, Streams: streams, Plans: map[string][]plan.Plan{},
		Kinds: map[string]register.Kind{"scan": {Fields: []register.Field{{Name: "device", Type: "string"},
			{Name: "rssi", Type: "int"}}}}}
	for _, one := range reg.Sensors {
		for _, s := range streams {
			v.Plans[one.ID] = append(v.Plans[one.ID], plan.Plan{Stream: s, Zone: one.Zone})
		}
	}
	return &city{t, reg, v}
}

func (c *city) config(dir, addr string) ingest.Config {
	return ingest.Config{
		Dir: filepath.Join(dir, "checkpoint"), Keys: filepath.Join(dir, "keys"),
		Register: c.register, Listen: ingest.Listen{Addr: addr}, Clock: "clock",
		Future: time.Minute, CatchUp: time.Hour, Exact: true, Feedback: time.Hour, Now: time.Now,
		Log: slog.New(slog.DiscardHandler),
	}
}

// inMemory is a directory where keys may be.
func inMemory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "sluice-test-")
	if err != nil {
		t.Skip("there is no /dev/shm here")
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// afternoon sends an afternoon through a listener, quarter by quarter; before each it calls disturb. In the end all
// windows are closed.
func (c *city) afternoon(addr string, disturb func(quarter int)) {
	c.t.Helper()
	link := harness.Publisher(c.t, addr, "street")
	r := rand.New(rand.NewPCG(1, 2))
	if err := link.Tick("clock", noon); err != nil {
		c.t.Fatal(err)
	}
	for quarter := range 16 {
		disturb(quarter)
		at := noon.Add(time.Duration(quarter+1) * 15 * time.Minute)
		c.tick(link, at)
		for n := range 24 {
			var list []string
			for k := range 10 {
				list = append(list, fmt.Sprintf(`{"ts":%q,"seq":%d,"fields":{"device":"canary-%d","rssi":%d}}`,
					at.Add(-time.Duration(r.IntN(900))*time.Second).Format(time.RFC3339), quarter*1000+n*10+k,
					r.IntN(150), -r.IntN(100)))
			}
			topic := fmt.Sprintf("city/v1/o/scan-%d/up", n%6)
			payload := []byte("[" + strings.Join(list, ",") + "]")
			link.Publish(topic, payload, false)
			if n%5 == 0 {
				link.Publish(topic, payload, false) // a sensor that sends twice
			}
		}
	}
	c.tick(link, noon.Add(6*time.Hour))
}

func (c *city) tick(link *device.Link, at time.Time) {
	c.t.Helper()
	if err := link.Tick("clock", at); err != nil {
		c.t.Fatal(err)
	}
	if err := link.Flush(); err != nil {
		c.t.Fatal(err)
	}
}

// batches are what is handed over for release, in words.
type batches struct {
	mu  sync.Mutex
	all map[release.Key]string
}

// take takes them and says that they are released, until ctx ends.
func (b *batches) take(ctx context.Context, t *testing.T, out <-chan release.Batch, done chan<- release.Key) {
	for {
		select {
		case <-ctx.Done():
			return
		case batch := <-out:
			of := reflect.ValueOf(batch)
			text := fmt.Sprintf("%+v, gap %q, epoch %v", of.FieldByName("cells"), of.FieldByName("gap"),
				!of.FieldByName("epoch").IsNil())
			b.mu.Lock()
			if old, there := b.all[batch.Key()]; there {
				t.Errorf("%v is released twice: %s and %s", batch.Key(), old, text)
			}
			b.all[batch.Key()] = text
			b.mu.Unlock()
			select {
			case done <- batch.Key():
			case <-ctx.Done():
				return
			}
		}
	}
}

func (b *batches) len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.all)
}

// alone is the afternoon in one process.
func (c *city) alone() map[release.Key]string {
	c.t.Helper()
	addr := harness.FreeAddr(c.t)
	i, err := ingest.Open(c.config(inMemory(c.t), addr), []ingest.Version{c.version})
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(c.t.Context())
	out, done := make(chan release.Batch), make(chan release.Key)
	b := &batches{all: make(map[release.Key]string)}
	var running sync.WaitGroup
	running.Go(func() { b.take(ctx, c.t, out, done) })
	running.Go(func() {
		if err := i.Run(ctx, out, done); err != nil {
			c.t.Error(err)
		}
	})
	c.afternoon(addr, func(int) {})
	stop()
	running.Wait()
	return b.all
}
