package gateway

import (
	"context"
	"fmt"
	"time"

	"sluice/gateway/ingest"
	"sluice/gateway/ledger"
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
			return nil, fmt.Errorf("an earlier policy does not compile any more: %w", err)
		}
		version, err := g.version(ctx, set, v.Since)
		if err != nil {
			return nil, err
		}
		versions = append(versions, version)
	}
	next, err := g.readPolicy(ctx)
	if err != nil && len(versions) == 0 {
		return nil, refuse("policy: %w", err)
	}
	if err != nil {
		g.mind(err)
		return versions, nil
	}
	if next == nil {
		return versions, nil
	}
	since := time.Time{}
	if len(versions) > 0 {
		since = time.Now().UTC()
		if g.cfg.Time.Topic != "" {
			// The simulated clock goes on where it stood.
			if since, err = g.lastRelease(ctx); err != nil {
				return nil, err
			}
		}
	}
	version, err := g.enact(ctx, next, since)
	if err != nil {
		return nil, refuse("policy: %w", err)
	}
	return append(versions, version), nil
}

func (g *Gateway) lastRelease(ctx context.Context) (time.Time, error) {
	resume, err := g.ledger.Resume(ctx)
	var last time.Time
	for _, t := range resume {
		if t.After(last) {
			last = t
		}
	}
	return last, err
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

// version asks the rules for every sensor's plans.
func (g *Gateway) version(ctx context.Context, set *policy.Set, since time.Time) (ingest.Version, error) {
	v := ingest.Version{
		Since: since, Digest: set.Digest, Kinds: set.Kinds, Zones: set.Zones, Location: set.Location,
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
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sets[set.Digest] = set
	g.current, g.problem = set, ""
	g.versions++
	return v, nil
}

func (g *Gateway) enact(ctx context.Context, set *policy.Set, since time.Time) (ingest.Version, error) {
	v, err := g.version(ctx, set, since)
	if err != nil {
		return v, err
	}
	for _, d := range set.Decisions {
		for _, why := range d.Violations {
			g.log.Warn("a decision breaks the charter and is not run", "decision", why.Decision, "rule", why.Rule, "hint", why.Message)
		}
	}
	return v, g.ledger.Enact(ctx, ledger.Version{Digest: set.Digest, Since: since, Packed: set.Files.Pack()})
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
			err = g.swap(ctx, set)
		}
		g.mind(err)
	}
}

func (g *Gateway) swap(ctx context.Context, set *policy.Set) error {
	now := g.ingest.Report().Now
	v, err := g.enact(ctx, set, now)
	if err != nil {
		return err
	}
	g.ingest.Enact(v)
	g.log.Info("a new policy is in force from each stream's next window on", "policy", set.Digest[:12])
	g.poke()
	return nil
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
		g.log.Error("the policy directory cannot be used; the policy in force goes on", "error", text)
	}
	g.problem = text
}
