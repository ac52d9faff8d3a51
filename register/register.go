// Package register reads the list of the city's sensors (where, whose, since when)
// and its zones. It is public, except for the topics and pointers that it names:
// those may hold what only a vendor should know. Passwords are never here.
//
// It is one file, or a directory of *.yaml files. A sensor has one id and one topic
// of its own, wherever its entry is.
//
// Example entry:
//
//	sensors:
//	  - {id: rambla-1, owner: acme, kind: wifi-counter, zone: rambla,
//	     registered: 2026-01-01, contact: street@city.example, purpose: {en: "Footfall"}}
//	  - {id: noise-7, owner: lorawan, kind: noise, zone: rambla, preset: ttn-v3, profile: milesight-ws302,
//	     device: noise-7, quota: 10, registered: 2026-01-01}
package register

import (
	"fmt"
	"time"

	"sluice/internal/civil"
	"sluice/register/preset"
)

// Sensor is one entry of the register.
type Sensor struct {
	ID         string            `yaml:"id" json:"id"`
	Owner      string            `yaml:"owner" json:"owner"`
	Kind       string            `yaml:"kind" json:"kind"`
	Preset     string            `yaml:"preset" json:"preset,omitempty"`
	Profile    string            `yaml:"profile" json:"profile,omitempty"`
	Device     string            `yaml:"device" json:"-"` // it may name somebody, or be a credential
	Quota      int               `yaml:"quota" json:"quota,omitempty"`
	Topic      string            `yaml:"topic" json:"topic,omitempty"`
	Zone       string            `yaml:"zone" json:"zone,omitempty"`
	Lat        *float64          `yaml:"lat" json:"lat,omitempty"`
	Lon        *float64          `yaml:"lon" json:"lon,omitempty"`
	Map        map[string]string `yaml:"map" json:"map,omitempty"`
	Registered civil.Date        `yaml:"registered" json:"registered"`
	Until      civil.Date        `yaml:"until" json:"until,omitzero"`
	Replaces   string            `yaml:"replaces" json:"replaces,omitempty"`
	Contact    string            `yaml:"contact" json:"contact,omitempty"`
	Purpose    map[string]string `yaml:"purpose" json:"purpose,omitempty"`
}

// Register is the checked list, in the order of the files.
type Register struct {
	Sensors []Sensor
	Presets *preset.Library // those that its entries name are in it
	files   []string
	places  []place // of each sensor; empty where no file was read
}

// place is where an entry begins.
type place struct{ file, line int32 }

// MaxSensors bounds one gateway's register.
const MaxSensors = 100_000

// Where is the file and line of a sensor's entry, by its number; empty where it
// is of no file.
func (r *Register) Where(n int) string {
	if n >= len(r.places) {
		return ""
	}
	return fmt.Sprintf("%s, line %d", r.files[r.places[n].file], r.places[n].line)
}

// Place is the file and the line on which a sensor's entry begins; of sensors that were made
// otherwise there is none.
func (r *Register) Place(n int) (file string, line int) {
	if n >= len(r.places) {
		return "", 0
	}
	return r.files[r.places[n].file], int(r.places[n].line)
}

// UpTopic is where the sensor publishes its readings; empty where that is on the patterns of its
// preset.
func (s *Sensor) UpTopic() string {
	if s.Topic != "" || s.OnPatterns() {
		return s.Topic
	}
	return s.base() + "/up"
}

// Private reports whether the public register does not say where the sensor publishes: a vendor has
// chosen that, or another system calls it so, and it may be a secret or a name.
func (s *Sensor) Private() bool { return s.Topic != "" || s.Preset != "" }

// HeartbeatTopic is where the sensor says that it is alive.
func (s *Sensor) HeartbeatTopic() string { return s.base() + "/hb" }

// FeedbackTopic is where the gateway says what it dropped, and why.
func (s *Sensor) FeedbackTopic() string { return s.base() + "/feedback" }

// FeedbackOf is where the gateway tells of an owner's sensors, as a filter.
func FeedbackOf(owner string) string { return "city/v1/" + owner + "/+/feedback" }

func (s *Sensor) base() string { return "city/v1/" + s.Owner + "/" + s.ID }

// Usable reports whether readings of instant t count, by local days of loc.
func (s *Sensor) Usable(t time.Time, loc *time.Location) bool {
	if t.Before(s.Registered.Start(loc)) {
		return false
	}
	return s.Until == (civil.Date{}) || t.Before(s.Until.End(loc))
}

// ZoneOf is the sensor's zone, looked up where the entry has coordinates.
func (s *Sensor) ZoneOf(z *Zones) string {
	if s.Lat == nil {
		return s.Zone
	}
	id, _ := z.Locate(*s.Lat, *s.Lon)
	return id
}
