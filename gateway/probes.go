package gateway

import (
	"context"
	"fmt"
	"slices"
	"time"

	"sluice/gateway/admin"
	"sluice/gateway/host"
	"sluice/gateway/ingest"
	"sluice/store"
)

// slowStore is how long one delivery may take before it is said.
const slowStore = 30 * time.Second

// probes ask every part how it is. Their names, those of /readyz, are fixed; what they look
// at may grow. An empty answer is a good one, any other says what
// to do. Each may take its time; who asks does not wait for it.
func (g *Gateway) probes() map[string]func(context.Context) string {
	list := map[string]func(context.Context) string{
		"broker": func(context.Context) string { return g.sees.Broker() },
		"policy": func(context.Context) string { return policyCheck(g.policies.View(), g.cfg.Gateway, g.EventTime()) },
		"ledger": g.ledgerCheck,
		"disk":   func(context.Context) string { return g.diskCheck() },
		"intake": func(context.Context) string { return first(g.sees.Intake(), host.OpenFiles()) },
		"clock":  func(context.Context) string { return g.clockCheck() },
	}
	if g.speaker != nil {
		list["store"] = func(ctx context.Context) string { return first(g.storeCheck(), g.compare.AsideProblem(ctx)) }
	}
	if g.member != nil {
		list["cluster"] = func(context.Context) string { return g.member.Problem() }
	}
	return list
}

// shown is what the admin interface shows of this gateway.
func (g *Gateway) shown() admin.Sources {
	out := admin.Sources{
		Simulation: g.cfg.Simulation, Probes: g.probes(), Report: g.sees.Report,
		Released: func() map[store.Status]int64 { return nil },
		Outbox:   g.ledger.Outbox, Asides: g.ledger.Asides, Budget: g.ledger,
		Notes:        func() []string { return notes(g) },
		StoreDiffers: func() (missing, extra int) { return 0, 0 }, Watch: g.sees,
		Policy: func() admin.Policy {
			v := g.policies.View()
			p := admin.Policy{Versions: v.Versions, Refused: v.Refused}
			if v.Running() {
				p.Streams = v.Current.Streams
			}
			return p
		},
	}
	if g.member != nil {
		out.Cluster, out.Behind = g.member.account, g.member.Behind
		out.Report = func() ingest.Report {
			r := g.sees.Report()
			r.Through = g.member.released(r.Now)
			return r
		}
	}
	if g.speaker != nil {
		out.Released, out.StoreDiffers = g.releaser.publish.Counts, g.compare.Differs
	}
	return out
}

// notes are what is to be said although every part works.
func notes(g *Gateway) []string {
	v := g.policies.View()
	list := slices.Concat(elsewhereNotes(v, g.cfg.Gateway), unreadNotes(v), revokedNotes(g.files.revoked.Problem()))
	if g.member != nil {
		list = slices.Concat(g.member.notes(), list)
	}
	if g.speaker != nil {
		list = slices.Concat(g.compare.Notes(), list)
	}
	return list
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

func (s *speaker) storeCheck() string {
	if file, ok := s.store.(interface{ Replaced() bool }); ok && file.Replaced() {
		return "the file of the store was removed, or another one has its name; restart the gateway, which sends " +
			"again what that one lacks"
	}
	if s.forward.Err() != nil {
		return "releases wait in the outbox until the store is back"
	}
	if d := s.forward.Busy(); d > slowStore {
		return fmt.Sprintf("the store has not answered for %s; releases wait in the outbox", d.Truncate(time.Second))
	}
	return s.compare.Problem()
}

func (g *Gateway) ledgerCheck(ctx context.Context) string {
	if g.speaker != nil {
		if hint := first(g.guard.Damage(), g.releaser.problem()); hint != "" {
			return hint
		}
	}
	if held := g.ledger.Recovery.Held(ctx); held != "" {
		return held
	}
	if g.ledger.Ping(ctx) != nil {
		return "the ledger cannot be written; nothing is released"
	}
	return ""
}

func (g *Gateway) diskCheck() string {
	if p := g.sees.Report().Problem; p != "" {
		return p
	}
	if host.LowDisk(g.cfg.Dir) {
		return "less than 64 MiB are left for the state directory"
	}
	if g.speaker == nil {
		return ""
	}
	return g.books.Problem()
}

// clockCheck says what is wrong with the time. A simulated clock is its driver's
// business.
func (g *Gateway) clockCheck() string {
	if g.cfg.Time.Topic != "" {
		return ""
	}
	return g.sees.Clock()
}
