package gateway

import (
	"context"
	"fmt"
	"maps"
	"time"

	"sluice/gateway/admin"
	"sluice/gateway/host"
)

// The names of /readyz are fixed; what they look at may grow.
const (
	// slowStore is how long one delivery may take before it is said, slowRelease one
	// release, and slowBooks how long the public books may stay as they are.
	slowStore   = 30 * time.Second
	slowBooks   = 30 * time.Second
	slowRelease = 30 * time.Second
)

// probes ask every part how it is: an empty answer is a good one, any other says what
// to do. Each may take its time; who asks does not wait for it.
func (g *Gateway) probes() map[string]func(context.Context) string {
	return map[string]func(context.Context) string{
		"broker": func(context.Context) string { return g.ingest.Broker() },
		"store":  func(ctx context.Context) string { return first(g.storeCheck(), g.compare.AsideProblem(ctx)) },
		"policy": func(context.Context) string { return g.policyCheck() },
		"ledger": g.ledgerCheck,
		"disk":   func(context.Context) string { return g.diskCheck() },
		"intake": func(context.Context) string { return first(g.ingest.Intake(), host.OpenFiles()) },
		"clock":  func(context.Context) string { return g.clockCheck() },
	}
}

// shown is what the admin interface shows of this gateway.
func (g *Gateway) shown() admin.Sources {
	return admin.Sources{
		Simulation: g.cfg.Simulation, Probes: g.probes(), Report: g.ingest.Report, Released: g.publish.Counts, Ledger: g.ledger,
		Notes:        func() []string { return append(g.compare.Notes(), g.elsewhereNotes()...) },
		StoreDiffers: g.compare.Differs,
		Policy: func() admin.Policy {
			g.mu.Lock()
			defer g.mu.Unlock()
			p := admin.Policy{Versions: g.versions, Refused: maps.Clone(g.refused)}
			if g.current != nil {
				p.Streams = g.current.Streams
			}
			return p
		},
	}
}

// first is the first hint that is not empty.
func first(hints ...string) string {
	for _, h := range hints {
		if h != "" {
			return h
		}
	}
	return ""
}

func (g *Gateway) storeCheck() string {
	if s, ok := g.store.(interface{ Replaced() bool }); ok && s.Replaced() {
		return "the file of the store was removed, or another one has its name; restart the gateway, which sends again what that one lacks"
	}
	if g.forward.Err() != nil {
		return "releases wait in the outbox until the store is back"
	}
	if d := g.forward.Busy(); d > slowStore {
		return fmt.Sprintf("the store has not answered for %s; releases wait in the outbox", d.Truncate(time.Second))
	}
	return g.compare.Problem()
}

// releaseCheck says why windows are not released; empty while they are.
func (g *Gateway) releaseCheck() string {
	if why := g.stalled.Last(); why != "" {
		return "a window cannot be released: " + why
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if d := time.Since(g.closing); !g.closing.IsZero() && d > slowRelease {
		return fmt.Sprintf("the release of a window has taken %s and goes on; kill -QUIT shows where", d.Truncate(time.Second))
	}
	return ""
}

func (g *Gateway) ledgerCheck(ctx context.Context) string {
	if damage := g.guard.Damage(); damage != "" {
		return damage
	}
	if hint := g.releaseCheck(); hint != "" {
		return hint
	}
	if g.ledger.Ping(ctx) != nil {
		return "the ledger cannot be written; nothing is released"
	}
	return ""
}

func (g *Gateway) diskCheck() string {
	if p := g.ingest.Report().Problem; p != "" {
		return p
	}
	if host.LowDisk(g.cfg.Dir) {
		return "less than 64 MiB are left for the state directory"
	}
	return g.booksCheck()
}

func (g *Gateway) booksCheck() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.booksWrong != "" {
		return "the public books cannot be written: " + g.booksWrong
	}
	if d := time.Since(g.booksAt); !g.booksAt.IsZero() && d > slowBooks {
		return fmt.Sprintf("the public books have not been written for %s; see whether the disk of the state directory answers", d.Truncate(time.Second))
	}
	return ""
}

// clockCheck says what is wrong with the time. A simulated clock is its driver's
// business.
func (g *Gateway) clockCheck() string {
	if g.cfg.Time.Topic != "" {
		return ""
	}
	return g.ingest.Clock()
}
