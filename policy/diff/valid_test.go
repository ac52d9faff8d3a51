package diff

import (
	"slices"
	"strings"
	"testing"

	"sluice/policy/bundle"
	"sluice/register"
)

// counting is a policy whose counter has other fields.
func counting(t *testing.T, change func(*register.Field)) *bundle.Policy {
	t.Helper()
	p := policyOf(t, plain)
	k := p.Kinds["counter"]
	k.Fields = slices.Clone(k.Fields)
	for i := range k.Fields {
		change(&k.Fields[i])
	}
	p.Kinds["counter"] = k
	return p
}

// TestValidIsCompared: fewer valid numbers are stronger and may end a series; more, or
// other ones, are weaker.
func TestValidIsCompared(t *testing.T) {
	with := func(valid ...float64) *bundle.Policy {
		return counting(t, func(f *register.Field) {
			if f.Name == "speed" {
				f.Valid = valid
			}
		})
	}
	for _, c := range []struct {
		old, new []float64
		want     Mark
		ends     bool
	}{
		{nil, []float64{0, 50}, Stronger, true},
		{[]float64{0, 50}, nil, Weaker, false},
		{[]float64{0, 50}, []float64{0, 40}, Stronger, true},
		{[]float64{0, 50}, []float64{-1, 50}, Weaker, false},
		{[]float64{0, 50}, []float64{10, 60}, Weaker, true},
	} {
		list := between(with(c.old...), with(c.new...))
		if len(list) != 1 || list[0].Key != "kind counter" || list[0].Mark != c.want || list[0].Ends != c.ends {
			t.Errorf("%v to %v: %+v; want %v, ends %v", c.old, c.new, list, c.want, c.ends)
			continue
		}
		if line := list[0].Words(0); c.new != nil && !strings.Contains(line, " in ") {
			t.Errorf("%v to %v is not said: %s", c.old, c.new, line)
		}
	}
}

// TestFormIsCompared: identifiers that must have a form, or another one, may end a
// series; those that need none any more do not.
func TestFormIsCompared(t *testing.T) {
	with := func(format string) *bundle.Policy {
		return counting(t, func(f *register.Field) {
			if f.Class == "identifier" {
				f.Format = format
			}
		})
	}
	for _, c := range []struct {
		old, new string
		ends     bool
	}{{"", "mac48", true}, {"mac48", "eui64", true}, {"text", "uuid", true}, {"mac48", "", false},
		{"mac48", "text", false}} {
		list := between(with(c.old), with(c.new))
		if len(list) != 1 || list[0].Ends != c.ends {
			t.Errorf("%q to %q: %+v; want that it may end a series: %v", c.old, c.new, list, c.ends)
		}
	}
}
