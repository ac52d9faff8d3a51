package diff

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"sluice/internal/civil"
	"sluice/plan"
	"sluice/policy/decision"
)

// Charter and council are compared here; kinds and zones in files of their own.

// charterKey is one key of the charter and its order.
type charterKey struct {
	name string
	mark func(a, b *decision.Charter) Mark
	show func(*decision.Charter) string
}

func forever(p civil.Period) time.Duration {
	if p.IsZero() {
		return math.MaxInt64
	}
	return p.Nominal()
}

var charterKeys = []charterKey{
	{"city", func(a, b *decision.Charter) Mark {
		return same(a.City.ID == b.City.ID && a.City.Timezone == b.City.Timezone)
	}, func(c *decision.Charter) string {
		return fmt.Sprintf("%s, %s, %s, %s", word(c.City.ID), quote(c.City.Name), word(c.City.Timezone),
			words(c.City.Languages))
	}},
	{"purposes", func(a, b *decision.Charter) Mark {
		return subset(a.Purposes, b.Purposes)
	}, func(c *decision.Charter) string { return words(c.Purposes) }},
	{"forbidden_classes", func(a, b *decision.Charter) Mark {
		return subset(b.ForbiddenClasses, a.ForbiddenClasses)
	}, func(c *decision.Charter) string { return words(c.ForbiddenClasses) }},
	{"kinds_about_people", func(a, b *decision.Charter) Mark {
		return subset(b.KindsAboutPeople, a.KindsAboutPeople)
	}, func(c *decision.Charter) string { return words(c.KindsAboutPeople) }},
	{"kinds_not_about_people", func(a, b *decision.Charter) Mark {
		return subset(a.KindsNotAboutPeople, b.KindsNotAboutPeople)
	}, func(c *decision.Charter) string { return words(c.KindsNotAboutPeople) }},
	{"min_units", func(a, b *decision.Charter) Mark {
		return greater(a.MinUnits, b.MinUnits)
	}, func(c *decision.Charter) string { return fmt.Sprint(c.MinUnits) }},
	{"floors", func(a, b *decision.Charter) Mark {
		return subset(a.Allowed(), b.Allowed())
	}, func(c *decision.Charter) string { return joined(c.Allowed()) }},
	{"epsilon_per_day", func(a, b *decision.Charter) Mark {
		return mark(spends(b, a), spends(a, b))
	}, func(c *decision.Charter) string {
		out := []string{}
		for _, unit := range slices.Sorted(maps.Keys(c.EpsilonPerDay)) {
			out = append(out, fmt.Sprintf("%s: %v", word(unit), c.EpsilonPerDay[unit]))
		}
		return strings.Join(out, ", ")
	}},
	{"delta_per_day", func(a, b *decision.Charter) Mark {
		return less(a.DeltaPerDay, b.DeltaPerDay)
	}, func(c *decision.Charter) string { return fmt.Sprint(c.DeltaPerDay) }},
	{"max_contributions", func(a, b *decision.Charter) Mark {
		return less(a.MaxContributions, b.MaxContributions)
	}, func(c *decision.Charter) string { return fmt.Sprint(c.MaxContributions) }},
	{"sunset_max", func(a, b *decision.Charter) Mark {
		return less(forever(a.SunsetMax), forever(b.SunsetMax))
	}, func(c *decision.Charter) string { return c.SunsetMax.String() }},
	{"notice_days", func(a, b *decision.Charter) Mark {
		return greater(a.NoticeDays, b.NoticeDays)
	}, func(c *decision.Charter) string { return fmt.Sprint(c.NoticeDays) }},
	{"blackout_max", func(a, b *decision.Charter) Mark {
		return less(forever(a.BlackoutMax), forever(b.BlackoutMax))
	}, func(c *decision.Charter) string { return c.BlackoutMax.String() }},
	// A suspension protects, so fewer members for it protect more.
	{"quorums", func(a, b *decision.Charter) Mark {
		x, y := a.Quorums, b.Quorums
		return both(greater(x.Enact, y.Enact), greater(x.Weaken, y.Weaken), greater(x.Charter, y.Charter),
			greater(x.Roster, y.Roster), less(x.Suspend, y.Suspend))
	}, func(c *decision.Charter) string {
		q := c.Quorums
		return fmt.Sprintf("enact %d, weaken %d, charter %d, roster %d, suspend %d", q.Enact, q.Weaken, q.Charter,
			q.Roster, q.Suspend)
	}},
}

