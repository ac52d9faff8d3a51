package simulate

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"sluice/firmware-sim/street"
	"sluice/plan"
	"sluice/policy/bundle"
)

// model computes a decision's numbers without noise, threshold or bounds: by another, slower way
// than a gateway's.
type model struct {
	s       *plan.Stream
	kinds   []string
	fields  map[string][]string // that a kind sends and the decision does not keep
	loc     *time.Location
	sensors []street.Sensor

	cells    map[cell]*truth
	used     map[stint]int // pairs that a unit came to in an epoch
	dropped  map[[2]string]int
	zones    map[string]bool
	maxPairs int // the greatest number of pairs that one unit came to
}

type cell struct {
	id    string
	start int64
}

// stint is a unit's part in an epoch: all of it, or with by_owner what one owner's sensors see.
type stint struct {
	epoch int64
	part  int
	who   string
}

// truth is what really happened in one cell and window.
type truth struct {
	units map[string]unit
	count int
	sum   map[string]float64
	n     map[string]int
	all   map[string][]float64 // every value of a histogram or quantile about nobody
}

// unit is what one unit contributes.
type unit struct {
	pair     int    // which of its pairs of the epoch this is, from 1 on
	parts    uint64 // the owners' parts that it came by
	readings int
	sum      map[string]float64
	last     map[string]float64
}

func newModel(p *bundle.Policy, d *bundle.Decision, sensors []street.Sensor) *model {
	m := &model{
		s: d.Stream, kinds: d.AppliesTo.Kinds, loc: p.Location, sensors: sensors, fields: make(map[string][]string),
		cells: make(map[cell]*truth), used: make(map[stint]int), dropped: make(map[[2]string]int),
		zones: make(map[string]bool),
	}
	for _, k := range d.AppliesTo.Kinds {
		for _, f := range p.Kinds[k].Fields {
			if !slices.Contains(d.Keep, f.Name) {
				m.fields[k] = append(m.fields[k], f.Name)
			}
		}
	}
	for _, z := range d.AppliesTo.Zones {
		m.zones[z] = true
	}
	return m
}

// see adds one reading.
func (m *model) see(o street.Observation) {
	x := m.sensors[o.Sensor]
	kind := string(x.Kind)
	if !slices.Contains(m.kinds, kind) || !m.zones[x.Zone] || m.s.Place.ByPoint() {
		return
	}
	part, ok := m.s.OwnerPart(x.Owner)
	if !ok {
		return // with by_owner, who is not named counts nowhere
	}
	for _, f := range m.fields[kind] {
		if _, sent := o.Fields[f]; sent {
			m.dropped[[2]string{kind, f}]++
		}
	}
	key, ok := m.place(o, x.Zone)
	if !ok {
		return
	}
	t := m.cells[key]
	if t == nil {
		t = &truth{units: make(map[string]unit), sum: make(map[string]float64), n: make(map[string]int),
			all: make(map[string][]float64)}
		m.cells[key] = t
	}
	t.count++
	who := ""
	if m.s.Unit.Field != "" {
		who = fmt.Sprint(o.Fields[m.s.Unit.Field])
	} else if m.s.Unit.Sensor {
		who = x.ID
	}
	u := t.units[who]
	if u.last == nil {
		u = unit{sum: make(map[string]float64), last: make(map[string]float64)}
	}
	m.admit(&u, who, key, part)
	u.readings++
	for _, measure := range m.s.Measures {
		v, ok := m.value(measure, o)
		if !ok {
			continue
		}
		t.sum[measure.Name] += v
		t.n[measure.Name]++
		if measure.Of.Level() {
			t.addLevel(measure, v, o.Time.In(m.loc).Hour())
		} else if m.s.Unit.None() && measure.Slots() > 1 {
			t.all[measure.Name] = append(t.all[measure.Name], v)
		}
		u.sum[measure.Name] += v
		u.last[measure.Name] = v
	}
	t.units[who] = u
}

// place is the cell and window of a reading in a zone; ok is false if the decision has no such cell.
func (m *model) place(o street.Observation, zone string) (key cell, ok bool) {
	for _, c := range m.s.Where {
		if !meets(o.Fields[c.Field], c) {
			return key, false
		}
	}
	if f := m.s.Category.Field; f != "" {
		v := fmt.Sprint(o.Fields[f])
		if !slices.Contains(m.s.Category.Values, v) {
			return key, false
		}
		zone += "/" + v
	}
	start, _ := m.s.Window(o.Time)
	return cell{zone, start.Unix()}, m.s.InForce(o.Time)
}

// value is a reading's value for a measure of a field: a number or, for a share, 1 for yes and 0 for no.
func (m *model) value(x plan.Measure, o street.Observation) (v float64, ok bool) {
	if x.Field == "" {
		return 0, false
	}
	if x.Share {
		yes, is := o.Fields[x.Field].(bool)
		if yes {
			v = 1
		}
		return v, is
	}
	v, ok = number(o.Fields[x.Field])
	return m.generalise(x.Field, v), ok
}

