package diff

import (
	"fmt"
	"strings"
	"time"

	"sluice/policy/bundle"
	"sluice/policy/decision"
	"sluice/policy/explain"
	"sluice/policy/plan"
)

// shower shows values in one language.
type shower struct {
	l explain.Lang
	p *bundle.Policy
}

func (s *shower) list(words []string) string {
	if len(words) == 0 {
		return "-"
	}
	return s.l.List(words)
}

func (s *shower) period(p plan.Period) string {
	if p.IsZero() {
		return "-"
	}
	return s.l.Period(p)
}

func (s *shower) zones(ids []string) string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = s.p.Zones.Name(id)
	}
	return s.list(names)
}

// keys are all keys of a decision in the order of docs/policy.md. What they show
// decides whether there is a change at all.
var keys = []key{
	{"title", nil, func(s *shower, d *bundle.Decision) string { return s.l.Title(d.Title) }},
	{"stream", func(a, b *bundle.Decision) Mark { return same(a.Document.Stream == b.Document.Stream) }, func(_ *shower, d *bundle.Decision) string { return d.Document.Stream }},
	{"purpose", func(a, b *bundle.Decision) Mark { return same(a.Purpose == b.Purpose) }, func(_ *shower, d *bundle.Decision) string { return d.Purpose }},
	{"legal_basis", nil, func(_ *shower, d *bundle.Decision) string { return d.LegalBasis }},
	{"applies_to.kinds", func(a, b *bundle.Decision) Mark { return subset(a.AppliesTo.Kinds, b.AppliesTo.Kinds) }, func(s *shower, d *bundle.Decision) string { return s.list(d.AppliesTo.Kinds) }},
	{"applies_to.zones", func(a, b *bundle.Decision) Mark { return subset(a.AppliesTo.Zones, b.AppliesTo.Zones) }, func(s *shower, d *bundle.Decision) string { return s.zones(d.AppliesTo.Zones) }},
	{"unit", unitOrder, func(s *shower, d *bundle.Decision) string {
		if d.Unit.None != "" {
			return "none: " + d.Unit.None
		}
		return strings.Trim(s.l.One(d.Stream.Unit.StandsFor)+" ("+d.Unit.Field+")", " ()")
	}},
	{"keep", func(a, b *bundle.Decision) Mark { return subset(a.Keep, b.Keep) }, func(s *shower, d *bundle.Decision) string { return s.list(d.Keep) }},
	{"where", whereOrder, func(s *shower, d *bundle.Decision) string {
		var list []string
		for _, c := range d.Where {
			list = append(list, explain.Condition(s.l, c))
		}
		return s.list(list)
	}},
	{"generalise", generaliseOrder, func(s *shower, d *bundle.Decision) string {
		var list []string
		for _, g := range d.Generalise {
			if g.Step > 0 {
				list = append(list, g.Field+" / "+s.l.Number(g.Step))
			} else {
				list = append(list, fmt.Sprintf("%s %v", g.Field, g.To))
			}
		}
		return s.list(list)
	}},
	{"place", func(a, b *bundle.Decision) Mark { return same(a.Place == b.Place) }, func(_ *shower, d *bundle.Decision) string {
		if d.Place.Lat == "" {
			return "sensor"
		}
		return d.Place.Lat + ", " + d.Place.Lon
	}},
	{"publish.every", everyOrder, func(s *shower, d *bundle.Decision) string { return s.period(d.Publish.Every) }},
	{"publish.lateness", nil, func(s *shower, d *bundle.Decision) string { return s.period(d.Publish.Lateness) }},
	{"publish.by", categoryOrder, func(s *shower, d *bundle.Decision) string {
		if c := d.Stream.Category; c.Field != "" {
			return "zone, " + c.Field + ": " + s.list(c.Values)
		}
		return "zone"
	}},
	{"publish.measures", measuresOrder, func(s *shower, d *bundle.Decision) string {
		var list []string
		for _, m := range d.Stream.Measures {
			list = append(list, m.Name+": "+explain.Measure(s.l, m, d.Stream.Unit))
		}
		return strings.Join(list, "; ")
	}},
	{"protect.min_units", protected(func(a, b *bundle.Decision) Mark { return greater(a.Protect.MinUnits, b.Protect.MinUnits) }), func(_ *shower, d *bundle.Decision) string { return fmt.Sprint(d.Protect.MinUnits) }},
	{"protect.epsilon", protected(epsilonOrder), func(s *shower, d *bundle.Decision) string {
		return s.l.Number(d.Protect.Epsilon) + s.perDay(d, d.Protect.Epsilon)
	}},
	{"protect.delta", protected(deltaOrder), func(s *shower, d *bundle.Decision) string {
		return s.l.Number(d.Protect.Delta) + s.perDay(d, d.Protect.Delta)
	}},
	{"protect.max_contributions", protected(func(a, b *bundle.Decision) Mark {
		return less(a.Protect.MaxContributions, b.Protect.MaxContributions)
	}), func(_ *shower, d *bundle.Decision) string { return fmt.Sprint(d.Protect.MaxContributions) }},
	{"forget_after", protected(func(a, b *bundle.Decision) Mark { return less(a.Stream.Forget.Nominal(), b.Stream.Forget.Nominal()) }), func(s *shower, d *bundle.Decision) string { return s.period(d.Stream.Forget) }},
	{"retain", retainOrder, func(s *shower, d *bundle.Decision) string { return s.period(d.Retain) }},
	{"from", func(a, b *bundle.Decision) Mark { return greater(dayOf(a.From), dayOf(b.From)) }, func(s *shower, d *bundle.Decision) string { return s.l.Date(d.From) }},
	{"until", func(a, b *bundle.Decision) Mark { return less(dayOf(a.Until), dayOf(b.Until)) }, func(s *shower, d *bundle.Decision) string { return s.l.Date(d.Until) }},
	{"review", reviewOrder, func(s *shower, d *bundle.Decision) string { return s.l.Date(d.Review) }},
	{"blackouts", blackoutOrder, func(s *shower, d *bundle.Decision) string {
		var list []string
		for _, b := range d.Blackouts {
			list = append(list, fmt.Sprintf("%s %s - %s (%s)", s.zones(b.Zones), b.From.UTC().Format(time.RFC3339), b.Until.UTC().Format(time.RFC3339), b.Reason))
		}
		return s.list(list)
	}},
}

func (s *shower) perDay(d *bundle.Decision, amount float64) string {
	if d.EpochsPerDay() == 1 {
		return ""
	}
	return " × " + fmt.Sprint(d.EpochsPerDay()) + " = " + s.l.Number(perDay(d, amount))
}

func dayOf(d decision.Date) int64 { return d.Start(time.UTC).Unix() }
