package parts

import (
	"cmp"
	"context"
	"crypto/cipher"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"sluice/gateway/cluster/engine"
	"sluice/gateway/release"
)

// reasonPartition is the public reason of a gap that a partition is the cause of.
const reasonPartition = "partition_away"

const (
	// mostBytes bounds what is kept of windows of which parts are waited for: of 500 streams of 20 zones some hundred
	// windows each. Beyond, the oldest are gaps.
	mostBytes = 256 << 20
	// mostAside bounds the places whose keys are waited for: of 256 partitions 16 days.
	mostAside = 4096
)

// place is where a partition's parts of an epoch are.
type place struct {
	epoch     int64
	partition int
}

// placeOf is the place that an entry is in.
func (c *Collector) placeOf(e engine.Entry) (at place, ok bool) {
	var name string
	n, err := fmt.Sscanf(e.Subject, "part.%d.%d.%s", &at.epoch, &at.partition, &name)
	return at, n == 3 && err == nil && at.epoch >= 0 && at.partition >= 0 && at.partition < c.Partitions
}

// open is a window of which not all parts are there.
type open struct {
	key    release.Key
	epoch  int64
	total  release.Total
	pieces int    // of which each partition's part is made
	said   []bool // by partition and piece
	n      int    // of them
	since  time.Time
	first  uint64 // the number of the first entry that it is made of
	size   int    // bytes of memory
}

// sums are the windows that parts have come of.
type sums struct {
	*Collector
	open map[string]map[int64]*open // by stream and start
	done map[string]time.Time       // by stream, the start of the last window that was handed over
	// aside are the numbers of the first entries in places whose keys are not here yet. From there they are read again
	// when they are, so nothing is kept of them, and nobody waits.
	aside  map[place]uint64
	newest int64  // the latest epoch of which a key was here
	bytes  int    // of what is open
	most   int    // bytes that may be
	read   uint64 // the number of the last entry that came
	// What was taken out of the log: up to where, and when.
	dropped uint64
	trimmed time.Time
}

func newSums(c *Collector) *sums {
	return &sums{Collector: c, open: make(map[string]map[int64]*open), done: make(map[string]time.Time),
		aside: make(map[place]uint64), most: mostBytes, trimmed: c.Now()}
}

// take takes one entry, and returns the windows that are whole with it.
func (s *sums) take(e engine.Entry) ([]release.Batch, error) {
	s.read = e.Seq
	at, ok := s.placeOf(e)
	if _, waits := s.aside[at]; !ok || waits {
		return nil, nil
	}
	seal, err := s.seal(at)
	switch {
	case gone(err):
		s.Logger.Warn("a partition's part of a window cannot be read: its keys are gone", "partition", at.partition)
		return nil, nil
	case err != nil:
		s.setAside(at, e.Seq)
		return nil, nil
	}
	return s.unseal(at, seal, e)
}

// seal opens what is in a place; after an error that is not fs.ErrNotExist it may be asked for again.
func (s *sums) seal(at place) (cipher.AEAD, error) {
	key, err := s.Keys.Key(at.epoch, fmt.Sprint("part-", at.partition))
	if err != nil {
		return nil, err
	}
	defer clear(key)
	s.newest = max(s.newest, at.epoch)
	return sealOf(key)
}

// setAside notes that a place is to be read from an entry on when its key is here. Where there are too many of them the
// farthest epoch is left out: nobody has said anything there yet who may.
func (s *sums) setAside(at place, from uint64) {
	s.aside[at] = from
	if len(s.aside) <= mostAside {
		return
	}
	far := at
	for other := range s.aside {
		if other.epoch > far.epoch || other.epoch == far.epoch && other.partition > far.partition {
			far = other
		}
	}
	delete(s.aside, far)
}

// unseal opens an entry.
func (s *sums) unseal(at place, seal cipher.AEAD, e engine.Entry) ([]release.Batch, error) {
	p, err := release.OpenPartial(seal, e.Subject, e.Body, s.Plan)
	if errors.Is(err, release.ErrPlan) {
		return nil, err // the next start knows more: to go on would make a gap of it
	}
	if err != nil {
		s.Logger.Warn("an entry is no part of a window; it is left out", "partition", at.partition)
		return nil, nil
	}
	return s.add(at, e.Seq, p), nil
}

// add adds a part, and returns the windows that are whole with it, or that there is no room for.
func (s *sums) add(at place, seq uint64, p release.Partial) []release.Batch {
	k := p.Key()
	n, of := p.Piece()
	if last, ok := s.done[k.Stream]; ok && !k.Start.After(last) || k.Start.Before(s.Resume[k.Stream]) {
		return nil // it is done
	}
	if s.open[k.Stream] == nil {
		s.open[k.Stream] = make(map[int64]*open)
	}
	w := s.open[k.Stream][k.Start.UnixNano()]
	if w == nil {
		w = &open{key: k, epoch: at.epoch, pieces: of, said: make([]bool, s.Partitions*of), since: s.Now(), first: seq}
		s.open[k.Stream][k.Start.UnixNano()] = w
	}
	w.first = min(w.first, seq)
	said := w.of(at.partition)
	if of == w.pieces { // else it is of another plan: the sum refuses it, and waits for no more of the partition
		said = said[n : n+1]
	}
	if !slices.Contains(said, false) {
		return nil
	}
	for i := range said {
		if !said[i] {
			said[i] = true
			w.n++
		}
	}
	if err := w.total.Add(p); err != nil {
		s.Logger.Warn("partitions do not agree on what a window is; it is a gap", "stream", k.Stream, "start", k.Start)
		w.total.Miss(reasonPartition)
	}
	if w.size == 0 {
		w.size = w.total.Size() + len(w.said)
		s.bytes += w.size
	}
	if w.n == len(w.said) {
		return s.settle(k.Stream)
	}
	if s.bytes > s.most {
		return s.relieve()
	}
	return nil
}

