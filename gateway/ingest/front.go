package ingest

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"time"

	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/handover"
	"sluice/gateway/ingest/internal/pseudonym"
	"sluice/gateway/ingest/internal/window"
)

// Outlet takes a front's batches, sealed.
type Outlet interface {
	// Put sends a batch of a partition, which is not changed any more. An id stands for one batch.
	Put(ctx context.Context, epoch int64, partition int, id string, body []byte) error
	// Wait waits until all that was put will be there for whoever reads.
	Wait(ctx context.Context) error
}

// Front makes an Ingest the first half of a cluster's: what is left of a reading is not counted
// here but handed over, partition by partition, and who sent it has its acknowledgement once that
// is there. Its windows never hold anything, and nothing crosses its wall.
type Front struct {
	// Name is its own among the fronts, for ever: a process of that name is in the place of those
	// before it.
	Name       string
	Partitions int
	Keys       Keys
	Out        Outlet
	// Moved are keys of a gateway that ran alone before, of what was open when it moved; nil for none.
	Moved Moved
}

const (
	// frontTick is how often a front speaks, whether or not there is anything to say, so that when
	// readings came is blurred. Each time it writes an entry for each partition, which costs the
	// servers some 0.4 ms of processor time: half as often is half of what a city at rest costs.
	frontTick = 200 * time.Millisecond
	// mostHeard bounds how many sensors a batch says that they were heard.
	mostHeard = 10_000
	// frontReadings are how many it gathers at most before: enough for an entry of each of 32
	// partitions to be worth its price, and fewer than those who send may have on their way.
	frontReadings = 4000
)

// front is counting by others: it leads entries to their partitions.
type front struct {
	*Front
	clock   *eventClock
	routing *routing
	windows *windows
	account *counters
	heard   *liveness

	life    handover.Life
	streams map[string]*frontStream
	lanes   []lane
	gaps    []handover.Gap
	spoken  int // how many of those who were heard the first partition knows
	// unready is why something could not be handed over that must not be acknowledged: from then on
	// nothing is, and the process ends.
	unready  error
	patience patience
	// beat says that the next flush speaks to all partitions, ends that it is the last.
	beat, ends bool
}

// frontStream is what a front knows of a stream.
type frontStream struct {
	last  *frontSlot
	slots map[int64]*frontSlot
	units map[int64]*pseudonym.Epoch // by the start of the epoch
	told  time.Time                  // the place that partitions know
}

// frontSlot is a window that a front hands entries over for.
type frontSlot struct {
	slot
	window handover.Window
	epoch  int64 // of its keys
	alive  map[uint64]bool
}

func newFront(i *Ingest, of *Front) (*front, error) {
	f := &front{
		Front: of, clock: &i.clock, routing: &i.routing, windows: &i.windows, account: &i.account,
		heard: &i.liveness, patience: patience{most: keyPatience},
		streams: make(map[string]*frontStream),
	}
	if f.Partitions < 1 || f.Partitions > 1<<16 {
		return nil, fmt.Errorf("%d partitions: between 1 and 65536 are possible", f.Partitions)
	}
	f.lanes = make([]lane, f.Partitions)
	for n := range f.lanes {
		f.lanes[n].epochs = make(map[int64]*parcel)
	}
	_, err := rand.Read(f.life[:])
	return f, err
}

// drop forgets windows and their keys.
func (of *frontStream) drop(which func(*frontSlot) bool) {
	of.last = nil
	for at, s := range of.slots {
		if which(s) {
			s.forget()
			delete(of.slots, at)
		}
	}
}

func (f *front) of(s *stream) *frontStream {
	of := f.streams[s.id]
	if of == nil {
		of = &frontStream{slots: make(map[int64]*frontSlot), units: make(map[int64]*pseudonym.Epoch)}
		f.streams[s.id] = of
	}
	return of
}

func (f *front) slot(p *route, t int64) (*slot, fault.Code) {
	s, code := f.at(p, t)
	if code != fault.None {
		return nil, code
	}
	return &s.slot, fault.None
}

// at is windows.at of windows that others have.
func (f *front) at(p *route, t int64) (*frontSlot, fault.Code) {
	of := f.of(p.stream)
	if s := of.last; s != nil && s.spec == p.spec && t >= s.start && t < s.end && p.covers(s.start) {
		return s, fault.None
	}
	start, end := p.spec.Window(time.Unix(0, t))
	switch {
	case !f.routing.inForce(p.version, start) || !p.spec.InForce(start) || !p.covers(start.UnixNano()):
		return nil, fault.NoDecision
	case start.Before(p.stream.next):
		return nil, fault.Late
	}
	s := of.slots[start.UnixNano()]
	if s == nil {
		if len(of.slots) >= maxWindows {
			return nil, fault.Future
		}
		var err error
		if s, err = f.open(of, p, start, end); err != nil {
			if !errors.Is(err, fs.ErrNotExist) {
				f.unready = err
			}
			return nil, fault.Gap
		}
		of.slots[s.start] = s
	}
	of.last = s
	return s, fault.None
}

