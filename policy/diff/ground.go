package diff

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"sluice/policy/decision"
	"sluice/policy/plan"
)

// The ground on which decisions stand: charter, council, kinds and zones.

// floor is one key of the charter and its order.
type floor struct {
	name string
	mark func(a, b *decision.Charter) Mark
	show func(*decision.Charter) string
}

func forever(p plan.Period) time.Duration {
	if p.IsZero() {
		return math.MaxInt64
	}
	return p.Nominal()
}

var floors = []floor{
	{"city", func(a, b *decision.Charter) Mark {
		return same(a.City.ID == b.City.ID && a.City.Timezone == b.City.Timezone)
	}, func(c *decision.Charter) string {
		return fmt.Sprintf("%s, %s, %s, %s", c.City.ID, c.City.Name, c.City.Timezone, strings.Join(c.City.Languages, " "))
	}},
	{"purposes", func(a, b *decision.Charter) Mark { return subset(a.Purposes, b.Purposes) }, func(c *decision.Charter) string { return strings.Join(c.Purposes, ", ") }},
	{"forbidden_classes", func(a, b *decision.Charter) Mark { return subset(b.ForbiddenClasses, a.ForbiddenClasses) }, func(c *decision.Charter) string { return strings.Join(c.ForbiddenClasses, ", ") }},
	{"kinds_about_people", func(a, b *decision.Charter) Mark { return subset(b.KindsAboutPeople, a.KindsAboutPeople) }, func(c *decision.Charter) string { return strings.Join(c.KindsAboutPeople, ", ") }},
	{"min_units", func(a, b *decision.Charter) Mark { return greater(a.MinUnits, b.MinUnits) }, func(c *decision.Charter) string { return fmt.Sprint(c.MinUnits) }},
	{"epsilon_per_day", func(a, b *decision.Charter) Mark { return mark(spends(b, a), spends(a, b)) }, func(c *decision.Charter) string {
		var out []string
		for _, unit := range slices.Sorted(maps.Keys(c.EpsilonPerDay)) {
			out = append(out, fmt.Sprintf("%s: %v", unit, c.EpsilonPerDay[unit]))
		}
		return strings.Join(out, ", ")
	}},
	{"delta_per_day", func(a, b *decision.Charter) Mark { return less(a.DeltaPerDay, b.DeltaPerDay) }, func(c *decision.Charter) string { return fmt.Sprint(c.DeltaPerDay) }},
	{"max_contributions", func(a, b *decision.Charter) Mark { return less(a.MaxContributions, b.MaxContributions) }, func(c *decision.Charter) string { return fmt.Sprint(c.MaxContributions) }},
	{"sunset_max", func(a, b *decision.Charter) Mark { return less(forever(a.SunsetMax), forever(b.SunsetMax)) }, func(c *decision.Charter) string { return c.SunsetMax.String() }},
	{"notice_days", func(a, b *decision.Charter) Mark { return greater(a.NoticeDays, b.NoticeDays) }, func(c *decision.Charter) string { return fmt.Sprint(c.NoticeDays) }},
	{"blackout_max", func(a, b *decision.Charter) Mark { return less(forever(a.BlackoutMax), forever(b.BlackoutMax)) }, func(c *decision.Charter) string { return c.BlackoutMax.String() }},
	// A suspension protects, so fewer members for it protect more.
	{"quorums", func(a, b *decision.Charter) Mark {
		x, y := a.Quorums, b.Quorums
		return both(greater(x.Enact, y.Enact), greater(x.Weaken, y.Weaken), greater(x.Charter, y.Charter), greater(x.Roster, y.Roster), less(x.Suspend, y.Suspend))
	}, func(c *decision.Charter) string {
		q := c.Quorums
		return fmt.Sprintf("enact %d, weaken %d, charter %d, roster %d, suspend %d", q.Enact, q.Weaken, q.Charter, q.Roster, q.Suspend)
	}},
}

// spends reports whether b allows no more than a for every unit; a unit that is
// not named has no budget.
func spends(b, a *decision.Charter) bool {
	for unit, most := range b.EpsilonPerDay {
		if most > a.EpsilonPerDay[unit] {
			return false
		}
	}
	return true
}

func (c *comparison) charter() {
	for _, f := range floors {
		a, b := f.show(c.old.Charter), f.show(c.new.Charter)
		if m := f.mark(c.old.Charter, c.new.Charter); a != b || m != Neutral {
			c.add(Change{About: "charter.yaml", Key: f.name, Mark: m, Needs: Charter, Old: [3]string{a, a, a}, New: [3]string{b, b, b}})
		}
	}
}

// founded shows the ground of a first policy.
func (c *comparison) founded() {
	for _, f := range floors {
		c.add(Change{About: "charter.yaml", Key: f.name, New: text(f.show(c.new.Charter))})
	}
	c.texts("council.yaml", "member", nil, members(c.new.Council), Enact, Neutral)
	for _, id := range slices.Sorted(maps.Keys(c.new.Kinds)) {
		c.add(Change{About: "kinds.yaml", Key: "kind " + id, New: text(showKind(c.new.Kinds[id]))})
	}
	for _, id := range c.new.Zones.IDs() {
		c.add(Change{About: "zones.geojson", Key: "zone " + id, New: text(c.new.Zones.Name(id))})
	}
}

