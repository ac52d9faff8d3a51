package decision

import (
	"errors"
	"fmt"
	"time"

	"sluice/policy/plan"
)

// Charter is the floor below which no decision can go.
type Charter struct {
	City             City               `yaml:"city" json:"city"`
	Purposes         []string           `yaml:"purposes" json:"purposes"`
	ForbiddenClasses []string           `yaml:"forbidden_classes" json:"forbidden_classes"`
	KindsAboutPeople []string           `yaml:"kinds_about_people" json:"kinds_about_people"`
	MinUnits         int64              `yaml:"min_units" json:"min_units"`
	EpsilonPerDay    map[string]float64 `yaml:"epsilon_per_day" json:"epsilon_per_day"`
	DeltaPerDay      float64            `yaml:"delta_per_day" json:"delta_per_day"`
	MaxContributions int64              `yaml:"max_contributions" json:"max_contributions"`
	SunsetMax        plan.Period        `yaml:"sunset_max" json:"sunset_max"`
	NoticeDays       int                `yaml:"notice_days" json:"notice_days"`
	BlackoutMax      plan.Period        `yaml:"blackout_max" json:"blackout_max"`
	Quorums          Quorums            `yaml:"quorums" json:"quorums"`
}

// City names the city and its local time.
type City struct {
	ID        string   `yaml:"id" json:"id"`
	Name      string   `yaml:"name" json:"name"`
	Timezone  string   `yaml:"timezone" json:"timezone"`
	Languages []string `yaml:"languages" json:"languages"`
}

// Quorums are numbers of distinct members.
type Quorums struct {
	Enact   int `yaml:"enact" json:"enact"`
	Weaken  int `yaml:"weaken" json:"weaken"`
	Charter int `yaml:"charter" json:"charter"`
	Roster  int `yaml:"roster" json:"roster"`
	Suspend int `yaml:"suspend" json:"suspend"`
}

// ParseCharter reads charter.yaml.
func ParseCharter(name string, raw []byte) (*Charter, error) {
	var c Charter
	if err := Decode(name, raw, &c); err != nil {
		return nil, err
	}
	if c.City.ID == "" || c.City.Timezone == "" {
		return nil, fmt.Errorf("%s: city needs id and timezone, e.g. Europe/Madrid", name)
	}
	if !idPattern.MatchString(c.City.ID) {
		return nil, fmt.Errorf("%s: city.id is a name of small letters, digits, - and _, e.g. portalba", name)
	}
	if _, err := c.Location(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &c, nil
}

// Location is the city's time zone.
func (c *Charter) Location() (*time.Location, error) {
	loc, err := time.LoadLocation(c.City.Timezone)
	if err != nil || c.City.Timezone == "Local" {
		return nil, errors.New("city.timezone is not a name of the IANA database, e.g. Europe/Madrid")
	}
	return loc, nil
}

// Kind is what devices of one sort can send.
type Kind struct {
	Units  []KindUnit `yaml:"units" json:"units"`
	Fields []Field    `yaml:"fields" json:"fields"`
	// Heartbeat is how often a device of this kind says that it is alive; a
	// kind about people without one never yields no_data.
	Heartbeat plan.Period `yaml:"heartbeat" json:"heartbeat"`
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

// KindUnit says which field can stand for whom.
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
}

var (
	types   = []string{"int", "float", "string", "bool", "time"}
	classes = []string{"measurement", "identifier", "quasi-identifier", "location", "free-text", "credential"}
)

// MaxFields bounds the fields of a kind.
const MaxFields = 32

// ParseKinds reads kinds.yaml.
func ParseKinds(name string, raw []byte) (map[string]Kind, error) {
	var file struct {
		Kinds map[string]Kind `yaml:"kinds"`
	}
	if err := Decode(name, raw, &file); err != nil {
		return nil, err
	}
	for id, k := range file.Kinds {
		if err := k.check(); err != nil {
			return nil, fmt.Errorf("%s: kind %s: %w", name, id, err)
		}
	}
	return file.Kinds, nil
}

func (k Kind) check() error {
	if len(k.Fields) == 0 || len(k.Fields) > MaxFields {
		return fmt.Errorf("needs 1 to %d fields", MaxFields)
	}
	seen := map[string]bool{}
	for _, f := range k.Fields {
		switch {
		case f.Name == "" || seen[f.Name]:
			return errors.New("each field needs a name of its own")
		case !contains(types, f.Type):
			return fmt.Errorf("field %s: type is one of int, float, string, bool, time", f.Name)
		case !contains(classes, f.Class):
			return fmt.Errorf("field %s: class is one of measurement, identifier, quasi-identifier, location, free-text, credential", f.Name)
		}
		seen[f.Name] = true
	}
	return nil
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
