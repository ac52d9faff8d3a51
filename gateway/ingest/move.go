package ingest

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"time"

	"sluice/gateway/ingest/internal/checkpoint"
	"sluice/gateway/ingest/internal/window"
	"sluice/gateway/ingest/internal/wipe"
	"sluice/plan"
)

// Move is what a gateway that ran alone has open, on its way to the owners of a cluster's partitions: the entries of
// its windows and the tags of its epochs, each where a front would have handed it over. It reads the checkpoint as a
// start does, and writes nothing there. That of the gateway's front goes on from the same checkpoint, and leaves the
// windows in it alone (recovery.front).
type Move struct {
	inner   *Ingest
	records []checkpoint.Record
}

var (
	// ErrBegun says that a partition has a state that no move has left there: a machine has begun to count.
	ErrBegun = errors.New("a machine of the cluster counts already, and would not know the windows that are moved. " +
		"Stop all gateways, stop the three servers, remove their stores (store_dir) and what other gateways of the " +
		"cluster have in dir and keys, start the servers, and move again")
	errNoClock = errors.New("the gateway's clock has never ticked, and its checkpoint cannot be read, so that nobody " +
		"knows which windows are lost; start it once more alone, until it has had a tick")
)

// OpenMove recovers what is open, under the versions that it may have run under.
func OpenMove(cfg Config, versions []Version) (*Move, error) {
	m := &Move{inner: newIngest(cfg)}
	for _, v := range versions {
		if err := m.inner.changes.adopt(v); err != nil {
			return nil, err
		}
	}
	r := newRecovery(m.inner)
	r.also = func(c checkpoint.Record) {
		c.Body = bytes.Clone(c.Body)
		m.records = append(m.records, c)
	}
	if err := wipe.Deep(r.run); err != nil {
		return nil, err
	}
	err := m.inner.journal.log.Close()
	if m.inner.windows.losses.unread && m.now().IsZero() {
		err = errors.Join(err, errNoClock)
	}
	m.inner.windows.resumeAfterLoss(m.now())
	return m, err
}

// now is the gateway's time.
func (m *Move) now() time.Time {
	if c := &m.inner.clock; c.simulated() {
		return c.now
	}
	return m.inner.cfg.Now().UTC()
}

// Open is how many windows and epochs there are.
func (m *Move) Open() (windows, epochs int) {
	for _, s := range m.inner.windows.streams {
		windows += len(s.windows)
		epochs += len(s.epochs)
	}
	return windows, epochs
}

// Session reports whether a broker keeps messages for the gateway.
func (m *Move) Session() bool { return m.inner.catchUp.session }

// whole is the plan that a record is of, where what it belongs to has all its parts; else nothing of it counts.
func (m *Move) whole(c checkpoint.Record) (spec *plan.Stream, start time.Time, whole bool) {
	what, id, start, ok := parseName(c.Name)
	s := m.inner.windows.streams[id]
	_, spec = m.inner.routing.specAt(id, start)
	if !ok || s == nil || spec == nil {
		return nil, start, false
	}
	if what == "e" {
		e := s.epochs[start.UnixNano()]
		return spec, start, e != nil && !e.lost
	}
	w := s.windows[start.UnixNano()]
	return spec, start, w != nil && !w.Lost
}

// Into writes the state of each partition, one commit each. A partition that has its own already from an attempt before
// is left; one whose commit was not finished gets it anew.
func (m *Move) Into(ctx context.Context, partitions int, keys Keys, state State) error {
	lost, err := m.lostDays(ctx, keys)
	if err != nil {
		return err
	}
	all := m.split(partitions, lost)
	for p := range partitions {
		if err := m.into(ctx, &Owned{Partition: p, Keys: keys, State: state}, all[p], lost); err != nil {
			return fmt.Errorf("partition %d: %w", p, err)
		}
		all[p] = partitionState{}
	}
	return nil
}

// lostDays are the epochs of which a cluster has no keys any more: the gateway has stood still for days.
func (m *Move) lostDays(ctx context.Context, keys Keys) (map[int64]bool, error) {
	lost, asked := make(map[int64]bool), make(map[int64]bool)
	for _, c := range m.records {
		spec, start, whole := m.whole(c)
		if !whole {
			continue
		}
		day := dayOf(spec, start)
		if asked[day] {
			continue
		}
		asked[day] = true
		key, err := awaitKey(ctx, keys, day, "seal-0")
		clear(key)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			lost[day] = true
		case err != nil:
			return nil, err
		}
	}
	return lost, nil
}

// partitionState is what one partition gets.
type partitionState struct {
	records  []checkpoint.Record
	readings int64 // that are in its windows' account
}

// recordBytes is how long a record grows before another of the same name is begun.
const recordBytes = 128 << 10

