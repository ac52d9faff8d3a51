package diff

import (
	"slices"
	"time"

	"sluice/policy/bundle"
	"sluice/policy/decision"
	"sluice/register"
)

// What runs is decided by Rego; but the text of a motion is made where nothing is
// evaluated, so the charter's rules and those of plans are here a second time, for
// telling whether a series stops or starts. A test holds them against the rules.

// pair is a kind of sensor in a zone.
type pair struct{ kind, zone string }

// view looks at a policy as the rules of this program do.
type view struct{ p *bundle.Policy }

// covers are the pairs for which a decision gives numbers, suspended or not, in the
// order of the decision.
func (v view) covers(d *bundle.Decision) []pair {
	if len(v.broken(d)) > 0 {
		return nil
	}
	var out []pair
	for _, kind := range d.AppliesTo.Kinds {
		if len(misfits(v.p.Kinds[kind], d)) > 0 {
			continue
		}
		for _, zone := range d.AppliesTo.Zones {
			out = append(out, pair{kind, zone})
		}
	}
	return out
}

// broken are the charter's rules that a decision breaks: C01 to C15, see
// policy/rules/charter.rego.
func (v view) broken(d *bundle.Decision) []string {
	ch, s := v.p.Charter, d.Stream
	about := !s.Unit.None()
	var out []string
	rule := func(code string, bad bool) {
		if bad {
			out = append(out, code)
		}
	}
	rule("C01", !slices.Contains(ch.Purposes, d.Purpose))
	rule("C02", slices.ContainsFunc(d.AppliesTo.Kinds, func(k string) bool { _, ok := v.p.Kinds[k]; return !ok }))
	rule("C03", slices.ContainsFunc(d.AppliesTo.Zones, func(z string) bool { return !v.p.Zones.Has(z) }))
	rule("C04", !about && slices.ContainsFunc(d.AppliesTo.Kinds, func(k string) bool {
		return ch.AboutPeople(k, v.p.Kinds[k])
	}))
	rule("C05", about && d.Protect.MinUnits < ch.MinUnits)
	if about {
		epsilon, delta := v.spent(d)
		rule("C06", epsilon > ch.EpsilonPerDay[s.Unit.StandsFor]*1.000000001)
		rule("C07", delta > ch.DeltaPerDay*1.000000001)
	}
	rule("C08", about && d.Protect.MaxContributions > ch.MaxContributions)
	rule("C09", int64(s.Until.Sub(s.From)/(24*time.Hour)) > int64(ch.SunsetMax.Nominal()/(24*time.Hour)))
	rule("C10", v.forbidden(d))
	rule("C11", v.taken(d))
	rule("C12", slices.ContainsFunc(d.Blackouts, func(b decision.Blackout) bool {
		return int64(b.Until.Sub(b.From)/time.Second) > int64(ch.BlackoutMax.Nominal()/time.Second)
	}))
	rule("C13", about && slices.ContainsFunc(d.AppliesTo.Kinds, func(k string) bool {
		return !stands(v.p.Kinds[k], d)
	}))
	rule("C14", about && ch.MinUnits < 1)
	rule("C15", about && !ch.Allows(d.Protect.Floor))
	return out
}

// spent is what all decisions about this kind of unit cost a day while d is in force.
func (v view) spent(d *bundle.Decision) (epsilon, delta float64) {
	for i := range v.p.Decisions {
		x := &v.p.Decisions[i]
		if x.Stream.Unit.StandsFor == d.Stream.Unit.StandsFor && atOneTime(x, d) {
			times := float64(x.EpochsPerDay() * v.gateways(x))
			epsilon += x.Protect.Epsilon * times
			delta += x.Protect.Delta * times
		}
	}
	return epsilon, delta
}

func (v view) gateways(d *bundle.Decision) int64 {
	seen := make(map[string]bool)
	for _, zone := range d.AppliesTo.Zones {
		seen[v.p.Zones.Gateway(zone)] = true
	}
	return max(1, int64(len(seen)))
}