// look reads again what keys have come for, and returns the windows that are whole then, or have waited for too long.
func (s *sums) look(ctx context.Context) (out []release.Batch, err error) {
	places := slices.SortedFunc(maps.Keys(s.aside), func(a, b place) int {
		return cmp.Or(cmp.Compare(a.epoch, b.epoch), cmp.Compare(a.partition, b.partition))
	})
	for _, at := range places {
		list, err := s.again(ctx, at)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	for _, stream := range slices.Sorted(maps.Keys(s.open)) {
		out = append(out, s.settle(stream)...)
	}
	return out, nil
}

// again reads a place whose key was not here before, if it is now.
func (s *sums) again(ctx context.Context, at place) (out []release.Batch, err error) {
	seal, err := s.seal(at)
	if gone(err) {
		s.Logger.Warn("a partition's parts of windows cannot be read: their keys are gone", "partition", at.partition)
		delete(s.aside, at)
	}
	if err != nil {
		return nil, nil
	}
	for e, err := range s.Log.Entries(ctx, fmt.Sprintf("part.%d.%d.*", at.epoch, at.partition), s.aside[at]) {
		if errors.Is(err, engine.ErrAway) || ctx.Err() != nil {
			return out, nil // and once more
		}
		if err != nil {
			return nil, err
		}
		list, err := s.unseal(at, seal, e)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	delete(s.aside, at)
	return out, nil
}

// awaits reports whether there is something of a window for which a key is on its way.
func (s *sums) awaits(w *open) bool {
	if len(s.aside) == 0 {
		return false
	}
	for partition := range s.Partitions {
		if _, waits := s.aside[place{w.epoch, partition}]; waits && slices.Contains(w.of(partition), false) {
			return true
		}
	}
	return false
}

// of are the pieces that a partition has said.
func (w *open) of(partition int) []bool { return w.said[partition*w.pieces:][:w.pieces] }

// settle are a stream's windows up to the last one that is whole or has waited for too long, in order. Those before it
// have no more to wait for than it has: each partition says its parts in order.
func (s *sums) settle(stream string) (out []release.Batch) {
	list, n := s.windows(stream), 0
	for i, w := range list {
		if s.awaits(w) {
			break
		}
		if w.n == len(w.said) || s.Now().Sub(w.since) > s.Wait {
			n = i + 1
		}
	}
	for _, w := range list[:n] {
		out = append(out, s.sum(w))
	}
	return out
}

// windows are a stream's that are open, in order.
func (s *sums) windows(stream string) []*open {
	return slices.SortedFunc(maps.Values(s.open[stream]), func(a, b *open) int {
		return a.key.Start.Compare(b.key.Start)
	})
}

// relieve makes room: the windows that began first are handed over as they are, which is as gaps, until there is an
// eighth of it.
func (s *sums) relieve() (out []release.Batch) {
	var list []*open
	for stream := range s.open {
		list = append(list, s.windows(stream)...)
	}
	slices.SortStableFunc(list, func(a, b *open) int { return a.key.Start.Compare(b.key.Start) })
	s.Logger.Error("more windows wait for partitions than there is room for; the oldest are gaps", "windows", len(list))
	for _, w := range list {
		if s.bytes <= s.most/8*7 {
			break
		}
		out = append(out, s.sum(w))
	}
	return out
}

// sum hands over a window. What is missing of it makes it a gap.
func (s *sums) sum(w *open) release.Batch {
	delete(s.open[w.key.Stream], w.key.Start.UnixNano())
	if len(s.open[w.key.Stream]) == 0 {
		delete(s.open, w.key.Stream)
	}
	s.bytes -= w.size
	s.done[w.key.Stream] = w.key.Start
	missing := 0
	for partition := range s.Partitions {
		if slices.Contains(w.of(partition), false) {
			missing++
		}
	}
	if missing > 0 {
		s.Logger.Warn("partitions have not said what they have of a window; it is a gap", "stream", w.key.Stream,
			"start", w.key.Start, "missing", missing)
		w.total.Miss(reasonPartition)
	}
	return w.total.Batch()
}

// needed is the number of the first entry that somebody may have to read again. What somebody has put into an epoch
// that is days away is not needed: whoever may write to the log could keep all of it there.
func (s *sums) needed() uint64 {
	first := s.read + 1
	for _, list := range s.open {
		for _, w := range list {
			first = min(first, w.first)
		}
	}
	for at, from := range s.aside {
		if s.newest == 0 || at.epoch <= s.newest+1 {
			first = min(first, from)
		}
	}
	return first
}

// missing are the partitions that windows wait for, each since another one has said its part of the first of them.
func (s *sums) missing() map[int]time.Time {
	out := make(map[int]time.Time)
	for _, list := range s.open {
		for _, w := range list {
			for partition, said := range w.said {
				if since, known := out[partition]; !said && (!known || w.since.Before(since)) {
					out[partition] = w.since
				}
			}
		}
	}
	return out
}
