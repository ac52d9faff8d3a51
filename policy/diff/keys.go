package diff

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"sluice/internal/civil"
	"sluice/plan"
	"sluice/policy/bundle"
)

// key is one thing that a decision says, how it is ordered and how it is shown.
type key struct {
	name string
	// mark is the order; nil for what is always neutral.
	mark func(a, b *bundle.Decision) Mark
	// ends reports whether b shows less of a's series, or practically nothing; nil for
	// a key that cannot.
	ends func(a, b *bundle.Decision) bool
	// endsSince is the first format of motions for which it does; 0 for all.
	endsSince int
	// show decides whether there is a change at all.
	show func(s *formatter, d *bundle.Decision) string
}

// keys are all keys of a decision in the order of docs/policy.md.
var keys = []key{
	{name: "title", show: func(_ *formatter, d *bundle.Decision) string { return showTitles(d.Title) }},
	{
		name: "stream", mark: func(a, b *bundle.Decision) Mark { return same(a.Stream.ID == b.Stream.ID) },
		ends: func(a, b *bundle.Decision) bool { return a.Stream.ID != b.Stream.ID },
		show: func(_ *formatter, d *bundle.Decision) string { return word(d.Stream.ID) },
	},
	{
		name: "purpose", mark: func(a, b *bundle.Decision) Mark { return same(a.Purpose == b.Purpose) },
		show: func(_ *formatter, d *bundle.Decision) string { return word(d.Purpose) },
	},
	{name: "legal_basis", show: func(_ *formatter, d *bundle.Decision) string { return quote(d.LegalBasis) }},
	{
		name: "applies_to.kinds", mark: func(a, b *bundle.Decision) Mark {
			return subset(a.AppliesTo.Kinds, b.AppliesTo.Kinds)
		},
		ends: func(a, b *bundle.Decision) bool { return !within(a.AppliesTo.Kinds, b.AppliesTo.Kinds) },
		show: func(_ *formatter, d *bundle.Decision) string { return words(d.AppliesTo.Kinds) },
	},
	{
		name: "applies_to.zones", mark: func(a, b *bundle.Decision) Mark {
			return subset(a.AppliesTo.Zones, b.AppliesTo.Zones)
		},
		ends: func(a, b *bundle.Decision) bool { return !within(a.AppliesTo.Zones, b.AppliesTo.Zones) },
		show: func(s *formatter, d *bundle.Decision) string { return s.zones(d.AppliesTo.Zones) },
	},
	{
		name: "unit", mark: unitOrder,
		ends: func(a, b *bundle.Decision) bool { return a.Stream.Unit.None() && !b.Stream.Unit.None() },
		show: (*formatter).unit,
	},
	{
		name: "keep", mark: func(a, b *bundle.Decision) Mark { return subset(a.Keep, b.Keep) },
		show: func(_ *formatter, d *bundle.Decision) string { return words(d.Keep) },
	},
	{name: "where", mark: whereOrder, ends: func(a, b *bundle.Decision) bool {
		return !implies(a.Where, b.Where)
	}, show: (*formatter).where},
	{name: "generalise", mark: generaliseOrder, ends: blurred, show: (*formatter).generalise},
	{
		name: "place", mark: func(a, b *bundle.Decision) Mark { return same(a.Place == b.Place) },
		ends: func(a, b *bundle.Decision) bool { return a.Place != b.Place },
		show: func(_ *formatter, d *bundle.Decision) string {
			if d.Place.Lat == "" {
				return "sensor"
			}
			return "lat: " + word(d.Place.Lat) + ", lon: " + word(d.Place.Lon)
		},
	},
	{
		name: "publish.every", mark: everyOrder,
		ends: func(a, b *bundle.Decision) bool { return a.Publish.Every.Nominal() != b.Publish.Every.Nominal() },
		show: func(s *formatter, d *bundle.Decision) string { return s.period(d.Publish.Every) },
	},
	{
		// A window that waits longer holds its identifiers longer.
		name: "publish.lateness", mark: protected(func(a, b *bundle.Decision) Mark {
			return less(lateness(a), lateness(b))
		}),
		ends: func(a, b *bundle.Decision) bool { return lateness(b)*much < lateness(a) },
		show: func(s *formatter, d *bundle.Decision) string { return s.period(d.Publish.Lateness) },
	},
	{name: "publish.by", mark: categoryOrder, ends: fewerCells, show: (*formatter).by},
	{name: "publish.measures", mark: measuresOrder, ends: fewerNumbers, show: (*formatter).measures},
	{name: "publish.names", show: (*formatter).names},
	{name: "publish.limits", show: (*formatter).limits},
	{
		name: "protect.min_units", mark: protected(func(a, b *bundle.Decision) Mark {
			return greater(a.Protect.MinUnits, b.Protect.MinUnits)
		}), ends: vanishes,
		show: func(_ *formatter, d *bundle.Decision) string { return fmt.Sprint(d.Protect.MinUnits) },
	},
	{name: "protect.epsilon", mark: protected(epsilonOrder), ends: vanishes,
		show: func(s *formatter, d *bundle.Decision) string {
			return s.l.Number(d.Protect.Epsilon) + s.perDay(d, d.Protect.Epsilon)
		}},
	{name: "protect.delta", mark: protected(deltaOrder), ends: vanishes,
		show: func(s *formatter, d *bundle.Decision) string {
			return s.l.Number(d.Protect.Delta) + s.perDay(d, d.Protect.Delta)
		}},
	{
		name: "protect.max_contributions", mark: protected(func(a, b *bundle.Decision) Mark {
			return less(a.Protect.MaxContributions, b.Protect.MaxContributions)
		}), ends: func(a, b *bundle.Decision) bool {
			return vanishes(a, b) || b.Protect.MaxContributions*much < a.Protect.MaxContributions
		},
		show: func(_ *formatter, d *bundle.Decision) string { return fmt.Sprint(d.Protect.MaxContributions) },
	},
	{
		// Owners that share the bound can spend what others' sensors would count.
		name: "protect.by_owner", mark: protected(func(a, b *bundle.Decision) Mark {
			return mark(narrowerParts(a, b), narrowerParts(b, a))
		}),
		ends: func(a, b *bundle.Decision) bool { return fewerOwners(a.Protect.ByOwner, b.Protect.ByOwner) },
		show: func(_ *formatter, d *bundle.Decision) string { return showOwners(d.Protect.ByOwner) },
	},
	{
		name: "protect.floor", mark: protected(func(a, b *bundle.Decision) Mark {
			return permits(a.Stream.Protect.Floor == plan.Noisy, b.Stream.Protect.Floor == plan.Noisy)
		}), ends: vanishes,
		show: func(_ *formatter, d *bundle.Decision) string {
			return string(cmp.Or(d.Stream.Protect.Floor, plan.Exact))
		},
	},
	{
		name: "protect.membership", mark: protected(func(a, b *bundle.Decision) Mark {
			return permits(a.Stream.Protect.Membership == plan.Public, b.Stream.Protect.Membership == plan.Public)
		}), ends: vanishes, show: func(_ *formatter, d *bundle.Decision) string {
			return string(d.Stream.Protect.Membership)
		},
	},
	{
		name: "forget_after", mark: protected(func(a, b *bundle.Decision) Mark {
			return less(a.Stream.Forget.Nominal(), b.Stream.Forget.Nominal())
		}),
		show: func(s *formatter, d *bundle.Decision) string { return s.period(d.Stream.Forget) },
	},
	{name: "retain", mark: retainOrder, ends: shorter, endsSince: removedSince,
		show: (*formatter).retain},
	{
		name: "from", mark: func(a, b *bundle.Decision) Mark { return greater(dayOf(a.From), dayOf(b.From)) },
		ends: func(a, b *bundle.Decision) bool { return dayOf(b.From) > dayOf(a.From) },
		show: func(s *formatter, d *bundle.Decision) string { return s.l.Date(d.From) },
	},
	{
		name: "until", mark: func(a, b *bundle.Decision) Mark { return less(dayOf(a.Until), dayOf(b.Until)) },
		ends: func(a, b *bundle.Decision) bool { return dayOf(b.Until) < dayOf(a.Until) },
		show: func(s *formatter, d *bundle.Decision) string { return s.l.Date(d.Until) },
	},
	{name: "review", mark: reviewOrder,
		show: func(s *formatter, d *bundle.Decision) string { return s.l.Date(d.Review) }},
	{name: "blackouts", mark: blackoutOrder, ends: silences, show: (*formatter).blackouts},
	{name: "consultation", show: (*formatter).consultation},
}

func showTitles(titles map[string]string) string {
	var out []string
	for _, lang := range slices.Sorted(maps.Keys(titles)) {
		out = append(out, word(lang)+": "+quote(titles[lang]))
	}
	return strings.Join(out, ", ")
}

func lateness(d *bundle.Decision) time.Duration { return d.Publish.Lateness.Nominal() }

func dayOf(d civil.Date) int64 { return d.Start(time.UTC).Unix() }
