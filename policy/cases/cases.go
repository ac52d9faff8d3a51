// Package cases runs the examples by which a council says what its policy must
// do, in its own words:
//
//	tests:
//	  - name: a counter on the Rambla keeps no network names
//	    given: {kind: wifi-counter, zone: rambla, with: [device, rssi, ssid]}
//	    on: 2026-12-05
//	    then: {dropped: [ssid], counted: [device], published: {devices: PT1H}}
//
// given is a sensor and what it sends; then says what must become of it. A field
// is counted (it only tells units apart), kept, generalised or dropped, over all
// decisions in force on that day. published lists all numbers, with how often;
// an empty one says that nothing is published.
package cases

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"sluice/internal/civil"
	"sluice/internal/yamldoc"
	"sluice/plan"
	"sluice/policy/bundle"
	"sluice/policy/compile"
	"sluice/register"
)

// Case is one example.
type Case struct {
	Name  string     `yaml:"name"`
	Given Given      `yaml:"given"`
	On    civil.Date `yaml:"on"`
	Then  Then       `yaml:"then"`
}

// Given is a sensor, and the fields that it sends; all of its kind by default.
type Given struct {
	Kind  string   `yaml:"kind"`
	Zone  string   `yaml:"zone"`
	Owner string   `yaml:"owner"`
	With  []string `yaml:"with"`
}

// Then is what must hold; whatever it does not name is free.
type Then struct {
	Kept        []string                `yaml:"kept"`
	Counted     []string                `yaml:"counted"`
	Generalised []string                `yaml:"generalised"`
	Dropped     []string                `yaml:"dropped"`
	Published   map[string]civil.Period `yaml:"published"`
	Refused     []string                `yaml:"refused"`
}

// Result is how one case went.
type Result struct {
	File, Name string
	Line       int
	Problems   []string // none: it holds
}

// Run runs all of tests/*.yaml against a compiled policy.
func Run(ctx context.Context, set *compile.Set, files bundle.Files) ([]Result, error) {
	var out []Result
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if path.Dir(name) != "tests" {
			continue
		}
		var file struct {
			Tests []Case `yaml:"tests"`
		}
		if err := yamldoc.Decode(name, files[name], &file); err != nil {
			return out, err
		}
		tree, err := yamldoc.ParseTree(files[name])
		if err != nil {
			return out, fmt.Errorf("%s: %w", name, err)
		}
		for i, c := range file.Tests {
			r := Result{File: name, Name: c.Name, Line: tree.At([]string{"tests", strconv.Itoa(i)}, false).Line}
			if r.Problems, err = c.run(ctx, set); err != nil {
				return out, fmt.Errorf("%s: %s: %w", name, c.Name, err)
			}
			out = append(out, r)
		}
	}
	return out, nil
}

func (c *Case) run(ctx context.Context, set *compile.Set) ([]string, error) {
	kind, known := set.Kinds[c.Given.Kind]
	switch {
	case !known:
		return []string{"given: kind " + c.Given.Kind + " is not in kinds.yaml"}, nil
	case !set.Zones.Has(c.Given.Zone):
		return []string{"given: zone " + c.Given.Zone + " is not in zones.geojson"}, nil
	}
	owner := c.Given.Owner
	if owner == "" {
		owner = "test"
	}
	plans, reasons, err := set.Plans(ctx,
		&register.Sensor{ID: "test", Owner: owner, Kind: c.Given.Kind, Zone: c.Given.Zone})
	if err != nil {
		return nil, err
	}
	plans = c.inForce(set, plans)
	sent := c.Given.With
	if len(sent) == 0 {
		for _, f := range kind.Fields {
			sent = append(sent, f.Name)
		}
	}
	var problems []string
	fates := make(map[string]map[string]bool)
	for _, f := range sent {
		fates[f] = fate(f, plans)
	}
	for _, want := range []struct {
		fate string
		list []string
	}{{"kept", c.Then.Kept}, {"counted", c.Then.Counted}, {"generalised", c.Then.Generalised},
		{"dropped", c.Then.Dropped}} {
		for _, f := range want.list {
			switch {
			case fates[f] == nil:
				problems = append(problems, fmt.Sprintf("%s is not among the fields that are sent", f))
			case !fates[f][want.fate]:
				problems = append(problems,
					fmt.Sprintf("%s is %s; want %s", f, strings.Join(slices.Sorted(maps.Keys(fates[f])), " and "),
						want.fate))
			}
		}
	}
	problems = append(problems, c.published(plans)...)
	for _, rule := range c.Then.Refused {
		if !slices.ContainsFunc(reasons, func(r compile.Reason) bool { return r.Rule == rule }) {
			problems = append(problems, "no decision is refused by "+rule)
		}
	}
	return problems, nil
}

// inForce are the plans on the case's day; on any day where it names none.
func (c *Case) inForce(set *compile.Set, plans []plan.Plan) []plan.Plan {
	if c.On == (civil.Date{}) {
		return plans
	}
	noon := c.On.Start(set.Location).Add(12 * time.Hour)
	return slices.DeleteFunc(slices.Clone(plans), func(p plan.Plan) bool { return !p.Stream.InForce(noon) })
}

func (c *Case) published(plans []plan.Plan) []string {
	if c.Then.Published == nil {
		return nil
	}
	got := make(map[string]string)
	for _, p := range plans {
		for _, m := range p.Stream.Measures {
			got[m.Name] = p.Stream.Every.String()
		}
	}
	var problems []string
	for name, every := range c.Then.Published {
		switch {
		case got[name] == "":
			problems = append(problems, name+" is not published")
		case got[name] != every.String():
			problems = append(problems, fmt.Sprintf("%s is published every %s; want %s", name, got[name], every))
		}
		delete(got, name)
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		problems = append(problems, name+" is published, and the case does not name it")
	}
	slices.Sort(problems)
	return problems
}

// fate is what happens to a field, over all plans.
func fate(field string, plans []plan.Plan) map[string]bool {
	out := make(map[string]bool)
	for _, p := range plans {
		s := p.Stream
		switch {
		case !slices.Contains(s.Keep, field):
		case field == s.Unit.Field:
			out["counted"] = true
		case field == s.Place.Lat || field == s.Place.Lon,
			slices.ContainsFunc(s.Generalise, func(g plan.Generalise) bool { return g.Field == field }):
			out["generalised"] = true
		default:
			out["kept"] = true
		}
	}
	if len(out) == 0 {
		out["dropped"] = true
	}
	return out
}
