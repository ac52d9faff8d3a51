package ingest

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"time"

	"sluice/gateway/ingest/internal/handover"
)

const (
	// maxLives bounds how many processes of fronts an owner remembers; the ones that ended first go.
	maxLives = 1024
	// maxAhead bounds how many batches of a life are held back for one that has not come.
	maxAhead = 256
)

// lives are the processes of fronts that have spoken to a partition.
type lives map[handover.Life]*life

// life is what one of them has said. Its batches are taken in the order of their numbers: one that
// has overtaken another in the log is held back.
type life struct {
	Name string `json:"name,omitempty"` // of the front; empty until it has said it
	// Next is the number of the next batch. Missing are those before it that have not come and are
	// not waited for any more; they are taken when they do.
	Next    uint64          `json:"next"`
	Missing map[uint64]bool `json:"missing,omitempty"`
	// Places are, by stream, the starts of the first windows that it has readings for.
	Places places `json:"places,omitempty"`
	// Lapsed says that nobody waits for it: it has ended, or has said nothing for long. Since is
	// the place in the log where it lapsed.
	// Lost are the places at which it handed over what the log has not any more, until it says its next.
	Lost   places `json:"lost,omitempty"`
	Lapsed bool   `json:"lapsed,omitempty"`
	Since  uint64 `json:"since,omitempty"`

	ahead map[uint64]held
	heard time.Time // when, in wall time
	// behind is since when another front is ahead of it, in wall time; see ownAccount.see.
	behind time.Time
}

// places are the starts of the first windows that are not turned from, by stream.
type places map[string]int64

// held is a batch that is held back, and its place in the log.
type held struct {
	batch *handover.Batch
	seq   uint64
}

// had reports whether a batch has been taken, or is held back.
func (l lives) had(h handover.Head) bool {
	of := l[h.Life]
	if of == nil {
		return false
	}
	_, ahead := of.ahead[h.Number]
	return ahead || h.Number < of.Next && !of.Missing[h.Number]
}

func (l lives) of(id handover.Life, now time.Time) *life {
	of := l[id]
	if of == nil {
		of = &life{Next: 1}
		l[id] = of
		l.bound()
	}
	if of.Missing == nil {
		of.Missing = make(map[uint64]bool)
	}
	if of.Places == nil {
		of.Places = make(places)
	}
	if of.ahead == nil {
		of.ahead, of.heard = make(map[uint64]held), now
	}
	return of
}

// bound forgets the life that lapsed first where there are too many.
func (l lives) bound() {
	if len(l) <= maxLives {
		return
	}
	var first handover.Life
	found := false
	for id, of := range l {
		if of.Lapsed && (!found || of.Since < l[first].Since ||
			of.Since == l[first].Since && bytes.Compare(id[:], first[:]) < 0) {
			first, found = id, true
		}
	}
	if found {
		delete(l, first)
	}
}

// line lines up a batch that was not had before: it returns those whose turn has come, of this life
// and of those that lapse by them. Silent are the places of lives that lapse without a successor. Lost are
// the ways on which a life handed over what is nowhere now: a front says nothing more before all that
// it has said is in the log, so a log that lacks some of it was put back to how it was before.
func (l lives) line(b *handover.Batch, seq uint64, now time.Time) (turn []*handover.Batch, silent []places,
	lost []way) {
	of := l.of(b.Life, now)
	of.heard = now
	switch {
	case b.Number < of.Next:
		delete(of.Missing, b.Number)
		return []*handover.Batch{b}, nil, nil // late, and about readings only: its places are old
	case b.Number > of.Next:
		if of.ahead[b.Number] = (held{b, seq}); !of.Lapsed && len(of.ahead) <= maxAhead {
			return nil, nil, nil
		}
		if !of.Lapsed {
			of.lose()
		}
		return l.listen(of.skip(), seq)
	}
	of.Next++
	return l.listen(append([]*handover.Batch{b}, of.follow()...), seq)
}

// way is from where to where a front went with a stream.
type way struct {
	stream   string
	from, to int64
}

// lose notes where a life was with each stream when it handed over what is nowhere now.
func (l *life) lose() {
	if l.Lost == nil {
		l.Lost = make(places)
	}
	for id, at := range l.Places {
		if _, before := l.Lost[id]; !before {
			l.Lost[id] = at
		}
	}
}

// found are the ways on which something was lost, once it is known where they led to: the place that is said first
// after that. Where none is said any more it is the one that is known.
func (l *life) found(said []handover.Place, after places) (list []way) {
	for _, p := range said {
		if from, lost := l.Lost[p.Stream]; lost {
			list = append(list, way{p.Stream, from, p.Next})
			delete(l.Lost, p.Stream)
		}
	}
	if after != nil {
		for _, id := range slices.Sorted(maps.Keys(l.Lost)) {
			list = append(list, way{id, l.Lost[id], max(l.Lost[id], after[id])})
		}
		l.Lost = nil
	}
	return list
}

// follow takes out those held back whose turn has come.
func (l *life) follow() (turn []*handover.Batch) {
	for h, ok := l.ahead[l.Next]; ok; h, ok = l.ahead[l.Next] {
		turn = append(turn, h.batch)
		delete(l.ahead, l.Next)
		l.Next++
	}
	return turn
}

