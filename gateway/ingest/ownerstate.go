package ingest

import (
	"context"
	"crypto/cipher"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"slices"
	"time"

	"sluice/gateway/ingest/internal/checkpoint"
	"sluice/gateway/ingest/internal/handover"
)

// ownerFacts are what an owner knows beside its windows.
type ownerFacts struct {
	// Read is the place in the partition's log behind which to read on.
	Read  uint64            `json:"read"`
	Epoch int64             `json:"epoch"`
	Facts facts             `json:"facts"`
	Lives map[string]*life  `json:"lives"`
	Gaps  map[string]string `json:"gaps,omitempty"`
	Lost  []int64           `json:"lost,omitempty"`
	Torn  []int64           `json:"torn,omitempty"`
	Heard []uint64          `json:"heard,omitempty"`
	// Account is what became of the readings that were read, Facts.Shown as it may be seen, and
	// Shown since when.
	Account account   `json:"account"`
	Shown   time.Time `json:"shown"`
	// Moved says that it is the first state of all, which a gateway that ran alone has left (Move).
	Moved bool `json:"moved,omitempty"`
	// Upon is the place of the last entry of the commit before, 0 for none, and From that of the first entry that is
	// needed, 0 for this commit's. Entries is how many this commit has; 0: none of the three is said.
	Upon    uint64 `json:"upon,omitempty"`
	From    uint64 `json:"from,omitempty"`
	Entries int    `json:"entries,omitempty"`
}

func (o *Owner) facts() *ownerFacts {
	f := &ownerFacts{Read: o.lives.from(o.read), Epoch: o.epoch, Lives: make(map[string]*life), Gaps: o.gaps,
		Lost: slices.Sorted(maps.Keys(o.lostDays)), Torn: slices.Sorted(maps.Keys(o.torn)),
		Heard: o.inner.liveness.list}
	o.inner.windows.saveTo(&f.Facts)
	o.saveTo(f)
	for id, l := range o.lives {
		f.Lives[hex.EncodeToString(id[:])] = l
	}
	return f
}

// owes is how many bytes of records the state lacks.
func (o *Owner) owes() (n int) {
	for _, s := range o.inner.windows.streams {
		for _, w := range s.windows {
			n += len(w.pending)
		}
		for _, e := range s.epochs {
			n += len(e.pending) + len(e.divided)
		}
	}
	return n
}

// save writes what the state lacks. An error says that the partition is not this owner's any more,
// or that nobody answers.
func (o *Owner) save(ctx context.Context) error {
	var part []checkpoint.Record
	size := 0
	for _, r := range o.inner.windows.unsaved() {
		if size += len(r.Body) + len(r.Name); size > o.state.most && len(part) > 0 {
			if err := o.state.append(ctx, part, o.epoch, false); err != nil {
				return err
			}
			part, size = nil, len(r.Body)+len(r.Name)
		}
		part = append(part, r)
	}
	f := o.facts()
	o.state.vouch(f, o.inner.windows.streams)
	body, err := json.Marshal(f)
	if err != nil {
		return err
	}
	if size+len(body) > o.state.most && len(part) > 0 {
		if err := o.state.append(ctx, part, o.epoch, false); err != nil {
			return err
		}
		part = nil
		o.state.vouch(f, o.inner.windows.streams)
		if body, err = json.Marshal(f); err != nil {
			return err
		}
	}
	part = append(part, checkpoint.Record{Kind: ownerFactsKind, Body: body})
	if err := o.state.append(ctx, part, o.epoch, true); err != nil {
		return err
	}
	o.inner.windows.markSaved()
	o.saved, o.dirty = o.cfg.Now(), false
	o.inner.reporter.publish() // and not before: another owner may count it again
	return nil
}

// trim takes away what nobody would read again: the batches that the state covers, and of the state
// what is of closed windows; that it does not succeed is no harm. Of days before the current one it keeps no keys: who
// needs one asks for it again, for as long as there is one. It reports whether it was time to.
func (o *Owner) trim(ctx context.Context) bool {
	now := o.cfg.Now()
	if now.Sub(o.trimmed) < trimEvery || o.dirty {
		return false
	}
	o.trimmed = now
	maps.DeleteFunc(o.seals, func(h handover.Head, _ cipher.AEAD) bool { return h.Epoch < o.epoch })
	err := errors.Join(o.cfg.In.Drop(ctx, o.cfg.Partition, o.lives.from(o.read)),
		o.state.drop(ctx, o.inner.windows.streams))
	if err != nil && ctx.Err() == nil {
		o.cfg.Log.Warn("what was counted cannot be dropped from the cluster's logs; they grow", "partition",
			o.cfg.Partition, "error", err)
	}
	return true
}

// errTorn says that something is missing in the state, or was missing in what was read of it.
var errTorn = errors.New("the partition's state lacks something that was written")

