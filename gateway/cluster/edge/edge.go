// Package edge is the side of a cluster's machine that sees people: a front, a worker, or both. It is to the gateway
// what an ingest is in one process, but that nothing comes out of it: what it counts goes into the cluster's logs.
package edge

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"sluice/gateway/cluster/engine"
	"sluice/gateway/cluster/logs"
	"sluice/gateway/ingest"
	"sluice/gateway/release"
	"sluice/internal/crash"
	"sluice/register"
)

// Cluster is what an edge has of its machine.
type Cluster struct {
	Name       string
	Partitions int
	Keys       ingest.Keys
	// Committed reports whether a front has committed to a day's keys.
	Committed func(ctx context.Context, day int64) (bool, error)
	In        *engine.Log
	State     *engine.Log
	Parts     ingest.Parts
	// Share runs something for each partition that falls to this machine, until ctx ends.
	Share func(ctx context.Context, partitions int, run func(ctx context.Context, partition int) error)
	// Fresh waits until this machine knows the books as they were a short while ago.
	Fresh func(ctx context.Context) error
	// Moved are keys of a gateway that ran alone before, as fronts need them; nil for none.
	Moved ingest.Moved
}

// Config is what an edge needs.
type Config struct {
	// Front is that of an ingest; nil for a machine that is no front.
	Front *ingest.Config
	// Works says that it is a worker, and Exact that what it reports need not be blurred: in simulations.
	Works, Exact bool
	Register     *register.Register
	// Silence is how long a front may say nothing before windows do not wait for it.
	Silence, CatchUp time.Duration
	// Now is the time of a machine that hears no sensor.
	Now func() time.Time
	// Free is from when on no front has a window open, as far as such a machine can say.
	Free func() time.Time
	// Through is up to when all windows have been released, as the books say.
	Through func() time.Time
	Log     *slog.Logger
}

// Edge is what of a machine sees people. Its methods are those of an ingest.
type Edge struct {
	cfg     Config
	cluster Cluster
	front   *ingest.Ingest // nil for none
	out     *logs.Out      // of the front
	hands   *hands         // nil for none
}

// Open opens the sources of a front, under the policies that its windows have run under.
func Open(ctx context.Context, cfg Config, c Cluster, versions []ingest.Version) (*Edge, error) {
	e := &Edge{cfg: cfg, cluster: c}
	var err error
	if cfg.Works {
		if e.hands, err = newHands(&e.cfg, &e.cluster, versions); err != nil {
			return nil, err
		}
	}
	if cfg.Front == nil {
		return e, nil
	}
	if e.out, err = logs.NewOut(context.WithoutCancel(ctx), c.In); err != nil {
		return nil, err
	}
	e.front, err = ingest.OpenFront(*cfg.Front, ingest.Front{
		Name: c.Name, Partitions: c.Partitions, Keys: c.Keys, Out: outlet{e.out, c.Fresh}, Moved: c.Moved,
	}, versions)
	if err != nil {
		e.out.Close()
		return nil, err
	}
	return e, nil
}

// outlet hands over nothing while it is not known which policies hold.
type outlet struct {
	*logs.Out
	fresh func(ctx context.Context) error
}

func (o outlet) Put(ctx context.Context, epoch int64, partition int, id string, body []byte) error {
	if err := o.fresh(ctx); err != nil {
		return err
	}
	return o.Out.Put(ctx, epoch, partition, id, body)
}

// Run works until ctx ends. Nothing crosses the wall here.
func (e *Edge) Run(ctx context.Context, _ chan<- release.Batch, _ <-chan release.Key) error {
	both, ctx := errgroup.WithContext(ctx)
	if e.front != nil {
		defer e.out.Close()
		both.Go(func() error { return crash.Guard(func() error { return e.front.Run(ctx, nil, nil) }) })
	}
	if e.hands != nil {
		broken := make(chan error, 1)
		both.Go(func() error {
			select {
			case err := <-broken:
				return err
			case <-ctx.Done():
				return nil
			}
		})
		both.Go(func() error {
			e.cluster.Share(ctx, e.cluster.Partitions, func(ctx context.Context, partition int) error {
				err := crash.Guard(func() error { return e.hands.own(ctx, partition) })
				if errors.As(err, new(*crash.Error)) {
					select {
					case broken <- err:
					default:
					}
				}
				return err
			})
			return nil
		})
	}
	return both.Wait()
}

