package diff

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"sluice/plan"
	"sluice/policy/bundle"
	"sluice/register"
)

// kinds: what a kind gains, a decision that named it already may get; what it
// loses, a decision may need, and a home that it stood for is a sensor like others.
func (c *comparison) kinds() {
	ids := slices.AppendSeq(slices.Collect(maps.Keys(c.old.Kinds)), maps.Keys(c.new.Kinds))
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		a, was := c.old.Kinds[id]
		b, is := c.new.Kinds[id]
		x := Change{About: "kinds.yaml", Key: "kind " + word(id)}
		switch {
		case !was:
			x.Mark, x.New = c.wanted(id), text(showKind(b))
		case !is:
			x.Mark, x.Old, x.Ends = Stronger, text(showKind(a)), c.inUse(id)
		case showKind(a) == showKind(b):
			continue
		default:
			x.Mark, x.Old, x.New, x.Ends = kindOrder(a, b), text(showKind(a)), text(showKind(b)), narrowed(a, b) &&
				c.inUse(id)
		}
		if a.Home() && !b.Home() {
			x.Mark = Weaker
			c.add(Change{About: "kinds.yaml", Key: "singly " + word(id), Mark: Weaker})
		}
		c.add(x)
	}
}

// wanted is the mark of a kind that appears: neutral unless a decision waits for it.
func (c *comparison) wanted(kind string) Mark {
	if c.inUse(kind) {
		return Weaker
	}
	return Neutral
}

// inUse reports whether a decision in force names the kind.
func (c *comparison) inUse(kind string) bool {
	return slices.ContainsFunc(c.old.Decisions, func(d bundle.Decision) bool {
		return slices.Contains(d.AppliesTo.Kinds, kind)
	})
}

// showKind says all that a kind has, in its order.
func showKind(k register.Kind) string {
	var parts []string
	for _, u := range k.Units {
		what := "unit"
		if u.Field != "" {
			what += " " + word(u.Field)
		}
		if u.Sensor {
			what += " sensor"
		}
		parts = append(parts, what+" = "+word(u.StandsFor))
	}
	for _, f := range k.Fields {
		line := word(f.Name) + ": " + word(f.Class) + " " + word(f.Type)
		if f.Unit != "" {
			line += " " + quote(f.Unit)
		}
		if f.Format != "" {
			line += " as " + word(f.Format)
		}
		if len(f.Valid) == 2 {
			line += " in " + plan.Plain(f.Valid[0]) + ".." + plan.Plain(f.Valid[1])
		}
		parts = append(parts, line)
	}
	if !k.Heartbeat.IsZero() {
		parts = append(parts, "heartbeat "+k.Heartbeat.String())
	}
	if k.Quota > 0 {
		parts = append(parts, fmt.Sprintf("quota %d", k.Quota))
	}
	return strings.Join(parts, "; ")
}

// kindOrder: the same units, fewer fields, stricter classes and fewer valid numbers
// protect at least as much. A unit of measurement, a heartbeat or a quota protects nobody.
func kindOrder(a, b register.Kind) Mark {
	return mark(kindAtLeast(a, b), kindAtLeast(b, a))
}

// asItIs is a text as it is: two spellings of it are two units.
func asItIs(format string) bool { return format == "" || format == "text" }

// validWithin reports whether every number that is valid by b is by a, too.
func validWithin(a, b []float64) bool {
	return len(a) != 2 || len(b) == 2 && a[0] <= b[0] && b[1] <= a[1]
}

// narrowed reports whether values of a field are refused that were not: numbers outside
// what is valid, or identifiers that are not of the form.
func narrowed(a, b register.Kind) bool {
	return slices.ContainsFunc(a.Fields, func(x register.Field) bool {
		return slices.ContainsFunc(b.Fields, func(f register.Field) bool {
			return f.Name == x.Name && (!validWithin(f.Valid, x.Valid) || f.Format != x.Format && !asItIs(f.Format))
		})
	})
}

func kindAtLeast(a, b register.Kind) bool {
	if !within(a.Units, b.Units) || !within(b.Units, a.Units) {
		return false
	}
	for _, f := range b.Fields {
		if !slices.ContainsFunc(a.Fields, func(x register.Field) bool {
			return x.Name == f.Name && x.Type == f.Type && (f.Format == x.Format || asItIs(x.Format)) &&
				validWithin(x.Valid, f.Valid) &&
				(x.Class == f.Class || f.Class == "free-text" || f.Class == "credential")
		}) {
			return false
		}
	}
	return true
}
