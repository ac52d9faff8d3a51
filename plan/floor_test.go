package plan

import (
	"strings"
	"testing"
	"time"

	"sluice/internal/civil"
)

// homes is a stream about homes, or about devices.
func protecting(sensor bool, change func(*Stream)) *Stream {
	s := &Stream{
		ID: "s", Decision: "1", Timezone: "UTC", Every: civil.MustPeriod("P1D"), Forget: civil.MustPeriod("P1D"),
		From: time.Unix(0, 0).UTC(), Until: time.Unix(1e9, 0).UTC(), Zones: []string{"a"},
		Unit:     Unit{Sensor: true, StandsFor: "home"},
		Measures: []Measure{{Name: "sum", Of: Sum, Field: "x", Bounded: true, High: 5, Unit: "kWh"}},
		Protect:  Protect{MinUnits: 3, Epsilon: 1, Delta: 1e-6, MaxContributions: 1},
	}
	if !sensor {
		s.Unit = Unit{Field: "d", StandsFor: "device"}
	}
	if change != nil {
		change(s)
	}
	return s
}

// TestFloorAndMembership: an exact floor is the same plan as none, with the digest that
// it had before there were floors; what is not in the vocabulary is refused.
func TestFloorAndMembership(t *testing.T) {
	digest := func(s *Stream) string {
		t.Helper()
		if err := s.Finish(); err != nil {
			t.Fatal(err)
		}
		return s.Digest
	}
	none := digest(protecting(false, nil))
	if exact := digest(protecting(false, func(s *Stream) { s.Protect.Floor = Exact })); exact != none {
		t.Error("floor: exact is another plan than none")
	}
	if strings.Contains(string(canonicalOf(t, protecting(false, nil))), "floor") ||
		strings.Contains(string(canonicalOf(t, protecting(false, nil))), "membership") {
		t.Error("a plan without floor and membership says something of them")
	}
	if noisy := digest(protecting(false, func(s *Stream) { s.Protect.Floor = Noisy })); noisy == none {
		t.Error("floor: noisy is the same plan")
	}
	digest(protecting(true, func(s *Stream) { s.Protect.Membership = Public }))
	for want, s := range map[string]*Stream{
		"floor is exact or noisy":  protecting(false, func(s *Stream) { s.Protect.Floor = "soft" }),
		"membership is public, or": protecting(true, func(s *Stream) { s.Protect.Membership = "open" }),
		"of homes only":            protecting(false, func(s *Stream) { s.Protect.Membership = Public }),
		"of homes only: unit": protecting(true, func(s *Stream) {
			s.Protect.Membership, s.Unit.StandsFor = Public, "vehicle"
		}),
		"homes only: unit: {sens": protecting(false, func(s *Stream) {
			s.Protect.Membership, s.Unit.StandsFor = Public, "home"
		}),
		"place: sensor": protecting(true, func(s *Stream) {
			s.Protect.Membership, s.Place = Public, Place{"lat", "lon"}
		}),
		"take floor out": protecting(true, func(s *Stream) {
			s.Protect.Membership, s.Protect.Floor = Public, Noisy
		}),
		"take the measure out": protecting(true, func(s *Stream) {
			s.Protect.Membership, s.Measures = Public, []Measure{{Name: "n", Of: Distinct}}
		}),
	} {
		if err := s.Finish(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v, %+v gives %v; want %q", s.Unit, s.Protect, err, want)
		}
	}
}

func canonicalOf(t *testing.T, s *Stream) []byte {
	t.Helper()
	if err := s.Finish(); err != nil {
		t.Fatal(err)
	}
	return s.Canonical()
}
