// Package reconcile holds the store against the journal. The store is the only copy of the
// values once they are delivered: what the journal says was delivered must be there, and
// nothing else. Here are the verbs about that, too: what was set aside, what is withdrawn.
package reconcile

import (
	"context"
	"log/slog"
	"sync"

	"sluice/gateway/ledger"
	"sluice/store"
)

// Reader is what of the store is read.
type Reader interface {
	Observations(ctx context.Context, q store.Query) ([]store.Observation, error)
}

// Reconciler compares the store with the journal, and keeps what it has found.
type Reconciler struct {
	ledger *ledger.Ledger
	store  Reader
	file   string                            // of the store; empty where it is no file of ours
	cells  func() map[string]map[string]bool // of this gateway's streams, by stream
	log    *slog.Logger

	mu      sync.Mutex
	problem string // what is wrong with what the store has; empty when nothing is; guarded by mu
	lacks   int    // windows that the store lacks; guarded by mu
	extra   extra  // what the store has and the journal has not; guarded by mu
}

// New makes a Reconciler. File is the path of the store where it is a file; cells are
// asked for the cells of this gateway's streams, by stream.
func New(l *ledger.Ledger, s Reader, file string, cells func() map[string]map[string]bool,
	log *slog.Logger) *Reconciler {
	return &Reconciler{ledger: l, store: s, file: file, cells: cells, log: log}
}

// Problem is what is wrong with what the store has; empty when nothing is.
func (r *Reconciler) Problem() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.problem
}

// Notes is what is to be said of the store although it works.
func (r *Reconciler) Notes() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.extra.windows == 0 {
		return nil
	}
	return []string{r.extra.String()}
}

// Differs is in how many windows the store lacks something, or has more, as last
// compared.
func (r *Reconciler) Differs() (missing, extra int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lacks, r.extra.windows
}
