// Package check finds everything that is wrong with a policy directory at once:
// each mistake under its line, with the number of the rule and how to fix it, in
// English, Catalan or Spanish.
//
// Rules, by their letter:
//
//	Y  the file is no YAML as it is used here
//	S  it does not have the shape of its schema
//	D  a decision contradicts itself
//	C  it goes below the charter            (rules/charter.rego)
//	P  a sort of sensor cannot give it      (rules/plan.rego)
//	L  one of the council's own modules denies it
//	R  the rules cannot be used
//	K  nobody could meet the charter, or vote
//	T  something is still to be written that people will read
//	N  it takes effect sooner than the notice allows
//	W  nothing is wrong, but look whether it is meant: see Finding.Warning
package check

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"sluice/internal/civil"
	"sluice/internal/yamldoc"
	"sluice/policy/bundle"
	"sluice/policy/compile"
	"sluice/policy/decision"
	"sluice/policy/mechanism"
	"sluice/policy/rego"
	"sluice/register"
)

// Summary is a decision that can run, and what it gives.
type Summary struct {
	Decision, File string
	Title          map[string]string
	Unit           string
	PublicFrom     int64
	Errors         map[string]float64 // typical error by measure; see mechanism.Mechanism
	// CostPerDay is epsilon for one unit, and Cap the charter's.
	CostPerDay, Cap float64
	// ShareFrom is the number of units from which on it is shown which share of them has
	// reached MaxContributions; 0 where that is not released.
	ShareFrom, MaxContributions int64
}

