package edge

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"sluice/gateway/cluster/logs"
	"sluice/gateway/ingest"
	"sluice/gateway/release"
)

// hands own partitions, under the policies and the register of this moment. When one of those changes, each owner
// begins anew from its state, under both.
type hands struct {
	cfg     *Config
	cluster *Cluster

	mu      sync.Mutex
	worker  *ingest.Worker        // of this moment; guarded by mu
	changed chan struct{}         // closed when there is another one; guarded by mu
	owners  map[int]*ingest.Owner // by partition, of those that run; guarded by mu
}

func newHands(cfg *Config, c *Cluster, versions []ingest.Version) (*hands, error) {
	w, err := ingest.NewWorker(cfg.Register, versions, cfg.Log)
	return &hands{cfg: cfg, cluster: c, worker: w, changed: make(chan struct{}), owners: make(map[int]*ingest.Owner)},
		err
}

// adopt adds a version.
func (h *hands) adopt(v ingest.Version) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	next, err := h.worker.Adopt(v)
	if err == nil {
		h.change(next)
	}
	return err
}

// renew exchanges the register; false where another policy is in force.
func (h *hands) renew(r ingest.Renewal) (bool, error) {
	through := h.cfg.Through()
	h.mu.Lock()
	defer h.mu.Unlock()
	next, ok, err := h.worker.Renew(r, h.cfg.Now(), through)
	if ok && err == nil {
		h.change(next)
	}
	return ok, err
}

// change has all owners begin anew; with mu.
func (h *hands) change(next *ingest.Worker) {
	h.worker = next
	close(h.changed)
	h.changed = make(chan struct{})
}

// now is what owners have in common at this moment, and what is closed when it has changed.
func (h *hands) now() (*ingest.Worker, <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.worker, h.changed
}

// owns notes who owns a partition here until it is left.
func (h *hands) owns(partition int, o *ingest.Owner) (leave func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.owners[partition] = o
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.owners, partition)
	}
}

// reports are what has become of the readings of the partitions that are owned here.
func (h *hands) reports() map[int]ingest.Report {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make(map[int]ingest.Report, len(h.owners))
	for partition, o := range h.owners {
		list[partition] = o.Report()
	}
	return list
}

// fronts are those that the windows of partitions here wait for: of each front what is worst.
func (h *hands) fronts() (list []ingest.FrontSeen) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, o := range h.owners {
		for _, f := range o.Fronts() {
			i := slices.IndexFunc(list, func(g ingest.FrontSeen) bool { return g.Name == f.Name })
			if i < 0 {
				list = append(list, f)
				continue
			}
			of := &list[i]
			if f.Heard.Before(of.Heard) {
				of.Heard = f.Heard
			}
			if of.Behind.IsZero() || !f.Behind.IsZero() && f.Behind.Before(of.Behind) {
				of.Behind = f.Behind
			}
		}
	}
	return list
}

// unknown is how long a policy is waited for that an entry is of and nobody has told of.
const unknown = 5 * time.Second

// own owns a partition until ctx ends, or it is somebody else's.
func (h *hands) own(ctx context.Context, partition int) error {
	lapse, err := logs.NewOut(ctx, h.cluster.In)
	if err != nil {
		return err
	}
	defer lapse.Close()
	for ctx.Err() == nil {
		worker, changed := h.now()
		err := h.under(ctx, worker, changed, partition, lapse)
		select {
		case <-changed:
			continue
		default:
		}
		if !errors.Is(err, ingest.ErrPolicy) {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
		case <-time.After(unknown):
			return err
		}
	}
	return nil
}

// under owns a partition for as long as nothing changes.
func (h *hands) under(
	ctx context.Context, w *ingest.Worker, changed <-chan struct{}, partition int, lapse *logs.Out,
) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		select {
		case <-changed:
			stop()
		case <-ctx.Done():
		}
	}()
	o, err := w.Own(ctx, ingest.Owned{
		Partition: partition, Keys: h.cluster.Keys, Committed: h.cluster.Committed, In: logs.In{Log: h.cluster.In},
		State: logs.State{Log: h.cluster.State}, Parts: sums{h.cluster.Parts, h.cluster.Fresh, changed},
		Lapse:   lapse,
		Silence: h.cfg.Silence, CatchUp: h.cfg.CatchUp, Exact: h.cfg.Exact, Now: time.Now, Log: h.cfg.Log,
	})
	if err != nil {
		return err
	}
	defer h.owns(partition, o)()
	return o.Run(ctx)
}

// sums say nothing of a window while it is not known which policies hold.
type sums struct {
	ingest.Parts
	fresh   func(ctx context.Context) error
	changed <-chan struct{}
}

var errChanged = errors.New("another policy or register holds")

func (s sums) Put(ctx context.Context, epoch int64, partition int, p release.Partial) error {
	if err := s.fresh(ctx); err != nil {
		return err
	}
	select {
	case <-s.changed:
		return errChanged
	default:
	}
	return s.Parts.Put(ctx, epoch, partition, p)
}
