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

// ready waits until the books have been read once. Later they are read beside, so that
// what was removed is not shown for long.
func (s *Shown) ready(ctx context.Context) error {
	s.mu.RLock()
	began, old := s.began, s.reading == nil && time.Since(s.read) > mirrorFresh
	s.mu.RUnlock()
	if began {
		if old {
			s.begin()
		}
		return nil
	}
	err := s.refresh(ctx)
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.began {
		return nil
	}
	return fmt.Errorf("%w: %w", errBooks, err)
}

// begin has the books read, for nobody who waits.
func (s *Shown) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reading == nil {
		s.reading, s.begun = make(chan struct{}), time.Now()
		go s.readOn(s.reading)
	}
}

// refresh reads what the books have more, beside others that wait for the same.
func (s *Shown) refresh(ctx context.Context) error {
	s.mu.Lock()
	if s.reading == nil {
		if time.Since(s.read) < s.fresh {
			defer s.mu.Unlock()
			return s.problem
		}
		s.reading, s.begun = make(chan struct{}), time.Now()
		go s.readOn(s.reading)
	}
	done := s.reading
	s.mu.Unlock()
	select {
	case <-done:
	case <-ctx.Done():
		return ctx.Err()
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.problem
}

// readOn reads the new lines. Those of a book that is read from its beginning come into
// force at its end. Nothing is read while mu is held: a mirror may be slow.
func (s *Shown) readOn(done chan struct{}) {
	var anew *index
	err := s.follower.Next(func() { anew = newIndex() }, func(text string) error {
		l, ok := parse(text)
		if !ok || !named(l.gateway) {
			return nil // what it says was released is not shown
		}
		into := s.index // nobody else changes it
		if anew != nil {
			into = anew
		}
		var p *closed
		if into.plans[l.plan] == nil {
			p = readPlan(s.reader.Source, strings.Clone(l.plan))
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if p != nil {
			into.enter(p)
		}
		into.add(l)
		if s.newest = append(s.newest, text); len(s.newest) > 2*mostNewest {
			s.newest = append(s.newest[:0], s.newest[mostNewest:]...)
		}
		return nil
	})
	removed, err2 := s.removedSince()
	plans := s.unknown(anew)
	s.mu.Lock()
	defer s.mu.Unlock()
	if anew != nil && (err == nil || !s.began) {
		anew.removed, s.index = s.index.removed, anew
		for _, p := range anew.plans {
			p.removed = anew.removed[p.of]
		}
	}
	if anew != nil && err != nil && s.began {
		// from its beginning again: a part of it is not the book
		s.follower = books.NewFollower(s.reader.Source, bookName)
	}
	for _, p := range plans {
		s.index.enter(p)
	}
	for i := range removed {
		s.index.remove(&removed[i])
	}
	if err = errors.Join(err, err2); err != nil && s.problem == nil {
		s.log.Warn("the public books cannot be read; what was released since is not shown", "error", err)
	}
	for w := range s.strays {
		if s.index.known(w) && !s.wrong[w] {
			delete(s.strays, w)
		}
	}
	s.problem, s.read, s.began = err, time.Now(), s.began || err == nil
	close(done)
	s.reading = nil
}

// removedSince are the removals that were said since they were read last.
func (s *Shown) removedSince() (list []books.Removal, err error) {
	err = s.removals.Next(func() {}, func(line string) error {
		var r books.Removal
		if json.Unmarshal([]byte(line), &r) == nil && inRange(r.Until) {
			list = append(list, r)
		}
		return nil
	})
	return list, err
}

// unknown are plans that could not be read before, and can now.
func (s *Shown) unknown(anew *index) (list []*closed) {
	x := s.index // nobody else changes it
	if anew != nil {
		x = anew
	}
	for digest, old := range x.plans {
		if old.known {
			continue
		}
		if p := readPlan(s.reader.Source, digest); p.known {
			list = append(list, p)
		}
	}
	return list
}
