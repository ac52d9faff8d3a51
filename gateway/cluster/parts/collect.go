package parts

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"time"

	"sluice/gateway/cluster/engine"
	"sluice/gateway/release"
	"sluice/plan"
)

// reasonPartition is the public reason of a gap that a partition is the cause of.
const reasonPartition = "partition_away"

// mostOpen bounds the windows of which parts are waited for.
const mostOpen = 4096

func gone(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// Collector adds up what partitions have written.
type Collector struct {
	Log        *engine.Log
	Keys       Keys
	Partitions int
	// Plan finds a stream's description by its digest; nil for one that is not known.
	Plan func(digest string) *plan.Stream
	// Resume is, for each stream, where the last released window ended: what was before is done.
	Resume map[string]time.Time
	// Wait is how long a window waits for a partition after another one has said its part.
	Wait   time.Duration
	Now    func() time.Time
	Logger *slog.Logger
}

// open is a window of which not all parts are there.
type open struct {
	parts map[int]release.Partial
	since time.Time
}

// Run hands over the windows that are whole, or gaps, one after the other, until ctx ends: the next one when the key of
// the one before has come back on done, which says that its release has committed.
func (c *Collector) Run(ctx context.Context, out chan<- release.Batch, done <-chan release.Key) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	type read struct {
		entry engine.Entry
		err   error
	}
	entries := make(chan read)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for e, err := range c.Log.Follow(ctx, "part.*.*.*", 1) {
			select {
			case entries <- read{e, err}:
			case <-ctx.Done():
				return
			}
		}
	}()
	defer func() { stop(); <-ended }()
	late := time.NewTicker(time.Second)
	defer late.Stop()
	s := sums{Collector: c, open: make(map[release.Key]*open), done: make(map[string]time.Time)}
	for {
		var ready []release.Batch
		select {
		case <-ctx.Done():
			return nil
		case r := <-entries:
			if r.err != nil {
				return r.err
			}
			b, err := s.take(ctx, r.entry)
			if err != nil {
				return err
			}
			ready = b
		case <-late.C:
			b, err := s.late()
			if err != nil {
				return err
			}
			ready = b
		}
		for _, b := range ready {
			select {
			case out <- b:
			case <-ctx.Done():
				return nil
			}
			select {
			case <-done:
			case <-ctx.Done():
				return nil
			}
		}
	}
}

// sums are the windows that parts have come of.
type sums struct {
	*Collector
	open map[release.Key]*open
	done map[string]time.Time // by stream, the start of the last window that was handed over
}

// take takes one entry, and returns the window that is whole with it.
func (s *sums) take(ctx context.Context, e engine.Entry) ([]release.Batch, error) {
	var epoch int64
	var partition int
	var name string
	if n, err := fmt.Sscanf(e.Subject, "part.%d.%d.%s", &epoch, &partition, &name); n != 3 || err != nil ||
		partition < 0 || partition >= s.Partitions {
		return nil, nil
	}
	waiting, cancel := context.WithTimeout(ctx, s.Wait)
	defer cancel()
	key, err := await(waiting, s.Keys, epoch, partition)
	if err != nil && ctx.Err() == nil {
		s.Logger.Warn("a partition's part of a window cannot be read: its keys are not there", "partition", partition)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer clear(key)
	seal, err := sealOf(key)
	if err != nil {
		return nil, err
	}
	p, err := release.OpenPartial(seal, e.Subject, e.Body, s.Plan)
	if errors.Is(err, release.ErrPlan) {
		return nil, err // the next start knows more: to go on would make a gap of it
	}
	if err != nil {
		s.Logger.Warn("an entry is no part of a window; it is left out", "partition", partition)
		return nil, nil
	}
	k := p.Key()
	if last, ok := s.done[k.Stream]; ok && !k.Start.After(last) || k.Start.Before(s.Resume[k.Stream]) {
		return nil, nil // it is done
	}
	w := s.open[k]
	if w == nil {
		if len(s.open) >= mostOpen {
			return nil, fmt.Errorf("more than %d windows wait for partitions", mostOpen)
		}
		w = &open{parts: make(map[int]release.Partial), since: s.Now()}
		s.open[k] = w
	}
	if w.parts[partition] = p; len(w.parts) < s.Partitions {
		return nil, nil
	}
	return s.through(k)
}

// late are the windows that have waited for too long, the first ones first.
func (s *sums) late() (out []release.Batch, err error) {
	for {
		var first release.Key
		for k, w := range s.open {
			if s.Now().Sub(w.since) > s.Wait && (first.Stream == "" || k.Start.Before(first.Start)) {
				first = k
			}
		}
		if first.Stream == "" {
			return out, nil
		}
		list, err := s.through(first)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
}

// through are the windows of a stream up to one of them, in order. Those before it have no more to
// wait for than it has: each partition says its parts in order.
func (s *sums) through(last release.Key) (out []release.Batch, err error) {
	var list []release.Key
	for k := range s.open {
		if k.Stream == last.Stream && !k.Start.After(last.Start) {
			list = append(list, k)
		}
	}
	slices.SortFunc(list, func(a, b release.Key) int { return a.Start.Compare(b.Start) })
	for _, k := range list {
		b, err := s.sum(k)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

// sum adds up a window. What is missing of it makes it a gap.
func (s *sums) sum(k release.Key) (release.Batch, error) {
	w := s.open[k]
	delete(s.open, k)
	s.done[k.Stream] = k.Start
	list := make([]release.Partial, 0, s.Partitions)
	var one release.Partial
	for _, p := range w.parts {
		list, one = append(list, p), p
	}
	if missing := s.Partitions - len(list); missing > 0 {
		s.Logger.Warn("partitions have not said what they have of a window; it is a gap", "stream", k.Stream,
			"start", k.Start, "missing", missing)
	}
	for len(list) < s.Partitions {
		list = append(list, one.Missing(reasonPartition))
	}
	return release.AddUp(list)
}
