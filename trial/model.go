package trial

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"sluice/firmware-sim/street"
	"sluice/policy/bundle"
	"sluice/policy/plan"
	"sluice/store"
)

// model computes what a decision asks for, without noise, threshold or bounds:
// another, slower way to the same numbers than a gateway's.
type model struct {
	s       *plan.Stream
	kinds   []string
	fields  map[string][]string // that a kind sends and the decision does not keep
	loc     *time.Location
	sensors []street.Sensor

	cells   map[cell]*truth
	used    map[string]map[cell]bool // pairs in which a unit counted, by epoch and unit
	dropped map[[2]string]int
	zones   map[string]bool
}

type cell struct {
	id    string
	start int64
}

// truth is what really happened in one cell and window.
type truth struct {
	units    map[string]unit
	silenced map[string]bool
	count    int
	sum      map[string]float64
	n        map[string]int
	all      map[string][]float64 // every value of a histogram or quantile about nobody
}

// unit is what one unit adds.
type unit struct {
	readings int
	sum      map[string]float64
	last     map[string]float64
}

func newModel(p *bundle.Policy, d *bundle.Decision, sensors []street.Sensor) *model {
	m := &model{
		s: d.Stream, kinds: d.AppliesTo.Kinds, loc: p.Location, sensors: sensors, fields: make(map[string][]string),
		cells: make(map[cell]*truth), used: make(map[string]map[cell]bool), dropped: make(map[[2]string]int), zones: make(map[string]bool),
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

// see takes one reading.
func (m *model) see(o street.Observation) {
	x := m.sensors[o.Sensor]
	kind := string(x.Kind)
	if !slices.Contains(m.kinds, kind) || !m.zones[x.Zone] || m.s.Place.ByPoint() {
		return
	}
	for _, f := range m.fields[kind] {
		if _, sent := o.Fields[f]; sent {
			m.dropped[[2]string{kind, f}]++
		}
	}
	for _, c := range m.s.Where {
		if !meets(o.Fields[c.Field], c) {
			return
		}
	}
	id := x.Zone
	if f := m.s.Category.Field; f != "" {
		v := fmt.Sprint(o.Fields[f])
		if !slices.Contains(m.s.Category.Values, v) {
			return
		}
		id += "/" + v
	}
	if !m.s.InForce(o.Time) {
		return
	}
	start, _ := m.s.Window(o.Time)
	key := cell{id, start.Unix()}
	t := m.cells[key]
	if t == nil {
		t = &truth{units: make(map[string]unit), silenced: make(map[string]bool), sum: make(map[string]float64), n: make(map[string]int), all: make(map[string][]float64)}
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
	u.readings++
	for _, measure := range m.s.Measures {
		if v, ok := number(o.Fields[measure.Field]); ok && measure.Field != "" {
			v = m.coarse(measure.Field, v)
			t.sum[measure.Name] += v
			t.n[measure.Name]++
			if m.s.Unit.None() && measure.Slots() > 1 {
				t.all[measure.Name] = append(t.all[measure.Name], v)
			}
			u.sum[measure.Name] += v
			u.last[measure.Name] = v
		}
	}
	t.units[who] = u
	if !m.s.Unit.None() {
		m.bound(who, key, t)
	}
}

// coarse is a number after generalisation.
func (m *model) coarse(field string, v float64) float64 {
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

// bound notes units that have used up their contributions of the epoch.
func (m *model) bound(who string, key cell, t *truth) {
	epoch, _ := m.s.Epoch(time.Unix(key.start, 0))
	id := strconv.FormatInt(epoch.Unix(), 10) + " " + who
	pairs := m.used[id]
	if pairs == nil {
		pairs = make(map[cell]bool)
		m.used[id] = pairs
	}
	if pairs[key] {
		return
	}
	if int64(len(pairs)) >= m.s.Protect.MaxContributions {
		t.silenced[who] = true
		return
	}
	pairs[key] = true
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

// exact is the true value of a number; ok is false where there is none.
func (m *model) exact(id string, start time.Time, x published) (float64, bool) {
	t := m.cells[cell{id, start.Unix()}]
	if t == nil {
		return 0, x.Of != plan.Mean && x.Of != plan.Quantile
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

// counted is what a gateway has to count: units within their contributions, each
// within its bounds. What is published is meant to be near this.
func (m *model) counted(id string, start time.Time, x published) (float64, bool) {
	t := m.cells[cell{id, start.Unix()}]
	if m.s.Unit.None() || t == nil {
		return m.exact(id, start, x)
	}
	var values []float64
	total := 0.0
	for who, u := range t.units {
		if t.silenced[who] {
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

// side compares what was released with what is true.
func (m *model) side(list []store.Observation) *Side {
	s := &Side{Unit: m.s.Unit.StandsFor}
	for _, x := range m.numbers() {
		s.Measures = append(s.Measures, m.measure(x, list))
	}
	for key, t := range m.cells {
		h := time.Unix(key.start, 0).In(m.loc).Hour()
		if !m.s.Unit.None() {
			s.Hours[h].Units += len(t.units)
			s.Hours[h].Silenced += len(t.silenced)
		}
	}
	for key, n := range m.dropped {
		s.Dropped = append(s.Dropped, Dropped{key[0], key[1], n})
	}
	slices.SortFunc(s.Dropped, func(a, b Dropped) int { return b.Readings - a.Readings })
	m.series(s, list)
	return s
}

func (m *model) measure(x published, list []store.Observation) Measure {
	out := Measure{Name: x.part.Name}
	var errs []float64
	covered := 0
	for _, o := range list {
		if o.Measure != x.part.Name {
			continue
		}
		switch o.Status {
		case store.Withheld:
			out.Withheld++
		case store.NoData:
			out.NoData++
		case store.Published:
			out.Published++
			if want, ok := m.exact(o.Cell, o.Start, x); ok {
				errs = append(errs, math.Abs(*o.Value-want))
			}
			if want, ok := m.counted(o.Cell, o.Start, x); ok && want >= *o.Low-1e-6 && want <= *o.High+1e-6 {
				covered++
			}
		}
	}
	slices.Sort(errs)
	for _, e := range errs {
		out.MeanError += e / float64(len(errs))
	}
	if n := len(errs); n > 0 {
		out.P95Error, out.Covered = errs[min(n-1, n*95/100)], float64(covered)/float64(out.Published)
	}
	return out
}

// series is the busiest cell's first measure over time.
func (m *model) series(s *Side, list []store.Observation) {
	if len(m.s.Measures) == 0 {
		return
	}
	x := m.numbers()[0]
	total := make(map[string]float64)
	for _, o := range list {
		if v, ok := m.exact(o.Cell, o.Start, x); ok && o.Measure == x.part.Name {
			total[o.Cell] += v
		}
	}
	for id, v := range total {
		if s.Cell == "" || v > total[s.Cell] || v == total[s.Cell] && id < s.Cell {
			s.Cell = id
		}
	}
	for _, o := range list {
		if o.Cell != s.Cell || o.Measure != x.part.Name {
			continue
		}
		p := Point{Start: o.Start, Status: o.Status}
		p.Truth, _ = m.exact(o.Cell, o.Start, x)
		if o.Value != nil {
			p.Value, p.Low, p.High = *o.Value, *o.Low, *o.High
		}
		s.Series = append(s.Series, p)
	}
}
