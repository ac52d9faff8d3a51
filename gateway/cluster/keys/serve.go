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
	all, give, partitions := r.has(at, q.Want)
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

// has are copies of the keys that are asked for and here.
func (r *Ring) has(at span, want []string) (all digests, b bunch, partitions int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.epochs[at]
	if e == nil || e.gone || e.is == nil || e.all == nil {
		return nil, nil, 0
	}
	b = bunch{}
	for _, use := range want {
		if k := e.keys[use]; k != nil && b[use] == nil && !r.over(at, e, use) {
			b[use] = new(key)
			*b[use] = *k
		}
	}
	return e.all, b, e.is.Partitions
}

// sweep shreds the epochs of which nothing can come any more.
func (r *Ring) sweep() error {
	r.mu.Lock()
	var ended []span
	for at, e := range r.epochs {
		switch {
		case !e.gone && r.over(at, e, ""):
			ended = append(ended, at)
		case e.gone && r.over(at, nil, ""): // that it is over its name says
			delete(r.epochs, at)
		}
	}
	r.mu.Unlock()
	var errs []error
	for _, at := range ended {
		errs = append(errs, r.shred(at))
	}
	return errors.Join(errs...)
}

// shred overwrites all that this member has of an epoch's keys, and signs a receipt if it had any.
func (r *Ring) shred(at span) error {
	r.mu.Lock()
	e := r.epochs[at]
	e.had = e.keys.wipe(nil) > 0 || e.had
	is, had := e.is, e.had
	if e.draft != nil {
		e.draft.keys.wipe(nil)
		e.draft = nil
	}
	r.mu.Unlock()
	if is == nil { // a process that has been away for long has looked at nothing but the names of files
		is, had = r.shelf.commitment(r.c.Roster(), at)
	}
	if err := r.shelf.shred(at); err != nil {
		return err // and again the next time
	}
	r.mu.Lock()
	e.gone = true
	r.mu.Unlock()
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
