package gateway

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"sluice/books"
	"sluice/gateway/config"
	"sluice/policy/compile"
	"sluice/policy/council"
	"sluice/policy/mechanism"
	"sluice/policy/plan"
	"sluice/register"
)

// licence under which released observations are published.
const licence = "CC0-1.0"

// keepBooks writes the public books whenever something has changed, at least
// every few seconds, and once more at the end.
func (g *Gateway) keepBooks(ctx context.Context) error {
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for {
		if err := g.writeBooks(ctx); err == nil || ctx.Err() == nil {
			g.wrote(err)
		}
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
			defer cancel()
			if err := g.writeBooks(last); err != nil {
				g.log.Warn("the public books could not be written at the end; the next start does it", "error", err)
			}
			return nil
		case <-g.wake:
			time.Sleep(20 * time.Millisecond) // several releases come together
		case <-tick.C:
		}
	}
}

// wrote notes how writing the books went, and says what is new about it.
func (g *Gateway) wrote(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	was := g.booksWrong
	if err == nil {
		g.booksWrong, g.booksAt = "", time.Now()
		return
	}
	if g.booksWrong = err.Error(); g.booksWrong != was {
		g.log.Warn("the public books cannot be written; they are tried again", "error", err)
	}
}

func (g *Gateway) writeBooks(ctx context.Context) error {
	defer g.sayAnew()
	g.mu.Lock()
	set, running, vote := g.latest, g.current != nil, voted{g.enacted, g.coming}
	g.mu.Unlock()
	if err := g.readKept(ctx); err != nil {
		return err
	}
	if set == nil {
		// No policy has ever been in force.
		if err := g.putJSON("city.json", books.City{Gateway: g.cfg.Gateway, Name: "This city", Timezone: "UTC", Languages: []string{"en"}, Simulation: g.cfg.Simulation, Silence: silence(set, running, g.clock())}); err != nil {
			return err
		}
		return g.writeLines(ctx)
	}
	c := set.Charter.City
	if err := g.putJSON("city.json", books.City{
		ID: c.ID, Gateway: g.cfg.Gateway, Name: c.Name, Timezone: c.Timezone, Languages: c.Languages, Policy: set.Digest, Simulation: g.cfg.Simulation,
		Silence: silence(set, running, g.clock()), Charter: council.Sum(set.Files["charter.yaml"]),
	}); err != nil {
		return err
	}
	if err := g.put("zones.geojson", set.Zones.GeoJSON()); err != nil {
		return err
	}
	if err := g.keepPlans(ctx); err != nil {
		return err
	}
	if err := g.putKept(ctx); err != nil { // before anything names them
		return err
	}
	streams, err := g.streamsBook(set)
	if err != nil {
		return err
	}
	if err := g.keepStreams(ctx, streams); err != nil {
		return err
	}
	if err := g.writeDecisions(ctx, set, running, vote); err != nil {
		return err
	}
	if err := g.writeRegister(ctx, set, running, g.ingest.Report().Lives); err != nil {
		return err
	}
	return g.writeLines(ctx)
}

// silence is the public reason why nothing flows; empty while something does.
func silence(set *compile.Set, running bool, now time.Time) string {
	switch {
	case set == nil:
		return "no_policy"
	case !running:
		return "policy_taken_away"
	case slices.ContainsFunc(set.Streams, func(s *plan.Stream) bool { return s.InForce(now) && set.Suspension(s.Decision) == nil }):
		return ""
	case slices.ContainsFunc(set.Streams, func(s *plan.Stream) bool { return s.InForce(now) }):
		return "suspended"
	case slices.ContainsFunc(set.Streams, func(s *plan.Stream) bool { return now.Before(s.From) }):
		return "not_yet"
	case len(set.Streams) > 0:
		return "sunset"
	}
	return "no_decision"
}

// growingBooks are the files that only grow.
var growingBooks = []string{"ledger.jsonl", "gaps.jsonl", "releases.jsonl", "withdrawals.jsonl", "removals.jsonl"}