// members shows a roster by what to call each line of it.
func members(x *decision.Council) map[string]string {
	out := make(map[string]string)
	for _, m := range x.Members {
		keys := make([]string, len(m.Keys))
		for i, k := range m.Keys {
			keys[i] = k.Fingerprint()
		}
		out[m.ID] = strings.Join(append([]string{m.Name}, append(term(m), keys...)...), ", ")
	}
	for _, k := range x.Revoked {
		out["- revoked "+k.Fingerprint()] = k.Fingerprint()
	}
	return out
}

func term(m decision.Member) []string {
	if m.From == (decision.Date{}) && m.Until == (decision.Date{}) {
		return nil
	}
	return []string{m.From.String() + " - " + m.Until.String()}
}

func (c *comparison) council() {
	c.texts("council.yaml", "member", members(c.old.Council), members(c.new.Council), Roster, Neutral)
	if c.old.Council.Version != c.new.Council.Version {
		a, b := fmt.Sprint(c.old.Council.Version), fmt.Sprint(c.new.Council.Version)
		c.add(Change{About: "council.yaml", Key: "version", Needs: Roster, Old: [3]string{a, a, a}, New: [3]string{b, b, b}})
	}
}

// texts compares named texts.
func (c *comparison) texts(about, what string, a, b map[string]string, needs Quorum, m Mark) {
	names := slices.Collect(maps.Keys(a))
	for name := range b {
		if _, ok := a[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if x, y := a[name], b[name]; x != y {
			c.add(Change{About: about, Key: what + " " + name, Mark: m, Needs: needs, Old: [3]string{x, x, x}, New: [3]string{y, y, y}})
		}
	}
}

// kinds: what a kind gains, a decision that named it already may get.
func (c *comparison) kinds() {
	ids := slices.Sorted(maps.Keys(c.old.Kinds))
	for id := range c.new.Kinds {
		if _, ok := c.old.Kinds[id]; !ok {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	for _, id := range ids {
		a, was := c.old.Kinds[id]
		b, is := c.new.Kinds[id]
		switch {
		case !was:
			c.add(Change{About: "kinds.yaml", Key: "kind " + id, Mark: c.wanted(id), New: text(showKind(b))})
		case !is:
			c.add(Change{About: "kinds.yaml", Key: "kind " + id, Mark: Stronger, Old: text(showKind(a))})
		case showKind(a) != showKind(b):
			c.add(Change{About: "kinds.yaml", Key: "kind " + id, Mark: kindOrder(a, b), Old: text(showKind(a)), New: text(showKind(b))})
		}
	}
}

func text(s string) [3]string { return [3]string{s, s, s} }

// wanted is the mark of a kind that appears: neutral unless a decision waits for it.
func (c *comparison) wanted(kind string) Mark {
	for _, d := range c.old.Decisions {
		if slices.Contains(d.AppliesTo.Kinds, kind) {
			return Weaker
		}
	}
	return Neutral
}

func showKind(k decision.Kind) string {
	var parts []string
	for _, u := range k.Units {
		parts = append(parts, strings.TrimSpace(u.Field+" = "+u.StandsFor))
	}
	for _, f := range k.Fields {
		parts = append(parts, strings.TrimSpace(fmt.Sprintf("%s: %s %s %s", f.Name, f.Class, f.Type, f.Unit)))
	}
	if !k.Heartbeat.IsZero() {
		parts = append(parts, "heartbeat "+k.Heartbeat.String())
	}
	return strings.Join(parts, "; ")
}

// kindOrder: fewer units and fields, and stricter classes, protect more. A unit
// of measurement or a heartbeat protects nobody.
func kindOrder(a, b decision.Kind) Mark {
	return mark(kindAtLeast(a, b), kindAtLeast(b, a))
}

func kindAtLeast(a, b decision.Kind) bool {
	for _, u := range b.Units {
		if !slices.Contains(a.Units, u) {
			return false
		}
	}
	for _, f := range b.Fields {
		if !slices.ContainsFunc(a.Fields, func(x decision.Field) bool {
			return x.Name == f.Name && x.Type == f.Type && (x.Class == f.Class || f.Class == "free-text" || f.Class == "credential")
		}) {
			return false
		}
	}
	return true
}

func (c *comparison) zones() {
	for _, id := range c.new.Zones.IDs() {
		switch {
		case !c.old.Zones.Has(id):
			m := Neutral
			for _, d := range c.old.Decisions {
				if slices.Contains(d.AppliesTo.Zones, id) {
					m = Weaker
				}
			}
			c.add(Change{About: "zones.geojson", Key: "zone " + id, Mark: m, New: text(c.new.Zones.Name(id))})
		case !c.new.Zones.SameArea(id, c.old.Zones):
			c.add(Change{About: "zones.geojson", Key: "area " + id, Mark: Weaker, New: text(c.new.Zones.Name(id))})
		case c.new.Zones.Gateway(id) != c.old.Zones.Gateway(id):
			c.add(Change{About: "zones.geojson", Key: "gateway " + id, Mark: Weaker, Old: text(c.old.Zones.Gateway(id)), New: text(c.new.Zones.Gateway(id))})
		case c.new.Zones.Name(id) != c.old.Zones.Name(id):
			c.add(Change{About: "zones.geojson", Key: "zone " + id, Old: text(c.old.Zones.Name(id)), New: text(c.new.Zones.Name(id))})
		}
	}
	for _, id := range c.old.Zones.IDs() {
		if !c.new.Zones.Has(id) {
			c.add(Change{About: "zones.geojson", Key: "zone " + id, Mark: Stronger, Old: text(c.old.Zones.Name(id))})
		}
	}
}