func joined(list []plan.Floor) string {
	out := make([]string, len(list))
	for i, f := range list {
		out[i] = string(f)
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
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
	for _, f := range charterKeys {
		a, b := f.show(c.old.Charter), f.show(c.new.Charter)
		if m := f.mark(c.old.Charter, c.new.Charter); a != b || m != Neutral {
			c.add(Change{About: "charter.yaml", Key: f.name, Mark: m, Needs: Charter, Old: text(a), New: text(b)})
		}
	}
}

// firstPolicy shows a first policy whole: what has an effect and is not this program's.
func (c *comparison) firstPolicy() {
	for _, f := range charterKeys {
		c.add(Change{About: "charter.yaml", Key: f.name, New: text(f.show(c.new.Charter))})
	}
	c.names()
	c.texts("council.yaml", "member", nil, members(c.new.Council), Enact)
	c.add(Change{About: "council.yaml", Key: "version", New: text(fmt.Sprint(c.new.Council.Version))})
	for _, id := range slices.Sorted(maps.Keys(c.new.Kinds)) {
		c.add(Change{About: "kinds.yaml", Key: "kind " + word(id), New: text(showKind(c.new.Kinds[id]))})
	}
	for _, id := range c.new.Zones.IDs() {
		c.add(Change{About: "zones.geojson", Key: "zone " + word(id), New: c.showZone(c.new.Zones, id)})
	}
	c.add(Change{About: "zones.geojson", Key: "file", New: text(fileDigest(c.new.Zones))})
	c.firstRules()
	for _, s := range c.new.Suspended {
		c.add(Change{About: s.Decision, Key: "suspended", New: text(showSuspension(&s))})
	}
	for _, d := range c.new.Decisions {
		c.add(Change{About: d.Decision, Key: "added", Mark: Weaker, Needs: Enact})
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
		out[word(m.ID)] = strings.Join(append(append([]string{quote(m.Name)}, term(m)...), keys...), ", ")
	}
	for _, k := range x.Revoked {
		out["- revoked "+k.Fingerprint()] = k.Fingerprint()
	}
	return out
}

func term(m decision.Member) []string {
	if m.From == (civil.Date{}) && m.Until == (civil.Date{}) {
		return nil
	}
	return []string{m.From.String() + " - " + m.Until.String()}
}

func (c *comparison) council() {
	c.texts("council.yaml", "member", members(c.old.Council), members(c.new.Council), Roster)
	if a, b := c.old.Council.Version, c.new.Council.Version; a != b {
		c.add(Change{About: "council.yaml", Key: "version", Needs: Roster, Old: text(fmt.Sprint(a)),
			New: text(fmt.Sprint(b))})
	}
	if a, b := order(c.old.Council, c.new.Council), order(c.new.Council, c.old.Council); a != b {
		c.add(Change{About: "council.yaml", Key: "order", Needs: Roster, Old: text(a), New: text(b)})
	}
}

// order names members of a roster who are in another one too, as they are listed.
func order(of, other *decision.Council) string {
	var out []string
	for _, m := range of.Members {
		if slices.ContainsFunc(other.Members, func(o decision.Member) bool { return o.ID == m.ID }) {
			out = append(out, m.ID)
		}
	}
	return words(out)
}

// texts compares named texts, none of which protects anybody.
func (c *comparison) texts(about, what string, a, b map[string]string, needs Quorum) {
	names := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if x, y := a[name], b[name]; x != y {
			c.add(Change{About: about, Key: what + " " + name, Needs: needs, Old: text(x), New: text(y)})
		}
	}
}