func (f *front) open(of *frontStream, p *route, start, end time.Time) (*frontSlot, error) {
	s := &frontSlot{
		slot:   slot{spec: p.spec, start: start.UnixNano(), end: end.UnixNano()},
		window: handover.Window{Stream: p.spec.ID, Plan: p.spec.Digest, Start: start.UnixNano()},
		alive:  make(map[uint64]bool),
	}
	s.counts = s
	s.epoch = dayOf(p.spec, start)
	key, err := f.key(s.epoch, tagUse(p.spec, start))
	if err != nil {
		return nil, err
	}
	defer clear(key)
	if alone := f.Moved.of(key, keyName("w", p.spec.ID, start)); alone != nil {
		s.k0, s.k1 = messageKeys(alone)
		clear(alone)
	} else {
		own := derived(key, fmt.Sprint("message tags ", s.start), pseudonym.KeySize)
		s.k0, s.k1 = binary.LittleEndian.Uint64(own), binary.LittleEndian.Uint64(own[8:])
		clear(own)
	}
	if p.spec.Unit.None() {
		return s, nil
	}
	from, _ := p.spec.Epoch(start)
	if s.units = of.units[from.UnixNano()]; s.units == nil {
		own := derived(key, "unit tags", pseudonym.KeySize)
		if alone := f.Moved.of(key, keyName("e", p.spec.ID, from)); alone != nil {
			clear(own)
			own = unitKey(alone)
			clear(alone)
		}
		s.units = pseudonym.NewEpoch(own)
		clear(own)
		of.units[from.UnixNano()] = s.units
	}
	return s, nil
}

func (f *front) count(at *slot, e *window.Entry, told bool, _ *quota) fault.Code {
	s := at.counts.(*frontSlot)
	if e.Accounted {
		f.account.Counted++ // what becomes of it is the partition's to say
	}
	f.add(f.partition(s, e), s, told, e)
	return fault.None
}

// partition is where an entry goes.
func (f *front) partition(s *frontSlot, e *window.Entry) int {
	return partitionOf(s.spec, e, f.Partitions)
}

// add adds an entry to what is gathered for a partition.
func (f *front) add(partition int, s *frontSlot, told bool, e *window.Entry) {
	p, err := f.parcel(partition, s.epoch)
	if err != nil {
		f.unready = err
		return
	}
	if p.Add(s.window, told, e); p.Size() > handover.Full {
		f.lanes[partition].close(f.life, partition, s.epoch)
	}
}

// markAlive tells the first partition, which is the one that says of cells whether they were
// measured.
func (f *front) markAlive(p *route, number uint64, at, until time.Time) {
	if p.spec.Unit.None() {
		return
	}
	for t := at; !t.After(until); _, t = p.spec.Window(t) {
		s, code := f.at(p, t.UnixNano())
		if code != fault.None || s.alive[number] {
			continue
		}
		s.alive[number] = true
		f.add(0, s, false, &window.Entry{Alive: true, Sensor: number})
	}
}

// closed notes that windows are closed here: from the next flush on partitions know it. What is
// kept of them goes.
func (f *front) closed(due []closing) (epochEnded bool) {
	for _, c := range due {
		_, spec := f.routing.specAt(c.Stream, c.Start)
		reason := c.Gap
		if c.Down && reason == "" && spec != nil && !spec.Unit.None() { // else others may have something
			reason = "gateway_down"
		}
		if reason != "" {
			f.gaps = append(f.gaps, handover.Gap{Stream: c.Stream, Start: c.Start.UnixNano(), Reason: reason})
		}
		of := f.streams[c.Stream]
		if of == nil || spec == nil {
			continue
		}
		of.drop(func(s *frontSlot) bool { return s.end <= c.End.UnixNano() })
		if spec.Unit.None() || !spec.EndsEpoch(c.Start, c.End) {
			continue
		}
		for start, units := range of.units {
			if start < c.End.UnixNano() {
				units.Forget()
				delete(of.units, start)
				epochEnded = true
			}
		}
	}
	return epochEnded
}

// places are the streams' places that partitions do not know yet.
func (f *front) places() (out []handover.Place) {
	for _, id := range slices.Sorted(maps.Keys(f.windows.streams)) {
		s := f.windows.streams[id]
		if of := f.of(s); !s.next.IsZero() && !of.told.Equal(s.next) {
			of.told = s.next
			out = append(out, handover.Place{Stream: id, Next: s.next.UnixNano()})
		}
	}
	return out
}

// flush hands over what was gathered, and waits until it is there. What has failed once is sent
// again as it was: whoever reads knows it by its number.
func (f *front) flush(ctx context.Context) error {
	if f.unready != nil {
		return fmt.Errorf("keys of the cluster are not there: %w", f.unready)
	}
	current, known := f.current()
	if !known {
		return nil // nothing has come, and nobody knows what day it is
	}
	places, gaps := f.places(), f.gaps
	all := f.beat || f.ends || len(places)+len(gaps) > 0
	for n := range f.lanes {
		last, err := f.parcel(n, current)
		if err != nil {
			return fmt.Errorf("keys of the cluster are not there: %w", err)
		}
		last.Places, last.Gaps, last.Ends = places, gaps, f.ends
		if len(places) > 0 {
			last.Name = f.Name
		}
		if n == 0 {
			last.Heard = f.heard.list[f.spoken:min(len(f.heard.list), f.spoken+mostHeard)]
			f.spoken += len(last.Heard)
		}
		f.lanes[n].finish(f.life, n, current, all)
	}
	f.gaps, f.beat = nil, false
	for n := range f.lanes {
		for _, b := range f.lanes[n].sealed {
			id := fmt.Sprintf("%x-%d-%d", b.head.Life, n, b.head.Number)
			if err := f.Out.Put(ctx, b.head.Epoch, n, id, b.body); err != nil {
				return err
			}
		}
	}
	if err := f.Out.Wait(ctx); err != nil {
		return err
	}
	for n := range f.lanes {
		f.lanes[n].sealed = nil
	}
	return nil
}
