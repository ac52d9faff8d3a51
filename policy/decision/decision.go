// Package decision reads the files that councillors edit: decisions, charter,
// kinds and council. It knows their shape and nothing of OPA.
//
// A file is YAML 1.2, at most 1 MiB, one document, without anchors; an unknown
// key is refused. Errors name the file, the line and what to do.
package decision

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"sluice/internal/civil"
	"sluice/internal/names"
	"sluice/internal/retention"
	"sluice/internal/yamldoc"
	"sluice/plan"

	"sluice/internal/pattern"
)

// Document is one decision as written. Its keys are those of docs/policy.md.
type Document struct {
	Decision   string              `yaml:"decision" json:"decision"`
	Title      map[string]string   `yaml:"title" json:"title"`
	Stream     string              `yaml:"stream" json:"stream"`
	Purpose    string              `yaml:"purpose" json:"purpose"`
	LegalBasis string              `yaml:"legal_basis" json:"legal_basis"`
	AppliesTo  AppliesTo           `yaml:"applies_to" json:"applies_to"`
	Unit       Unit                `yaml:"unit" json:"unit"`
	Keep       []string            `yaml:"keep" json:"keep"`
	Where      []plan.Condition    `yaml:"where" json:"where"`
	Generalise []plan.Generalise   `yaml:"generalise" json:"generalise"`
	Place      Place               `yaml:"place" json:"place"`
	Publish    Publish             `yaml:"publish" json:"publish"`
	Protect    Protect             `yaml:"protect" json:"protect"`
	Forget     civil.Period        `yaml:"forget_after" json:"forget_after"`
	Retain     retention.Retention `yaml:"retain" json:"retain"`
	From       civil.Date          `yaml:"from" json:"from"`
	Until      civil.Date          `yaml:"until" json:"until"`
	Review     civil.Date          `yaml:"review" json:"review"`
	Blackouts  []Blackout          `yaml:"blackouts" json:"blackouts"`
	// Consultation are pages about it elsewhere.
	Consultation []Consultation `yaml:"consultation" json:"consultation,omitempty"`
}

// AppliesTo selects sensors by kind and zone.
type AppliesTo struct {
	Kinds []string `yaml:"kinds" json:"kinds"`
	Zones []string `yaml:"zones" json:"zones"`
}

// Unit is {field, stands_for}, {sensor: home} or {none: reason}, the reason by language or as one
// text.
type Unit struct {
	Field     string `yaml:"field" json:"field,omitempty"`
	StandsFor string `yaml:"stands_for" json:"stands_for,omitempty"`
	Sensor    string `yaml:"sensor" json:"sensor,omitempty"`
	None      Words  `yaml:"none" json:"none,omitempty"`
}

// Publish says when and by what a stream is published.
type Publish struct {
	Every    civil.Period `yaml:"every" json:"every"`
	Lateness civil.Period `yaml:"lateness" json:"lateness"`
	By       []By         `yaml:"by" json:"by"`
	Measures []Measure    `yaml:"measures" json:"measures"`
}

// Measure is one published number, or a histogram's several; Between clamps what
// one unit adds, Edges are a histogram's.
type Measure struct {
	Name    string    `yaml:"name" json:"name"`
	Of      string    `yaml:"of" json:"of"`
	Between []float64 `yaml:"between" json:"between"`
	Edges   []float64 `yaml:"edges" json:"edges,omitempty"`
	// Names are the number in words, by language; Limits what it is compared with.
	Names  map[string]string `yaml:"names" json:"names,omitempty"`
	Limits []Limit           `yaml:"limits" json:"limits,omitempty"`
}

// Protect is the price; Epsilon and Delta are per unit and epoch.
type Protect struct {
	MinUnits         int64   `yaml:"min_units" json:"min_units"`
	Epsilon          float64 `yaml:"epsilon" json:"epsilon"`
	Delta            float64 `yaml:"delta" json:"delta"`
	MaxContributions int64   `yaml:"max_contributions" json:"max_contributions"`
	// ByOwner are the parts of MaxContributions that each owner's sensors have for
	// themselves; owners that are not named count nowhere.
	ByOwner map[string]int64 `yaml:"by_owner" json:"by_owner,omitempty"`
	// Floor is exact or noisy, Membership public; both may be left out.
	Floor      plan.Floor      `yaml:"floor" json:"floor,omitempty"`
	Membership plan.Membership `yaml:"membership" json:"membership,omitempty"`
}

// Blackout withholds zones from one instant to another, for a public reason.
type Blackout struct {
	Zones  []string  `yaml:"zones" json:"zones"`
	From   time.Time `yaml:"from" json:"from"`
	Until  time.Time `yaml:"until" json:"until"`
	Reason string    `yaml:"reason" json:"reason"`
}

// Place is the word sensor, or the two fields that hold coordinates.
type Place struct{ Lat, Lon string }

// UnmarshalYAML reads `sensor` or {lat: FIELD, lon: FIELD}.
func (p *Place) UnmarshalYAML(unmarshal func(any) error) error {
	var word string
	if unmarshal(&word) == nil && word == "sensor" {
		return nil
	}
	var point struct {
		Lat string `yaml:"lat"`
		Lon string `yaml:"lon"`
	}
	if err := unmarshal(&point); err != nil || point.Lat == "" || point.Lon == "" {
		return errors.New("place is `sensor` or {lat: FIELD, lon: FIELD}")
	}
	p.Lat, p.Lon = point.Lat, point.Lon
	return nil
}

