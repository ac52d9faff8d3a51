package reconcile

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"sluice/gateway/config"
	"sluice/gateway/host"
	"sluice/gateway/ledger"
)

// Aside is what the store has refused of one window.
type Aside = ledger.Aside

// maxListed windows are named at a time.
const maxListed = 1000

// ListAside says what the store has refused for good, by window, at most a thousand of
// them. It may be used beside a running gateway.
func ListAside(ctx context.Context, cfg config.Config) (list []Aside, err error) {
	err = withLedger(ctx, cfg, func(l *ledger.Ledger) error {
		list, err = l.Asides.List(ctx, maxListed)
		return err
	})
	return list, err
}

// SendAside has all of it sent to the store again, and returns how many numbers that are.
// A gateway that runs does so within seconds, and another when it starts.
func SendAside(ctx context.Context, cfg config.Config) (n int, err error) {
	err = withLedger(ctx, cfg, func(l *ledger.Ledger) error {
		n, err = l.Asides.Send(ctx)
		return err
	})
	return n, err
}

// withLedger opens the ledger of a state directory that is there.
func withLedger(ctx context.Context, cfg config.Config, do func(*ledger.Ledger) error) error {
	path := filepath.Join(cfg.Dir, "ledger.db")
	if ledger.IsNew(path) {
		return fmt.Errorf("there is no ledger at %s; see dir: in the file", path)
	}
	if err := host.Guard(&cfg); err != nil {
		return err
	}
	l, err := ledger.Open(ctx, path, cfg.Gateway, int64(cfg.Outbox.MaxBytes))
	if err != nil {
		return err
	}
	return errors.Join(do(l), l.Close())
}

// AsideProblem says what is set aside; empty for nothing.
func (r *Reconciler) AsideProblem(ctx context.Context) string {
	windows, rows, reason, err := r.ledger.Asides.Count(ctx)
	if err != nil || rows == 0 {
		return "" // a ledger that cannot be read is said elsewhere
	}
	return fmt.Sprintf("the store has refused %s of %s for good, set aside now (%s); "+
		"sluice ledger aside lists it, and with --send sends it again when the store is mended", // brief.Text keeps it
		counted(int(rows), "released number"), counted(int(windows), "window"), reason)
}