// skip takes out all that are held back: what stands before them is missing.
func (l *life) skip() (turn []*handover.Batch) {
	for _, number := range slices.Sorted(maps.Keys(l.ahead)) {
		for ; l.Next < number; l.Next++ {
			l.Missing[l.Next] = true
		}
		turn = append(turn, l.follow()...)
	}
	for _, number := range slices.Sorted(maps.Keys(l.Missing)) {
		if len(l.Missing) <= 4*maxAhead { // more than a front that is honest leaves
			break
		}
		delete(l.Missing, number)
	}
	return turn
}

// listen notes what batches say of their lives, and adds those that lapse by them.
func (l lives) listen(turn []*handover.Batch, seq uint64) (_ []*handover.Batch, silent []places, lost []way) {
	for n := 0; n < len(turn); n++ {
		b := turn[n]
		of := l[b.Life]
		lost = append(lost, of.found(b.Places, nil)...)
		for _, p := range b.Places {
			of.Places[p.Stream] = max(p.Next, of.Places[p.Stream])
		}
		if b.Ends {
			of.Lapsed, of.Since = true, seq
			lost = append(lost, of.found(nil, of.Places)...)
		} else if b.Life == turn[0].Life { // and not only what was held back of one that lapses
			of.Lapsed = false
		}
		for _, id := range append(l.before(b, of), b.Lapsed...) {
			gone := l[id]
			if gone == nil || gone.Lapsed {
				continue
			}
			gone.Lapsed, gone.Since = true, seq
			turn = append(turn, gone.skip()...)
			lost = append(lost, gone.found(nil, of.Places)...)
			if len(of.Places) == 0 { // an owner says it, and no front in its place
				silent = append(silent, gone.Places)
			}
		}
	}
	return turn, silent, lost
}

// before are the lives that one that says its name is in the place of.
func (l lives) before(b *handover.Batch, of *life) (list []handover.Life) {
	if b.Name == "" || of.Name == b.Name {
		return nil
	}
	of.Name = b.Name
	for id, other := range l {
		if other != of && other.Name == b.Name && !other.Lapsed {
			list = append(list, id)
		}
	}
	slices.SortFunc(list, func(a, b handover.Life) int { return bytes.Compare(a[:], b[:]) })
	return list
}

// through is how far all that are waited for are with a stream; false where that is not known.
func (l lives) through(stream string) (first int64, ok bool) {
	for _, of := range l {
		if of.Lapsed || len(of.Places) == 0 {
			continue
		}
		at, said := of.Places[stream]
		if !said {
			return 0, false
		}
		if !ok || at < first {
			first, ok = at, true
		}
	}
	return first, ok
}

// from is the place in the log from which to read again: before all that are held back.
func (l lives) from(read uint64) uint64 {
	for _, of := range l {
		for _, h := range of.ahead {
			read = min(read, h.seq-1)
		}
	}
	return read
}

// lapser is the owner's own voice in the log.
type lapser struct {
	id     handover.Life
	number uint64
	looked time.Time
	spoken time.Time // when anybody has spoken to the partition
}

// logPause is how long a log may say nothing at all before that tells nothing of any one front.
const logPause = 15 * frontTick

// hear notes that somebody speaks. Where nobody has for a while, the servers or this machine were away: then all
// fronts have as long as ever to say something.
func (l *lapser) hear(all lives, now time.Time) {
	if now.Sub(l.spoken) > logPause {
		for _, of := range all {
			of.heard = now
		}
	}
	l.spoken = now
}

// lapse says of fronts that have said nothing for too long that nobody waits for them: in the log,
// so that whoever reads it comes to the same. What they send after all counts as before.
func (o *Owner) lapse(ctx context.Context) error {
	now := o.cfg.Now()
	if o.cfg.Lapse == nil || now.Sub(o.lapser.looked) < time.Second {
		return nil
	}
	o.lapser.looked = now
	o.see(o.lives, now)
	var silent []handover.Life
	for id, of := range o.lives {
		if !of.Lapsed && len(of.Places) > 0 && now.Sub(of.heard) > o.cfg.Silence {
			silent = append(silent, id)
			of.heard = now // once is enough for a while
		}
	}
	if len(silent) == 0 {
		return nil
	}
	o.cfg.Log.Warn("a front says nothing any more; windows do not wait for it", "partition", o.cfg.Partition,
		"fronts", len(silent))
	if o.lapser.number == 0 {
		if _, err := rand.Read(o.lapser.id[:]); err != nil {
			return err
		}
	}
	key, err := awaitKey(ctx, o.cfg.Keys, o.epoch, fmt.Sprint("seal-", o.cfg.Partition))
	if err != nil {
		return err
	}
	o.lapser.number++
	h := handover.Head{Epoch: o.epoch, Partition: uint16(o.cfg.Partition), Life: o.lapser.id, Number: o.lapser.number}
	seal, err := h.Seal(key)
	clear(key)
	if err != nil {
		return err
	}
	b := handover.Builder{Lapsed: silent}
	id := fmt.Sprintf("%x-%d-%d", h.Life, o.cfg.Partition, h.Number)
	if err := o.cfg.Lapse.Put(ctx, h.Epoch, o.cfg.Partition, id, b.Append(nil, h, seal)); err != nil {
		return err
	}
	return o.cfg.Lapse.Wait(ctx)
}
