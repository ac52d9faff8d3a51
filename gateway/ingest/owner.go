package ingest

import (
	"context"
	"crypto/cipher"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/handover"
	"sluice/gateway/ingest/internal/window"
	"sluice/gateway/ingest/internal/wipe"
	"sluice/plan"
)

// Owner counts the readings of one partition: the second half of a cluster's Ingest. Its source and
// its clock are the fronts' batches, in the order of the partition's log. What stands there before
// each front has turned from a window is in it, what stands behind is late. So whoever reads the
// same log comes to the same windows, and Owner says nothing of its own: when it ends, another one
// goes on from the state that it has left, through the same functions.
//
// Its goroutine is that of Run.
type Owner struct {
	cfg   Owned
	place *Worker
	// Of inner it has windows, closes and account, and no source or log.
	ownAccount
	lives lives
	// seals open what lives have sealed.
	seals map[handover.Head]cipher.AEAD
	state stateLog
	// read is the place of the last batch that was taken.
	read uint64
	// epoch is the latest that a batch was sealed in.
	epoch int64
	// gaps are windows that lack readings, lostDays epochs of which nothing is said any more, and torn those of them
	// whose keys are not gone: of them the state lacks something.
	gaps     map[string]string
	lostDays map[int64]bool
	torn     map[int64]bool
	quotas   map[uint64]*quota
	lapser   lapser
	saving
}

// saving is when, in wall time, the state was written, and what is done with was dropped.
type saving struct {
	saved, trimmed time.Time
	dirty          bool // something was taken since
}

// How much an owner takes before it writes its state. Each time costs a page of every partition's log, which stays
// for as long as units are recognised; who takes over reads as much of the fronts' batches again.
const (
	stateBytes = 256 << 10
	stateEvery = 5 * time.Second
	trimEvery  = 10 * time.Second
)

// Run takes batches until ctx ends, the partition is somebody else's, or a batch is of a policy
// that is not known here.
func (o *Owner) Run(ctx context.Context) error {
	err := wipe.Deep(func() error { return o.run(ctx) })
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("partition %d: %w", o.cfg.Partition, err)
}

func (o *Owner) run(ctx context.Context) error {
	for e, err := range o.cfg.In.Read(ctx, o.cfg.Partition, o.read+1) {
		if err != nil {
			return err
		}
		if o.owes()+len(e.Body) > stateMost {
			if err := o.save(ctx); err != nil {
				return err
			}
		}
		if err := o.take(ctx, e); err != nil {
			return err
		}
		if owes := o.owes(); owes > stateBytes || o.dirty && o.cfg.Now().Sub(o.saved) >= stateEvery {
			if err := o.save(ctx); err != nil {
				return err
			}
		}
		if o.trim(ctx) {
			wipe.Below()
		}
		if err := o.lapse(ctx); err != nil {
			return err
		}
	}
	return errors.New("the log has ended")
}

// take takes the batch that stands at a place of the log.
func (o *Owner) take(ctx context.Context, e Entry) error {
	defer func() { o.read = max(o.read, e.Seq) }() // a reader may begin again further ahead
	h, err := handover.ReadHead(e.Body)
	if err != nil || int(h.Partition) != o.cfg.Partition || far(h.Epoch, max(o.epoch, keyEpoch(o.cfg.Now()))) {
		o.cfg.Log.Warn("an entry of the partition's log is no batch; it is left out", "partition", o.cfg.Partition)
		return nil
	}
	if o.lives.had(h) {
		return nil // it was sent twice
	}
	b, err := o.open(ctx, h, e.Body)
	if err != nil || b == nil {
		return err
	}
	o.epoch, o.dirty = max(o.epoch, h.Epoch), true
	now := o.cfg.Now()
	o.lapser.hear(o.lives, now)
	turn, silent, lost := o.lives.line(b, e.Seq, now)
	for _, b := range turn {
		if err := o.apply(b); err != nil {
			return err
		}
		b.Forget()
	}
	for _, of := range silent {
		o.silent(of)
	}
	for _, w := range lost {
		o.cfg.Log.Error("what a front handed over is not in the log any more: the servers have lost it, and the "+
			"windows that it may have been for are gaps", "partition", o.cfg.Partition, "stream", w.stream)
		for _, name := range w.windows(o.inner) {
			o.gaps[name] = reasonPutBack
		}
	}
	return o.close(ctx)
}

// far reports whether nobody can have sealed anything in an epoch yet: it is more than a day ahead of the latest, by
// this machine's clock and by what was opened here. To wait for its key would be to wait for ever.
func far(epoch, latest int64) bool { return epoch < 0 || epoch > latest+1 }

