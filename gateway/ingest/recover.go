package ingest

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"sluice/gateway/ingest/internal/checkpoint"
	"sluice/gateway/ingest/internal/window"
	"sluice/policy/plan"
)

// recover reads the log back through the same Apply and Use that readings take.
func (i *Ingest) recover() error {
	var err error
	if i.keys, err = checkpoint.OpenKeys(i.cfg.Keys); err != nil {
		return err
	}
	if i.cfg.Anew {
		if err := i.keys.Clear(); err != nil {
			return err
		}
	}
	lost := make(map[string]bool)
	i.log, err = checkpoint.Open(i.cfg.Dir, i.keys, len(i.cfg.Resume) > 0, func(r checkpoint.Record) error {
		if r.Lost {
			lost[r.Name] = true
			return nil
		}
		switch r.Kind {
		case checkpoint.State, checkpoint.Account, checkpoint.Facts, checkpoint.Heard:
			return i.readState(r)
		}
		ok, err := i.replay(r)
		if !ok {
			lost[r.Name] = true
		}
		return err
	})
	if err != nil && !errors.Is(err, checkpoint.ErrUnreadable) {
		return fmt.Errorf("recovering open windows: %w", err)
	}
	for _, f := range i.log.Findings() {
		i.cfg.Log.Warn("a file of the checkpoint is not as it was left; what it held of open windows becomes gaps", "file", f.File, "what", f.What)
	}
	switch {
	case err != nil:
		i.unread("the checkpoint cannot be read")
	case i.behind():
		i.unread("the checkpoint is older than the ledger")
	case i.state.FactsAt != i.state.At || i.state.HeardCount != len(i.state.Heard):
		i.unread("a part of the checkpoint's state cannot be read")
	}
	for id, next := range i.state.Next {
		if s := i.streams[id]; s != nil && next.After(s.next) {
			s.next = next
		}
	}
	i.feelPulses()
	i.state.merge()
	i.state.Shown.merge()
	i.until = i.state.Now.Truncate(idleState)
	if i.cfg.Clock != "" {
		i.since = i.state.Now // simulated time stood still while the gateway was down
	}
	i.link.last, i.link.marked, i.link.full = i.state.Now, i.state.Now, i.state.Now
	if i.state.Unread {
		for _, name := range i.keys.Names() {
			lost[name] = true // whatever was open has a key, if keys are left
		}
	}
	if err := i.mourn(slices.Sorted(maps.Keys(lost))); err != nil {
		return err
	}
	i.balance()
	return nil
}

// readState takes records of the state: each replaces the one before, but numbers of
// sensors, which are added.
func (i *Ingest) readState(r checkpoint.Record) error {
	switch r.Kind {
	case checkpoint.State: // of a version that wrote all of it in each commit
		old := struct {
			facts
			Heard []uint64 `json:"heard"`
		}{}
		i.state = newState()
		if err := errors.Join(json.Unmarshal(r.Body, &i.state), json.Unmarshal(r.Body, &old)); err != nil {
			return err
		}
		i.state.facts = old.facts
		i.noteHeard(old.Heard...)
	case checkpoint.Account:
		i.state.account, i.state.Now = newState().account, time.Time{}
		if err := json.Unmarshal(r.Body, &i.state); err != nil {
			return err
		}
	case checkpoint.Facts:
		i.state.facts = facts{}
		if err := json.Unmarshal(r.Body, &i.state.facts); err != nil {
			return err
		}
	case checkpoint.Heard:
		i.noteHeard(checkpoint.Numbers(r.Body)...)
	}
	if i.state.Next == nil {
		i.state.Next = make(map[string]time.Time)
	}
	return nil
}

// noteHeard keeps which sensors have ever sent a heartbeat.
func (i *Ingest) noteHeard(numbers ...uint64) {
	for _, n := range numbers {
		if !i.heard[n] {
			i.heard[n] = true
			i.state.Heard = append(i.state.Heard, n)
		}
	}
}

// behind reports whether the log is of an earlier time than the ledger: a close is
// in the log before its window is released.
func (i *Ingest) behind() bool {
	for id, released := range i.cfg.Resume {
		if released.After(i.state.Next[id]) {
			return true
		}
	}
	return false
}

// unread says that what the log holds must not be believed. That itself is durable
// with the first commit, and until then the next start finds the same.
func (i *Ingest) unread(why string) {
	i.cfg.Log.Warn(why + ": open windows are lost and become gaps, and the epochs that have begun admit nobody")
	i.state.Unread, i.dirty = true, true
	for _, s := range i.streams {
		for at := range s.windows { // mourn opens them again, by their keys' names, empty
			s.drop(at)
		}
		s.last = nil
	}
}

// replay applies what was durable to its window or epoch; ok is false when it does
// not fit into it, so that it is lost.
func (i *Ingest) replay(r checkpoint.Record) (ok bool, err error) {
	what, id, start, ok := parseName(r.Name)
	s := i.streams[id]
	if !ok || s == nil {
		return true, nil // of a stream that no version knows any more
	}
	n, spec := i.specAt(id, start)
	if spec == nil {
		return true, nil
	}
	if what == "e" {
		if spec.Unit.None() {
			return true, nil
		}
		e, err := i.epochAt(s, spec, start)
		if err != nil {
			return true, err
		}
		if r.Kind == checkpoint.Parts {
			for tags := r.Body; len(tags) >= 24; tags = tags[24:] {
				if owner := binary.LittleEndian.Uint64(tags[16:]); owner == noOwner {
					e.TurnAway([16]byte(tags))
				} else {
					e.UsePart([16]byte(tags), owner)
				}
			}
			return len(r.Body)%24 == 0, nil
		}
		for tags := r.Body; len(tags) >= 16; tags = tags[16:] {
			e.Use([16]byte(tags))
		}
		return len(r.Body)%16 == 0, nil
	}
	_, end := spec.Window(start)
	w, err := i.open(s, spec, i.versions[n].Digest, start, end)
	if err != nil {
		return true, err
	}
	ok = true
	err = checkpoint.Entries(r.Body, func(e *window.Entry) {
		if int(e.Cell) >= len(spec.Cells) {
			ok = false
			return
		}
		w.Apply(e)
	})
	return ok && err == nil, nil
}

