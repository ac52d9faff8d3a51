package ingest

import (
	"context"
	"crypto/cipher"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"time"

	"sluice/gateway/ingest/internal/checkpoint"
	"sluice/gateway/ingest/internal/handover"
	"sluice/gateway/ingest/internal/window"
	"sluice/gateway/ingest/internal/wipe"
	"sluice/gateway/release"
	"sluice/internal/retry"
	"sluice/plan"
	"sluice/register"
)

// Entry is an entry of a log: where it stands, which grows, and what it says.
type Entry struct {
	Seq  uint64
	Body []byte
}

// Inlet is where batches of fronts are read.
type Inlet interface {
	// Read are a partition's batches from a place on, in order, and those to come until ctx ends.
	Read(ctx context.Context, partition int, from uint64) iter.Seq2[Entry, error]
	// Drop takes away those before a place, as far as nobody has done so.
	Drop(ctx context.Context, partition int, before uint64) error
}

// State is a log in which the owner of a partition keeps what it would have to read again.
type State interface {
	// Load are all its entries, in order.
	Load(ctx context.Context, partition int) iter.Seq2[Entry, error]
	// Append writes an entry behind the one at after, which must be the last, or fails: then
	// somebody else owns the partition.
	Append(ctx context.Context, partition int, after uint64, id string, body []byte) (seq uint64, err error)
	// Drop takes away the entries before a place.
	Drop(ctx context.Context, partition int, before uint64) error
}

// Parts is where sums of closed windows go.
type Parts interface {
	// Put writes what a partition has of a window, whose keys are of an epoch. What is there already
	// stays: it is the same.
	Put(ctx context.Context, epoch int64, partition int, p release.Partial) error
}

// Owned is what the owner of a partition needs.
type Owned struct {
	Partition int
	Keys      Keys
	// Committed reports whether a front has committed to an epoch's keys, before which nobody has sealed with them; an
	// error where that cannot be said at the moment. Nil: keys that are not here are always waited for.
	Committed func(ctx context.Context, epoch int64) (bool, error)
	In        Inlet
	State     State
	Parts     Parts
	// Lapse is where it says that it does not wait for a front any more; nil for never.
	Lapse Outlet
	// Silence is how long a front may say nothing before; CatchUp is how long windows wait for readings.
	Silence, CatchUp time.Duration
	// Exact has the account reported as it is: in simulations.
	Exact bool
	Now   func() time.Time
	Log   *slog.Logger
}

// Worker is what the owners in one process have in common: the register, under the versions that
// open windows may have run under. They read it, and run beside each other.
type Worker struct {
	register *register.Register
	routing  routing
	sensors  map[uint64]*sensor // by number
}

// NewWorker makes it; the versions are those that open windows may have run under, oldest first.
func NewWorker(reg *register.Register, versions []Version, log *slog.Logger) (*Worker, error) {
	i := newIngest(Config{Register: reg, Now: time.Now, Log: log})
	for _, v := range versions {
		if err := i.changes.adopt(v); err != nil {
			return nil, err
		}
	}
	w := &Worker{register: reg, routing: i.routing}
	w.index()
	return w, nil
}

// Adopt is the worker under one more version, which is in force from its Since on.
func (w *Worker) Adopt(v Version) (*Worker, error) {
	next := w.after(w.register, nil, time.Time{})
	next.routing.versions = append(next.routing.versions, v)
	if v.Past {
		return next, nil
	}
	return next, next.reroute(time.Time{})
}

// Renew is the worker with another register, as Ingest.Renew takes it at an instant: for a sensor that has moved,
// windows that have begun go on as they did. All that ended by through are closed. It reports whether the version is
// the one in force. Owners of before go on as they are; who comes after them owns from the new one.
func (w *Worker) Renew(r Renewal, now, through time.Time) (next *Worker, ok bool, err error) {
	last := len(w.routing.versions) - 1
	if last < 0 || w.routing.versions[last].Digest != r.Digest {
		return w, false, nil
	}
	next = w.after(r.Register, r.Plans, now)
	return next, true, next.reroute(through)
}

// after is a worker that shares nothing with w that anybody changes, with a register whose sensors succeed those of
// before; the plans are those of the version in force, nil for the same.
func (w *Worker) after(reg *register.Register, plans map[string][]plan.Plan, since time.Time) *Worker {
	next := &Worker{register: reg, routing: w.routing}
	r := &next.routing
	r.versions = slices.Clone(r.versions)
	if last := len(r.versions) - 1; last < 0 {
		r.roster = newRoster(reg)
	} else {
		if plans == nil {
			plans = r.versions[last].Plans
		}
		r.exchange(newRoster(reg), plans, since)
	}
	next.index()
	return next
}

// reroute gives sensors what they have under the newest version.
func (w *Worker) reroute(oldest time.Time) error {
	streams := make(map[string]*stream)
	for _, v := range w.routing.versions {
		for _, spec := range v.Streams {
			streams[spec.ID] = &stream{id: spec.ID}
		}
	}
	return w.routing.reroute(streams, oldest)
}

// index finds sensors by their numbers.
func (w *Worker) index() {
	w.sensors = make(map[uint64]*sensor, len(w.routing.sensors))
	for _, s := range w.routing.sensors {
		w.sensors[s.number] = s
	}
}

// Own reads the state of a partition, and makes its owner. Where something is missing in what it reads it begins
// again, since that may be how one server knows it, or somebody has dropped it meanwhile; at last it does without.
func (w *Worker) Own(ctx context.Context, cfg Owned) (*Owner, error) {
	for begun := time.Now(); ; {
		o, err := w.owner(cfg)
		if err != nil {
			return nil, err
		}
		lastWord := time.Since(begun) >= doubtful
		err = wipe.Deep(func() error { return o.recover(ctx, lastWord) })
		if errors.Is(err, errTorn) && retry.Sleep(ctx, lookAgain) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("partition %d: reading its state: %w", cfg.Partition, err)
		}
		return o, nil
	}
}

// owner is one that has read nothing yet.
func (w *Worker) owner(cfg Owned) (*Owner, error) {
	inner := newIngest(Config{Register: &register.Register{}, Now: cfg.Now, Log: cfg.Log, CatchUp: cfg.CatchUp,
		Exact: cfg.Exact})
	var err error
	if inner.journal.keys, err = checkpoint.OpenKeys(""); err != nil { // in memory, and of no use
		return nil, err
	}
	inner.routing.versions, inner.routing.roster = w.routing.versions, w.routing.roster
	inner.routing.fed = make(map[int]map[string]*window.Feeders)
	for _, v := range w.routing.versions {
		if !v.Past {
			inner.windows.add(v.Streams)
		}
	}
	o := &Owner{
		cfg: cfg, place: w, ownAccount: ownAccount{inner: inner}, lives: make(lives),
		seals: make(map[handover.Head]cipher.AEAD),
		gaps:  make(map[string]string), lostDays: make(map[int64]bool), torn: make(map[int64]bool),
		quotas: make(map[uint64]*quota), saving: saving{saved: cfg.Now()},
	}
	o.state = stateLog{cfg: &o.cfg, routing: &inner.routing, most: stateMost,
		seals: seals{partition: cfg.Partition, keys: cfg.Keys, committed: cfg.Committed}}
	inner.reporter.publish()
	return o, nil
}

// quota is a sensor's, of which nothing is spent; nil for none.
func (w *Worker) quota(number uint64) *quota {
	s := w.sensors[number]
	if s == nil || s.quota == nil {
		return nil
	}
	return &quota{s.quota.most, make(map[int64]int)}
}
