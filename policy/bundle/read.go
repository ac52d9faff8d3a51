package bundle

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"sluice/plan"
	"sluice/policy/decision"
	"sluice/register"
)

// Policy is a parsed policy directory.
type Policy struct {
	Files     Files
	Charter   *decision.Charter
	Location  *time.Location
	Council   *decision.Council
	Kinds     map[string]register.Kind
	Zones     *register.Zones
	Decisions []Decision
	Suspended []decision.Suspension
}

// Decision is one document with the stream that it makes.
type Decision struct {
	*decision.Document
	File   string
	YAML   []byte
	Stream *plan.Stream
	// Days are the stream's, of a decision about nobody that keeps days longer than hours; nil
	// for none, and where another decision has a stream of that name.
	Days *plan.Stream
}

// ErrMissing: a file that every policy must have is missing.
var ErrMissing = errors.New("is missing from the policy directory")

// Read reads all documents. All that is wrong with the decisions is in one error.
func Read(files Files) (*Policy, error) {
	p := &Policy{Files: files}
	for name, raw := range files {
		if len(raw) > sizeLimit(name) {
			return nil, tooLarge(name)
		}
	}
	for _, name := range []string{"charter.yaml", "kinds.yaml", "zones.geojson", "council.yaml"} {
		if _, ok := files[name]; !ok {
			return nil, fmt.Errorf("%s %w", name, ErrMissing)
		}
	}
	var err error
	if p.Charter, err = decision.ParseCharter("charter.yaml", files["charter.yaml"]); err != nil {
		return nil, err
	}
	if p.Location, err = p.Charter.Location(); err != nil {
		return nil, err
	}
	if p.Kinds, err = register.ParseKinds("kinds.yaml", files["kinds.yaml"]); err != nil {
		return nil, err
	}
	if p.Zones, err = register.ParseZones("zones.geojson", files["zones.geojson"]); err != nil {
		return nil, err
	}
	if p.Council, err = decision.ParseCouncil("council.yaml", files["council.yaml"]); err != nil {
		return nil, err
	}
	if raw, ok := files["suspended.yaml"]; ok {
		if p.Suspended, err = decision.ParseSuspended("suspended.yaml", raw); err != nil {
			return nil, err
		}
	}
	return p, p.readDecisions()
}

func (p *Policy) readDecisions() error {
	var problems []error
	seen := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(p.Files)) {
		if path.Dir(name) != "decisions" {
			continue
		}
		d, err := p.readDecision(name)
		if err == nil && seen[d.Decision] != "" {
			err = fmt.Errorf("%s: decision %s is already in %s", name, d.Decision, seen[d.Decision])
		}
		if err != nil {
			problems = append(problems, err)
			continue
		}
		seen[d.Decision] = name
		p.Decisions = append(p.Decisions, d)
	}
	if len(problems) == 0 {
		problems = append(problems, p.addDays())
	}
	return errors.Join(problems...)
}

// addDays gives decisions about nobody that keep days a stream of them.
func (p *Policy) addDays() error {
	taken := make(map[string]bool)
	for i := range p.Decisions {
		taken[p.Decisions[i].Stream.ID] = true
	}
	var problems []error
	for i := range p.Decisions {
		d := &p.Decisions[i]
		if !d.KeepsDays() || !d.Stream.Unit.None() || taken[d.Stream.ID+plan.DaysSuffix] {
			continue
		}
		var err error
		if d.Days, err = d.Stream.Days(); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", d.File, err))
		}
	}
	return errors.Join(problems...)
}

func (p *Policy) readDecision(name string) (Decision, error) {
	doc, err := decision.Parse(name, p.Files[name])
	if err != nil {
		return Decision{}, err
	}
	stream, err := doc.Plan(p.Location, p.Kinds)
	if err == nil {
		err = stream.Finish()
	}
	if err != nil {
		return Decision{}, fmt.Errorf("%s: %w", name, err)
	}
	return Decision{Document: doc, File: name, YAML: p.Files[name], Stream: stream}, nil
}

// Decision finds a decision by its id; nil where there is none.
func (p *Policy) Decision(id string) *Decision {
	for i := range p.Decisions {
		if p.Decisions[i].Decision == id {
			return &p.Decisions[i]
		}
	}
	return nil
}

// Suspension is why and since when a decision is suspended; nil for not.
func (p *Policy) Suspension(id string) *decision.Suspension {
	for i := range p.Suspended {
		if p.Suspended[i].Decision == id {
			return &p.Suspended[i]
		}
	}
	return nil
}

// Rules are the policy's own rules and modules, without their tests.
func (p *Policy) Rules() map[string]string {
	out := make(map[string]string)
	for name, raw := range p.Files {
		if path.Ext(name) == ".rego" && !strings.HasSuffix(name, "_test.rego") {
			out[name] = string(raw)
		}
	}
	return out
}

// EpochsPerDay is how many epochs an ordinary day has. A day of 25 hours may have
// one more; the ledger counts each day as it is.
func (d *Decision) EpochsPerDay() int64 {
	if d.Stream.Unit.None() {
		return 1
	}
	return max(1, int64(24*time.Hour/max(d.Stream.Forget.Nominal(), time.Second)))
}
