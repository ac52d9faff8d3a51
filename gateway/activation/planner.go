package activation

import (
	"context"
	"log/slog"
	"slices"

	"sluice/gateway/homes"
	"sluice/gateway/ingest"
	"sluice/plan"
	"sluice/policy/compile"
	"sluice/policy/mechanism"
	"sluice/policy/rego"
	"sluice/register"
)

// planner asks the council's rules what a policy means here.
type planner struct {
	rules   *rego.Child
	gateway string // whose zones count
	log     *slog.Logger
}

// compile asks the rules which decisions of a candidate hold, and leaves it the zones of
// this gateway.
func (p *planner) compile(ctx context.Context, c candidate) (set *compile.Set, err error) {
	if c.motion != nil {
		set, err = compile.Policy(ctx, p.rules, c.motion.Policy)
	} else {
		set, err = compile.Files(ctx, p.rules, c.files)
	}
	if err != nil {
		return nil, err
	}
	return set, set.Only(p.gateway)
}

// plan asks for the plans of every sensor of a register, and says which decisions are not
// run; why is the first reason why one is not run at all, empty for none.
func (p *planner) plan(
	ctx context.Context, set *compile.Set, reg *register.Register,
) (v ingest.Version, why string, err error) {
	v = ingest.Version{
		Digest: set.Digest, Kinds: set.Kinds, Zones: set.Zones, Location: set.Location,
		Streams: set.Streams, Homes: homes.Of(set),
	}
	p.sayStrangers(reg, set)
	plans, reasons, err := p.plans(ctx, set, reg)
	if err != nil {
		return v, "", err
	}
	v.Plans = plans
	for _, s := range set.Streams {
		if _, err := mechanism.New(s); err != nil {
			return v, "", &rego.Problem{Code: rego.Unfit, Err: err}
		}
	}
	for _, d := range set.Decisions {
		for _, why := range set.Broken[d.Decision] {
			p.log.Warn("a decision breaks the charter and is not run", "decision", why.Decision, "rule", why.Rule,
				"hint", why.Message)
		}
	}
	return v, idle(set, reasons, p.gateway), nil
}

// sayStrangers says once how many sensors are of a kind that the policy does not know.
func (p *planner) sayStrangers(reg *register.Register, set *compile.Set) {
	if n := len(homes.Strangers(reg, set)); n > 0 {
		p.log.Warn("sensors of the register are of a kind that the policy does not know; they are a number "+
			"and not listed", "sensors", n, "hint", "sluice doctor names them; mend kind in the register, or add it "+
			"to kinds.yaml")
	}
	if n := astray(reg, set.Zones); n > 0 {
		p.log.Warn("sensors of the register stand in zones that the policy does not have; what they send counts for "+
			"nothing", "sensors", n, "hint", "sluice register check --policy names them; mend zone in the register")
	}
}

// astray is how many sensors name a zone that there is not.
func astray(reg *register.Register, zones *register.Zones) (n int) {
	for i := range reg.Sensors {
		if zone := reg.Sensors[i].Zone; zone != "" && !zones.Has(zone) {
			n++
		}
	}
	return n
}

// plans asks for the plans of a register's sensors, by their ids, and says once each
// why there is none.
func (p *planner) plans(
	ctx context.Context, set *compile.Set, reg *register.Register,
) (map[string][]plan.Plan, map[compile.Reason]bool, error) {
	out, logged := make(map[string][]plan.Plan, len(reg.Sensors)), make(map[compile.Reason]bool)
	set.Prepare(ctx, reg)
	for i := range reg.Sensors {
		sensor := &reg.Sensors[i]
		plans, reasons, err := set.Plans(ctx, sensor)
		if err != nil {
			return nil, nil, err
		}
		out[sensor.ID] = plans
		for _, why := range reasons {
			if !logged[why] && why.Rule != "P00" { // an unknown kind is said once, see strangers
				level := slog.LevelWarn
				if why.Rule == "P10" { // as the council has voted
					level = slog.LevelInfo
				}
				p.log.Log(ctx, level, "a decision has no plan for some sensors of a kind", "kind", sensor.Kind,
					"decision", why.Decision, "rule", why.Rule, "hint", why.Message)
			}
			logged[why] = true
		}
	}
	return out, logged, nil
}

// idle is the first reason why a decision that is this gateway's is not run at all; empty
// for none.
func idle(set *compile.Set, reasons map[compile.Reason]bool, gateway string) string {
	elsewhere := set.Elsewhere(gateway)
	for _, d := range set.Decisions {
		if slices.Contains(elsewhere, d.Decision) {
			continue
		}
		for _, why := range set.Broken[d.Decision] {
			return why.Rule + ": decision " + why.Decision + " is not run: " + why.Message
		}
	}
	for why := range reasons {
		if why.Rule == "L02" {
			return why.Rule + ": no decision is run: " + why.Message
		}
	}
	return ""
}