func atOneTime(a, b *bundle.Decision) bool {
	return a.Stream.From.Unix() < b.Stream.Until.Unix() && b.Stream.From.Unix() < a.Stream.Until.Unix()
}

func (v view) forbidden(d *bundle.Decision) bool {
	return slices.ContainsFunc(d.AppliesTo.Kinds, func(k string) bool {
		return slices.ContainsFunc(v.p.Kinds[k].Fields, func(f register.Field) bool {
			return slices.Contains(d.Keep, f.Name) && slices.Contains(v.p.Charter.ForbiddenClasses, f.Class)
		})
	})
}

// taken reports whether another decision has the stream at the same time.
func (v view) taken(d *bundle.Decision) bool {
	return slices.ContainsFunc(v.p.Decisions, func(x bundle.Decision) bool {
		return x.Decision != d.Decision && x.Document.Stream == d.Document.Stream && atOneTime(&x, d)
	})
}

// stands reports whether a kind has the decision's unit.
func stands(k register.Kind, d *bundle.Decision) bool {
	return slices.ContainsFunc(k.Units, func(u register.KindUnit) bool {
		if u.StandsFor != d.Stream.Unit.StandsFor {
			return false
		}
		return d.Unit.Field != "" && u.Field == d.Unit.Field || d.Unit.Sensor != "" && u.Sensor
	})
}

// misfits are the rules that say why a kind cannot give what a decision asks: P01
// to P09 and P31, see policy/rules/plan.rego.
func misfits(k register.Kind, d *bundle.Decision) []string {
	fields := make(map[string]register.Field)
	for _, f := range k.Fields {
		fields[f.Name] = f
	}
	kept := func(name string) bool { return slices.Contains(d.Keep, name) }
	numeric := func(name string) bool { return fields[name].Type == "int" || fields[name].Type == "float" }
	place := d.Stream.Place
	point := func(name string) bool { return place.ByPoint() && (name == place.Lat || name == place.Lon) }
	bad := make(map[string]bool)
	for _, name := range d.Keep {
		f, known := fields[name]
		bad["P01"] = bad["P01"] || !known
		bad["P04"] = bad["P04"] || f.Class == "identifier" && name != d.Unit.Field
		bad["P05"] = bad["P05"] || f.Class == "free-text" || f.Class == "credential"
		bad["P06"] = bad["P06"] || f.Class == "location" && !point(name)
	}
	used := used(d)
	bad["P02"] = slices.ContainsFunc(used, func(name string) bool { return !kept(name) })
	bad["P03"] = d.Unit.Field != "" && (!kept(d.Unit.Field) || fields[d.Unit.Field].Class != "identifier")
	for _, name := range []string{place.Lat, place.Lon} {
		bad["P07"] = bad["P07"] || place.ByPoint() && (!kept(name) || !numeric(name))
	}
	for _, m := range d.Stream.Measures {
		bad["P08"] = bad["P08"] || m.Field != "" && !m.Share && !numeric(m.Field)
		f, known := fields[m.Field]
		bad["P31"] = bad["P31"] || m.Share && known && f.Type != "bool"
	}
	for _, g := range d.Generalise {
		bad["P08"] = bad["P08"] || !numeric(g.Field)
	}
	bad["P09"] = d.Unit.Field != "" && slices.Contains(used, d.Unit.Field)
	var out []string
	for _, code := range []string{"P01", "P02", "P03", "P04", "P05", "P06", "P07", "P08", "P09", "P31"} {
		if bad[code] {
			out = append(out, code)
		}
	}
	return out
}

// used are the fields that a decision reads, apart from its unit and coordinates.
func used(d *bundle.Decision) []string {
	var out []string
	for _, c := range d.Where {
		out = append(out, c.Field)
	}
	for _, g := range d.Generalise {
		out = append(out, g.Field)
	}
	if f := d.Stream.Category.Field; f != "" {
		out = append(out, f)
	}
	for _, m := range d.Stream.Measures {
		if m.Field != "" {
			out = append(out, m.Field)
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(out)))
}