// writeLines brings the kept files and the growing ones up to date. Growing ones are
// left alone until this state directory is known to be the latest: a copy that has
// come further says that it is not.
func (g *Gateway) writeLines(ctx context.Context) error {
	if err := g.putKept(ctx); err != nil || !g.guard.Trusted() {
		return err
	}
	for _, name := range growingBooks {
		for _, dir := range g.copies() {
			if err := g.bring(ctx, dir, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// bring brings a growing book up to date, and notes what was wrong with it.
func (g *Gateway) bring(ctx context.Context, dir books.Dir, name string) error {
	path := filepath.Join(string(dir), name)
	b := g.growing[path]
	begun := b != nil
	if !begun {
		b = books.NewGrowing(dir, name)
		g.growing[path] = b
	}
	found, err := b.Bring(ctx, func(ctx context.Context, at int64) ([]string, int64, error) {
		return g.ledger.Page(ctx, name, at)
	})
	switch {
	case err != nil || found == books.Right:
	case found == books.Missing && g.fresh && !begun: // a new directory's first lines came before its first books
	case found == books.Behind:
		g.log.Info("a public book was behind the ledger and is up to date again", "file", path)
	default:
		g.anew = append(g.anew, fmt.Sprintf("%s (%s)", path, found))
	}
	return err
}

// copies are where growing books are written: the public books and, where there
// is one, the directory outside. A copy that holds more than the ledger is not
// touched: releases wait until it has been looked at.
func (g *Gateway) copies() []books.Dir {
	dirs := []books.Dir{g.public}
	if w := g.cfg.Witness; w != "" && !config.Remote(w) && g.guard.Trusted() {
		dirs = append(dirs, books.Dir(w))
	}
	return dirs
}

// keepPlans keeps what each decision meant, for ever: lines of the ledger name
// plans by their digests.
func (g *Gateway) keepPlans(ctx context.Context) error {
	g.mu.Lock()
	todo := make(map[string][]byte)
	for _, set := range g.sets {
		for _, s := range set.Streams {
			if name := "plans/" + s.Digest + ".json"; g.kept[name] == "" {
				todo[name] = s.Canonical()
			}
		}
	}
	g.mu.Unlock()
	for name, raw := range todo {
		if err := g.keep(ctx, name, raw); err != nil {
			return err
		}
	}
	return nil
}

func (g *Gateway) streamsBook(set *compile.Set) ([]books.Stream, error) {
	list := []books.Stream{}
	for _, s := range set.Streams {
		mech, err := mechanism.New(s)
		if err != nil {
			return nil, err
		}
		b := books.Stream{
			ID: s.ID, Title: s.Title, Every: s.Every.String(), Timezone: s.Timezone, Unit: s.Unit.StandsFor,
			Decision: s.Decision, Plan: s.Digest, Licence: licence, Simulation: g.cfg.Simulation,
			From: s.From.Format(time.RFC3339), Until: s.Until.Format(time.RFC3339),
			Floor: string(s.Protect.Floor), Membership: string(s.Protect.Membership),
		}
		if b.ShareFrom = mech.ShareFrom(); b.ShareFrom > 0 {
			b.MaxContributions, b.Epoch = s.Protect.MaxContributions, s.Forget.String()
		}
		for _, m := range s.Measures {
			for _, part := range m.Parts() {
				entry := books.Measure{
					Name: part.Name, Unit: m.Unit, Of: m.Expression(), PublicFrom: mech.PublicFrom(), TypicalError: mech.TypicalError(m),
				}
				if m.Of == plan.Histogram {
					entry.Group, entry.Class = m.Name, []float64{part.Low, part.High}
				}
				b.Measures = append(b.Measures, entry)
			}
		}
		for _, c := range s.Cells {
			b.Cells = append(b.Cells, books.Cell{ID: c.ID(), Zone: c.Zone, Category: c.Category})
		}
		list = append(list, b)
	}
	return list, nil
}

// fates says what becomes of each field of a sensor, and what would while decisions are
// in force that are not.
func fates(kind register.Kind, plans []plan.Plan, idle []idler) []books.Field {
	list := []books.Field{}
	for _, f := range kind.Fields {
		out := books.Field{Name: f.Name, Class: f.Class, Fate: "dropped", Valid: f.Valid}
		for _, p := range plans {
			if fate := fateOf(f.Name, p.Stream); fate != "" {
				out.Fate, out.Decision = fate, p.Stream.Decision
				break
			}
		}
		for _, x := range idle {
			if fate := fateOf(f.Name, x.stream); fate != "" && out.Decision == "" {
				out.Decision, out.State, out.Planned = x.stream.Decision, x.state, fate
			}
		}
		list = append(list, out)
	}
	return list
}

func fateOf(field string, s *plan.Stream) string {
	switch {
	case !slices.Contains(s.Keep, field):
		return ""
	case field == s.Unit.Field:
		return "counted"
	case field == s.Place.Lat || field == s.Place.Lon,
		slices.ContainsFunc(s.Generalise, func(g plan.Generalise) bool { return g.Field == field }):
		return "generalised"
	}
	return "kept"
}
