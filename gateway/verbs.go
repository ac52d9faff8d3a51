package gateway

import (
	"context"
	"os"
	"time"

	"sluice/books"
	clusterbooks "sluice/gateway/cluster/books"
	"sluice/gateway/cluster/roster"
	"sluice/gateway/config"
	"sluice/gateway/ingest"
	"sluice/gateway/ledger"
	"sluice/gateway/reconcile"
	"sluice/gateway/rollback"
)

// MQTT is the address where sensors connect; empty where they do not.
func (g *Gateway) MQTT() string { return g.sees.Addr() }

// WebSocket is the address where sensors connect by WebSocket; empty where they do not.
func (g *Gateway) WebSocket() string { return g.sees.WebSocket() }

// Admin is the address of health and metrics.
func (g *Gateway) Admin() string { return g.admin.Addr() }

// EventTime is the gateway's clock; the zero time before its first tick.
func (g *Gateway) EventTime() time.Time { return g.sees.Report().Now }

// Report is what may be known of what came in; its counters are exact in a simulation.
func (g *Gateway) Report() ingest.Report { return g.sees.Report() }

// Problem is what is wrong with the policy, over several lines; empty when nothing is.
func (g *Gateway) Problem() string {
	if err := g.policies.View().Problem; err != nil {
		return err.Error()
	}
	return ""
}

// Reloads reads register, passwords and certificates anew when they have been saved, and
// each time that it is asked for, until ctx ends.
func (g *Gateway) Reloads(ctx context.Context, asked <-chan os.Signal) {
	g.policies.Reloads(ctx, asked, g.files.began)
}

// Recover makes an older state directory that was put back fit to go on, and brings the
// public books up to date (rollback.Guard.Recover).
func (g *Gateway) Recover(ctx context.Context) (rollback.Recovered, error) {
	if g.speaker == nil {
		return rollback.Recovered{}, config.Refuse("this machine is no releaser: run it on one that is")
	}
	out, err := g.guard.Recover(ctx, g.compare)
	if err == nil && (out.Behind != "" || out.Gone > 0) {
		err = g.books.Write(ctx)
	}
	return out, err
}

// Withdraw hides what was released, beside a gateway that runs: see reconcile.Withdraw. Of several machines it is one
// that releases, and all of them take it from the books that they share.
func Withdraw(ctx context.Context, cfg config.Config, w books.Withdrawal) (int, error) {
	if cfg.Cluster == nil {
		return reconcile.Withdraw(ctx, cfg, w, func(context.Context, *ledger.Ledger) error { return nil })
	}
	if !cfg.Does(roster.Releaser) {
		return 0, config.Refuse("this machine is no releaser, and has no numbers: run it on one that is")
	}
	conn, err := cfg.Cluster.Dial(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	log, err := clusterbooks.Find(ctx, conn)
	if err != nil {
		return 0, err
	}
	return reconcile.Withdraw(ctx, cfg, w, func(ctx context.Context, l *ledger.Ledger) error {
		return ledger.ShareBeside(ctx, l, log)
	})
}

// booksChanged says that there is something new for the public books.
func (g *Gateway) booksChanged() {
	if g.speaker != nil && g.books != nil {
		g.books.Changed()
	}
}
