package released

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"sluice/books"
)

// ready waits until the books have been read once. Later they are read in the background,
// so that what was removed is not shown for long.
func (f *Filter) ready(ctx context.Context) error {
	f.mu.RLock()
	began, old := f.began, f.reading == nil && time.Since(f.read) > mirrorFresh
	f.mu.RUnlock()
	if began {
		if old {
			f.begin()
		}
		return nil
	}
	err := f.refresh(ctx)
	f.mu.RLock()
	defer f.mu.RUnlock()
	if f.began {
		return nil
	}
	return fmt.Errorf("%w: %w", errBooks, err)
}

// begin starts reading the books in the background.
func (f *Filter) begin() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.reading == nil {
		f.reading, f.begun = make(chan struct{}), time.Now()
		go f.readOn(f.reading)
	}
}

// refresh reads new lines, together with others that wait for the same.
func (f *Filter) refresh(ctx context.Context) error {
	f.mu.Lock()
	if f.reading == nil {
		if time.Since(f.read) < f.fresh {
			defer f.mu.Unlock()
			return f.problem
		}
		f.reading, f.begun = make(chan struct{}), time.Now()
		go f.readOn(f.reading)
	}
	done := f.reading
	f.mu.Unlock()
	select {
	case <-done:
	case <-ctx.Done():
		return ctx.Err()
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.problem
}

// readOn reads the new lines. A book that is read from its beginning replaces the index
// only at its end. Nothing is read while mu is held: a mirror may be slow.
func (f *Filter) readOn(done chan struct{}) {
	var anew *index
	err := f.follower.Next(func() { anew = newIndex() }, func(text string) error {
		l, ok := parse(text)
		if !ok || !named(l.gateway) {
			return nil // what it says was released is not shown
		}
		into := f.index // nobody else changes it
		if anew != nil {
			into = anew
		}
		var p *closed
		if into.plans[l.plan] == nil {
			p = readPlan(f.reader.Source, strings.Clone(l.plan))
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		if p != nil {
			into.enter(p)
		}
		into.add(l)
		if f.newest = append(f.newest, text); len(f.newest) > 2*maxNewest {
			f.newest = append(f.newest[:0], f.newest[maxNewest:]...)
		}
		return nil
	})
	removed, err2 := f.removedSince()
	plans := f.unknown(anew)
	f.mu.Lock()
	defer f.mu.Unlock()
	if anew != nil && (err == nil || !f.began) {
		anew.removed, f.index = f.index.removed, anew
		for _, p := range anew.plans {
			p.removed = anew.removed[p.of]
		}
	}
	if anew != nil && err != nil && f.began {
		// from its beginning again: a part of it is not the book
		f.follower = books.NewFollower(f.reader.Source, bookName)
	}
	for _, p := range plans {
		f.index.enter(p)
	}
	for i := range removed {
		f.index.remove(&removed[i])
	}
	if err = errors.Join(err, err2); err != nil && f.problem == nil {
		f.log.Warn("the public books cannot be read; what was released since is not shown", "error", err)
	}
	for w := range f.strays {
		if f.index.known(w) && !f.wrong[w] {
			delete(f.strays, w)
		}
	}
	f.problem, f.read, f.began = err, time.Now(), f.began || err == nil
	close(done)
	f.reading = nil
}

// removedSince returns the removals that are new.
func (f *Filter) removedSince() (list []books.Removal, err error) {
	err = f.removals.Next(func() {}, func(line string) error {
		var r books.Removal
		if json.Unmarshal([]byte(line), &r) == nil && inRange(r.Until) {
			list = append(list, r)
		}
		return nil
	})
	return list, err
}

// unknown returns the plans that could not be read before, and can now.
func (f *Filter) unknown(anew *index) (list []*closed) {
	x := f.index // nobody else changes it
	if anew != nil {
		x = anew
	}
	for digest, old := range x.plans {
		if old.known {
			continue
		}
		if p := readPlan(f.reader.Source, digest); p.known {
			list = append(list, p)
		}
	}
	return list
}