// By is the word zone, or a field with its closed list of values.
type By struct {
	Zone   bool
	Field  string
	Values []string
}

// UnmarshalYAML reads `zone` or {field: F, values: [...]}.
func (b *By) UnmarshalYAML(unmarshal func(any) error) error {
	var word string
	if unmarshal(&word) == nil && word == "zone" {
		b.Zone = true
		return nil
	}
	var f struct {
		Field  string   `yaml:"field"`
		Values []string `yaml:"values"`
	}
	if err := unmarshal(&f); err != nil || f.Field == "" || len(f.Values) == 0 {
		return errors.New("by lists `zone` and at most one {field: FIELD, values: [...]}")
	}
	b.Field, b.Values = f.Field, f.Values
	return nil
}

var (
	idPattern = pattern.New(`^[a-z0-9][a-z0-9_-]{0,62}$`)
	ofPattern = pattern.New(
		`^(sum|mean|histogram|quantile|leq|lday|levening|lnight|lden|share)` +
			`\(([A-Za-z0-9_.@:-]{1,64})(?:, ?(0?\.[0-9]{1,6}))?\)$`)
	catPattern  = pattern.New(`^[A-Za-z0-9_.:-]{1,64}$`)
	sensorWords = "unit is {field, stands_for}, {sensor: home} or {none: \"reason\"}"
)

// Parse reads one decision. The name is used in errors only.
func Parse(name string, raw []byte) (*Document, error) {
	var d Document
	if err := yamldoc.Decode(name, raw, &d); err != nil {
		return nil, err
	}
	if err := d.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if retention.FromYAML(string(raw)) != d.Retain {
		return nil, fmt.Errorf("%s: %w", name, errRetain)
	}
	return &d, nil
}

// errRetain is of a text that says one time to who reads all of YAML, and another to who removes numbers and who
// verifies that: they have the text alone.
var errRetain = errors.New("retain needs a line that begins with it, with its value plainly behind it or indented " +
	"below, and no other line may begin so: numbers are removed as that line says")

func (d *Document) check() error {
	switch {
	case !names.Valid(d.Decision):
		return errors.New(`decision needs an id such as "2026-14"`)
	case !idPattern.MatchString(d.Stream):
		return errors.New("stream needs a name of small letters, digits, - and _")
	case len(d.Title) == 0:
		return errors.New("title needs at least one language")
	case d.From == (civil.Date{}) || d.Until == (civil.Date{}):
		return errors.New("from and until need dates: a decision has a sunset")
	case len(d.AppliesTo.Kinds) == 0 || len(d.AppliesTo.Zones) == 0:
		return errors.New("applies_to needs kinds and zones")
	case d.Publish.Every.IsZero():
		return errors.New("publish.every is missing, e.g. PT1H")
	}
	if err := errors.Join(d.Unit.check(), d.checkRetain(), d.checkConsultation()); err != nil {
		return err
	}
	for _, b := range d.Blackouts {
		if len(b.Zones) == 0 || b.Reason == "" || !b.From.Before(b.Until) {
			return errors.New("blackouts: each needs zones, a reason, and from before until")
		}
	}
	fields := 0
	for _, b := range d.Publish.By {
		if b.Field == "" {
			continue
		}
		fields++
		for _, v := range b.Values {
			if !catPattern.MatchString(v) {
				return errors.New("by: values are words of letters, digits and _ . : -")
			}
		}
	}
	if fields > 1 {
		return errors.New("by lists at most one field")
	}
	for _, m := range d.Publish.Measures {
		if !idPattern.MatchString(m.Name) {
			return errors.New("a measure needs a name of small letters, digits, - and _")
		}
		if _, err := m.plan("", ""); err != nil {
			return fmt.Errorf("measure %s: %w", m.Name, err)
		}
		if err := names.CheckWords(m.Names); err != nil {
			return fmt.Errorf("measure %s: names: %w", m.Name, err)
		}
		if err := m.checkLimits(d.Publish.Every); err != nil {
			return fmt.Errorf("measure %s: %w", m.Name, err)
		}
	}
	return nil
}

// checkRetain: where hours and days are kept apart, it says so of the decision's own windows,
// and days are kept as long as hours.
func (d *Document) checkRetain() error {
	r := d.Retain
	switch {
	case !r.Apart:
	case r.For(d.Publish.Every).IsZero():
		return fmt.Errorf("retain needs %s: that is what this decision publishes", RetainKey(d.Publish.Every))
	case !r.Days.IsZero() && r.Hours.Longer(r.Days):
		return errors.New("retain: days are kept at least as long as hours")
	}
	return nil
}

// KeepsDays reports whether numbers of days are to be kept for a time of their own, beside the
// decision's shorter windows.
func (d *Document) KeepsDays() bool {
	return d.Retain.Apart && !d.Retain.Days.IsZero() && !retention.IsDay(d.Publish.Every)
}

// RetainKey is the key of retain that is about windows of a length.
func RetainKey(every civil.Period) string {
	if retention.IsDay(every) {
		return "days"
	}
	return "hours"
}

func (u Unit) check() error {
	forms := 0
	for _, set := range []bool{u.Field != "", u.Sensor != "", !u.None.none()} {
		if set {
			forms++
		}
	}
	if forms != 1 || (u.Field == "") != (u.StandsFor == "") {
		return errors.New(sensorWords)
	}
	return nil
}

// Data is the document as the rules see it: plain JSON values.
func Data(v any) (any, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var out any
	return out, json.Unmarshal(raw, &out)
}
