package gateway

import (
	"context"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"sluice/books"
	"sluice/gateway/activation"
	"sluice/gateway/config"
	"sluice/gateway/forward"
	"sluice/gateway/months"
	"sluice/gateway/publicbooks"
	"sluice/gateway/reconcile"
	"sluice/gateway/release"
	"sluice/gateway/retention"
	"sluice/gateway/rollback"
	"sluice/internal/crash"
)

// speaker is the side that speaks: it lets out what the council allows, and carries it to the store and
// into the public books.
type speaker struct {
	releaser *releaser
	guard    *rollback.Guard
	books    *publicbooks.Writer
	forward  *forward.Forwarder
	store    config.ReleaseStore
	compare  *reconcile.Reconciler
	public   books.Dir
}

// openSpeaker opens the store and the rooms that speak, but for the books, which say what of the other
// side may be said.
func openSpeaker(ctx context.Context, g *Gateway, keys string, fresh bool) (*speaker, error) {
	store, err := g.cfg.Store.Open(ctx)
	if err != nil {
		return nil, err
	}
	s := &speaker{store: store, public: books.Dir(filepath.Join(g.cfg.Dir, "public"))}
	s.releaser = &releaser{
		log: g.log, publish: release.NewPublisher(g.ledger, g.cfg.Simulation), policies: g.policies,
		changed: g.booksChanged,
	}
	s.guard = rollback.New(rollback.State{
		Config: g.cfg, Ledger: g.ledger, Store: s.store, Public: s.public, Keys: keys, Fresh: fresh, Policy: g.policies,
	}, &s.releaser.stalled, g.booksChanged, g.log)
	s.releaser.guard = s.guard
	s.forward = forward.New(g.ledger.Outbox, s.store, g.log)
	s.compare = reconcile.New(g.ledger, s.store, g.cfg.Store.File(), g.policies.Cells, g.log)
	return s, nil
}

// part is something that works until its context ends.
type part = func(context.Context) error

// passes are what leads from one side to the other: in one process channels, in a cluster its logs.
func (g *Gateway) passes() []part {
	var alone []part
	var who *releaser
	if g.speaker != nil {
		alone, who = g.alone(g), g.releaser
	}
	if g.member != nil {
		return g.member.passes(g.sees, who, alone)
	}
	batches, done := make(chan release.Batch), make(chan release.Key)
	return append(alone,
		func(ctx context.Context) error { return g.sees.Run(ctx, batches, done) },
		func(ctx context.Context) error { return who.run(ctx, batches, done) },
	)
}

// alone are the parts that change the books by themselves: one machine runs them.
func (s *speaker) alone(g *Gateway) []part {
	now := func() time.Time { return g.sees.Report().Now }
	closing := months.New(g.ledger, s.store, s.guard.Trusted, now, g.booksChanged, g.log)
	removing := retention.New(g.ledger, s.store, retention.Gateway{
		Trusted: s.guard.Trusted, Now: now, Policy: func() string { return digest(g.policies) },
		Changed: g.booksChanged,
	}, settle(g.cfg), g.log)
	return []part{
		func(ctx context.Context) error { return closing.Run(ctx, often(g.cfg, months.Every)) },
		func(ctx context.Context) error { return removing.Run(ctx, often(g.cfg, retention.Every)) },
	}
}

// together runs parts until one of them ends with an error, or ctx ends.
func together(ctx context.Context, parts []part) error {
	all, ctx := errgroup.WithContext(ctx)
	for _, part := range parts {
		all.Go(func() error { return crash.Guard(func() error { return part(ctx) }) })
	}
	return all.Wait()
}

// digest is that of the policy in force; empty for none.
func digest(p *activation.Policies) string {
	if set := p.View().Current; set != nil {
		return set.Digest
	}
	return ""
}

// settle is how long nothing is removed after a start: a simulation's clock is not the machine's.
func settle(cfg *config.Config) time.Duration {
	if cfg.Simulation {
		return 0
	}
	return retention.Settle
}

// often is how often is looked for what comes with the months: in a simulation, of which an hour may
// be over in a second, as soon as its clock may have gone so far.
func often(cfg *config.Config, every time.Duration) time.Duration {
	if cfg.Simulation {
		return 2 * time.Second
	}
	return every
}
