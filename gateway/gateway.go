// Package gateway is the edge: ingest, which sees and cannot speak; release,
// which lets out what the council allows; forward, which speaks and cannot see.
// It puts the rooms together; each of them has one thing to do.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"sluice/books"
	"sluice/gateway/activation"
	"sluice/gateway/admin"
	"sluice/gateway/config"
	"sluice/gateway/forward"
	"sluice/gateway/homes"
	"sluice/gateway/host"
	"sluice/gateway/ingest"
	"sluice/gateway/ledger"
	"sluice/gateway/months"
	"sluice/gateway/publicbooks"
	"sluice/gateway/reconcile"
	"sluice/gateway/release"
	"sluice/gateway/retention"
	"sluice/gateway/revoked"
	"sluice/gateway/rollback"
	"sluice/internal/crash"
	"sluice/policy/rego"
)

// RulesVerb is the hidden verb of the same binary that evaluates the council's
// rules: it runs rego.Serve.
const RulesVerb = "rules"

// Gateway is a running edge.
type Gateway struct {
	cfg      *config.Config
	log      *slog.Logger
	lock     *os.File // of the state directory
	admin    *admin.Server
	rules    *rego.Child
	policies *activation.Policies
	ingest   *ingest.Ingest
	releaser *releaser
	guard    *rollback.Guard
	ledger   *ledger.Ledger
	books    *publicbooks.Writer
	forward  *forward.Forwarder
	store    config.ReleaseStore
	compare  *reconcile.Reconciler
	files    files
}

// files are what is read anew while the gateway runs.
type files struct {
	began   config.Stamp  // how they were before they were read
	revoked *revoked.List // client certificates that hold no more; nil for none
}

// Open takes the state directory, recovers what is open and starts listening.
func Open(ctx context.Context, cfg config.Config, log *slog.Logger) (_ *Gateway, err error) {
	cfg.SetDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, config.Refuse("%w", err)
	}
	if cfg.Cluster != nil {
		return nil, config.Refuse("cluster: a gateway of this version runs in one process; take cluster out")
	}
	g := &Gateway{cfg: &cfg, log: log}
	defer func() {
		if err != nil {
			err = errors.Join(err, g.Close())
		}
	}()
	self, err := os.Executable()
	if err != nil {
		return g, config.Refuse("this binary cannot find itself: %w", err)
	}
	g.rules = rego.NewChild(self, RulesVerb)
	if g.lock, err = host.Lock(g.cfg, log); err != nil {
		return g, err
	}
	if g.admin, err = admin.Open(cfg.Admin, log); err != nil {
		return g, err
	}
	if err = g.openRooms(ctx); err != nil {
		return g, config.Refuse("%w", err) // the ledger, the keys or the log: not a bug of ours
	}
	g.admin.Attach(g.shown())
	return g, nil
}

// openRooms makes the rooms and what passes from one to another.
func (g *Gateway) openRooms(ctx context.Context) error {
	g.files.began = g.cfg.Stamp()
	register, err := g.cfg.ReadRegister()
	if err != nil {
		return err
	}
	housed, err := homes.Read(g.cfg.Dir)
	if err != nil {
		return err
	}
	path := filepath.Join(g.cfg.Dir, "ledger.db")
	fresh := ledger.IsNew(path)
	if g.ledger, err = ledger.Open(ctx, path, g.cfg.Gateway, int64(g.cfg.Outbox.MaxBytes)); err != nil {
		return err
	}
	if g.store, err = g.cfg.Store.Open(ctx); err != nil {
		return err
	}
	if err := host.CheckSwap(g.cfg, host.ClearSwap(), g.log); err != nil {
		return err
	}
	keys, err := host.KeyDir(g.cfg.Keys, g.cfg.Dir, g.log)
	if err != nil {
		return err
	}
	public := books.Dir(filepath.Join(g.cfg.Dir, "public"))
	g.policies = activation.New(g.cfg, g.ledger, g.rules, register, g.booksChanged, g.log)
	g.releaser = &releaser{
		log: g.log, publish: release.NewPublisher(g.ledger, g.cfg.Simulation), policies: g.policies,
		changed: g.booksChanged,
	}
	g.guard = rollback.New(rollback.State{
		Config: g.cfg, Ledger: g.ledger, Store: g.store, Public: public, Keys: keys, Fresh: fresh, Policy: g.policies,
	}, &g.releaser.stalled, g.booksChanged, g.log)
	g.releaser.guard = g.guard
	g.forward = forward.New(g.ledger.Outbox, g.store, g.log)
	g.compare = reconcile.New(g.ledger, g.store, g.cfg.Store.File(), g.policies.Cells, g.log)
	anew := fresh && !g.guard.Used() && g.cfg.Simulation
	if err := g.openIngest(ctx, keys, anew); err != nil {
		return err
	}
	g.books = publicbooks.New(publicbooks.Sources{
		Config: g.cfg, Ledger: g.ledger, Public: public, Housed: housed, Fresh: fresh, Trusted: g.guard.Trusted,
		View: g.policies.View, Report: g.ingest.Report,
	}, g.log)
	return nil
}

