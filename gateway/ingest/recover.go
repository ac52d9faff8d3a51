package ingest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"sluice/gateway/ingest/internal/checkpoint"
	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/window"
	"sluice/plan"
)

// recovery reads the log back at a start, once, and gives each part what the log says of it.
type recovery struct {
	cfg      *Config
	clock    *eventClock
	account  *counters
	liveness *liveness
	routing  *routing
	catchUp  *catchUp
	journal  *journal
	windows  *windows
	closes   *closes

	log  recovered
	lost map[string]bool         // names of windows and epochs that the log lacks
	also func(checkpoint.Record) // is given what is of windows and epochs, too; nil for nobody
	// front says that this process counts nothing. What the log has of windows is of a gateway that ran alone
	// before: their owners have it, and here it goes with its keys.
	front bool
}

func newRecovery(i *Ingest) *recovery {
	return &recovery{
		cfg: &i.cfg, clock: &i.clock, account: &i.account, liveness: &i.liveness, routing: &i.routing,
		catchUp: &i.catchUp, journal: &i.journal, windows: &i.windows, closes: &i.closes,
		log: newRecovered(), lost: make(map[string]bool), front: i.front != nil,
	}
}

// run recovers the state. Records go through the same Apply and Use that readings take.
func (r *recovery) run() error {
	why, err := r.read()
	if err != nil {
		return err
	}
	r.restore()
	if why == "" && r.behind() {
		why = "the checkpoint is older than the ledger"
	}
	if why == "" && !r.log.whole() {
		why = "a part of the checkpoint's state cannot be read"
	}
	if why != "" {
		r.unread(why)
	}
	for id, next := range r.windows.next {
		if s := r.windows.streams[id]; s != nil && next.After(s.next) {
			s.next = next
		}
	}
	if r.windows.losses.unread && !r.front {
		for _, name := range r.journal.keys.Names() {
			r.lost[name] = true // whatever was open has a key, if keys are left
		}
	}
	if err := r.markUnreadable(); err != nil {
		return err
	}
	if err := r.shredDead(); err != nil {
		return err
	}
	r.balance()
	return nil
}

// restore gives each part what the log says of it.
func (r *recovery) restore() {
	log := &r.log
	r.clock.now = log.Now
	r.clock.until = log.Now.Truncate(idleState)
	if r.clock.simulated() {
		r.clock.since = log.Now // simulated time stood still while the gateway was down
	}
	r.account.account, r.account.visible = log.account, log.facts.Shown
	r.account.merge()
	r.liveness.note(log.heard...)
	r.routing.notePulses()
	for _, s := range r.routing.sensors {
		s.memory = log.last[s.number]
	}
	r.journal.factsAt = log.facts.At
	r.windows.recover(&log.facts)
	if !r.front {
		r.closes.list = log.facts.Closes
	}
	r.catchUp.recover(&log.facts)
}

// behind reports whether the log is of an earlier time than the ledger: a close is
// in the log before its window is released.
func (r *recovery) behind() bool {
	for id, released := range r.cfg.Resume {
		if released.After(r.windows.next[id]) {
			return true
		}
	}
	return false
}

// balance books readings that went with lost windows, so that the sum holds. Where it
// is the closes that are of an earlier time than the account, some of them are counted
// already.
func (r *recovery) balance() {
	switch missing := r.account.missing(r.closes.unreleased()); {
	case missing > 0 && r.front:
		r.account.Counted += missing // they have been handed over
	case missing > 0:
		r.account.Refused[fault.Gap.String()] += missing
	case missing < 0:
		r.closes.uncount(-missing)
	}
}

// read opens keys and log, and reads the log. It returns why what the log holds must not be
// believed, or nothing.
func (r *recovery) read() (why string, err error) {
	j := r.journal
	if j.keys, err = checkpoint.OpenKeys(r.cfg.Keys); err != nil {
		return "", err
	}
	if r.cfg.Anew {
		if err := j.keys.Clear(); err != nil {
			return "", err
		}
	}
	j.log, err = checkpoint.Open(r.cfg.Dir, j.keys, len(r.cfg.Resume) > 0, r.record)
	if err != nil && !errors.Is(err, checkpoint.ErrUnreadable) {
		return "", fmt.Errorf("recovering open windows: %w", err)
	}
	for _, f := range j.log.Findings() {
		r.cfg.Log.Warn("a file of the checkpoint is not as it was left; what it held of open windows becomes gaps",
			"file", f.File, "what", f.What)
	}
	if err != nil {
		why = "the checkpoint cannot be read"
	}
	return why, nil
}