// recover reads the state. Records go through the same Apply and Use that readings take. Those of a
// commit that was not finished are left out: they are counted again. Where something is missing it is errTorn, and
// where that is the last word nothing is said any more of what units did by then.
func (o *Owner) recover(ctx context.Context, lastWord bool) error {
	var commit []checkpoint.Record
	var last *ownerFacts
	torn, first := false, int64(math.MaxInt64)
	for e, err := range o.cfg.State.Load(ctx, o.cfg.Partition) {
		if err != nil {
			return err
		}
		if e.Seq <= o.state.last {
			continue // the reader has begun again further ahead
		}
		upon, entries := o.state.upon, o.state.entries
		s, err := o.state.read(ctx, e)
		if errors.Is(err, errState) {
			o.cfg.Log.Warn("an entry of the partition's state is none; it is left out", "partition", o.cfg.Partition)
			continue
		}
		if err != nil {
			return err
		}
		for _, epoch := range s.gone {
			o.loseDay(epoch)
		}
		torn = torn || s.hole
		for _, day := range s.days {
			first, o.epoch = min(first, day), max(o.epoch, day)
		}
		if s.first {
			commit, entries = nil, 0
		}
		if commit = append(commit, s.records...); !s.last {
			continue
		}
		if last, err = o.inner.windows.replayAll(commit, last); err != nil {
			return err
		}
		torn = torn || !o.state.whole(last, upon, entries+1)
		commit = nil
	}
	o.state.leave()
	torn = o.state.headless(last) || torn
	if last != nil {
		if err := o.restore(last); err != nil {
			return err
		}
		o.dirty = o.dirty || o.state.needsLeft(last)
	}
	if torn && !lastWord {
		return errTorn
	}
	if torn {
		tear(o, first)
	}
	return nil
}

// mostOpen is how long a window can be open before readings stop being waited for: a plan has it last for a day at
// most, which is an hour longer when clocks are put back, and wait for 24 hours.
const mostOpen = (25 + 24) * time.Hour

// tear gives up all that may be missing in the state: the epochs from the first that it says something of, up to the
// last that readings can be of. Units would count anew in them. Where it does not say which windows of a stream were
// closed, those may have been open that can be open at all.
func tear(o *Owner, first int64) {
	o.cfg.Log.Error("the partition's state is not whole: the servers have lost some of it. Windows of all epochs that "+
		"have begun are gaps, since what units have spent in them is not known", "partition", o.cfg.Partition)
	first = min(first, o.epoch) // also where nothing was read that is of a day
	oldest := time.Unix(first*daySeconds, 0).UTC().Add(-mostOpen - o.cfg.CatchUp)
	for _, v := range o.inner.routing.versions {
		for _, spec := range v.Streams {
			if s := o.inner.windows.streams[spec.ID]; s != nil && !s.next.IsZero() {
				first = min(first, dayOf(spec, s.next))
			} else if s != nil {
				first = min(first, dayOf(spec, oldest))
			}
		}
	}
	for day := first; day <= o.epoch+1; day++ {
		o.torn[day] = true
		giveUp(o, day)
	}
}

// replayAll takes the records of a commit, and returns the facts that it has, or those of before.
func (o *windows) replayAll(commit []checkpoint.Record, before *ownerFacts) (*ownerFacts, error) {
	for _, r := range commit {
		if r.Kind == ownerFactsKind {
			before = new(ownerFacts)
			if err := json.Unmarshal(r.Body, before); err != nil {
				return nil, err
			}
			continue
		}
		if ok, err := o.replay(r); err != nil || !ok {
			return nil, errors.Join(err, errReplay)
		}
	}
	return before, nil
}

// errReplay says that what an owner wrote does not fit the versions that are known here.
var errReplay = errors.New("the partition's state does not fit the policies that are known here")

// restore takes what the last commit says, and drops what was closed by then.
func (o *Owner) restore(f *ownerFacts) error {
	o.read, o.epoch = f.Read, max(o.epoch, f.Epoch)
	o.inner.windows.recover(&f.Facts)
	for id, l := range f.Lives {
		raw, err := hex.DecodeString(id)
		if err != nil || len(raw) != len(handover.Life{}) || l == nil {
			return errState
		}
		o.lives[handover.Life(raw)] = l
		o.lives.of(handover.Life(raw), o.cfg.Now())
	}
	for name, reason := range f.Gaps {
		o.gaps[name] = reason
	}
	o.inner.liveness.note(f.Heard...)
	o.inner.routing.notePulses()
	for _, epoch := range f.Lost {
		giveUp(o, epoch)
	}
	for _, epoch := range f.Torn {
		o.torn[epoch] = true
	}
	for id, s := range o.inner.windows.streams {
		s.next = f.Facts.Next[id]
		s.last = nil
		for at, w := range s.windows {
			if w.Start.Before(s.next) {
				s.drop(at)
			}
			w.pending = w.pending[:0]
		}
		for at, e := range s.epochs {
			if !e.end.After(s.next) {
				e.Forget()
				delete(s.epochs, at)
			}
			e.pending, e.divided = e.pending[:0], e.divided[:0]
		}
	}
	o.ownAccount.recover(f)
	return nil
}
