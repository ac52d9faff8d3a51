package simulate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"sluice/firmware-sim/street"
)

// survey records what traffic has: which kinds, where, with which fields.
type survey struct {
	kinds map[string]*seen
}

type seen struct {
	readings int
	zones    map[string]bool
	fields   map[string]*values
	// met counts the readings that meet each of the decision's conditions.
	met []int
}

// values are those of one field; at most maxDistinct are told apart.
type values struct {
	numbers, others int
	distinct        map[string]bool
}

const maxDistinct = 10_000

func newSurvey() *survey { return &survey{kinds: make(map[string]*seen)} }

// see takes one reading of a sensor; m is the decision's model.
func (v *survey) see(x street.Sensor, o street.Observation, m *model) {
	k := v.kinds[string(x.Kind)]
	if k == nil {
		k = &seen{zones: make(map[string]bool), fields: make(map[string]*values), met: make([]int, len(m.s.Where))}
		v.kinds[string(x.Kind)] = k
	}
	k.readings++
	k.zones[x.Zone] = true
	for name, value := range o.Fields {
		f := k.fields[name]
		if f == nil {
			f = &values{distinct: make(map[string]bool)}
			k.fields[name] = f
		}
		if _, ok := number(value); ok {
			f.numbers++
		} else {
			f.others++
		}
		if name == m.s.Category.Field && len(f.distinct) < maxDistinct {
			f.distinct[fmt.Sprint(value)] = true
		}
	}
	for i, c := range m.s.Where {
		if meets(o.Fields[c.Field], c) {
			k.met[i]++
		}
	}
}

// names lists the kinds, sorted.
func (v *survey) names() []string { return slices.Sorted(maps.Keys(v.kinds)) }

// listed joins names as in a sentence.
func listed(names []string) string {
	switch n := len(names); n {
	case 0:
		return "none"
	case 1:
		return names[0]
	default:
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
}
