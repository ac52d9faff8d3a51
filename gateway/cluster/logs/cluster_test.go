package logs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sluice/gateway/cluster/engine"
	keyring "sluice/gateway/cluster/keys"
	"sluice/gateway/cluster/lease"
	"sluice/gateway/cluster/logs"
	"sluice/gateway/cluster/parts"
	"sluice/gateway/ingest"
	"sluice/gateway/release"
	"sluice/plan"
	"sluice/test/harness"
	"sluice/test/nats"
)

// cluster is the afternoon in a front, owners of partitions on so many workers, and one who releases.
type cluster struct {
	*city
	servers *nats.Servers
	worker  *ingest.Worker // all of them read the same
	conn    *engine.Conn
	in      *engine.Log
	state   *engine.Log
	part    *engine.Log
	running sync.WaitGroup
	workers map[string]context.CancelFunc
	owners  map[string]*sync.WaitGroup
	members *members
	fenced  atomic.Int64 // how often one of two owners has found that it is none
	opened  atomic.Int64 // how often somebody has begun to own a partition
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
	ring, end := c.members.ring("front-1", filepath.Join(dir, "ring"))
	i, err := ingest.OpenFront(c.config(dir, addr), ingest.Front{
		Name: "front-1", Partitions: partitions, Keys: ring, Out: out,
	}, []ingest.Version{c.version})
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
		end()
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
		ring, end := c.members.ring("worker", "")
		context.AfterFunc(ctx, end)
		for p, owner := range lease.Assign(partitions, workers) {
			if owner == name {
				c.owners[name].Go(func() { c.own(ctx, ring, p) })
			}
		}
	}
}

// own owns a partition until ctx ends. Who finds that somebody else has written begins again.
func (c *cluster) own(ctx context.Context, ring *keyring.Ring, p int) {
	lapse, err := logs.NewOut(ctx, c.in)
	if err != nil {
		c.t.Error(err)
		return
	}
	defer lapse.Close()
	for ctx.Err() == nil {
		o, err := c.worker.Own(ctx, ingest.Owned{
			Partition: p, Keys: ring, In: logs.In{Log: c.in}, State: logs.State{Log: c.state},
			Parts: &parts.Writer{Log: c.part, Keys: ring}, Lapse: lapse,
			Silence: time.Hour, CatchUp: time.Hour, Now: time.Now, Log: slog.New(slog.DiscardHandler),
		})
		if err == nil {
			c.opened.Add(1)
			err = o.Run(ctx)
		}
		switch {
		case errors.Is(err, engine.ErrFenced):
			c.fenced.Add(1)
		case err != nil && ctx.Err() == nil:
			c.t.Error(err)
			return
		}
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
		ring, end := c.members.ring("city-hall", "")
		defer end()
		collector := parts.Collector{Log: c.part, Keys: ring, Partitions: partitions, Plan: c.plan,
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
		case quarter == 12: // somebody believes that all are hers, who owns none
			ring, _ := c.members.ring("worker", "")
			before := c.opened.Load()
			for p := range partitions {
				c.running.Go(func() { c.own(ctx, ring, p) })
			}
			harness.Await(c.t, time.Minute, "two owners of each partition", func() bool {
				return c.opened.Load() >= before+partitions
			})
		case quarter == 10:
			kill()
			kill = c.front(ctx, dir, addr)
		case quarter%4 == 2:
			names[quarter/4%workers] += "'" // it is gone, and another one comes in its place
			c.assign(names)
		}
	})
	harness.Await(c.t, 2*time.Minute, "all windows to be released", func() bool { return b.len() >= 3*5 })
	harness.Await(c.t, time.Minute, "one of two owners to be stopped", func() bool { return c.fenced.Load() > 0 })
	stop()
	c.assign(nil)
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

// trimmed looks that what is done with can be dropped, of one partition and no other, and that the last one stays.
func (c *cluster) trimmed() {
	c.t.Helper()
	last, err := c.in.Last(c.t.Context(), "in.*.3")
	if err != nil {
		c.t.Fatal(err)
	}
	left := func() []int {
		of := make([]int, partitions)
		for p := range partitions {
			for _, err := range c.in.Entries(c.t.Context(), fmt.Sprintf("in.*.%d", p), 1) {
				if err != nil {
					c.t.Fatal(err)
				}
				of[p]++
			}
		}
		return of
	}
	want := left() // owners have dropped what they were done with
	in := logs.In{Log: c.in}
	if err := in.Drop(c.t.Context(), 3, last+1); err != nil {
		c.t.Fatal(err)
	}
	if want[3] = 1; !slices.Equal(left(), want) {
		c.t.Errorf("what is left of each partition: %v; want %v", left(), want)
	}
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
// workers, of which each dies once, and for a while two for each partition, comes to the same numbers.
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
				owners:  make(map[string]*sync.WaitGroup),
				members: newMembers(t, servers, "front-1: front", "worker: worker", "city-hall: releaser")}
			k.in, k.state, k.part = k.open(logs.InSpec(3)), k.open(logs.StateSpec(3)), k.open(parts.Spec(3))
			if k.worker, err = ingest.NewWorker(c.register, []ingest.Version{c.version},
				slog.New(slog.DiscardHandler)); err != nil {
				t.Fatal(err)
			}
			several := k.live(workers)
			silent(t, servers)
			k.trimmed()
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
