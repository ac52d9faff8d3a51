package decision

import (
	"strings"
	"testing"

	"sluice/plan"
	"sluice/register"
)

// TestAboutPeople: a kind that tells somebody, or a place of somebody, apart is about people
// unless the charter says otherwise; and one that the charter names always is.
func TestAboutPeople(t *testing.T) {
	of := func(class string) register.Kind {
		return register.Kind{Fields: []register.Field{{Name: "x", Class: class}}}
	}
	unit := register.Kind{Units: []register.KindUnit{{Sensor: true, StandsFor: "home"}},
		Fields: []register.Field{{Name: "x", Class: "measurement"}}}
	for name, c := range map[string]struct {
		k     register.Kind
		about bool
	}{
		"identifier": {of("identifier"), true}, "quasi-identifier": {of("quasi-identifier"), true},
		"location": {of("location"), true},
		"unit":     {unit, true}, "measurement": {of("measurement"), false}, "free-text": {of("free-text"), false},
	} {
		if got := (&Charter{}).AboutPeople("k", c.k); got != c.about {
			t.Errorf("%s: about people: %v", name, got)
		}
		if (&Charter{KindsNotAboutPeople: []string{"k"}}).AboutPeople("k", c.k) {
			t.Errorf("%s: the charter says that it is about nobody", name)
		}
		if !(&Charter{KindsAboutPeople: []string{"k"}, KindsNotAboutPeople: []string{"k"}}).AboutPeople("k", c.k) {
			t.Errorf("%s: the charter says that it is about people", name)
		}
	}
}

// TestShare is a mean from 0 to 1, and nothing else; a document that bounds it is refused
// where it is translated, too, not only where it is checked.
func TestShare(t *testing.T) {
	m, err := Measure{Name: "dry", Of: "share(dry)"}.plan("", "none")
	if err != nil || !m.Share || m.Of != plan.Mean || !m.Bounded || m.Low != 0 || m.High != 1 || m.Unit != "share" {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := (Measure{Name: "dry", Of: "share(dry)", Between: []float64{0, 1}}).plan("", "none"); err == nil ||
		!strings.Contains(err.Error(), "take between out") {
		t.Errorf("a share with bounds: %v", err)
	}
}
