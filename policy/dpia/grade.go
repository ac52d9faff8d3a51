package dpia

import (
	"math"
	"slices"
	"time"

	"sluice/internal/locales"
	"sluice/policy/bundle"
	"sluice/policy/explain"
	"sluice/policy/mechanism"
	"sluice/register"
)

// Risk is something feared.
type Risk string

// The risks that are graded. Published is what the design itself brings; the other three are those
// of CNIL's method: access that nobody may have, unwanted change, and disappearance.
const (
	Published Risk = "published"
	Access    Risk = "access"
	Change    Risk = "change"
	Loss      Risk = "loss"
)

// Risks are all of them.
var Risks = []Risk{Published, Access, Change, Loss}

// Grade is how bad a risk would be and how likely it is, from 1 (negligible) to 4 (maximum), as
// CNIL's method has it.
type Grade struct {
	Risk Risk
	// Severity and Likelihood are what is left with the measures; Inherent is the likelihood
	// without any of them.
	Severity, Likelihood, Inherent int
	// Why says from which figures, in the reader's language.
	Why string
	// Judged: people said so, not the figures.
	Judged bool
}

// Grades grades each risk of a decision from the policy's figures, or as people judged it.
func Grades(l explain.Lang, p *bundle.Policy, d *bundle.Decision, a Answer) []Grade {
	say := func(key string, args ...any) string { return locales.In(int(l)).Say("dpia.grade."+key, args...) }
	list := []Grade{published(l, p, d, say), access(l, p, d, say), change(p, d, say), {Loss, 1, 2, 2, say("loss"),
		false}}
	for i := range list {
		if g, judged := a.Grades[string(list[i].Risk)]; judged {
			list[i].Severity, list[i].Likelihood, list[i].Why, list[i].Judged = g.Severity, g.Likelihood,
				g.Why.In(l), true
		}
	}
	return list
}

// sensitive is how bad it would be if somebody's readings of a decision were known, by the unit
// and the classes of what is kept.
func sensitive(p *bundle.Policy, d *bundle.Decision) int {
	s := d.Stream
	switch {
	case s.Unit.StandsFor == "home" || s.Unit.StandsFor == "person":
		return 3
	case !s.Unit.None():
		return 2
	}
	for _, kind := range d.AppliesTo.Kinds {
		for _, f := range p.Kinds[kind].Fields {
			if slices.Contains(d.Keep, f.Name) && f.Class != "measurement" {
				return 2
			}
		}
	}
	return 1
}

type sayer func(key string, args ...any) string

// published is that somebody is singled out in what is published.
func published(l explain.Lang, p *bundle.Policy, d *bundle.Decision, say sayer) Grade {
	s := d.Stream
	if s.Unit.None() {
		g := Grade{Risk: Published, Severity: sensitive(p, d), Likelihood: 1, Inherent: 1, Why: say("nobody")}
		if g.Severity > 1 || personal(p, d) {
			g.Severity, g.Likelihood, g.Inherent, g.Why = max(2, g.Severity), 2, 2, say("personal")
		}
		return g
	}
	day := d.Protect.Epsilon * float64(d.EpochsPerDay())
	g := Grade{Risk: Published, Severity: sensitive(p, d), Inherent: 4}
	const high, middle, low = 4, 1, 0.1 // epsilon a day
	switch {
	case day <= low:
		g.Likelihood = 1
	case day <= middle:
		g.Likelihood = 2
	case day <= high:
		g.Likelihood = 3
	default:
		g.Likelihood = 4
	}
	days := min(365, int(s.Until.Sub(s.From)/(24*time.Hour)))
	total, from := day*float64(days), d.Protect.MinUnits
	if m, err := mechanism.New(s); err == nil {
		total, _ = m.Days(days)
		from = m.PublicFrom()
	}
	g.Why = say("published", l.Number(day), l.Number(math.Round(10*total)/10), days, from, l.Many(s.Unit.StandsFor))
	return g
}

// personal reports whether a kind of the decision sends what tells somebody apart.
func personal(p *bundle.Policy, d *bundle.Decision) bool {
	return slices.ContainsFunc(d.AppliesTo.Kinds, func(k string) bool { return p.Kinds[k].Personal() })
}

// access is that somebody gets at readings who may not.
func access(l explain.Lang, p *bundle.Policy, d *bundle.Decision, say sayer) Grade {
	g := Grade{Risk: Access, Severity: sensitive(p, d), Likelihood: 1, Inherent: 3, Why: say("access-nobody")}
	if d.Stream.Unit.None() {
		if !personal(p, d) {
			g.Inherent = 2
		}
		return g
	}
	g.Inherent = 4
	g.Why = say("access", l.Period(d.Stream.Forget))
	if d.Stream.Forget.Nominal() > time.Hour {
		g.Likelihood = 2
	}
	return g
}

// change is that false readings change what is published.
func change(p *bundle.Policy, d *bundle.Decision, say sayer) Grade {
	g := Grade{Risk: Change, Severity: 1, Likelihood: 2, Inherent: 3, Why: say("change")}
	if len(d.Stream.OwnerParts()) > 0 || !d.Stream.Unit.None() && d.Protect.MaxContributions > 0 {
		g.Why = say("change-bound", d.Protect.MaxContributions)
		return g
	}
	bounded := func(f register.Field) bool {
		return !slices.Contains(d.Keep, f.Name) || f.Type != "int" && f.Type != "float" || len(f.Valid) == 2
	}
	for _, kind := range d.AppliesTo.Kinds {
		for _, f := range p.Kinds[kind].Fields {
			if !bounded(f) {
				g.Likelihood = 3
			}
		}
	}
	return g
}
