package keys

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"sluice/gateway/cluster/engine"
)

// fetch gets what is lacking of an epoch: its commitment, and the keys from what this front has made, from the shelf,
// or from others.
func (r *Ring) fetch(ctx context.Context, at span) error {
	is, signed, last, err := r.first(ctx, at)
	if err == nil && is == nil && r.c.Keep {
		if err = r.make(ctx, at, last); err == nil {
			is, signed, _, err = r.first(ctx, at)
		}
	}
	switch {
	case err != nil:
		return err
	case is == nil:
		return nil // no front has made one yet
	case is.Partitions != r.c.Partitions:
		return fmt.Errorf("it has %d partitions and not %d; give all members the same", is.Partitions, r.c.Partitions)
	}
	if err := r.found(at, is); err != nil {
		return err
	}
	want := r.have.missing(at)
	if len(want) == 0 {
		return nil
	}
	all, b, err := r.ask(ctx, at, is, want)
	defer b.wipe(nil)
	if err != nil {
		return err
	}
	if len(b) > 0 {
		if err := r.shelf.put(at, signed, all, b); err != nil {
			return err
		}
	}
	r.have.take(at, is, all, b)
	return r.have.patience(at)
}

// errTwo says that the log has lost what it had: who has the keys of the other commitment keeps them, and gives and
// takes no more.
var errTwo = errors.New("the log of epochs has another commitment than it had: it has lost entries")

// found takes what this member has by itself of an epoch whose commitment is known now, and shreds what is of another.
func (r *Ring) found(at span, is *commitment) error {
	r.have.mu.Lock()
	e := r.have.epochs[at]
	d, was := e.draft, e.is
	e.draft = nil
	r.have.mu.Unlock()
	if d != nil {
		defer d.keys.wipe(nil)
	}
	switch {
	case was != nil && was.SHA256 != is.SHA256:
		return errTwo
	case was != nil:
		return nil
	case d != nil && d.is.SHA256 == is.SHA256:
		r.have.take(at, is, d.all, d.keys)
		return nil
	}
	all, b := r.shelf.get(at, is)
	defer b.wipe(nil)
	r.have.take(at, is, all, b)
	if all == nil {
		return r.shelf.shred(at)
	}
	return nil
}

// How long answers to one question are waited for. It is short, for who has just taken a partition over asks before
// others have heard that it is theirs, and who has much to answer, or hears much that is none, is waited for longer the
// next time.
const (
	firstWait   = time.Second
	longestWait = 15 * time.Second
)

// ask asks others for keys of an epoch, until it has all that it wants or no more answers come. That nobody has any is
// no error.
func (r *Ring) ask(ctx context.Context, at span, is *commitment, want []string) (all digests, got bunch, err error) {
	signed, private, err := ask(r.c.Me, at, want)
	if err != nil {
		return nil, nil, err
	}
	got = bunch{}
	one, cancel := context.WithTimeout(ctx, r.wait)
	defer cancel()
	err = r.c.Channel.AskAll(one, subject, signed, func(sealed []byte) (enough bool) {
		list, b, err := open(private, signed, sealed, at.uses(is.Partitions), is.SHA256)
		if err != nil {
			return false // of somebody who has none, or of an enemy, of whom there may be any number
		}
		all = list
		for use, k := range b {
			if got[use] == nil {
				got[use] = k
				delete(b, use)
			}
		}
		b.wipe(nil)
		return !slices.ContainsFunc(want, func(use string) bool { return got[use] == nil })
	})
	if errors.Is(err, engine.ErrAway) {
		err = nil
	}
	if r.wait = min(2*r.wait, longestWait); len(got) > 0 {
		r.wait = firstWait
	}
	return all, got, err
}