// parseName is keyName, backwards.
func parseName(name string) (what, stream string, start time.Time, ok bool) {
	what, rest, _ := strings.Cut(name, "-")
	unix, stream, _ := strings.Cut(rest, "-")
	seconds, err := strconv.ParseInt(unix, 10, 64)
	return what, stream, time.Unix(seconds, 0).UTC(), err == nil && (what == "w" || what == "e")
}

// Oldest is when the oldest window or epoch began of which a key directory has the key:
// nothing before it is open. It is the zero time for none, and for no directory.
func Oldest(keys string) (oldest time.Time, err error) {
	if keys == "" {
		return oldest, nil
	}
	entries, err := os.ReadDir(keys)
	if errors.Is(err, fs.ErrNotExist) {
		return oldest, nil
	}
	for _, e := range entries {
		_, _, start, ok := parseName(strings.TrimSuffix(e.Name(), ".key"))
		if ok && (oldest.IsZero() || start.Before(oldest)) {
			oldest = start
		}
	}
	return oldest, err
}

// specAt finds the version and stream under which a window starting at t runs.
func (i *Ingest) specAt(id string, t time.Time) (int, *plan.Stream) {
	for n := len(i.versions) - 1; n >= 0; n-- {
		if !i.inForce(n, t) {
			continue
		}
		for _, spec := range i.versions[n].Streams {
			if spec.ID == id && spec.InForce(t) {
				return n, spec
			}
		}
	}
	return 0, nil
}

// mourn records the windows and epochs that cannot be read back although they
// should: they become gaps, and an epoch without its bounds admits nobody.
func (i *Ingest) mourn(lost []string) error {
	var said []string
	for _, name := range lost {
		what, id, start, ok := parseName(name)
		s := i.streams[id]
		if !ok || s == nil {
			continue
		}
		if what == "w" && start.Before(s.next) && !i.isClosing(id, start) {
			continue // released and shredded, as it should be
		}
		n, spec := i.specAt(id, start)
		if what == "e" && (spec == nil || epochOver(spec, start, s.next)) {
			continue
		}
		i.lose(name)
		said = append(said, name)
		if what == "w" && spec != nil {
			// A stream begins with its first window: one of which nothing is left too.
			_, end := spec.Window(start)
			if _, err := i.open(s, spec, i.versions[n].Digest, start, end); err != nil {
				return err
			}
		}
	}
	if len(said) > 0 {
		i.cfg.Log.Warn("windows (w) and epochs (e) cannot be read back, by their start and stream; they become gaps and admit nobody",
			"lost", len(said), "first", strings.Join(said[:min(len(said), 10)], " "))
	}
	i.markLost()
	return i.shredDead()
}

// markLost looks which open windows and epochs are lost.
func (i *Ingest) markLost() {
	for _, s := range i.streams {
		for _, e := range s.epochs {
			e.lost = i.lostEpoch(s.id, e.start)
		}
		for _, w := range s.windows {
			w.Lost = i.lostWindow(s.id, w.Start) || w.epoch != nil && w.epoch.lost
		}
		s.last = nil
	}
}

// lostWindow reports whether a window cannot be known: it was open when the log, or
// its part of it, was lost.
func (i *Ingest) lostWindow(id string, start time.Time) bool { return i.isLost("w", id, start) }

// lostEpoch reports whether an epoch's bounds cannot be known.
func (i *Ingest) lostEpoch(id string, start time.Time) bool { return i.isLost("e", id, start) }

func (i *Ingest) isLost(what, id string, start time.Time) bool {
	return i.state.Unread || !start.After(i.state.LostUntil) || slices.Contains(i.state.Lost, keyName(what, id, start))
}

func epochOver(spec *plan.Stream, start, next time.Time) bool {
	_, end := spec.Epoch(start)
	return !end.After(next)
}

func (i *Ingest) lose(name string) {
	if !slices.Contains(i.state.Lost, name) {
		i.state.Lost = append(i.state.Lost, name)
	}
	i.dirty = true
}

func (i *Ingest) isClosing(id string, start time.Time) bool {
	return slices.ContainsFunc(i.state.Closes, func(c closing) bool { return c.Stream == id && c.Start.Equal(start) })
}

// shredDead removes keys past their life: of windows released before a crash,
// and of epochs that ended.
func (i *Ingest) shredDead() error {
	live := make(map[string]bool)
	for _, s := range i.streams {
		for at, w := range s.windows {
			if w.Start.Before(s.next) && !i.isClosing(s.id, w.Start) {
				s.drop(at)
				continue
			}
			live[w.name] = true
		}
		for at, e := range s.epochs {
			if !e.end.After(s.next) && !i.epochClosing(s.id, e) {
				delete(s.epochs, at)
				continue
			}
			live[e.name] = true
		}
	}
	for _, name := range i.keys.Names() {
		if !live[name] {
			if err := i.keys.Shred(name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (i *Ingest) epochClosing(id string, e *openEpoch) bool {
	return slices.ContainsFunc(i.state.Closes, func(c closing) bool {
		return c.Stream == id && !c.Start.Before(e.start) && c.Start.Before(e.end)
	})
}