// openIngest opens what sees people, under the policies that its windows have run under.
func (g *Gateway) openIngest(ctx context.Context, keys string, anew bool) error {
	versions, err := g.policies.Restore(ctx, keys)
	if err != nil {
		return err
	}
	resume, err := g.ledger.Journal.Resume(ctx)
	if err != nil {
		return err
	}
	listen, err := g.cfg.Listener()
	if err != nil {
		return err
	}
	if g.files.revoked, err = g.cfg.Revoked(); err != nil {
		return err
	}
	listen.Revoked = g.files.revoked
	broker, err := g.cfg.Broker()
	if err != nil {
		return err
	}
	g.ingest, err = ingest.Open(ingest.Config{
		Dir: filepath.Join(g.cfg.Dir, "checkpoint"), Keys: keys, Register: g.policies.View().Register,
		Listen: listen, Broker: broker, Clock: g.cfg.Time.Topic, Future: g.cfg.Windows.Future.Nominal(),
		Exact: g.cfg.Simulation, CatchUp: g.cfg.Windows.CatchUp.Nominal(), Feedback: g.cfg.Feedback,
		Anew: anew, Resume: resume, Now: time.Now, Uptime: host.Uptime, Log: g.log,
	}, versions)
	if err == nil {
		g.policies.Attach(g.ingest)
	}
	return err
}

// A stop takes at most five seconds, whatever stands still: ingest has one for its last
// commit and one for its peers, and then those who speak have this long.
const stopTimeout = 1500 * time.Millisecond

// Run works until ctx ends: batches flow from ingest to release, releases from
// the outbox to the store. It ends some seconds after ctx: what has not come to an end
// by then is left to the next start, as after a crash.
func (g *Gateway) Run(ctx context.Context) error {
	batches, done := make(chan release.Batch), make(chan release.Key)
	see, stopSpeaking := context.WithCancel(context.WithoutCancel(ctx))
	defer stopSpeaking()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	now := func() time.Time { return g.ingest.Report().Now }
	closing := months.New(g.ledger, g.store, g.guard.Trusted, now, g.booksChanged, g.log)
	removing := retention.New(g.ledger, g.store, retention.Gateway{
		Trusted: g.guard.Trusted, Now: now, Policy: func() string { return digest(g.policies) },
		Changed: g.booksChanged,
	}, settle(g.cfg), g.log)
	var speaking errgroup.Group
	edge, ectx := errgroup.WithContext(ctx)
	for _, part := range []func(context.Context) error{
		func(ctx context.Context) error { return g.ingest.Run(ctx, batches, done) },
		func(ctx context.Context) error { return g.releaser.run(ctx, batches, done) },
		g.policies.Watch, g.admin.Serve, g.admin.Watch, g.guard.Watch, g.guard.Inspect, g.compare.Run,
		closing.Run, removing.Run,
	} {
		edge.Go(func() error { return crash.Guard(func() error { return part(ectx) }) })
	}
	for _, part := range []func(context.Context) error{g.forward.Run, g.books.Run} {
		speaking.Go(func() error {
			defer stop() // none of them works without the others
			return crash.Guard(func() error { return part(see) })
		})
	}
	err := edge.Wait()
	stopSpeaking() // what was released by now still goes out
	return errors.Join(err, g.await(&speaking))
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

// await waits for those who speak, and not for ever: a disk that does not answer cannot
// be called off.
func (g *Gateway) await(speaking *errgroup.Group) error {
	ended := make(chan error, 1)
	go func() { ended <- speaking.Wait() }()
	select {
	case err := <-ended:
		return err
	case <-time.After(stopTimeout + stopTimeout/3):
		g.log.Warn("the store or the ledger does not answer; what is left is done at the next start")
		return nil
	}
}

// Close gives everything back; Run must have returned.
func (g *Gateway) Close() error {
	var errs []error
	if g.rules != nil {
		errs = append(errs, g.rules.Close())
	}
	if g.ledger != nil {
		errs = append(errs, g.ledger.Close())
	}
	if g.store != nil {
		errs = append(errs, g.store.Close())
	}
	if g.admin != nil {
		errs = append(errs, g.admin.Close())
	}
	if g.lock != nil {
		errs = append(errs, g.lock.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("closing the gateway: %w", err)
	}
	return nil
}