// Directory checks all files. The policy in force (or nil) is what notice is
// measured against, on day today.
func Directory(
	ctx context.Context, rules rego.Evaluator, files bundle.Files, inForce *bundle.Policy, today civil.Date,
) ([]Finding, []Summary) {
	c := &checker{files: files, inForce: inForce, today: today, trees: make(map[string]*yamldoc.Tree),
		bad: make(map[string]bool)}
	for _, name := range []string{"charter.yaml", "council.yaml", "kinds.yaml", "zones.geojson"} {
		if files[name] == nil {
			c.add(Finding{File: name, Line: 1, Column: 1, Rule: "S00"})
			c.bad[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if path.Ext(name) == ".yaml" {
			c.shape(name)
		}
	}
	c.unreadable()
	c.typed()
	c.ownRules()
	c.filled(inForce)
	c.named()
	c.daily()
	if c.charter != nil {
		c.charterAndRoster()
		c.contacts()
		c.suspensions()
	}
	if c.zones != nil {
		c.overlaps()
	}
	var out []Summary
	if c.charter != nil && c.kinds != nil && c.zones != nil && !c.bad["council.yaml"] {
		out = c.rules(ctx, rules)
		c.notice(inForce, today)
	}
	slices.SortStableFunc(c.found, func(a, b Finding) int {
		if n := strings.Compare(a.File, b.File); n != 0 {
			return n
		}
		return a.Line - b.Line
	})
	return slices.CompactFunc(c.found, func(a, b Finding) bool {
		return a.File == b.File && a.Line == b.Line && a.Column == b.Column && a.Rule == b.Rule &&
			fmt.Sprint(a.Args) == fmt.Sprint(b.Args)
	}), out
}

type checker struct {
	files bundle.Files
	trees map[string]*yamldoc.Tree
	bad   map[string]bool // files that say too little to go on with
	found []Finding
	// inForce is nil when there is none.
	inForce *bundle.Policy
	today   civil.Date // the zero value where that is not asked

	charter   *decision.Charter
	council   *decision.Council
	kinds     map[string]register.Kind
	zones     *register.Zones
	decisions map[string]*decision.Document // by file
}

func (c *checker) add(f Finding) { c.found = append(c.found, f) }

// at notes a mistake at a place of a YAML file; key points at the key itself.
func (c *checker) at(file, rule, place string, args ...any) {
	p := yamldoc.Position{Line: 1, Column: 1}
	if t := c.trees[file]; t != nil {
		p = t.At(strings.FieldsFunc(place, func(r rune) bool { return r == '/' }), false)
	}
	c.add(Finding{File: file, Line: p.Line, Column: p.Column, Rule: rule, Place: place, Args: args})
}

// typed reads the files that have the right shape.
func (c *checker) typed() {
	parse := func(file string, read func(raw []byte) error) {
		if c.bad[file] || c.files[file] == nil {
			return
		}
		if err := read(c.files[file]); err != nil {
			c.bad[file] = true
			c.raw(file, "D99", err)
		}
	}
	parse("charter.yaml", func(raw []byte) (err error) {
		c.charter, err = decision.ParseCharter("charter.yaml", raw)
		if err != nil {
			c.charter = nil
		}
		return err
	})
	c.keys()
	parse("council.yaml", func(raw []byte) (err error) {
		c.council, err = decision.ParseCouncil("council.yaml", raw)
		return err
	})
	c.valid()
	parse("kinds.yaml", func(raw []byte) (err error) {
		c.kinds, err = register.ParseKinds("kinds.yaml", raw)
		return err
	})
	parse("suspended.yaml", func(raw []byte) error {
		_, err := decision.ParseSuspended("suspended.yaml", raw)
		return err
	})
	parse("zones.geojson", func(raw []byte) (err error) {
		c.zones, err = register.ParseZones("zones.geojson", raw)
		return err
	})
	c.documents(parse)
}

// documents reads the decisions.
func (c *checker) documents(parse func(file string, read func(raw []byte) error)) {
	c.decisions = make(map[string]*decision.Document)
	ids := make(map[string]string)
	for _, file := range slices.Sorted(maps.Keys(c.files)) {
		if path.Dir(file) != "decisions" || c.bad[file] {
			continue
		}
		before := len(c.found)
		c.document(file)
		if slices.ContainsFunc(c.found[before:], func(f Finding) bool { return !f.Warning() }) {
			c.bad[file] = true
			continue
		}
		parse(file, func(raw []byte) error {
			d, err := decision.Parse(file, raw)
			if err != nil {
				return err
			}
			folded := strings.ToLower(d.Decision) // an id is a directory's name in the books, on any disk
			if ids[folded] != "" {
				c.at(file, "D16", "decision", ids[folded])
				c.bad[file] = true
				return nil
			}
			ids[folded] = file
			c.decisions[file] = d
			return nil
		})
	}
}

// raw notes an error that has no rule of its own.
func (c *checker) raw(file, rule string, err error) {
	text := strings.TrimPrefix(err.Error(), file+": ")
	at := yamldoc.Position{Line: 1, Column: 1}
	var syntax *yamldoc.SyntaxError
	if errors.As(err, &syntax) {
		at, text = syntax.Position, syntax.Text
	}
	if m := ofKind.FindStringSubmatch(text); m != nil && file == "kinds.yaml" {
		at = c.kindAt(m[1]+m[2], m[3])
	}
	var feature *register.FeatureError
	if errors.As(err, &feature) {
		at.Line = feature.Line
	}
	var line *register.LineError
	if errors.As(err, &line) {
		at.Line = line.Line
	}
	switch text {
	case civil.NoDay:
		c.add(Finding{File: file, Line: at.Line, Column: at.Column, Rule: rule, Case: "day"})
		return
	case decision.NoTimezone:
		at = c.trees[file].At([]string{"city", "timezone"}, false)
		c.add(Finding{File: file, Line: at.Line, Column: at.Column, Rule: rule, Case: "zone"})
		return
	}
	first, _, _ := strings.Cut(text, "\n")
	c.add(Finding{File: file, Line: at.Line, Column: at.Column, Rule: rule, Note: first})
}

// rules asks OPA what charter, plans and modules say, leaving aside the files
// that cannot be read.
func (c *checker) rules(ctx context.Context, rules rego.Evaluator) []Summary {
	files := make(bundle.Files)
	for name, raw := range c.files {
		if !c.bad[name] {
			files[name] = raw
		}
	}
	set, err := compile.Files(ctx, rules, files)
	if err != nil {
		c.broken(err)
		return nil
	}
	var out []Summary
	for i := range set.Decisions {
		d := &set.Decisions[i]
		ok := true
		for _, why := range set.Broken[d.Decision] {
			ok = false
			c.broke(why, d)
		}
		if !c.plans(ctx, set, d) {
			ok = false
		}
		mech, err := mechanism.New(d.Stream)
		if err != nil {
			c.at(d.File, "D17", "protect")
			c.found[len(c.found)-1].Note = strings.TrimPrefix(err.Error(), "decision "+d.Decision+": ")
			continue
		}
		if n, most := parted(d), d.Protect.MaxContributions; n > 0 && n < most {
			c.at(d.File, "W21", "protect/by_owner", n, most)
		}
		if ok {
			out = append(out, summary(set, d, mech))
		}
	}
	return out
}

// parted is how much of the bound the owners' parts take together.
func parted(d *bundle.Decision) (n int64) {
	for _, p := range d.Stream.OwnerParts() {
		n += p.Most
	}
	return n
}

func summary(set *compile.Set, d *bundle.Decision, mech *mechanism.Mechanism) Summary {
	s := Summary{Decision: d.Decision, File: d.File, Title: d.Title, Unit: d.Stream.Unit.StandsFor,
		PublicFrom: mech.PublicFrom(), Errors: make(map[string]float64)}
	for _, m := range d.Stream.Measures {
		s.Errors[m.Name] = mech.TypicalError(m)
	}
	s.ShareFrom, s.MaxContributions = mech.ShareFrom(), d.Stream.Protect.MaxContributions
	if !d.Stream.Unit.None() {
		s.CostPerDay, s.Cap = d.Protect.Epsilon*float64(d.EpochsPerDay()), set.Charter.EpsilonPerDay[s.Unit]
	}
	return s
}

// broken notes why the rules cannot be used, under the module's line where OPA
// names one.
func (c *checker) broken(err error) {
	code := string(rego.CodeOf(err))
	for _, line := range strings.Split(err.Error(), "\n") {
		if file, at, text, ok := regoError(line); ok && c.files[file] != nil {
			c.add(Finding{File: file, Line: at, Column: 1, Rule: code, Note: text})
		}
	}
	if !slices.ContainsFunc(c.found, func(f Finding) bool { return f.Rule == code }) {
		first, _, _ := strings.Cut(err.Error(), "\n")
		file := "rules"
		for name := range c.files {
			if strings.HasPrefix(name, "local/") {
				file = name
			}
		}
		c.add(Finding{File: file, Line: 1, Column: 1, Rule: code, Note: first})
	}
}

// regoError reads FILE:LINE: TEXT, wherever it stands in a line.
func regoError(line string) (file string, at int, text string, ok bool) {
	for _, dir := range []string{"local/", "rules/"} {
		i := strings.Index(line, dir)
		if i < 0 {
			continue
		}
		file, rest, found := strings.Cut(line[i:], ":")
		if !found {
			continue
		}
		if _, err := fmt.Sscanf(rest, "%d", &at); err != nil {
			return file, 1, strings.TrimSpace(rest), true
		}
		_, text, _ = strings.Cut(rest, ":")
		return file, at, strings.TrimSpace(text), true
	}
	return "", 0, "", false
}

// plans asks for each kind and zone of a decision what its sensors would get.
func (c *checker) plans(ctx context.Context, set *compile.Set, d *bundle.Decision) bool {
	ok, owner := true, "check"
	for _, p := range d.Stream.OwnerParts() {
		owner = p.Owner // one that counts; what the rules say of owners is the same of all
	}
	for _, kind := range d.AppliesTo.Kinds {
		for _, zone := range d.AppliesTo.Zones {
			if _, known := set.Kinds[kind]; !known || !set.Zones.Has(zone) {
				continue // C02 and C03 say so
			}
			_, reasons, err := set.Plans(ctx, &register.Sensor{ID: "check", Owner: owner, Kind: kind, Zone: zone})
			if err != nil {
				c.broken(err)
				return false
			}
			for _, why := range reasons {
				// P11 is about an owner, and no register is at hand.
				if why.Decision != d.Decision || strings.HasPrefix(why.Rule, "C") || why.Rule == "S01" ||
					why.Rule == "P11" {
					continue
				}
				ok = false
				if strings.HasPrefix(why.Rule, "L") {
					p := c.trees[d.File].At([]string{"decision"}, false)
					c.add(Finding{File: d.File, Line: p.Line, Column: p.Column, Rule: why.Rule, Note: why.Message})
					continue
				}
				c.at(d.File, why.Rule, c.misfit(why.Rule, d, kind), kind)
			}
		}
	}
	return ok
}

// soon is the rule of a decision that begins before the notice is over.
const soon = "N01"

// notice compares with what is in force: what gets weaker may not begin before
// the notice is over.
func (c *checker) notice(inForce *bundle.Policy, today civil.Date) {
	if inForce == nil || today == (civil.Date{}) || inForce.Charter.NoticeDays == 0 {
		return
	}
	days := inForce.Charter.NoticeDays
	earliest := civil.Date{Year: today.Year, Month: today.Month, Day: today.Day + days}.Start(inForce.Location)
	for file, d := range c.decisions {
		if inForce.Decision(d.Decision) == nil && d.From.Start(inForce.Location).Before(earliest) {
			c.at(file, soon, "from", days, earliest.Format("2006-01-02"))
		}
	}
}

// ErrNothing: there is no policy to check.
var ErrNothing = errors.New("there is no policy here: no charter.yaml and no decisions/; begin with sluice policy new")
