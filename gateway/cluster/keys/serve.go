package keys

import (
	"errors"
	"fmt"
	"time"
)

// answer answers a question with what its asker's roles allow and this member has; nil if that is nothing.
func (r *Ring) answer(signed []byte) []byte {
	m, at, q, err := readQuestion(r.c.Roster(), signed)
	if err != nil || m.Name == r.c.Me.Name {
		return nil
	}
	all, give, partitions := r.have.has(at, q.Want)
	defer give.wipe(nil)
	give.wipe(func(use string) bool { return !may(m, use, partitions, r.c.Owns) })
	if len(give) == 0 {
		return nil
	}
	sealed, err := answer(signed, q, all, give, at.uses(partitions))
	if err != nil {
		return nil
	}
	return sealed
}

// sweep shreds the epochs of which nothing can come any more.
func (r *Ring) sweep() error {
	r.have.mu.Lock()
	var ended []span
	for at, e := range r.have.epochs {
		switch {
		case !e.gone && r.have.over(at, e, ""):
			ended = append(ended, at)
		case e.gone && r.have.over(at, nil, ""): // that it is over its name says
			delete(r.have.epochs, at)
		}
	}
	r.have.mu.Unlock()
	var errs []error
	for _, at := range ended {
		errs = append(errs, r.shred(at))
	}
	return errors.Join(errs...)
}

// shred overwrites all that this member has of an epoch's keys, and signs a receipt if it had any.
func (r *Ring) shred(at span) error {
	r.have.mu.Lock()
	e := r.have.epochs[at]
	e.had = e.keys.wipe(nil) > 0 || e.had
	is, had := e.is, e.had
	if e.draft != nil {
		e.draft.keys.wipe(nil)
		e.draft = nil
	}
	r.have.mu.Unlock()
	if is == nil { // a process that has been away for long has looked at nothing but the names of files
		is, had = r.shelf.commitment(r.c.Roster(), at)
	}
	if err := r.shelf.shred(at); err != nil {
		return err // and again the next time
	}
	r.have.mu.Lock()
	e.gone = true
	r.have.mu.Unlock()
	if !had || is == nil {
		return nil
	}
	receipt := Receipt{at.String(), r.c.Me.Name, r.c.Now().UTC().Truncate(time.Second), is.SHA256}
	signed, err := receipt.sign(r.c.Me)
	if err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	if r.c.Shredded != nil {
		r.c.Shredded(signed)
	}
	return nil
}
