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
	"sluice/register"
)

// hands own partitions, under the policies and the register of this moment. When one of those changes, each owner
// begins anew from its state, under both.
type hands struct {
	cfg     *Config
	cluster *Cluster

	mu       sync.Mutex
	register *register.Register
	versions []ingest.Version
	worker   *ingest.Worker // of these; nil until somebody needs it
	changed  chan struct{}  // closed when they have changed
}

func newHands(cfg *Config, c *Cluster, versions []ingest.Version) *hands {
	return &hands{cfg: cfg, cluster: c, register: cfg.Register, versions: slices.Clone(versions),
		changed: make(chan struct{})}
}

// adopt adds a version.
func (h *hands) adopt(v ingest.Version) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.versions = append(slices.Clone(h.versions), v)
	h.change()
}

// renew exchanges the register; false where another policy is in force.
func (h *hands) renew(r ingest.Renewal) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	last := len(h.versions) - 1
	if last < 0 || h.versions[last].Digest != r.Digest {
		return false
	}
	h.register, h.versions = r.Register, slices.Clone(h.versions)
	h.versions[last].Plans = r.Plans
	h.change()
	return true
}

// change has all owners begin anew; with mu.
func (h *hands) change() {
	h.worker = nil
	close(h.changed)
	h.changed = make(chan struct{})
}

// now is what owners have in common at this moment, and what is closed when it has changed.
func (h *hands) now() (*ingest.Worker, <-chan struct{}, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.worker == nil {
		w, err := ingest.NewWorker(h.register, h.versions, h.cfg.Log)
		if err != nil {
			return nil, nil, err
		}
		h.worker = w
	}
	return h.worker, h.changed, nil
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
		worker, changed, err := h.now()
		if err != nil {
			return err
		}
		err = h.under(ctx, worker, changed, partition, lapse)
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
		Partition: partition, Keys: h.cluster.Keys, In: logs.In{Log: h.cluster.In},
		State: logs.State{Log: h.cluster.State}, Parts: sums{h.cluster.Parts, h.cluster.Fresh, changed},
		Lapse:   lapse,
		CatchUp: h.cfg.CatchUp, Now: time.Now, Log: h.cfg.Log,
	})
	if err != nil {
		return err
	}
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
