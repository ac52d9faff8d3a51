package register

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"sluice/internal/civil"
	"sluice/internal/names"
	"sluice/internal/yamldoc"

	"sluice/internal/pattern"
)

// Kind is what devices of one sort can send.
type Kind struct {
	Units  []KindUnit `yaml:"units" json:"units"`
	Fields []Field    `yaml:"fields" json:"fields"`
	// Heartbeat is how often a device of this kind says that it is alive; a
	// kind about people without one never yields no_data.
	Heartbeat civil.Period `yaml:"heartbeat" json:"heartbeat"`
	// Quota is how many readings such a device may send a minute; 0 for any number.
	Quota int `yaml:"quota" json:"quota,omitempty"`
	// Names are the kind in words, by language.
	Names map[string]string `yaml:"names" json:"names,omitempty"`
}

// Home reports whether a sensor of this kind can itself stand for somebody, as a
// meter does for a home. Then it is shown nowhere singly.
func (k Kind) Home() bool {
	for _, u := range k.Units {
		if u.Sensor {
			return true
		}
	}
	return false
}

// Personal reports whether devices of this kind send what tells somebody, or some place of
// somebody, apart.
func (k Kind) Personal() bool {
	return len(k.Units) > 0 || slices.ContainsFunc(k.Fields, func(f Field) bool {
		return f.Class == "identifier" || f.Class == "quasi-identifier" || f.Class == "location"
	})
}

// KindUnit says who stands for whom: a field that tells units apart, or the sensor
// itself, never both. StandsFor is device, vehicle, card, home or person.
type KindUnit struct {
	Field     string `yaml:"field" json:"field,omitempty"`
	Sensor    bool   `yaml:"sensor" json:"sensor,omitempty"`
	StandsFor string `yaml:"stands_for" json:"stands_for"`
}

// Field is one thing a device sends, and how personal it is.
type Field struct {
	Name  string `yaml:"name" json:"name"`
	Type  string `yaml:"type" json:"type"` // int, float, string, bool or time
	Unit  string `yaml:"unit" json:"unit,omitempty"`
	Class string `yaml:"class" json:"class"`
	// Format is an identifier's canonical form: mac48, eui64, uuid, plate or text (as it
	// is). What does not parse is refused.
	Format string `yaml:"format" json:"format,omitempty"`
	// Valid is [low, high], both included, of a number: a reading with a value outside is
	// refused, since a broken device is not a measurement. Empty for any number.
	Valid []float64 `yaml:"valid" json:"valid,omitempty"`
	// Names are the field in words, by language, and Values the words of what a string
	// may be, by value: {bike: {ca: bicicleta, en: bicycle}}.
	Names  map[string]string            `yaml:"names" json:"names,omitempty"`
	Values map[string]map[string]string `yaml:"values" json:"values,omitempty"`
}

// ErrValid says what valid must be.
var ErrValid = errors.New("valid is [low, high] of an int or float, with low not above high")

// CheckValid reports whether the field's bounds can be used.
func (f Field) CheckValid() error {
	switch {
	case f.Valid == nil:
		return nil
	case len(f.Valid) != 2 || f.Type != "int" && f.Type != "float":
		return ErrValid
	case !(f.Valid[0] <= f.Valid[1]) || math.IsInf(f.Valid[0], 0) || math.IsInf(f.Valid[1], 0):
		return ErrValid
	}
	return nil
}

var (
	types   = []string{"int", "float", "string", "bool", "time"}
	classes = []string{"measurement", "identifier", "quasi-identifier", "location", "free-text", "credential"}
	formats = []string{"mac48", "eui64", "uuid", "plate", "text"}
	units   = []string{"device", "vehicle", "card", "home", "person"}
	// fieldPattern has what keys of sensors' messages contain.
	fieldPattern = pattern.New(`^[A-Za-z0-9_@][A-Za-z0-9_.@:/-]{0,63}$`)
)

// Bounds of kinds.yaml.
const (
	MaxKinds  = 500
	MaxFields = 32  // of a kind
	maxUnits  = 8   // of a kind
	maxValues = 200 // of a field that have words
	maxLabel  = 40  // bytes of a unit of measurement
)

// ParseKinds reads kinds.yaml.
func ParseKinds(name string, raw []byte) (map[string]Kind, error) {
	var file struct {
		Kinds map[string]Kind `yaml:"kinds"`
	}
	if err := yamldoc.Decode(name, raw, &file); err != nil {
		return nil, err
	}
	if len(file.Kinds) > MaxKinds {
		return nil, fmt.Errorf("%s: more than %d kinds; take out those that no sensor has", name, MaxKinds)
	}
	for id, k := range file.Kinds {
		if !names.Valid(id) {
			return nil, fmt.Errorf("%s: the kind %s needs a name: %s", name, short(id), names.Form)
		}
		if err := k.check(); err != nil {
			return nil, fmt.Errorf("%s: kind %s: %w", name, id, err)
		}
	}
	return file.Kinds, nil
}

