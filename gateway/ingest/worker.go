package ingest

import (
	"context"
	"crypto/cipher"
	"fmt"
	"iter"
	"log/slog"
	"time"

	"sluice/gateway/ingest/internal/checkpoint"
	"sluice/gateway/ingest/internal/handover"
	"sluice/gateway/ingest/internal/window"
	"sluice/gateway/release"
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
	In        Inlet
	State     State
	Parts     Parts
	// Lapse is where it says that it does not wait for a front any more; nil for never.
	Lapse Outlet
	// CatchUp is how long a front may say nothing before.
	CatchUp time.Duration
	Now     func() time.Time
	Log     *slog.Logger
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
	w := &Worker{reg, i.routing, make(map[uint64]*sensor, len(i.routing.sensors))}
	for _, s := range w.routing.sensors {
		w.sensors[s.number] = s
	}
	return w, nil
}

// Own reads the state of a partition, and makes its owner.
func (w *Worker) Own(ctx context.Context, cfg Owned) (*Owner, error) {
	inner := newIngest(Config{Register: &register.Register{}, Now: cfg.Now, Log: cfg.Log, CatchUp: cfg.CatchUp})
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
		cfg: cfg, place: w, inner: inner, lives: make(lives), seals: make(map[handover.Head]cipher.AEAD),
		gaps: make(map[string]string), lostDays: make(map[int64]bool), quotas: make(map[uint64]*quota),
		saved: cfg.Now(),
	}
	o.state = stateLog{cfg: &o.cfg, routing: &inner.routing}
	if err := o.recover(ctx); err != nil {
		return nil, fmt.Errorf("partition %d: reading its state: %w", cfg.Partition, err)
	}
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
