package gateway

import (
	"context"
	"path/filepath"
	"time"

	"sluice/gateway/activation"
	"sluice/gateway/admin"
	"sluice/gateway/cluster/roster"
	"sluice/gateway/host"
	"sluice/gateway/ingest"
	"sluice/gateway/release"
)

// sight is the side that sees people: an ingest, or what a cluster's machine does of one.
type sight interface {
	activation.Ingest
	admin.Watch
	Run(ctx context.Context, out chan<- release.Batch, done <-chan release.Key) error
	// Addr and WebSocket are where sensors connect; empty for nowhere.
	Addr() string
	WebSocket() string
	// Broker, Intake and Clock are what is wrong with them; empty for nothing.
	Broker() string
	Intake() string
	Clock() string
}

// openSight opens what sees people, under the policies that its windows have run under.
func (g *Gateway) openSight(ctx context.Context, keys string, anew bool) error {
	versions, err := g.policies.Restore(ctx, keys)
	if err != nil {
		return err
	}
	var cfg *ingest.Config
	if g.cfg.Does(roster.Front) {
		if cfg, err = hears(g, keys, anew); err != nil {
			return err
		}
	}
	if g.member != nil {
		g.sees, err = g.member.openEdge(ctx, cfg, versions)
	} else {
		if cfg.Resume, err = g.ledger.Journal.Resume(ctx); err != nil {
			return err
		}
		g.sees, err = ingest.Open(*cfg, versions)
	}
	if err == nil {
		g.policies.Attach(g.sees)
	}
	return err
}

// hears is the configuration of an ingest that sensors send to.
func hears(g *Gateway, keys string, anew bool) (*ingest.Config, error) {
	listen, err := g.cfg.Listener()
	if err != nil {
		return nil, err
	}
	if g.files.revoked, err = g.cfg.Revoked(); err != nil {
		return nil, err
	}
	listen.Revoked = g.files.revoked
	broker, err := g.cfg.Broker()
	return &ingest.Config{
		Dir: filepath.Join(g.cfg.Dir, "checkpoint"), Keys: keys, Register: g.policies.View().Register,
		Listen: listen, Broker: broker, Clock: g.cfg.Time.Topic, Future: g.cfg.Windows.Future.Nominal(),
		Exact: g.cfg.Simulation, CatchUp: g.cfg.Windows.CatchUp.Nominal(), Feedback: g.cfg.Feedback,
		Anew: anew, Now: time.Now, Uptime: host.Uptime, Log: g.log,
	}, err
}
