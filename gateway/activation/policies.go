package activation

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sluice/gateway/config"
	"sluice/gateway/homes"
	"sluice/gateway/inbox"
	"sluice/gateway/ingest"
	"sluice/gateway/ledger"
	"sluice/policy/bundle"
	"sluice/policy/compile"
	"sluice/policy/council"
	"sluice/policy/mechanism"
	"sluice/policy/plan"
	"sluice/policy/rego"
	"sluice/register"
)

// none is the digest of the version under which nothing flows.
const none = "none"

// Policies put policies into force, from wherever they come, and know which one is. What
// readers see is a View, which they need no lock for.
type Policies struct {
	cfg     *config.Config
	log     *slog.Logger
	rules   *rego.Child
	ledger  *ledger.Ledger
	ingest  *ingest.Ingest // nil until Attach
	changed func()         // the public books have something new
	source  source         // where policies come from; of the one goroutine that watches
	chain   chain          // of that goroutine, too

	// turn is held while the policy or the register changes: plans are made of both.
	turn sync.Mutex

	mu   sync.Mutex // held while view is exchanged
	view atomic.Pointer[View]
}

// source is where policies come from.
type source interface {
	// first is the policy at the first start of a state directory. An error says why none
	// is in force yet.
	first(ctx context.Context) (ingest.Version, error)
	// watch looks for new policies until ctx ends.
	watch(ctx context.Context) error
}

// New makes Policies that know of none yet. Restore says what the ledger has, then
// Attach and Watch go on. Changed is called when the public books have something new.
func New(cfg *config.Config, l *ledger.Ledger, rules *rego.Child, reg *register.Register, changed func(), log *slog.Logger) *Policies {
	p := &Policies{cfg: cfg, log: log, rules: rules, ledger: l, changed: changed, chain: chain{taken: make(map[string]bool)}}
	if cfg.Policy.Signed() {
		p.source = &motions{p: p, inbox: inbox.New(cfg.Policy.Inbox, council.MaxFile), refused: make(map[string]bool)}
	} else {
		p.source = &directory{p: p}
	}
	p.view.Store(&View{Register: reg})
	return p
}

// Watch looks for new policies where they come from, until ctx ends.
func (p *Policies) Watch(ctx context.Context) error { return p.source.watch(ctx) }

// Attach gives the policies the ingest that runs under them.
func (p *Policies) Attach(i *ingest.Ingest) { p.ingest = i }

// View is which policy is in force now.
func (p *Policies) View() *View { return p.view.Load() }

// Cells are those of this gateway's streams, by stream.
func (p *Policies) Cells() map[string]map[string]bool { return p.View().Cells() }

// Location is the city's; nil before any policy.
func (p *Policies) Location() *time.Location { return p.View().Location() }

// update exchanges the view for a changed one. Change gets a copy; of the maps in it,
// too, it must make another (with).
func (p *Policies) update(change func(v *View)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	v := *p.view.Load()
	change(&v)
	p.view.Store(&v)
}

// with is a copy of a map that has one entry more.
func with[K comparable, V any](m map[K]V, key K, value V) map[K]V {
	out := make(map[K]V, len(m)+1)
	maps.Copy(out, m)
	out[key] = value
	return out
}

// candidate is a policy that is to come into force: the files of a directory, or a
// verified motion.
type candidate struct {
	files bundle.Files
	// motion is what the council has enacted, and raw its file; nil for a directory.
	motion *council.Enacted
	raw    []byte
}

// activate is the way of a policy into force: its rules are asked for the plans of every
// sensor, ingest takes it between two messages, the ledger keeps it with the instant from
// which it holds, and only then readers see it.
func (p *Policies) activate(ctx context.Context, c candidate) error {
	set, err := p.compile(ctx, c)
	if err != nil {
		return err
	}
	p.turn.Lock()
	defer p.turn.Unlock()
	v, err := p.plan(ctx, set)
	if err != nil {
		return err
	}
	kept, err := c.record(set)
	if err != nil {
		return err
	}
	since, err := p.enact(ctx, v, kept)
	if err != nil {
		return err
	}
	if e := c.motion; e != nil {
		p.overtaken(e)
		p.setCurrent(set, e)
		p.chain.follow(e, c.raw)
		p.log.Info("a motion is in force from each stream's next window on", "motion", e.ID, "version", e.Version, "from", since, "members", len(e.Ballots), "needed", e.Needed)
		p.layOut(e)
	} else {
		p.setCurrent(set, nil)
		p.log.Info("a new policy is in force from each stream's next window on", "policy", set.Digest[:12], "from", since)
	}
	p.changed()
	return nil
}

