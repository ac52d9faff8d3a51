package redact

import (
	"testing"

	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/format"
	"sluice/gateway/ingest/internal/reading"
	"sluice/internal/civil"
	"sluice/plan"
)

// bools keeps what a rule makes of each reading.
type bools struct {
	rule *Rule
	out  []Kept
	bad  int
}

func (b *bools) Reading(r reading.Reading) {
	var k Kept
	if b.rule.Apply(r, &k).Code != fault.None {
		b.bad++
		return
	}
	b.out = append(b.out, k)
}
func (b *bools) Refused(fault.Fault) { b.bad++ }
func (b *bools) Dropped(fault.Fault) {}
func (*bools) Ignored()              {}

// TestShare: true is one, false is nothing, and a reading without the field says nothing.
func TestShare(t *testing.T) {
	s := &plan.Stream{
		ID: "s", Decision: "s", Timezone: "UTC", Every: civil.MustPeriod("PT1H"), Unit: plan.Unit{StandsFor: "none"},
		Zones:    []string{"a"},
		Measures: []plan.Measure{{Name: "open", Of: plan.Mean, Share: true, Field: "open", Bounded: true, High: 1}},
	}
	s.Until = s.From.AddDate(1, 0, 0)
	if err := s.Finish(); err != nil {
		t.Fatal(err)
	}
	shape := format.NewShape([]string{"open", "x"}, []string{"bool", "int"}, nil, nil)
	rule, err := Compile(plan.Plan{Stream: s, Zone: "a"}, shape, "sensor", nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &bools{rule: rule}
	format.NewDecoder().
		Decode([]byte(`[{"fields":{"open":true}},{"fields":{"open":false}},{"fields":{"x":1}},{"fields":{"open":1}}]`),
			shape, 0, b)
	if len(b.out) != 2 || b.bad != 2 || b.out[0].Values[0] != plan.Fixed || b.out[1].Values[0] != 0 ||
		b.out[0].Has != 1 || b.out[1].Has != 1 {
		t.Errorf("%+v, and %d refused", b.out, b.bad)
	}
	if got := s.Measures[0].Expression(); got != "share(open)" {
		t.Errorf("it is called %s", got)
	}
	s.Measures[0].High = 2
	if s.Finish() == nil {
		t.Error("a share of 200 % is taken")
	}
}
