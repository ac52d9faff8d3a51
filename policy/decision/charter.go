package decision

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"sluice/internal/civil"
	"sluice/internal/yamldoc"
	"sluice/plan"
	"sluice/register"
)

// Charter is the floor below which no decision can go.
type Charter struct {
	City             City     `yaml:"city" json:"city"`
	Purposes         []string `yaml:"purposes" json:"purposes"`
	ForbiddenClasses []string `yaml:"forbidden_classes" json:"forbidden_classes"`
	KindsAboutPeople []string `yaml:"kinds_about_people" json:"kinds_about_people"`
	// KindsNotAboutPeople are kinds with a unit or a personal field of which the council
	// says that they are about nobody all the same; see AboutPeople.
	KindsNotAboutPeople []string `yaml:"kinds_not_about_people" json:"kinds_not_about_people,omitempty"`
	MinUnits            int64    `yaml:"min_units" json:"min_units"`
	// Floors are those that decisions may have; none for exact only.
	Floors           []plan.Floor       `yaml:"floors" json:"floors,omitempty"`
	EpsilonPerDay    map[string]float64 `yaml:"epsilon_per_day" json:"epsilon_per_day"`
	DeltaPerDay      float64            `yaml:"delta_per_day" json:"delta_per_day"`
	MaxContributions int64              `yaml:"max_contributions" json:"max_contributions"`
	SunsetMax        civil.Period       `yaml:"sunset_max" json:"sunset_max"`
	NoticeDays       int                `yaml:"notice_days" json:"notice_days"`
	BlackoutMax      civil.Period       `yaml:"blackout_max" json:"blackout_max"`
	Quorums          Quorums            `yaml:"quorums" json:"quorums"`
	// Names are the council's words for purposes and units of measurement.
	Names Names `yaml:"names" json:"names,omitzero"`
}

// City names the city and its local time.
type City struct {
	ID        string   `yaml:"id" json:"id"`
	Name      string   `yaml:"name" json:"name"`
	Timezone  string   `yaml:"timezone" json:"timezone"`
	Languages []string `yaml:"languages" json:"languages"`
	// Responsible is who answers for the processing (the controller), DPO the data
	// protection officer, Authority whom residents may complain to.
	Responsible Party `yaml:"responsible" json:"responsible,omitzero"`
	DPO         Party `yaml:"dpo" json:"dpo,omitzero"`
	Authority   Party `yaml:"authority" json:"authority,omitzero"`
	// Accessibility is who enforces that public websites are accessible: Directive (EU) 2016/2102,
	// article 9.
	Accessibility Party `yaml:"accessibility" json:"accessibility,omitzero"`
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
	if err := yamldoc.Decode(name, raw, &c); err != nil {
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
	if err := errors.Join(c.City.checkParties(), c.Names.check()); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &c, nil
}

// Allowed are the floors that decisions may have.
func (c *Charter) Allowed() []plan.Floor {
	if len(c.Floors) == 0 {
		return []plan.Floor{plan.Exact}
	}
	return c.Floors
}

// Allows reports whether a decision may have this floor.
func (c *Charter) Allows(f plan.Floor) bool {
	if f == "" {
		f = plan.Exact
	}
	return slices.Contains(c.Allowed(), f)
}

// NoTimezone is the error for a charter with an unknown time zone.
const NoTimezone = "city.timezone is not a name of the IANA database, e.g. Europe/Madrid"

// Location is the city's time zone.
func (c *Charter) Location() (*time.Location, error) {
	loc, err := time.LoadLocation(c.City.Timezone)
	if err != nil || c.City.Timezone == "Local" {
		return nil, errors.New(NoTimezone)
	}
	return loc, nil
}

// AboutPeople reports whether decisions about a kind need a unit of privacy: the charter
// says so, or the kind has a unit or a field of class identifier, quasi-identifier or
// location and the charter does not say that it is about nobody.
func (c *Charter) AboutPeople(id string, k register.Kind) bool {
	return slices.Contains(c.KindsAboutPeople, id) || k.Personal() && !slices.Contains(c.KindsNotAboutPeople, id)
}