// generalise rounds or bins a field's value as the decision asks.
func (m *model) generalise(field string, v float64) float64 {
	for _, g := range m.s.Generalise {
		if g.Field != field {
			continue
		}
		if g.Step > 0 {
			return math.Floor(v/g.Step) * g.Step
		}
		edge := g.To[0]
		for _, e := range g.To {
			if v >= e {
				edge = e
			}
		}
		return edge
	}
	return v
}

// unbounded is the number of a pair that no contribution bound counts.
const unbounded = 1 << 30

// admit numbers the pairs of a unit in an epoch in the order of arrival. The number tells whether the
// pair counts under a given bound. With by_owner, the pairs of each owner's part are numbered
// separately.
func (m *model) admit(u *unit, who string, key cell, part int) {
	if m.s.Unit.None() || u.parts&(1<<part) != 0 {
		return
	}
	u.parts |= 1 << part
	epoch, _ := m.s.Epoch(time.Unix(key.start, 0))
	id := stint{epoch.Unix(), part, who}
	m.used[id]++
	if part == 0 {
		u.pair = m.used[id]
		m.maxPairs = max(m.maxPairs, u.pair)
		return
	}
	if int64(m.used[id]) <= m.most(part) {
		u.pair = 1
	} else if u.pair == 0 {
		u.pair = unbounded
	}
}

// most is how many pairs a unit may come to by an owner's part; 0 is all owners'.
func (m *model) most(part int) int64 {
	if part == 0 {
		return m.s.Protect.MaxContributions
	}
	return m.s.OwnerParts()[part-1].Most
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	case uint64:
		return float64(v), true
	case json.Number: // of a file
		f, err := v.Float64()
		return f, err == nil
	}
	return 0, false
}

func meets(v any, c plan.Condition) bool {
	a, aok := number(v)
	b, bok := number(c.Value)
	if !aok || !bok {
		equal := v != nil && fmt.Sprint(v) == fmt.Sprint(c.Value)
		return c.Op == "==" && equal || c.Op == "!=" && !equal && v != nil
	}
	switch c.Op {
	case "==":
		return a == b
	case "!=":
		return a != b
	case "<":
		return a < b
	case "<=":
		return a <= b
	case ">":
		return a > b
	}
	return a >= b
}

// exact is the true value of a number; ok is false if there is none.
func (m *model) exact(id string, start time.Time, x published) (float64, bool) {
	return m.passed(cell{id, start.Unix()}, x)
}

// passed is a number over everything that the sensors sent and the decision covers, however often a
// unit came.
func (m *model) passed(key cell, x published) (float64, bool) {
	t := m.cells[key]
	if t == nil {
		return 0, x.Of != plan.Mean && x.Of != plan.Quantile && !x.Of.Level()
	}
	if x.Of.Level() {
		return t.level(x.Measure)
	}
	switch x.Of {
	case plan.Distinct:
		return float64(len(t.units)), true
	case plan.Count:
		return float64(t.count), true
	case plan.Sum:
		return t.sum[x.Name], true
	}
	if m.s.Unit.None() && x.Of == plan.Mean {
		return t.sum[x.Name] / float64(max(1, t.n[x.Name])), t.n[x.Name] > 0
	}
	var values []float64
	if m.s.Unit.None() {
		values = t.all[x.Name]
	} else {
		for _, u := range t.units {
			if v, ok := u.last[x.Name]; ok {
				values = append(values, v)
			}
		}
	}
	return x.of(values)
}

// counted is what a gateway has to count: units within their contribution bound, values within their
// bounds. Published numbers should be near this.
func (m *model) counted(id string, start time.Time, x published) (float64, bool) {
	return m.within(cell{id, start.Unix()}, x, int(m.s.Protect.MaxContributions))
}

// within is what is counted under a bound of this many pairs.
func (m *model) within(key cell, x published, pairs int) (float64, bool) {
	t := m.cells[key]
	if m.s.Unit.None() || t == nil {
		return m.passed(key, x)
	}
	var values []float64
	total := 0.0
	for _, u := range t.units {
		if u.pair > pairs {
			continue
		}
		switch x.Of {
		case plan.Distinct:
			total++
		case plan.Count:
			total += math.Min(float64(u.readings), x.High)
		case plan.Sum:
			total += math.Min(math.Max(u.sum[x.Name], x.Low), x.High)
		default:
			if v, ok := u.last[x.Name]; ok && x.Bounded {
				values = append(values, math.Min(math.Max(v, x.Low), x.High))
			} else if ok {
				values = append(values, v)
			}
		}
	}
	switch x.Of {
	case plan.Mean, plan.Histogram, plan.Quantile:
		return x.of(values)
	}
	return total, true
}
