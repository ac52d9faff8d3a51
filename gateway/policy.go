package gateway

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"sluice/gateway/config"
	"sluice/gateway/homes"
	"sluice/gateway/ingest"
	"sluice/gateway/ledger"
	"sluice/policy/compile"
	"sluice/policy/council"
	"sluice/policy/mechanism"
	"sluice/policy/plan"
	"sluice/policy/rego"
	"sluice/register"
)

// watchEvery is how often an editable policy directory is looked at. A directory
// that is gone in goneLooks looks is gone, and not only being replaced.
const (
	watchEvery = 500 * time.Millisecond
	goneLooks  = 3
)

// none is the digest of the version under which nothing flows.
const none = "none"

func (g *Gateway) set(digest string) *compile.Set {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.sets[digest]
}

// inForce is the policy in force, nil for none, and what is wrong with what
// should be.
func (g *Gateway) inForce() (*compile.Set, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.current, g.problem
}

// loadPolicy reads all versions, compiles those that open windows may have run under, or the
// one in the directory now. A directory that cannot be used lets nothing flow.
func (g *Gateway) loadPolicy(ctx context.Context, keys string) ([]ingest.Version, error) {
	known, err := g.ledger.Versions(ctx)
	if err != nil {
		return nil, err
	}
	if err := g.oneSort(known); err != nil {
		return nil, err
	}
	need, err := g.needs(ctx, keys)
	if err != nil {
		return nil, err
	}
	var versions []ingest.Version
	until := untils(known)
	for n, v := range known {
		if v.Digest == elsewhere {
			if err := g.reopenElsewhere(v); err != nil {
				return nil, config.Refuse("an earlier motion cannot be read any more: %w", err)
			}
			continue
		}
		version, err := g.earlier(ctx, v, need, until[n])
		if err != nil {
			return nil, config.Refuse("an earlier policy, which open windows may need, cannot be used any more: %w", err)
		}
		versions = append(versions, version)
	}
	if len(versions) > 0 {
		return versions, nil // watchPolicy looks whether the directory has changed
	}
	if g.cfg.Policy.Signed() {
		g.problem = &rego.Problem{Code: rego.NoPolicy, Err: errors.New("no motion has been enacted yet, so nothing flows")}
		g.adopted(nil)
		return []ingest.Version{{Digest: none}}, nil // watchInbox looks for the first
	}
	version, set, err := g.first(ctx)
	g.rest(err)
	if err != nil {
		g.mind(err)
		g.adopted(nil)
		return []ingest.Version{{Digest: none}}, nil
	}
	packed, err := set.Files.Pack()
	if err == nil {
		err = g.ledger.Enact(ctx, ledger.Version{Digest: set.Digest, Packed: packed})
	}
	if err != nil {
		return nil, config.Refuse("policy: %w", err)
	}
	g.adopted(set)
	return []ingest.Version{version}, nil
}

func (g *Gateway) first(ctx context.Context) (ingest.Version, *compile.Set, error) {
	g.passedOver()
	if files, err := compile.ReadDir(g.cfg.Policy.Dir); err == nil {
		g.lookout.look(files.Digest(), time.Now()) // watchPolicy need not compile it again
	}
	set, err := g.readPolicy(ctx)
	if err != nil {
		return ingest.Version{}, nil, err
	}
	v, err := g.version(ctx, set)
	return v, set, err
}

// own leaves a compiled policy the zones of this gateway.
func (g *Gateway) own(set *compile.Set, err error) (*compile.Set, error) {
	if err != nil {
		return nil, err
	}
	return set, set.Only(g.cfg.Gateway)
}

// reopenElsewhere goes on from a motion that was for other gateways.
func (g *Gateway) reopenElsewhere(v ledger.Version) error {
	e, err := council.Reopen(v.Motion, g.last)
	if err != nil {
		return err
	}
	g.last = e
	g.taken[council.Sum(v.Motion)] = true
	return nil
}

