package redact

import (
	"math"
	"testing"

	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/format"
	"sluice/gateway/ingest/internal/reading"
	"sluice/internal/civil"
	"sluice/plan"
)

func rule(t *testing.T, change func(*plan.Stream)) (*Rule, reading.Reading) {
	t.Helper()
	s := &plan.Stream{
		ID: "s", Decision: "1", Timezone: "UTC", Every: civil.MustPeriod("PT1H"), Forget: civil.MustPeriod("P1D"),
		Unit: plan.Unit{Field: "id", StandsFor: "device"}, Keep: []string{"id", "x"}, Zones: []string{"a"},
		Measures: []plan.Measure{
			{Name: "sum", Of: plan.Sum, Field: "x", Bounded: true, Low: -5, High: 5},
			{Name: "classes", Of: plan.Histogram, Field: "x", Edges: []float64{-1, 0, 1}},
		},
		Protect: plan.Protect{MinUnits: 1, Epsilon: 1, Delta: 1e-6, MaxContributions: 1},
	}
	if change != nil {
		change(s)
	}
	s.From, s.Until = s.From.AddDate(2000, 0, 0), s.From.AddDate(2100, 0, 0)
	if err := s.Finish(); err != nil {
		t.Fatal(err)
	}
	r, err := Compile(plan.Plan{Stream: s, Zone: "a"},
		format.NewShape([]string{"id", "x"}, []string{"float", "float"}, nil, nil), "sensor", nil)
	if err != nil {
		t.Fatal(err)
	}
	return r, reading.New()
}

// TestExtremes: whatever number a reading has, what goes on is a fixed-point
// number that is as near as it can be, or nothing.
func TestExtremes(t *testing.T) {
	r, in := rule(t, nil)
	for _, c := range []struct {
		x     float64
		want  int64
		there bool
	}{
		{0, 0, true}, {math.Copysign(0, -1), 0, true}, {1.5, 1_500_000, true}, {-1e-7, 0, true}, {5e-324, 0, true},
		{1e308, 1e15, true}, {-1e308, -1e15, true}, {math.MaxInt64, 1e15, true}, {math.MinInt64, -1e15, true},
		{math.Inf(1), 1e15, true}, {math.Inf(-1), -1e15, true}, {math.NaN(), 0, false},
	} {
		in.Reset()
		in.SetNumber(0, 7)
		in.SetNumber(1, c.x)
		var out Kept
		f := r.Apply(in, &out)
		if there := f.Code == fault.None && out.Has&1 != 0; there != c.there || there && out.Values[0] != c.want {
			t.Errorf("%v becomes %d, there: %v; want %d, %v", c.x, out.Values[0], there, c.want, c.there)
		}
		if slot := r.stream.Measures[1].Slot(out.Values[1]); slot < 0 || slot > 1 {
			t.Errorf("%v is in class %d", c.x, slot)
		}
	}
}

// TestZeroIsOneUnit: a unit named by the number zero has one name.
func TestZeroIsOneUnit(t *testing.T) {
	r, in := rule(t, nil)
	name := func(id float64) string {
		in.Reset()
		in.SetNumber(0, id)
		in.SetNumber(1, 1)
		var out Kept
		if f := r.Apply(in, &out); f.Code != fault.None {
			t.Fatal(f.Code)
		}
		return string(out.Unit)
	}
	if a, b := name(0), name(math.Copysign(0, -1)); a != b {
		t.Errorf("zero is %q, negative zero %q", a, b)
	}
}

// TestNotANumberMeetsNothing: no condition holds for what cannot be compared.
func TestNotANumberMeetsNothing(t *testing.T) {
	for _, op := range []string{"==", "!=", "<", "<=", ">", ">="} {
		r, in := rule(t, func(s *plan.Stream) { s.Where = []plan.Condition{{Field: "x", Op: op, Value: 1.0}} })
		in.SetNumber(0, 7)
		in.SetNumber(1, math.NaN())
		var out Kept
		if f := r.Apply(in, &out); f.Code != fault.Where {
			t.Errorf("not a number %s 1 holds", op)
		}
	}
}