// Enact has a version in force: who owns partitions here knows it before anybody here hands something over under it.
func (e *Edge) Enact(ctx context.Context, v ingest.Version, settle ingest.Settle) error {
	known := func(free time.Time) (time.Time, error) {
		since, err := settle(free)
		if err == nil && e.hands != nil {
			later := v
			later.Since = since
			err = e.hands.adopt(later)
		}
		return since, err
	}
	if e.front != nil {
		return e.front.Enact(ctx, v, known)
	}
	_, err := known(e.cfg.Free())
	return err
}

// Renew exchanges the register; false where another policy is in force.
func (e *Edge) Renew(ctx context.Context, r ingest.Renewal) (bool, error) {
	if e.front != nil {
		if ok, err := e.front.Renew(ctx, r); !ok || err != nil {
			return ok, err
		}
	}
	if e.hands == nil {
		return true, nil
	}
	return e.hands.renew(r)
}

// Admit exchanges who may come in at the listener.
func (e *Edge) Admit(reg *register.Register, listen ingest.Listen) {
	if e.front != nil {
		e.front.Admit(reg, listen)
	}
}

// Report is the front's, those of the partitions that this machine owns, and how far the books are.
func (e *Edge) Report() (r ingest.Report) {
	r.Now = e.cfg.Now()
	if e.front != nil {
		r = e.front.Report()
	}
	if e.hands != nil {
		r.Partitions = e.hands.reports()
	}
	r.Through = e.cfg.Through()
	return r
}

// Fronts are those that windows of the partitions that this machine owns wait for.
func (e *Edge) Fronts() []ingest.FrontSeen {
	if e.hands == nil {
		return nil
	}
	return e.hands.fronts()
}

// Account is what the servers have acknowledged of the front's.
func (e *Edge) Account() logs.Account {
	if e.out == nil {
		return logs.Account{}
	}
	return e.out.Account()
}

// errNoSensors answers who asks a machine about sensors that none can reach.
var errNoSensors = errors.New("no sensor sends to this machine; ask a front")

// Sensors is what a technician may know of the front's.
func (e *Edge) Sensors(ctx context.Context) (*ingest.Sensors, error) {
	if e.front == nil {
		return nil, errNoSensors
	}
	return e.front.Sensors(ctx)
}

// Structures is how messages are built that fit none.
func (e *Edge) Structures(ctx context.Context, span time.Duration) (*ingest.Structures, error) {
	if e.front == nil {
		return nil, errNoSensors
	}
	return e.front.Structures(ctx, span)
}

// of asks the front; empty where there is none.
func (e *Edge) of(ask func(*ingest.Ingest) string) string {
	if e.front == nil {
		return ""
	}
	return ask(e.front)
}

// Addr is where sensors connect; empty for nowhere.
func (e *Edge) Addr() string { return e.of((*ingest.Ingest).Addr) }

// WebSocket is where they do by WebSocket.
func (e *Edge) WebSocket() string { return e.of((*ingest.Ingest).WebSocket) }

// Broker, Intake and Clock are what is wrong with them; empty for nothing.
func (e *Edge) Broker() string { return e.of((*ingest.Ingest).Broker) }

// Intake is what is wrong with what comes in.
func (e *Edge) Intake() string { return e.of((*ingest.Ingest).Intake) }

// Clock is what is wrong with the time.
func (e *Edge) Clock() string { return e.of((*ingest.Ingest).Clock) }