// short quotes a text for an error, cut, and without anything a terminal obeys.
func short(s string) string {
	if len(s) > maxLabel {
		s = s[:maxLabel] + "..."
	}
	return fmt.Sprintf("%+q", s)
}

func (k Kind) check() error {
	if len(k.Fields) == 0 || len(k.Fields) > MaxFields {
		return fmt.Errorf("needs 1 to %d fields", MaxFields)
	}
	if err := names.CheckWords(k.Names); err != nil {
		return fmt.Errorf("names: %w", err)
	}
	seen := map[string]bool{}
	for _, f := range k.Fields {
		if err := f.check(); err != nil {
			return err
		}
		if err := f.checkWords(); err != nil {
			return err
		}
		if seen[f.Name] {
			return fmt.Errorf("field %s is there twice; each needs a name of its own", f.Name)
		}
		seen[f.Name] = true
	}
	if beat := k.Heartbeat.Nominal(); !k.Heartbeat.IsZero() && (beat < time.Second || beat > 24*time.Hour) {
		return errors.New("heartbeat is at least a second and at most a day, e.g. PT5M")
	}
	if k.Quota < 0 || k.Quota > MaxQuota {
		return fmt.Errorf("quota is how many readings such a device may send a minute, 1 to %d", MaxQuota)
	}
	if len(k.Units) > maxUnits {
		return fmt.Errorf("has more than %d units; a decision needs one", maxUnits)
	}
	for i, u := range k.Units {
		switch {
		case !slices.Contains(units, u.StandsFor):
			return fmt.Errorf("a unit stands for %s; write stands_for: device", strings.Join(units, ", "))
		case u.Sensor == (u.Field != ""):
			return fmt.Errorf("the unit that stands for a %[1]s does not say who does: write either {sensor: true, "+
				"stands_for: %[1]s} or {field: FIELD, stands_for: %[1]s}", u.StandsFor)
		case u.Field != "" && !seen[u.Field]:
			return fmt.Errorf("the unit that stands for a %s names %s, which is none of its fields; name one that "+
				"is listed under fields", u.StandsFor, short(u.Field))
		case slices.Contains(k.Units[:i], u):
			return fmt.Errorf("the unit that stands for a %s is there twice; take one out", u.StandsFor)
		}
	}
	return nil
}

func (f Field) check() error {
	switch {
	case !fieldPattern.MatchString(f.Name):
		return fmt.Errorf("the field %s needs a name: at most 64 letters, digits and _ . @ : / -", short(f.Name))
	case !slices.Contains(types, f.Type):
		return fmt.Errorf("field %s: type is one of %s", f.Name, strings.Join(types, ", "))
	case !slices.Contains(classes, f.Class):
		return fmt.Errorf("field %s: class is one of %s", f.Name, strings.Join(classes, ", "))
	case f.Format != "" && !slices.Contains(formats, f.Format):
		return fmt.Errorf("field %s: format is one of %s", f.Name, strings.Join(formats, ", "))
	case f.Format != "" && f.Type != "string":
		return fmt.Errorf("field %s: only a string has a format", f.Name)
	case len(f.Unit) > maxLabel || !names.Visible(f.Unit):
		return fmt.Errorf("field %s: unit is at most %d bytes of visible text, e.g. dB(A)", f.Name, maxLabel)
	case f.CheckValid() != nil:
		return fmt.Errorf("field %s: %w; write e.g. valid: [20, 140]", f.Name, f.CheckValid())
	}
	return nil
}

// valuePattern is that of the values by which a decision may tell numbers apart.
var valuePattern = pattern.New(`^[A-Za-z0-9_.:-]{1,64}$`)

func (f Field) checkWords() error {
	if err := names.CheckWords(f.Names); err != nil {
		return fmt.Errorf("field %s: names: %w", f.Name, err)
	}
	switch {
	case len(f.Values) > 0 && f.Type != "string":
		return fmt.Errorf("field %s: only a string has values in words", f.Name)
	case len(f.Values) > maxValues:
		return fmt.Errorf("field %s: more than %d values have words", f.Name, maxValues)
	}
	for _, v := range slices.Sorted(maps.Keys(f.Values)) {
		if !valuePattern.MatchString(v) {
			return fmt.Errorf("field %s: values: %s is none that a decision can name: 1 to 64 letters, digits and "+
				"_ . : -", f.Name, short(v))
		}
		if err := names.CheckWords(f.Values[v]); err != nil {
			return fmt.Errorf("field %s: values: %s: %w", f.Name, v, err)
		}
	}
	return nil
}
