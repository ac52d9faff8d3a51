package diff_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/internal/civil"
	"sluice/plan"
	"sluice/policy/bundle"
	"sluice/policy/compile"
	"sluice/policy/decision"
	"sluice/policy/diff"
	"sluice/policy/rego"
	"sluice/register"
)

// bends are ways to break a rule that random towns seldom break.
var bends = []func(*bundle.Policy){
	func(*bundle.Policy) {},
	func(p *bundle.Policy) { p.Charter.Purposes = nil },
	func(p *bundle.Policy) {
		p.Charter.KindsAboutPeople = []string{"counter", "other"}
		each(p, func(d *bundle.Decision) {
			d.Unit = decision.Unit{None: decision.Words{decision.Unsaid: "x"}}
			d.Stream.Unit = plan.Unit{StandsFor: "none"}
			_ = d.Stream.Finish()
		})
	},
	func(p *bundle.Policy) { // of which the charter says nothing, and that tells devices apart
		p.Charter.KindsAboutPeople = nil
		each(p, func(d *bundle.Decision) {
			d.Unit = decision.Unit{None: decision.Words{decision.Unsaid: "x"}}
			d.Stream.Unit = plan.Unit{StandsFor: "none"}
			_ = d.Stream.Finish()
		})
	},
	func(p *bundle.Policy) { each(p, func(d *bundle.Decision) { d.Protect.Floor = plan.Noisy }) },
	func(p *bundle.Policy) { p.Charter.Floors = []plan.Floor{plan.Noisy} },
	func(p *bundle.Policy) {
		each(p, func(d *bundle.Decision) {
			d.Keep = append(d.Keep, "speed")
			d.Stream.Keep = append(d.Stream.Keep, "speed")
			d.Stream.Measures = []plan.Measure{{Name: "s", Of: plan.Mean, Field: "speed", Share: true, Bounded: true,
				High: 1}}
			_ = d.Stream.Finish()
		})
	},
	func(p *bundle.Policy) { delete(p.Kinds, "counter") },
	func(p *bundle.Policy) { p.Charter.MaxContributions = 1 },
	func(p *bundle.Policy) { p.Charter.SunsetMax = civil.MustPeriod("P3M") },
	func(p *bundle.Policy) { p.Charter.ForbiddenClasses = []string{"identifier"} },
	func(p *bundle.Policy) { p.Charter.DeltaPerDay = 1e-9 },
	func(p *bundle.Policy) { p.Charter.MinUnits = 0 },
	func(p *bundle.Policy) { p.Charter.MinUnits = 100 },
	func(p *bundle.Policy) {
		at := time.Date(2030, 3, 1, 0, 0, 0, 0, time.UTC)
		each(p, func(d *bundle.Decision) {
			d.Blackouts = []decision.Blackout{{Zones: []string{"a"}, From: at, Until: at.AddDate(0, 0, 4), Reason: "x"}}
		})
	},
	func(p *bundle.Policy) { each(p, func(d *bundle.Decision) { d.Keep = d.Keep[1:] }) },
	func(p *bundle.Policy) { each(p, func(d *bundle.Decision) { d.Keep = append(d.Keep, "none") }) },
	func(p *bundle.Policy) { classes(p, "rssi", "identifier") },
	func(p *bundle.Policy) { each(p, func(d *bundle.Decision) { d.Protect.MaxContributions = 9 }) },
	func(p *bundle.Policy) {
		each(p, func(d *bundle.Decision) {
			d.Generalise = []plan.Generalise{{Field: "sort", Step: 1}, {Field: "none", Step: 1}}
		})
	},
	func(p *bundle.Policy) {
		each(p, func(d *bundle.Decision) {
			d.Stream.Place = plan.Place{Lat: "lat", Lon: "sort"}
			_ = d.Stream.Finish()
		})
	},
	func(p *bundle.Policy) { classes(p, "speed", "free-text") },
	func(p *bundle.Policy) { classes(p, "sort", "credential") },
	func(p *bundle.Policy) { classes(p, "device", "measurement") },
	func(p *bundle.Policy) {
		for _, k := range p.Kinds {
			for i := range k.Fields {
				k.Fields[i].Type = "string"
			}
		}
	},
	func(p *bundle.Policy) {
		each(p, func(d *bundle.Decision) {
			d.Where = append(d.Where, plan.Condition{Field: "device", Op: "!=", Value: "x"})
			d.Stream.Where = d.Where
			_ = d.Stream.Finish()
		})
	},
}

func each(p *bundle.Policy, edit func(*bundle.Decision)) {
	for i := range p.Decisions {
		edit(&p.Decisions[i])
	}
}

func classes(p *bundle.Policy, field, class string) {
	for _, k := range p.Kinds {
		for i := range k.Fields {
			if k.Fields[i].Name == field {
				k.Fields[i].Class = class
			}
		}
	}
}

// TestRulesAsTheyAre holds what this package takes the rules to say against the
// rules, evaluated.
func TestRulesAsTheyAre(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	seen := make(map[string]bool)
	compare := func(what string, got []string, reasons []compile.Reason, id, prefix, but string) {
		t.Helper()
		var want []string
		for _, r := range reasons {
			if r.Decision == id && strings.HasPrefix(r.Rule, prefix) && (but == "" || !strings.HasPrefix(r.Rule, but)) {
				want = append(want, r.Rule)
			}
			seen[r.Rule] = true
		}
		slices.Sort(want)
		if want = slices.Compact(want); !slices.Equal(got, want) {
			t.Errorf("%s: the rules say %v, this package %v", what, want, got)
		}
	}
	for n := range 2 * len(bends) {
		p := diff.RandomPolicy(rng)
		for p == nil || len(p.Decisions) == 0 {
			p = diff.RandomPolicy(rng)
		}
		bends[n%len(bends)](p)
		set, err := compile.Policy(context.Background(), rego.InProcess(), p)
		if err != nil {
			t.Fatal(err)
		}
		for i := range p.Decisions {
			d := &p.Decisions[i]
			compare("charter", diff.Broken(p, d), set.Broken[d.Decision], d.Decision, "C", "")
			for _, kind := range d.AppliesTo.Kinds {
				if _, known := p.Kinds[kind]; !known || !p.Zones.Has(d.AppliesTo.Zones[0]) {
					continue
				}
				_, reasons, err := set.Plans(context.Background(),
					&register.Sensor{ID: "x", Owner: "x", Kind: kind, Zone: d.AppliesTo.Zones[0]})
				if err != nil {
					t.Fatal(err)
				}
				compare(kind, diff.Misfits(p, kind, d), reasons, d.Decision, "P", "P1")
			}
		}
	}
	for _, rule := range strings.Fields(
		"C01 C02 C03 C04 C05 C06 C07 C08 C09 C10 C11 C12 C13 C14 C15 P01 P02 P03 P04 P05 P06 P07 P08 P09 P31") {
		if !seen[rule] {
			t.Errorf("nothing broke %s: it was not tried", rule)
		}
	}
}
