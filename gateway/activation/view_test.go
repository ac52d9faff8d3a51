package activation

import (
	"fmt"
	"slices"
	"testing"

	"sluice/plan"
	"sluice/policy/compile"
)

// TestSomeCells: of each policy there are some, and of none more than was asked for, however
// the zones of another one are called.
func TestSomeCells(t *testing.T) {
	v := &View{Sets: make(map[string]*compile.Set)}
	for _, zone := range []string{"a", "b", "c"} {
		s := &plan.Stream{ID: "s"}
		for n := range 20 {
			s.Cells = append(s.Cells, plan.Cell{Zone: fmt.Sprint(zone, n)})
		}
		v.Sets[zone] = &compile.Set{Streams: []*plan.Stream{s, {ID: "without"}}}
		v.Sets[zone+" once more"] = v.Sets[zone]
	}
	got := v.SomeCells(8)
	if len(got) != 1 || len(got["s"]) != 24 {
		t.Fatalf("of three policies there are %v", got)
	}
	for _, zone := range []string{"a", "b", "c"} {
		if of := (plan.Cell{Zone: zone + "7"}).ID(); !slices.Contains(got["s"], of) {
			t.Errorf("there is no %s in %v", of, got)
		}
	}
}
