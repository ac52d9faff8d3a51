package check

import (
	"slices"

	"sluice/plan"
	"sluice/policy/decision"
)

// retained finds times to keep numbers that say nothing of what the decision publishes, or
// that end for days before they end for hours.
func (c *checker) retained(file string, d *decision.Document) {
	r := d.Retain
	if !r.Apart {
		return
	}
	if r.For(d.Publish.Every).IsZero() {
		c.at(file, "D51", "retain", decision.RetainKey(d.Publish.Every))
	}
	if d.KeepsDays() && len(d.Unit.None) > 0 && len(d.Stream+plan.DaysSuffix) > plan.MaxID {
		c.at(file, "D54", "stream", d.Stream, plan.MaxID-len(plan.DaysSuffix))
	}
	if !r.Days.IsZero() && r.Hours.Longer(r.Days) {
		c.at(file, "D52", "retain/days", r.Hours, r.Days)
	}
}

// daily finds decisions that keep numbers of days and publish none, where nothing beside
// them pays for one: hours of units cannot be added up.
func (c *checker) daily() {
	for file, d := range c.decisions {
		if d.KeepsDays() && len(d.Unit.None) == 0 && !c.paid(d) {
			c.at(file, "D53", "retain/days", d.Stream, d.Retain.Days)
		}
	}
}

// paid reports whether a decision publishes days of what another one publishes hours of, as
// long as that one runs, and keeps them as long.
func (c *checker) paid(d *decision.Document) bool {
	for _, x := range c.decisions {
		if decision.RetainKey(x.Publish.Every) == "days" && unitOf(x) == unitOf(d) && x.Unit.Field == d.Unit.Field &&
			within(d.AppliesTo.Kinds, x.AppliesTo.Kinds) && within(d.AppliesTo.Zones, x.AppliesTo.Zones) &&
			x.From.String() <= d.From.String() && x.Until.String() >= d.Until.String() &&
			!d.Retain.Days.Longer(x.Retain.Days) {
			return true
		}
	}
	return false
}

func within(part, whole []string) bool {
	return !slices.ContainsFunc(part, func(x string) bool { return !slices.Contains(whole, x) })
}
