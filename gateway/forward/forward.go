// Package forward carries what was released from the outbox to the store, in
// order and at least once; the store makes it exactly once, since writing an
// observation again writes the same bytes.
package forward

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"sluice/gateway/ledger"
	"sluice/internal/retry"
	"sluice/store"
)

// Outbox is what waits to be stored.
type Outbox interface {
	Next(ctx context.Context, n int) ([]ledger.Parcel, error)
	Delivered(ctx context.Context, seq int64) error
	// SetAside is Delivered for parcels of which the store has refused some rows, each list
	// of one window, which are kept elsewhere.
	SetAside(ctx context.Context, seq int64, refused [][]store.Observation, reason string) error
	Changed() <-chan struct{}
}

// Writer is a store that keeps observations; writing one again changes nothing.
type Writer interface {
	Write(ctx context.Context, list []store.Observation) error
}

const (
	parcels  = 64
	minPause = 100 * time.Millisecond
	maxPause = 30 * time.Second
	look     = 2 * time.Second
	// stopTimeout bounds what is still delivered when the gateway stops.
	stopTimeout = 1500 * time.Millisecond
)

// Forwarder drains one outbox into one store.
type Forwarder struct {
	outbox Outbox
	writer Writer
	log    *slog.Logger

	good *store.Observation // what the store took last; of Run

	mu  sync.Mutex
	err error // of the last attempt
	// since is when the delivery under way began; the zero time for none.
	since time.Time
}

// New makes a forwarder.
func New(outbox Outbox, writer Writer, log *slog.Logger) *Forwarder {
	return &Forwarder{outbox: outbox, writer: writer, log: log}
}

// Err is why the last attempt failed, or nil.
func (f *Forwarder) Err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// Busy is how long the delivery under way has taken; 0 for none.
func (f *Forwarder) Busy() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.since.IsZero() {
		return 0
	}
	return time.Since(f.since)
}

// busy notes that a delivery begins or ends.
func (f *Forwarder) busy(since time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.since = since
}

// Run drains until ctx ends, and once more then, so that an orderly stop leaves
// nothing behind that could be stored.
func (f *Forwarder) Run(ctx context.Context) error {
	pauses := retry.Backoff{First: minPause, Longest: maxPause}
	var failure retry.Once
	for {
		wait := time.Duration(0)
		switch err := f.drain(ctx); {
		case err == nil:
			if failure.News("") {
				f.log.Info("the store takes releases again")
			}
			pauses.Reset()
		case ctx.Err() == nil:
			if failure.News(err.Error()) {
				f.log.Warn("the store does not take releases; they wait in the outbox and are tried again", "error",
					err)
			}
			wait = pauses.Take()
		}
		if !f.sleep(ctx, wait) {
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
			defer cancel()
			_ = f.drain(last) // what is left waits in the outbox for the next start
			return nil
		}
	}
}

// sleep waits for the pause, or without one for the next commit; false when ctx ends.
func (f *Forwarder) sleep(ctx context.Context, pause time.Duration) bool {
	if pause == 0 {
		select {
		case <-ctx.Done():
			return false
		case <-f.outbox.Changed():
			return true
		case <-time.After(look): // a withdrawal comes from another process
			return true
		}
	}
	return retry.Sleep(ctx, pause)
}

func (f *Forwarder) drain(ctx context.Context) error {
	for {
		list, err := f.outbox.Next(ctx, parcels)
		if err == nil && len(list) > 0 {
			err = f.deliver(ctx, list)
		}
		f.mu.Lock()
		f.err = err
		f.mu.Unlock()
		if err != nil || len(list) == 0 {
			return err
		}
	}
}

func (f *Forwarder) deliver(ctx context.Context, list []ledger.Parcel) error {
	var rows []store.Observation
	for _, p := range list {
		rows = append(rows, p.Rows...)
	}
	f.busy(time.Now())
	defer f.busy(time.Time{})
	last := list[len(list)-1].Seq
	err := f.writer.Write(ctx, rows)
	if errors.Is(err, store.ErrRefused) {
		return f.narrow(ctx, rows, last, err)
	}
	if err != nil {
		return err
	}
	if len(rows) > 0 {
		f.good = &rows[len(rows)-1]
	}
	return f.outbox.Delivered(ctx, last)
}