// oneSort refuses a state directory in which signed and unsigned policies would
// mix.
func (g *Gateway) oneSort(known []ledger.Version) error {
	for _, v := range known {
		switch signed := len(v.Motion) > 0; {
		case v.Digest == none:
		case signed && !g.cfg.Policy.Signed():
			return config.Refuse("this state directory runs a policy that the council signed; an unsigned directory needs a state directory of its own")
		case !signed && g.cfg.Policy.Signed():
			return config.Refuse("this state directory has run an unsigned policy in a simulation; signed policies need a state directory of their own")
		}
	}
	return nil
}

// readPolicy compiles the directory; nil when it is the version in force.
func (g *Gateway) readPolicy(ctx context.Context) (*compile.Set, error) {
	files, err := compile.ReadDir(g.cfg.Policy.Dir)
	if err != nil {
		return nil, err
	}
	if current, _ := g.inForce(); current != nil && current.Digest == files.Digest() {
		return nil, nil
	}
	return g.own(compile.Files(ctx, g.rules, files))
}

// version asks the rules for every sensor's plans, and says which decisions are
// not run. Who calls it while the gateway runs holds turn.
func (g *Gateway) version(ctx context.Context, set *compile.Set) (ingest.Version, error) {
	v := ingest.Version{
		Digest: set.Digest, Kinds: set.Kinds, Zones: set.Zones, Location: set.Location,
		Streams: set.Streams, Homes: homes.Of(set),
	}
	if n := len(homes.Strangers(g.register, set)); n > 0 {
		g.log.Warn("sensors of the register are of a kind that the policy does not know; they are a number and not listed", "sensors", n, "hint", "sluice doctor names them; mend kind in the register, or add it to kinds.yaml")
	}
	plans, said, err := g.plans(ctx, set, g.register)
	if err != nil {
		return v, err
	}
	v.Plans = plans
	for _, s := range set.Streams {
		if _, err := mechanism.New(s); err != nil {
			return v, &rego.Problem{Code: rego.Unfit, Err: err}
		}
	}
	for _, d := range set.Decisions {
		for _, why := range set.Broken[d.Decision] {
			g.log.Warn("a decision breaks the charter and is not run", "decision", why.Decision, "rule", why.Rule, "hint", why.Message)
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sets[set.Digest] = set // before any window can close under it
	g.idle[set.Digest] = idle(set, said, g.cfg.Gateway)
	if err := v.Check(g.register); err != nil {
		return v, &rego.Problem{Code: rego.Unfit, Err: err}
	}
	return v, nil
}

// plans asks for the plans of a register's sensors, by their ids, and says once each
// why there is none.
func (g *Gateway) plans(ctx context.Context, set *compile.Set, reg *register.Register) (map[string][]plan.Plan, map[compile.Reason]bool, error) {
	out, said := make(map[string][]plan.Plan, len(reg.Sensors)), make(map[compile.Reason]bool)
	set.Prepare(ctx, reg)
	for i := range reg.Sensors {
		sensor := &reg.Sensors[i]
		plans, reasons, err := set.Plans(ctx, sensor)
		if err != nil {
			return nil, nil, err
		}
		out[sensor.ID] = plans
		for _, why := range reasons {
			if !said[why] && why.Rule != "P00" { // an unknown kind is said once, see strangers
				level := slog.LevelWarn
				if why.Rule == "P10" { // as the council has voted
					level = slog.LevelInfo
				}
				g.log.Log(ctx, level, "a decision has no plan for some sensors of a kind", "kind", sensor.Kind, "decision", why.Decision, "rule", why.Rule, "hint", why.Message)
			}
			said[why] = true
		}
	}
	return out, said, nil
}

// idle is the first reason why a decision that is this gateway's is not run at all; empty
// for none.
func idle(set *compile.Set, said map[compile.Reason]bool, gateway string) string {
	elsewhere := set.Elsewhere(gateway)
	for _, d := range set.Decisions {
		if slices.Contains(elsewhere, d.Decision) {
			continue
		}
		for _, why := range set.Broken[d.Decision] {
			return why.Rule + ": decision " + why.Decision + " is not run: " + why.Message
		}
	}
	for why := range said {
		if why.Rule == "L02" {
			return why.Rule + ": no decision is run: " + why.Message
		}
	}
	return ""
}

// adopted notes that a version is in force; nil for none.
func (g *Gateway) adopted(set *compile.Set) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.adopt(set)
}

// adopt is adopted for who holds mu.
func (g *Gateway) adopt(set *compile.Set) {
	g.current = set
	if set == nil {
		return
	}
	g.homes = g.homes.Next(set, g.latest, g.enacted, g.log)
	g.problem, g.latest = nil, set
	if g.versions++; g.enacted != nil {
		g.versions = g.enacted.Version
	}
}

// watchPolicy reloads the directory when it is saved; what cannot be used
// changes nothing and is said. A directory that is gone lets nothing flow.
func (g *Gateway) watchPolicy(ctx context.Context) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		g.passedOver()
		digest := ""
		if files, err := compile.ReadDir(g.cfg.Policy.Dir); err == nil && len(files) > 0 {
			digest = files.Digest()
		}
		if !g.lookout.look(digest, time.Now()) {
			continue
		}
		set, err := g.readPolicy(ctx)
		if err == nil && set != nil {
			err = g.swap(ctx, set)
		} else if rego.CodeOf(err) == rego.NoPolicy {
			err = errors.Join(err, g.stopAll(ctx))
		}
		g.mind(err)
		g.rest(err)
	}
}

