package gateway

import (
	"context"
	"strings"
	"time"

	"sluice/gateway/ingest"
	"sluice/gateway/ledger"
	"sluice/gateway/release"
	"sluice/policy"
	"sluice/policy/plan"
)

// watchEvery is how often an editable policy directory is looked at.
const watchEvery = 500 * time.Millisecond

func (g *Gateway) set(digest string) *policy.Set {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.sets[digest]
}

func (g *Gateway) inForce() (*policy.Set, string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.current, g.problem
}

// loadPolicy compiles the versions that open windows may have run under and the
// one in the directory now.
func (g *Gateway) loadPolicy(ctx context.Context) ([]ingest.Version, error) {
	known, err := g.ledger.Versions(ctx)
	if err != nil {
		return nil, err
	}
	var versions []ingest.Version
	for _, v := range known {
		files, err := policy.Unpack(v.Packed)
		if err != nil {
			return nil, err
		}
		set, err := policy.Compile(ctx, files)
		if err != nil {
			return nil, refuse("an earlier policy, which open windows may need, does not compile any more: %w", err)
		}
		version, err := g.version(ctx, set)
		if err != nil {
			return nil, err
		}
		version.Since = v.Since
		versions = append(versions, version)
		g.adopted(set)
	}
	if len(versions) > 0 {
		return versions, nil // watchPolicy looks whether the directory has changed
	}
	set, err := g.readPolicy(ctx)
	if err != nil {
		return nil, refuse("policy: %w", err)
	}
	v, err := g.version(ctx, set)
	if err == nil {
		err = g.ledger.Enact(ctx, ledger.Version{Digest: set.Digest, Packed: set.Files.Pack()})
	}
	if err != nil {
		return nil, refuse("policy: %w", err)
	}
	g.adopted(set)
	return []ingest.Version{v}, nil
}

// readPolicy compiles the directory; nil when it is the version in force.
func (g *Gateway) readPolicy(ctx context.Context) (*policy.Set, error) {
	files, err := policy.ReadDir(g.cfg.Policy.Dir)
	if err != nil {
		return nil, err
	}
	if current, _ := g.inForce(); current != nil && current.Digest == files.Digest() {
		return nil, nil
	}
	return policy.Compile(ctx, files)
}

// version asks the rules for every sensor's plans, and says which decisions are
// not run.
func (g *Gateway) version(ctx context.Context, set *policy.Set) (ingest.Version, error) {
	v := ingest.Version{
		Digest: set.Digest, Kinds: set.Kinds, Zones: set.Zones, Location: set.Location,
		Streams: set.Streams, Plans: make(map[string][]plan.Plan),
	}
	for i := range g.register.Sensors {
		sensor := &g.register.Sensors[i]
		plans, _, err := set.Plans(ctx, sensor)
		if err != nil {
			return v, err
		}
		v.Plans[sensor.ID] = plans
	}
	for _, s := range set.Streams {
		if _, err := release.NewMechanism(s); err != nil {
			return v, err
		}
	}
	for _, d := range set.Decisions {
		for _, why := range d.Violations {
			g.log.Warn("a decision breaks the charter and is not run", "decision", why.Decision, "rule", why.Rule, "hint", why.Message)
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sets[set.Digest] = set // before any window can close under it
	return v, v.Check(g.register)
}

func (g *Gateway) adopted(set *policy.Set) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.current, g.problem = set, ""
	g.versions++
}

// watchPolicy reloads the directory when it is saved; what cannot be used
// changes nothing and is said.
func (g *Gateway) watchPolicy(ctx context.Context) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	last := ""
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		files, err := policy.ReadDir(g.cfg.Policy.Dir)
		if err == nil && files.Digest() == last {
			continue
		}
		if err == nil {
			last = files.Digest()
		}
		set, err := g.readPolicy(ctx)
		if err == nil && set == nil {
			g.mind(nil)
			continue
		}
		if err == nil {
			if err = g.swap(ctx, set); err != nil {
				last = "" // try again
			}
		}
		g.mind(err)
	}
}

func (g *Gateway) swap(ctx context.Context, set *policy.Set) error {
	v, err := g.version(ctx, set)
	if err != nil {
		return err
	}
	if err := g.ingest.Enact(ctx, v, func(since time.Time) error {
		return g.ledger.Enact(ctx, ledger.Version{Digest: set.Digest, Since: since, Packed: set.Files.Pack()})
	}); err != nil {
		return err
	}
	g.adopted(set)
	g.log.Info("a new policy is in force from each stream's next window on", "policy", set.Digest[:12])
	g.poke()
	return nil
}

// Problem is what is wrong with the policy directory, over several lines; empty
// when nothing is.
func (g *Gateway) Problem() string {
	_, problem := g.inForce()
	return problem
}

// mind keeps and says what is wrong with the policy directory, once.
func (g *Gateway) mind(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text != "" && text != g.problem {
		g.refused++
		first, _, _ := strings.Cut(text, "\n")
		g.log.Error("the policy directory cannot be used; the policy in force goes on", "error", first)
	}
	g.problem = text
}
