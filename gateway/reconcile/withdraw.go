package reconcile

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"sluice/books"
	"sluice/gateway/config"
	"sluice/gateway/host"
	"sluice/gateway/ledger"
	"sluice/store"
)

// Withdraw hides what was released of a window, or of one cell or measure of it,
// and says how many numbers that are. It may be used beside a running gateway,
// which passes it on. Share has a ledger whose books are several machines' write into those.
func Withdraw(
	ctx context.Context, cfg config.Config, w books.Withdrawal, share func(context.Context, *ledger.Ledger) error,
) (n int, err error) {
	if strings.ContainsFunc(w.Reason, func(r rune) bool { return r < ' ' }) {
		return 0, errors.New("the reason is one line of text")
	}
	if err := host.Guard(&cfg); err != nil {
		return 0, err
	}
	s, err := cfg.Store.OpenBeside(ctx) // the gateway is its one writer
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	l, err := ledger.Open(ctx, filepath.Join(cfg.Dir, "ledger.db"), cfg.Gateway, int64(cfg.Outbox.MaxBytes))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	if err := share(ctx, l); err != nil {
		return 0, err
	}
	names, err := l.Names(ctx)
	if err != nil {
		return 0, err
	}
	rows, err := withdrawn(ctx, s, names, w)
	if err != nil {
		return 0, err
	}
	err = l.Withdraw(ctx, w, rows)
	switch {
	case err != nil && !errors.Is(err, ledger.ErrUnreleased):
		return 0, err
	case err != nil:
		return 0, fmt.Errorf("%w: no such stream, window, cell or measure is in the store; see "+
			"/api/v1/streams and /api/v1/streams/STREAM/observations", err)
	}
	return len(rows), nil
}

// withdrawn are the rows that a withdrawal is about: a gateway hides what it has released
// itself, and nothing of another that writes to the same store.
func withdrawn(ctx context.Context, s Reader, names []string, w books.Withdrawal) ([]store.Observation, error) {
	q := store.Query{Gateways: names, Stream: w.Stream, From: w.Start, To: w.Start.Add(time.Nanosecond), Limit: 100_000,
		Which: store.Both}
	if w.Cell != "" {
		q.Cells = []string{w.Cell}
	}
	if w.Measure != "" {
		q.Measures = []string{w.Measure}
	}
	return s.Observations(ctx, q)
}

// Hide enters a withdrawal that a copy of the books has.
func (r *Reconciler) Hide(ctx context.Context, w books.Withdrawal) error {
	names, err := r.ledger.Names(ctx)
	if err != nil {
		return err
	}
	rows, err := withdrawn(ctx, r.store, names, w)
	if err != nil {
		return err
	}
	return r.ledger.Withdraw(ctx, w, rows)
}
