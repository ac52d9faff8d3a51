package logs_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/firmware-sim/device"
	"sluice/gateway/cluster/engine"
	"sluice/gateway/cluster/lease"
	"sluice/gateway/cluster/logs"
	"sluice/gateway/cluster/parts"
	"sluice/gateway/ingest"
	"sluice/gateway/release"
	"sluice/internal/civil"
	"sluice/plan"
	"sluice/register"
	"sluice/test/harness"
	"sluice/test/nats"
)

var (
	_ ingest.Outlet = (*logs.Out)(nil)
	_ ingest.Inlet  = logs.In{}
	_ ingest.State  = logs.State{}
	_ ingest.Parts  = (*parts.Writer)(nil)
	_ parts.Keys    = ingest.Keys(nil)
)

// noon is when the test's afternoon begins.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

const partitions = 8

// keys are a city's; anybody can have them in this test.
type keys struct{}

func (keys) Key(epoch int64, use string) ([]byte, error) {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s", epoch, use))
	return sum[:], nil
}

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
		Dir: filepath.Join(dir, "checkpoint"), Keys: filepath.Join(dir, "keys"), Register: c.register, Listen: ingest.Listen{Addr: addr}, Clock: "clock",
		Future: time.Minute, CatchUp: time.Hour, Exact: true, Now: time.Now, Log: slog.New(slog.DiscardHandler),
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

// cluster is the afternoon in a front, owners of partitions on so many workers, and one who releases.
type cluster struct {
	*city
	servers *nats.Servers
	conn    *engine.Conn
	in      *engine.Log
	state   *engine.Log
	part    *engine.Log
	running sync.WaitGroup
	workers map[string]context.CancelFunc
	owners  map[string]*sync.WaitGroup
}

func (c *cluster) open(spec engine.Spec) *engine.Log {
	c.t.Helper()
	log, err := c.conn.Open(c.t.Context(), spec)
	if err != nil {
		c.t.Fatal(err)
	}
	return log
}

// front runs a front until ctx ends, or what it hands over goes nowhere any more.
func (c *cluster) front(ctx context.Context, dir, addr string) (kill func()) {
	c.t.Helper()
	out, err := logs.NewOut(ctx, c.in)
	if err != nil {
		c.t.Fatal(err)
	}
	i, err := ingest.OpenFront(c.config(dir, addr), ingest.Front{Name: "front-1", Partitions: partitions, Keys: keys{}, Out: out},
		[]ingest.Version{c.version})
	if err != nil {
		c.t.Fatal(err)
	}
	ended := make(chan bool)
	c.running.Go(func() {
		defer close(ended)
		_ = i.Run(ctx, nil, nil)
	})
	return func() {
		out.Close() // from now on it can say nothing, not even that it ends
		<-ended
	}
}

// assign lets these workers own the partitions, as their leases would; those that are not among them any more are gone
// as they are.
func (c *cluster) assign(workers []string) {
	for name, stop := range c.workers {
		stop()
		c.owners[name].Wait()
	}
	clear(c.workers)
	for _, name := range workers {
		ctx, stop := context.WithCancel(c.t.Context())
		c.workers[name], c.owners[name] = stop, new(sync.WaitGroup)
		for p, owner := range lease.Assign(partitions, workers) {
			if owner == name {
				c.owners[name].Go(func() { c.own(ctx, p) })
			}
		}
	}
}

func (c *cluster) own(ctx context.Context, p int) {
	lapse, err := logs.NewOut(ctx, c.in)
	if err != nil {
		c.t.Error(err)
		return
	}
	defer lapse.Close()
	o, err := ingest.OpenOwner(ctx, ingest.Owned{
		Partition: p, Partitions: partitions, Register: c.register, Keys: keys{}, In: logs.In{Log: c.in},
		State: logs.State{Log: c.state}, Parts: &parts.Writer{Log: c.part, Keys: keys{}}, Lapse: lapse,
		CatchUp: time.Hour, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	}, []ingest.Version{c.version})
	if err == nil {
		err = o.Run(ctx)
	}
	if err != nil && ctx.Err() == nil {
		c.t.Error(err)
	}
}

