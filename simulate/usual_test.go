package simulate

import (
	"math/rand/v2"
	"testing"
	"time"

	"sluice/policy/templates"
	"sluice/register"
)

// TestValuesAreUsual: what a street's sensors measure is what their template says, and not all that is valid: the
// sums of a day are those of a street.
func TestValuesAreUsual(t *testing.T) {
	for _, x := range templates.List() {
		for name, v := range x.Street.Values {
			c := column{Field: register.Field{Name: name, Type: "float"}, low: -1e6, high: 1e6}
			c.asUsual(x.Kind.ID)
			rnd := rand.New(rand.NewPCG(1, 2))
			quiet, busy := 0.0, 0.0
			for range 500 {
				for at, sum := range map[float64]*float64{.02: &quiet, 1: &busy} {
					f := c.value(time.Time{}, 0, at, rnd).(float64)
					if f < v[0]-.05 || f > v[1]+.05 {
						t.Fatalf("%s: %s is %v, and usually from %v to %v", x.ID, name, f, v[0], v[1])
					}
					*sum += f
				}
			}
			if quiet >= busy {
				t.Errorf("%s: %s is %v when it is quiet, and %v when it is busy", x.ID, name, quiet/500, busy/500)
			}
		}
	}
	c := column{Field: register.Field{Name: "energy", Type: "float"}, low: 0, high: .5}
	if c.asUsual("home-meter"); c.high != .5 || c.low != .1 {
		t.Errorf("within the decision's bounds it is from %v to %v", c.low, c.high)
	}
	c = column{Field: register.Field{Name: "energy", Type: "float"}, low: 0, high: 9}
	if c.asUsual("nobody-has-this"); c.usual || c.high != 9 {
		t.Error("a kind that no template has is drawn otherwise")
	}
}