// record takes one record of the log.
func (r *recovery) record(c checkpoint.Record) error {
	if !c.Lost {
		switch c.Kind {
		case checkpoint.State, checkpoint.Account, checkpoint.Facts, checkpoint.Heard, checkpoint.Last:
			return r.log.read(c)
		}
	}
	switch {
	case r.front:
		return nil
	case c.Lost:
		r.lost[c.Name] = true
		return nil
	case r.also != nil:
		r.also(c)
	}
	ok, err := r.windows.replay(c)
	if !ok {
		r.lost[c.Name] = true
	}
	return err
}

// unread says that what the log holds must not be believed. That itself is durable
// with the first commit, and until then the next start finds the same.
func (r *recovery) unread(why string) {
	r.cfg.Log.Warn(why + ": open windows are lost and become gaps, and the epochs that have begun admit nobody")
	r.windows.losses.unread = true
	for _, s := range r.windows.streams {
		for at := range s.windows { // markUnreadable opens them again, by their keys' names, empty
			s.drop(at)
		}
		s.last = nil
	}
}

// replay applies what was durable to its window or epoch; ok is false when it does
// not fit into it, so that it is lost.
func (o *windows) replay(c checkpoint.Record) (ok bool, err error) {
	what, id, start, ok := parseName(c.Name)
	s := o.streams[id]
	if !ok || s == nil {
		return true, nil // of a stream that no version knows any more
	}
	n, spec := o.routing.specAt(id, start)
	if spec == nil {
		return true, nil
	}
	if what == "e" {
		if spec.Unit.None() {
			return true, nil
		}
		e, err := o.epochAt(s, spec, start)
		if err != nil {
			return true, err
		}
		return e.replay(c), nil
	}
	_, end := spec.Window(start)
	w, err := o.open(s, spec, o.routing.versions[n].Digest, start, end)
	if err != nil {
		return true, err
	}
	ok = true
	err = checkpoint.Entries(c.Body, func(e *window.Entry) {
		if int(e.Cell) >= len(spec.Cells) {
			ok = false
			return
		}
		w.Apply(e)
	})
	return ok && err == nil, nil
}

// replay applies an epoch's record; false where it does not fit.
func (e *openEpoch) replay(c checkpoint.Record) bool {
	if c.Kind == checkpoint.Parts {
		for tags := c.Body; len(tags) >= 24; tags = tags[24:] {
			if owner := binary.LittleEndian.Uint64(tags[16:]); owner == noOwner {
				e.TurnAway([16]byte(tags))
			} else {
				e.UsePart([16]byte(tags), owner)
			}
		}
		return len(c.Body)%24 == 0
	}
	for tags := c.Body; len(tags) >= 16; tags = tags[16:] {
		e.Use([16]byte(tags))
	}
	return len(c.Body)%16 == 0
}

// markUnreadable records the windows and epochs whose log entries or keys are gone:
// windows become gaps, and an epoch without its bounds admits nobody.
func (r *recovery) markUnreadable() error {
	o := r.windows
	var names []string
	for _, name := range slices.Sorted(maps.Keys(r.lost)) {
		what, id, start, ok := parseName(name)
		s := o.streams[id]
		if !ok || s == nil {
			continue
		}
		if what == "w" && start.Before(s.next) && !r.closes.has(id, start) {
			continue // released and shredded, as it should be
		}
		n, spec := o.routing.specAt(id, start)
		if what == "e" && (spec == nil || epochOver(spec, start, s.next)) {
			continue
		}
		o.losses.add(name)
		names = append(names, name)
		if what == "w" && spec != nil {
			// A stream begins with its first window: one of which nothing is left too.
			_, end := spec.Window(start)
			if _, err := o.open(s, spec, o.routing.versions[n].Digest, start, end); err != nil {
				return err
			}
		}
	}
	if len(names) > 0 {
		r.cfg.Log.Warn("windows (w) and epochs (e) cannot be read back, by their start and stream; they become gaps "+
			"and admit nobody",
			"lost", len(names), "first", strings.Join(names[:min(len(names), 10)], " "))
	}
	o.markLost()
	return nil
}

func epochOver(spec *plan.Stream, start, next time.Time) bool {
	_, end := spec.Epoch(start)
	return !end.After(next)
}

// shredDead removes keys past their life: of windows released before a crash,
// and of epochs that ended.
func (r *recovery) shredDead() error {
	live := make(map[string]bool)
	for _, s := range r.windows.streams {
		for at, w := range s.windows {
			if w.Start.Before(s.next) && !r.closes.has(s.id, w.Start) {
				s.drop(at)
				continue
			}
			live[w.name] = true
		}
		for at, e := range s.epochs {
			if !e.end.After(s.next) && !r.closes.hasEpoch(s.id, e) {
				e.Forget()
				delete(s.epochs, at)
				continue
			}
			live[e.name] = true
		}
	}
	for _, name := range r.journal.keys.Names() {
		if !live[name] {
			if err := r.journal.keys.Shred(name); err != nil {
				return err
			}
		}
	}
	return nil
}
