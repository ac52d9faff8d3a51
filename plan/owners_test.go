package plan

import (
	"math"
	"strings"
	"testing"
	"time"

	"sluice/internal/civil"
)

func parted(parts map[string]int64, change func(*Stream)) *Stream {
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := &Stream{
		ID: "s", Decision: "1", Timezone: "UTC", Every: civil.MustPeriod("PT1H"), Forget: civil.MustPeriod("P1D"),
		From: from, Until: from.AddDate(1, 0, 0),
		Unit: Unit{Field: "device", StandsFor: "device"}, Keep: []string{"device"}, Zones: []string{"z"},
		Measures: []Measure{{Name: "n", Of: Distinct}},
		Protect:  Protect{MinUnits: 3, Epsilon: 1, Delta: 1e-6, MaxContributions: 4, ByOwner: parts},
	}
	if change != nil {
		change(s)
	}
	return s
}

// TestOwnerParts: parts that would promise what does not hold are refused.
func TestOwnerParts(t *testing.T) {
	many := make(map[string]int64)
	for n := range MaxOwners + 1 {
		many[strings.Repeat("x", n+1)] = 1
	}
	for name, c := range map[string]struct {
		parts  map[string]int64
		change func(*Stream)
		want   string
	}{
		"all of it":       {map[string]int64{"a": 3, "b": 1}, nil, ""},
		"some of it":      {map[string]int64{"a": 1, "b": 1}, nil, ""},
		"none":            {nil, nil, ""},
		"too much":        {map[string]int64{"a": 3, "b": 2}, nil, "add up to 5"},
		"nothing":         {map[string]int64{"a": 4, "b": 0}, nil, "at least 1"},
		"less":            {map[string]int64{"a": -1}, nil, "at least 1"},
		"beyond counting": {map[string]int64{"a": math.MaxInt64, "b": math.MaxInt64}, nil, "at most max_contributions"},
		"nobody's":        {map[string]int64{"": 1}, nil, "at least 1"},
		"of many":         {many, func(s *Stream) { s.Protect.MaxContributions = 100 }, "at most 32"},
		"of homes": {map[string]int64{"a": 1}, func(s *Stream) {
			s.Unit = Unit{Sensor: true, StandsFor: "home"}
		}, "needs a unit that is a field"},
		"of nobody": {map[string]int64{"a": 1}, func(s *Stream) {
			s.Unit, s.Measures = Unit{StandsFor: "none"}, []Measure{{Name: "n", Of: Count}}
		}, "needs a unit that is a field"},
		"a sum of both signs": {map[string]int64{"a": 1}, func(s *Stream) {
			s.Measures = []Measure{{Name: "n", Of: Sum, Field: "x", Bounded: true, Low: -1, High: 1}}
		}, "one side of 0"},
		"a sum of one sign": {map[string]int64{"a": 1}, func(s *Stream) {
			s.Measures = []Measure{{Name: "n", Of: Sum, Field: "x", Bounded: true, Low: -1}}
		}, ""},
	} {
		err := parted(c.parts, c.change).Finish()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
}

// TestOwnerPart: each owner has its part, by name; others have none; without parts all
// share the bound, and the digest of a plan is what it was before there were any.
func TestOwnerPart(t *testing.T) {
	s := parted(map[string]int64{"tram": 1, "acme": 3}, nil)
	if err := s.Finish(); err != nil {
		t.Fatal(err)
	}
	for owner, want := range map[string]int{"acme": 1, "tram": 2, "other": 0, "": 0} {
		n, ok := s.OwnerPart(owner)
		if ok != (want > 0) ||
			ok &&
				(n != want || s.OwnerParts()[n-1].Owner != owner ||
					s.OwnerParts()[n-1].Most != s.Protect.ByOwner[owner]) {
			t.Errorf("%q has part %d, %v; want %d", owner, n, ok, want)
		}
	}
	shared := parted(nil, nil)
	if err := shared.Finish(); err != nil {
		t.Fatal(err)
	}
	if n, ok := shared.OwnerPart("anybody"); n != 0 || !ok || strings.Contains(string(shared.Canonical()), "owner") ||
		s.Digest == shared.Digest {
		t.Errorf("where all share: %d, %v, %s", n, ok, shared.Canonical())
	}
}
