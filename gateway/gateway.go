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

	"sluice/gateway/activation"
	"sluice/gateway/admin"
	"sluice/gateway/cluster/roster"
	"sluice/gateway/config"
	"sluice/gateway/homes"
	"sluice/gateway/host"
	"sluice/gateway/ledger"
	"sluice/gateway/publicbooks"
	"sluice/gateway/revoked"
	"sluice/internal/crash"
	"sluice/policy/rego"
)

// RulesVerb is the hidden verb of the same binary that evaluates the council's
// rules: it runs rego.Serve.
const RulesVerb = "rules"

// Gateway is a running edge: a whole one, or what of it a cluster's machine does.
type Gateway struct {
	cfg      *config.Config
	log      *slog.Logger
	lock     *os.File // of the state directory
	admin    *admin.Server
	rules    *rego.Child
	policies *activation.Policies
	ledger   *ledger.Ledger
	sees     sight
	files    files
	*speaker         // nil where a machine does not release
	member   *member // nil where there is one machine
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
	if g.member != nil {
		g.member.wrong = g.admin.Checks
	}
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
	keys, err := host.KeyDir(g.cfg.Keys, g.cfg.Dir, g.log)
	if err != nil {
		return err
	}
	if g.member, err = join(ctx, g.cfg, keys, g.log); err != nil {
		return err
	}
	path := filepath.Join(g.cfg.Dir, "ledger.db")
	fresh := ledger.IsNew(path)
	if err := openLedger(ctx, g, path); err != nil {
		return err
	}
	if err := host.CheckSwap(g.cfg, host.ClearSwap(), g.log); err != nil {
		return err
	}
	g.policies = activation.New(g.cfg, g.ledger, g.rules, register, g.booksChanged, g.log)
	if g.member != nil {
		g.member.ledger, g.member.policies = g.ledger, g.policies
		g.policies.Share(g.member)
	}
	anew := fresh && g.cfg.Simulation
	if g.cfg.Does(roster.Releaser) {
		if g.speaker, err = openSpeaker(ctx, g, keys, fresh); err != nil {
			return err
		}
		anew = anew && !g.guard.Used()
	}
	if err := g.openSight(ctx, keys, anew); err != nil {
		return err
	}
	if g.speaker != nil {
		g.books = publicbooks.New(publicbooks.Sources{
			Config: g.cfg, Ledger: g.ledger, Public: g.public, Housed: housed, Fresh: fresh, Trusted: g.guard.Trusted,
			View: g.policies.View, Report: g.sees.Report,
		}, g.log)
	}
	return nil
}

// openLedger opens the ledger, which in a cluster follows the books of all.
func openLedger(ctx context.Context, g *Gateway, path string) (err error) {
	if g.ledger, err = ledger.Open(ctx, path, g.cfg.Gateway, int64(g.cfg.Outbox.MaxBytes)); err != nil {
		return err
	}
	if g.member != nil {
		if err := unmoved(ctx, g.ledger, g.cfg.Dir); err != nil {
			return err
		}
		return g.member.patiently(ctx, func() error {
			at := time.Now()
			err := g.ledger.Share(ctx, g.member.Books, !g.cfg.Does(roster.Releaser))
			if err == nil {
				g.member.Known(at) // what sees people begins with it, and must go on to take what comes next
			}
			return err
		})
	}
	return g.ledger.Recovery.Alone(ctx)
}

// A stop takes at most five seconds, whatever stands still: ingest has one for its last
// commit and one for its peers, and then those who speak have this long.
const stopTimeout = 1500 * time.Millisecond

// Run works until ctx ends: batches flow from ingest to release, releases from
// the outbox to the store. It ends some seconds after ctx: what has not come to an end
// by then is left to the next start, as after a crash.
func (g *Gateway) Run(ctx context.Context) error {
	see, stopSpeaking := context.WithCancel(context.WithoutCancel(ctx))
	defer stopSpeaking()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var speaking errgroup.Group
	edge, ectx := errgroup.WithContext(ctx)
	parts := append(g.passes(), g.policies.Watch, g.admin.Serve, g.admin.Watch)
	if g.speaker != nil {
		parts = append(parts, g.guard.Watch, g.guard.Inspect, g.compare.Run)
		for _, part := range []func(context.Context) error{g.forward.Run, g.books.Run} {
			speaking.Go(func() error {
				defer stop() // none of them works without the others
				return crash.Guard(func() error { return part(see) })
			})
		}
	}
	for _, part := range parts {
		edge.Go(func() error { return crash.Guard(func() error { return part(ectx) }) })
	}
	err := edge.Wait()
	stopSpeaking() // what was released by now still goes out
	return errors.Join(err, g.await(&speaking))
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
	if g.speaker != nil {
		errs = append(errs, g.store.Close())
	}
	if g.member != nil {
		g.member.Close()
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