// live is the afternoon with so many workers, one of which dies every hour; so does the front once, and the server that
// leads what fronts hand over.
func (c *cluster) live(workers int) map[release.Key]string {
	c.t.Helper()
	ctx, stop := context.WithCancel(c.t.Context())
	defer stop()
	b := &batches{all: make(map[release.Key]string)}
	out, done := make(chan release.Batch), make(chan release.Key)
	c.running.Go(func() { b.take(ctx, c.t, out, done) })
	c.running.Go(func() {
		collector := parts.Collector{Log: c.part, Keys: keys{}, Partitions: partitions, Plan: c.plan,
			Wait: 5 * time.Minute, Now: time.Now, Logger: slog.New(slog.DiscardHandler)}
		if err := collector.Run(ctx, out, done); err != nil && ctx.Err() == nil {
			c.t.Error(err)
		}
	})
	names := make([]string, workers)
	for n := range names {
		names[n] = fmt.Sprint("worker-", n)
	}
	c.assign(names)
	dir, addr := inMemory(c.t), harness.FreeAddr(c.t)
	kill := c.front(ctx, dir, addr)
	var leader *nats.Node
	c.afternoon(addr, func(quarter int) {
		switch {
		case quarter == 5:
			leader = c.servers.Leader("IN")
			leader.Kill()
		case quarter == 8:
			leader.Start()
		case quarter == 10:
			kill()
			kill = c.front(ctx, dir, addr)
		case quarter%4 == 2:
			names[quarter/4%workers] += "'" // it is gone, and another one comes in its place
			c.assign(names)
		}
	})
	harness.Await(c.t, 2*time.Minute, "all windows to be released", func() bool { return b.len() >= 3*5 })
	c.assign(nil)
	stop()
	c.running.Wait()
	return b.all
}

func (c *cluster) plan(digest string) *plan.Stream {
	for _, s := range c.version.Streams {
		if s.Digest == digest {
			return s
		}
	}
	return nil
}

// silent looks that the servers' files say nothing of readings, sensors or streams.
func silent(t *testing.T, servers *nats.Servers) {
	t.Helper()
	files := 0
	for _, n := range servers.Nodes {
		err := filepath.WalkDir(n.Store, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return nil // servers remove files while they run
			}
			raw, err := os.ReadFile(path)
			if err != nil {
				return nil
			}
			files++
			for _, word := range []string{"canary", "scan-", "footfall", "rambla", "front-1"} {
				if bytes.Contains(raw, []byte(word)) {
					t.Errorf("%s has %q", filepath.Base(path), word)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if files < 9 {
		t.Errorf("%d files", files)
	}
}

// TestACityOnSeveralMachines: the same afternoon through one process, and through a front, three servers and 1, 2 or 4
// workers, of which each dies once, comes to the same numbers.
func TestACityOnSeveralMachines(t *testing.T) {
	c := newCity(t)
	var alone map[release.Key]string
	for _, workers := range []int{1, 2, 4} {
		t.Run(fmt.Sprint(workers, " workers"), func(t *testing.T) {
			servers := nats.Start(t)
			c := &city{t, c.register, c.version}
			if alone == nil {
				alone = c.alone()
			}
			conn, err := engine.Dial(t.Context(), engine.Config{URLs: servers.URLs(), CA: servers.CA,
				Credentials: servers.Data, Patience: time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(conn.Close)
			k := &cluster{city: c, servers: servers, conn: conn, workers: make(map[string]context.CancelFunc),
				owners: make(map[string]*sync.WaitGroup)}
			k.in, k.state, k.part = k.open(logs.InSpec(3)), k.open(logs.StateSpec(3)), k.open(parts.Spec(3))
			several := k.live(workers)
			silent(t, servers)
			if len(alone) < 3*5 || !maps.Equal(alone, several) {
				for key, want := range alone {
					if several[key] != want {
						t.Errorf("%v: one process has\n%s\nand the cluster\n%s", key, want, several[key])
					}
				}
				t.Errorf("one process has %d windows, the cluster %d", len(alone), len(several))
			}
		})
	}
}