// add adds to what there is of a name.
func (p *partitionState) add(kind checkpoint.Kind, name string, more func([]byte) []byte) {
	n := len(p.records) - 1
	if n < 0 || p.records[n].Name != name || p.records[n].Kind != kind || len(p.records[n].Body) >= recordBytes {
		p.records = append(p.records, checkpoint.Record{Kind: kind, Name: name})
		n++
	}
	p.records[n].Body = more(p.records[n].Body)
}

// split leads each entry and tag to its partition.
func (m *Move) split(partitions int, lost map[int64]bool) []partitionState {
	all := make([]partitionState, partitions)
	for _, c := range m.records {
		spec, start, whole := m.whole(c)
		if !whole || lost[dayOf(spec, start)] {
			continue
		}
		switch c.Kind {
		case checkpoint.Window:
			_ = checkpoint.Entries(c.Body, func(e *window.Entry) { // the recovery has read it
				p := &all[partitionOf(spec, e, partitions)]
				p.add(c.Kind, c.Name, func(b []byte) []byte { return checkpoint.AppendEntry(b, e) })
				if e.Accounted && !e.Alive {
					p.readings++
				}
			})
		case checkpoint.Epoch, checkpoint.Parts:
			size := 16
			if c.Kind == checkpoint.Parts {
				size = 24
			}
			for one := range slices.Chunk(c.Body, size) {
				p := &all[partitionOfTag(one, partitions)]
				p.add(c.Kind, c.Name, func(b []byte) []byte { return append(b, one...) })
			}
		}
	}
	return all
}

// into writes the state of a partition.
func (m *Move) into(ctx context.Context, of *Owned, has partitionState, lost map[int64]bool) error {
	log := stateLog{cfg: of, routing: &m.inner.routing, most: stateMost,
		seals: seals{partition: of.Partition, keys: of.Keys}}
	if there, err := movedBefore(ctx, &log); there || err != nil {
		return err
	}
	current := keyEpoch(m.now())
	var part []checkpoint.Record
	size := 0
	for _, r := range has.records {
		if size += len(r.Body) + len(r.Name); size > log.most && len(part) > 0 {
			if err := log.append(ctx, part, current, false); err != nil {
				return err
			}
			part, size = nil, len(r.Body)+len(r.Name)
		}
		part = append(part, r)
	}
	if len(part) > 0 {
		if err := log.append(ctx, part, current, false); err != nil {
			return err
		}
	}
	body, err := json.Marshal(m.facts(of.Partition, has.readings, lost))
	if err != nil {
		return err
	}
	return log.append(ctx, []checkpoint.Record{{Kind: ownerFactsKind, Body: body}}, current, true)
}

// movedBefore reads what a partition has, and reports whether a move has left its whole state there.
func movedBefore(ctx context.Context, log *stateLog) (there bool, err error) {
	for e, err := range log.cfg.State.Load(ctx, log.cfg.Partition) {
		if err != nil {
			return false, err
		}
		s, err := log.read(ctx, e)
		if errors.Is(err, errState) {
			continue
		}
		if err != nil {
			return false, err
		}
		for _, r := range s.records {
			var f ownerFacts
			if r.Kind != ownerFactsKind {
				continue
			}
			if err := json.Unmarshal(r.Body, &f); err != nil || !f.Moved {
				return false, errors.Join(ErrBegun, err)
			}
			there = true
		}
	}
	log.leave()
	return there, nil
}

// facts are what a partition knows beside its windows. A window that was closed and not released is open again, and
// closes at once: the gateway's front is past it.
func (m *Move) facts(partition int, readings int64, lost map[int64]bool) *ownerFacts {
	f := &ownerFacts{Moved: true, Epoch: keyEpoch(m.now()), Gaps: make(map[string]string), Account: newAccount(),
		Lost: slices.Sorted(maps.Keys(lost))}
	w := &m.inner.windows
	w.saveTo(&f.Facts)
	f.Facts.Next = make(map[string]time.Time)
	for id, s := range w.streams {
		if !s.next.IsZero() {
			f.Facts.Next[id] = s.next
		}
	}
	for _, c := range m.inner.closes.list {
		if next, known := f.Facts.Next[c.Stream]; known && c.Start.Before(next) {
			f.Facts.Next[c.Stream] = c.Start
		}
		reason := c.Gap
		if reason == "" && c.Down {
			reason = "gateway_down"
		}
		if reason != "" {
			f.Gaps[keyName("w", c.Stream, c.Start)] = reason
		}
	}
	f.Account.Received = readings
	if partition == 0 {
		f.Heard = m.inner.liveness.list
	}
	return f
}

// partitionOf is where all readings of a unit go; about nobody, all of a sensor. The first partition is the one that
// says of cells whether they were measured.
func partitionOf(spec *plan.Stream, e *window.Entry, partitions int) int {
	switch {
	case e.Alive:
		return 0
	case spec.Unit.None():
		return int(e.Sensor % uint64(partitions))
	}
	return partitionOfTag(e.Unit[:], partitions)
}

func partitionOfTag(tag []byte, partitions int) int {
	return int(binary.LittleEndian.Uint64(tag) % uint64(partitions))
}
