package activation

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"sluice/gateway/config"
	"sluice/gateway/inbox"
	"sluice/gateway/ingest"
	"sluice/gateway/ledger"
	"sluice/policy/compile"
	"sluice/policy/council"
	"sluice/policy/rego"
	"sluice/register"
)

// none is the digest of the version under which nothing flows.
const none = "none"

// Policies put policies into force, from wherever they come, and know which one is.
type Policies struct {
	holder

	cfg     *config.Config
	log     *slog.Logger
	planner planner
	ledger  *ledger.Ledger
	ingest  Ingest // nil until Attach
	changed func() // the public books have something new
	source  source // where policies come from; of the one goroutine that watches
	chain   chain  // of that goroutine, too
	// shared are the books that machines share, nil where there is one; taken are how many versions of
	// them have been taken; of that goroutine.
	shared Shared
	taken  int

	// turn is held while the policy or the register changes: plans are made of both.
	turn  sync.Mutex
	users int // of the listener's passwords as last read; guarded by turn
}

// Ingest is what runs under policies.
type Ingest interface {
	// Enact has a version in force from an instant on, which the books have before.
	Enact(ctx context.Context, v ingest.Version, settle ingest.Settle) error
	// Renew exchanges the register; false where another policy is in force.
	Renew(ctx context.Context, r ingest.Renewal) (bool, error)
	// Admit exchanges who may come in at the listener; the register is the one of before.
	Admit(reg *register.Register, listen ingest.Listen)
	Report() ingest.Report
}

// source is where policies come from.
type source interface {
	// first is the policy at the first start of a state directory. An error says why none
	// is in force yet.
	first(ctx context.Context) (ingest.Version, error)
	// look looks once for new policies, and says after how long to look again.
	look(ctx context.Context) time.Duration
}

// New makes Policies that know of none yet. Restore says what the ledger has, then
// Attach and Watch go on. Changed is called when the public books have something new.
func New(cfg *config.Config, l *ledger.Ledger, rules *rego.Child, reg *register.Register, changed func(),
	log *slog.Logger) *Policies {
	p := &Policies{
		cfg: cfg, log: log, planner: planner{rules, cfg.Gateway, log}, ledger: l, changed: changed,
		chain: chain{taken: make(map[string]bool)},
	}
	if cfg.Policy.Signed() {
		p.source = &motions{p: p, inbox: inbox.New(cfg.Policy.Inbox, council.MaxFile), refused: make(map[string]bool)}
	} else {
		p.source = &directory{p: p}
	}
	p.view.Store(&View{Register: reg})
	return p
}

// Attach gives the policies the ingest that runs under them.
func (p *Policies) Attach(i Ingest) { p.ingest = i }

// activate is the way of a policy into force: its rules are asked for the plans of every
// sensor, ingest takes it between two messages, the ledger keeps it with the instant from
// which it holds, and only then readers see it.
func (p *Policies) activate(ctx context.Context, c candidate) error {
	set, err := p.planner.compile(ctx, c)
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
	p.hold(c, set, since)
	return nil
}

// hold notes that a candidate is in force from an instant on.
func (p *Policies) hold(c candidate, set *compile.Set, since time.Time) {
	if e := c.motion; e != nil {
		sayOvertaken(p.View().Coming, e, p.log)
		p.setCurrent(set, e)
		p.chain.follow(e, c.raw)
		p.log.Info("a motion is in force from each stream's next window on",
			"motion", e.ID, "version", e.Version, "from", since, "members", len(e.Ballots), "needed", e.Needed)
		layOut(p.cfg.Dir, e, p.log)
	} else {
		p.setCurrent(set, nil)
		p.log.Info("a new policy is in force from each stream's next window on", "policy", set.Digest[:12],
			"from", since)
	}
	p.changed()
}

// plan makes the version of ingest that a policy is, and lets it be found. Who calls it
// while the gateway runs holds turn.
func (p *Policies) plan(ctx context.Context, set *compile.Set) (ingest.Version, error) {
	reg := p.View().Register
	v, why, err := p.planner.plan(ctx, set, reg)
	if err != nil {
		return v, err
	}
	p.update(func(view *View) {
		view.Sets = with(view.Sets, set.Digest, set) // before any window can close under it
		view.Idle = with(view.Idle, set.Digest, why)
	})
	if err := v.Check(reg); err != nil {
		return v, &rego.Problem{Code: rego.Unfit, Err: err}
	}
	return v, nil
}

// enact puts a version in force and returns from when on: no window that begins before
// runs under it.
func (p *Policies) enact(ctx context.Context, v ingest.Version, kept ledger.Version) (time.Time, error) {
	err := p.ingest.Enact(ctx, v, func(free time.Time) (time.Time, error) {
		kept.Digest, kept.Since = v.Digest, p.since(free)
		return kept.Since, p.enter(ctx, kept)
	})
	return kept.Since, err
}

// enter has the books keep a version behind those that are known here.
func (p *Policies) enter(ctx context.Context, v ledger.Version) error {
	err := p.ledger.Policies.Enact(ctx, v, p.taken)
	if err == nil {
		p.taken++
	}
	return err
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