// rest lets a policy wait that missed a deadline, or that something other than its
// files may have stopped.
func (g *Gateway) rest(err error) {
	code, pause := rego.CodeOf(err), time.Duration(0)
	switch {
	case err == nil:
		g.lookout.patience = patience{}
		return
	case code == rego.Timeout || code == rego.Died:
		pause = g.lookout.miss(time.Now())
	case code == rego.Other:
		pause = g.lookout.hold(time.Now())
	default:
		g.lookout.patience = patience{}
		return
	}
	if pause > 0 {
		g.log.Warn("the same policy is tried again after a pause", "code", code, "pause", pause)
	} else {
		g.log.Warn("the same policy is not tried again until it changes", "code", code)
	}
}

func (g *Gateway) swap(ctx context.Context, set *compile.Set) error {
	g.turn.Lock()
	defer g.turn.Unlock()
	v, err := g.version(ctx, set)
	if err != nil {
		return err
	}
	packed, err := set.Files.Pack()
	if err != nil {
		return err
	}
	since, err := g.enact(ctx, v, ledger.Version{Packed: packed})
	if err != nil {
		return err
	}
	g.adopted(set)
	g.log.Info("a new policy is in force from each stream's next window on", "policy", set.Digest[:12], "from", since)
	g.poke()
	return nil
}

// stopAll puts no policy in force.
func (g *Gateway) stopAll(ctx context.Context) error {
	g.turn.Lock()
	defer g.turn.Unlock()
	if current, _ := g.inForce(); current == nil {
		return nil
	}
	if _, err := g.enact(ctx, ingest.Version{Digest: none}, ledger.Version{Packed: []byte{}}); err != nil {
		return err
	}
	g.adopted(nil)
	g.poke()
	return nil
}

// enact puts a version in force and returns from when on: no window that begins before
// runs under it.
func (g *Gateway) enact(ctx context.Context, v ingest.Version, kept ledger.Version) (time.Time, error) {
	err := g.ingest.Enact(ctx, v, func(since time.Time) error {
		kept.Digest, kept.Since = v.Digest, since
		return g.ledger.Enact(ctx, kept)
	})
	return kept.Since, err
}

// Problem is what is wrong with the policy directory, over several lines; empty
// when nothing is.
func (g *Gateway) Problem() string {
	if _, err := g.inForce(); err != nil {
		return err.Error()
	}
	return ""
}

// mind keeps and says what is wrong with the policy directory, once.
func (g *Gateway) mind(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err != nil && (g.problem == nil || err.Error() != g.problem.Error()) {
		code := rego.CodeOf(err)
		g.refused[code]++
		first, _, _ := strings.Cut(err.Error(), "\n")
		switch {
		case g.current == nil && code == rego.NoPolicy:
			g.log.Warn("there is no policy yet, so nothing flows", "code", code, "dir", g.cfg.Policy.Dir)
		case g.current != nil:
			g.log.Error("the policy directory cannot be used; the policy in force goes on", "code", code, "error", first)
		default:
			g.log.Error("there is no policy in force, so nothing flows", "code", code, "error", first)
		}
	}
	g.problem = err
}