// open opens a batch; nil where that is not to be. While its key is on its way it waits.
func (o *Owner) open(ctx context.Context, h handover.Head, raw []byte) (*handover.Batch, error) {
	of := h
	of.Number = 0
	seal := o.seals[of]
	if seal == nil {
		key, err := o.state.seals.key(ctx, h.Epoch)
		if errors.Is(err, errUncommitted) {
			o.cfg.Log.Warn("a batch is of a day that no front has keys for; it is left out", "partition",
				o.cfg.Partition)
			return nil, nil
		}
		if errors.Is(err, fs.ErrNotExist) {
			o.loseDay(h.Epoch)
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		seal, err = of.Seal(key)
		clear(key)
		if err != nil {
			return nil, err
		}
	}
	b, err := handover.Open(h, seal, raw)
	if err != nil {
		o.cfg.Log.Warn("a batch was not sealed with the partition's key; it is left out", "partition", o.cfg.Partition)
		return nil, nil
	}
	if len(o.seals) >= maxLives {
		clear(o.seals)
	}
	o.seals[of] = seal
	return b, nil
}

// apply adds what is in a batch.
func (o *Owner) apply(b *handover.Batch) error {
	if len(b.Heard) > 0 {
		o.inner.liveness.note(b.Heard...)
		o.inner.routing.notePulses()
	}
	slots := make([]*openWindow, len(b.Windows))
	codes := make([]fault.Code, len(b.Windows))
	for n, w := range b.Windows {
		var err error
		if slots[n], codes[n], err = o.window(w); err != nil {
			return err
		}
	}
	if err := b.Each(func(n int, told bool, e *window.Entry) { o.count(slots[n], codes[n], told, e) }); err != nil {
		return err
	}
	for _, g := range b.Gaps {
		o.gaps[keyName("w", g.Stream, time.Unix(0, g.Start))] = g.Reason
	}
	return nil
}

// ErrPolicy says that a batch is for a window that the versions here do not have: who owns the partition
// under more of them goes on.
var ErrPolicy = errors.New("a batch is of a policy that is not known here yet")

// window finds or opens what entries are for, or says why they do not count.
func (o *Owner) window(of handover.Window) (*openWindow, fault.Code, error) {
	r, open := &o.inner.routing, &o.inner.windows
	s, start := open.streams[of.Stream], time.Unix(0, of.Start).UTC()
	n, spec := r.specAt(of.Stream, start)
	if s == nil || !r.planned(of.Stream, of.Plan) {
		return nil, fault.None, ErrPolicy
	}
	if start.Before(s.next) {
		return nil, fault.Late, nil
	}
	if spec == nil {
		return nil, fault.NoDecision, nil // nothing holds there any more, which the front had not heard
	}
	begins, end := spec.Window(start)
	if spec.Digest != of.Plan || !begins.Equal(start) { // another policy holds there, which it had not
		o.gaps[keyName("w", of.Stream, begins)] = reasonSilent
		return nil, fault.Gap, nil
	}
	w, err := open.open(s, spec, r.versions[n].Digest, start, end)
	if err != nil {
		return nil, fault.None, err
	}
	if w.Lost = w.Lost || o.lostDays[dayOf(spec, start)]; w.Lost {
		return w, fault.Gap, nil
	}
	return w, fault.None, nil
}

// count adds one entry, and notes what has become of it.
func (o *Owner) count(w *openWindow, code fault.Code, told bool, e *window.Entry) {
	if e.Alive {
		if w != nil {
			w.markAlive(e.Sensor)
		}
		return
	}
	q := o.quota(w, e)
	if code == fault.None && !fits(w.Stream, e) {
		code = fault.Gap
	}
	accounted := e.Accounted
	if code == fault.None {
		code = w.count(e, told, q)
	}
	a := &o.inner.account
	switch {
	case code != fault.None && accounted:
		a.refuse(code)
	case code == fault.None && accounted:
		a.Received++
		q.spend(e.Time)
	}
}

// fits reports whether an entry can be one of a stream's.
func fits(s *plan.Stream, e *window.Entry) bool {
	return int(e.Cell) < len(s.Cells) && int(e.Owner) <= len(s.OwnerParts()) &&
		e.Has>>len(s.Measures) == 0 && (e.Unit == [16]byte{}) == s.Unit.None()
}

// quota is that of the entry's sensor, in this partition.
func (o *Owner) quota(w *openWindow, e *window.Entry) *quota {
	if w == nil || !holds(w.Stream) {
		return nil
	}
	q, known := o.quotas[e.Sensor]
	if !known {
		q = o.place.quota(e.Sensor)
		o.quotas[e.Sensor] = q
	}
	return q
}

// loseDay gives up what was sealed with keys that are gone for ever: its windows are gaps.
func (o *Owner) loseDay(epoch int64) {
	if o.lostDays[epoch] {
		return
	}
	o.cfg.Log.Warn("the keys of an epoch are gone; its windows are gaps", "partition", o.cfg.Partition,
		"epoch", time.Unix(epoch*daySeconds, 0).UTC().Format(time.DateOnly))
	giveUp(o, epoch)
}

// giveUp has all windows of an epoch be gaps.
func giveUp(o *Owner, epoch int64) {
	o.lostDays[epoch], o.dirty = true, true
	for _, s := range o.inner.windows.streams {
		for _, w := range s.windows {
			w.Lost = w.Lost || dayOf(w.Stream, w.Start) == epoch
		}
	}
}
