// Package register is the list of the city's sensors, where, whose, since when,
// and of its zones. It is public: passwords are never here.
//
// Example entry:
//
//	sensors:
//	  - {id: rambla-1, owner: acme, kind: wifi-counter, zone: rambla,
//	     registered: 2026-01-01, contact: street@city.example, purpose: {en: "Footfall"}}
package register

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"sluice/policy/decision"
)

// Sensor is one entry of the register.
type Sensor struct {
	ID         string            `yaml:"id" json:"id"`
	Owner      string            `yaml:"owner" json:"owner"`
	Kind       string            `yaml:"kind" json:"kind"`
	Preset     string            `yaml:"preset" json:"preset,omitempty"`
	Topic      string            `yaml:"topic" json:"topic,omitempty"`
	Zone       string            `yaml:"zone" json:"zone,omitempty"`
	Lat        *float64          `yaml:"lat" json:"lat,omitempty"`
	Lon        *float64          `yaml:"lon" json:"lon,omitempty"`
	Map        map[string]string `yaml:"map" json:"map,omitempty"`
	Registered decision.Date     `yaml:"registered" json:"registered"`
	Until      decision.Date     `yaml:"until" json:"until,omitzero"`
	Replaces   string            `yaml:"replaces" json:"replaces,omitempty"`
	Contact    string            `yaml:"contact" json:"contact,omitempty"`
	Purpose    map[string]string `yaml:"purpose" json:"purpose,omitempty"`
}

// Register is the checked list, in the order of the file.
type Register struct {
	Sensors []Sensor
}

// MaxSensors bounds one gateway's register.
const MaxSensors = 100_000

var name = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$`)

// Parse reads register.yaml; the file's name is used in errors only.
func Parse(file string, raw []byte) (*Register, error) {
	var doc struct {
		Sensors []Sensor `yaml:"sensors"`
	}
	if err := decision.Decode(file, raw, &doc); err != nil {
		return nil, err
	}
	if len(doc.Sensors) > MaxSensors {
		return nil, fmt.Errorf("%s: more than %d sensors; use several gateways", file, MaxSensors)
	}
	topics, ids := map[string]bool{}, map[string]bool{}
	for i := range doc.Sensors {
		s := &doc.Sensors[i]
		if err := s.check(); err != nil {
			return nil, fmt.Errorf("%s: sensor %d (%s): %w", file, i+1, s.ID, err)
		}
		if topics[s.UpTopic()] || ids[s.ID] {
			return nil, fmt.Errorf("%s: sensor %d (%s): this id or topic is taken by an earlier entry", file, i+1, s.ID)
		}
		topics[s.UpTopic()], ids[s.ID] = true, true
	}
	return &Register{Sensors: doc.Sensors}, nil
}

func (s *Sensor) check() error {
	switch {
	case !name.MatchString(s.ID) || !name.MatchString(s.Owner):
		return errors.New("id and owner need names of letters, digits and _ . : -")
	case s.Kind == "":
		return errors.New("kind is missing")
	case s.Preset != "":
		return errors.New("this version has no presets; send docs/wire.md's format and remove preset")
	case s.Topic != "" && strings.ContainsAny(s.Topic, "+#$\x00"):
		return errors.New("topic must not hold wildcards")
	case (s.Lat == nil) != (s.Lon == nil):
		return errors.New("lat and lon go together")
	case (s.Zone == "") == (s.Lat == nil):
		return errors.New("needs either zone or lat and lon")
	case s.Registered == (decision.Date{}):
		return errors.New("registered is missing, e.g. 2026-01-01")
	}
	for field, pointer := range s.Map {
		if !strings.HasPrefix(pointer, "/") {
			return fmt.Errorf("map: %s needs a JSON pointer such as /object/level", field)
		}
	}
	return nil
}

// UpTopic is where the sensor publishes its readings.
func (s *Sensor) UpTopic() string {
	if s.Topic != "" {
		return s.Topic
	}
	return s.base() + "/up"
}

// HeartbeatTopic is where the sensor says that it is alive.
func (s *Sensor) HeartbeatTopic() string { return s.base() + "/hb" }

// FeedbackTopic is where the gateway says what it dropped, and why.
func (s *Sensor) FeedbackTopic() string { return s.base() + "/feedback" }

func (s *Sensor) base() string { return "city/v1/" + s.Owner + "/" + s.ID }

// Usable reports whether readings of instant t count, by local days of loc.
func (s *Sensor) Usable(t time.Time, loc *time.Location) bool {
	if t.Before(s.Registered.Start(loc)) {
		return false
	}
	return s.Until == (decision.Date{}) || t.Before(s.Until.End(loc))
}

// ZoneOf is the sensor's zone, looked up where the entry has coordinates.
func (s *Sensor) ZoneOf(z *Zones) string {
	if s.Lat == nil {
		return s.Zone
	}
	id, _ := z.Locate(*s.Lat, *s.Lon)
	return id
}