// compile asks the rules which decisions of a candidate hold, and leaves it the zones of
// this gateway.
func (p *Policies) compile(ctx context.Context, c candidate) (set *compile.Set, err error) {
	if c.motion != nil {
		set, err = compile.Policy(ctx, p.rules, c.motion.Policy)
	} else {
		set, err = compile.Files(ctx, p.rules, c.files)
	}
	if err != nil {
		return nil, err
	}
	return set, set.Only(p.cfg.Gateway)
}

// record is what the ledger keeps of a candidate.
func (c candidate) record(set *compile.Set) (ledger.Version, error) {
	if c.motion != nil {
		return ledger.Version{Digest: set.Digest, Packed: []byte{}, Motion: c.raw}, nil
	}
	packed, err := set.Files.Pack()
	return ledger.Version{Digest: set.Digest, Packed: packed}, err
}

// plan asks the rules for every sensor's plans, and says which decisions are not run.
// Who calls it while the gateway runs holds turn.
func (p *Policies) plan(ctx context.Context, set *compile.Set) (ingest.Version, error) {
	reg := p.View().Register
	v := ingest.Version{
		Digest: set.Digest, Kinds: set.Kinds, Zones: set.Zones, Location: set.Location,
		Streams: set.Streams, Homes: homes.Of(set),
	}
	p.sayStrangers(reg, set)
	plans, said, err := p.plans(ctx, set, reg)
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
			p.log.Warn("a decision breaks the charter and is not run", "decision", why.Decision, "rule", why.Rule, "hint", why.Message)
		}
	}
	p.update(func(view *View) {
		view.Sets = with(view.Sets, set.Digest, set) // before any window can close under it
		view.Idle = with(view.Idle, set.Digest, idle(set, said, p.cfg.Gateway))
	})
	if err := v.Check(reg); err != nil {
		return v, &rego.Problem{Code: rego.Unfit, Err: err}
	}
	return v, nil
}

// sayStrangers says once how many sensors are of a kind that the policy does not know.
func (p *Policies) sayStrangers(reg *register.Register, set *compile.Set) {
	if n := len(homes.Strangers(reg, set)); n > 0 {
		p.log.Warn("sensors of the register are of a kind that the policy does not know; they are a number and not listed", "sensors", n, "hint", "sluice doctor names them; mend kind in the register, or add it to kinds.yaml")
	}
}

// plans asks for the plans of a register's sensors, by their ids, and says once each
// why there is none.
func (p *Policies) plans(ctx context.Context, set *compile.Set, reg *register.Register) (map[string][]plan.Plan, map[compile.Reason]bool, error) {
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
				p.log.Log(ctx, level, "a decision has no plan for some sensors of a kind", "kind", sensor.Kind, "decision", why.Decision, "rule", why.Rule, "hint", why.Message)
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

// enact puts a version in force and returns from when on: no window that begins before
// runs under it.
func (p *Policies) enact(ctx context.Context, v ingest.Version, kept ledger.Version) (time.Time, error) {
	err := p.ingest.Enact(ctx, v, func(since time.Time) error {
		kept.Digest, kept.Since = v.Digest, since
		return p.ledger.Enact(ctx, kept)
	})
	return kept.Since, err
}

// setCurrent notes that a policy is in force, nil for none; the motion is the one that
// brought it, nil in an unsigned directory.
func (p *Policies) setCurrent(set *compile.Set, motion *council.Enacted) {
	p.update(func(v *View) {
		v.Current = set
		if set == nil {
			return
		}
		v.Homes = v.Homes.Next(set, v.Latest, motion, p.log)
		v.Problem, v.Latest = nil, set
		v.Versions++
		if motion != nil {
			v.Enacted, v.Coming, v.Versions = motion, nil, motion.Version
		}
	})
}

// stopAll puts no policy in force.
func (p *Policies) stopAll(ctx context.Context) error {
	p.turn.Lock()
	defer p.turn.Unlock()
	if !p.View().Running() {
		return nil
	}
	if _, err := p.enact(ctx, ingest.Version{Digest: none}, ledger.Version{Packed: []byte{}}); err != nil {
		return err
	}
	p.setCurrent(nil, nil)
	p.changed()
	return nil
}

// count counts a policy that was refused.
func (p *Policies) count(code rego.Code) {
	p.update(func(v *View) { v.Refused = with(v.Refused, code, v.Refused[code]+1) })
}
