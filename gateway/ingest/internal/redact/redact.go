// Package redact applies a plan to a reading: what the decision keeps goes on,
// generalised, as fixed-point numbers and a cell of the stream's closed list;
// everything else dies here, coordinates first.
package redact

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"

	"sluice/gateway/ingest/internal/fault"
	"sluice/gateway/ingest/internal/format"
	"sluice/gateway/ingest/internal/reading"
	"sluice/plan"
)

// MaxMeasures is how many measures a stream can have.
const MaxMeasures = 8

// Kept is what is left of a reading.
type Kept struct {
	Cell uint32
	// Unit is whom the reading is about, sharing the decoder's storage; empty
	// for streams about nobody.
	Unit []byte
	// Values are each measure's addend, in millionths; Has says which are there.
	Values [MaxMeasures]int64
	Has    uint8
}

// Locator finds the zone of a point.
type Locator interface {
	Locate(lat, lon float64) (zone string, ok bool)
}

// Rule is a plan made ready for one sensor.
type Rule struct {
	stream  *plan.Stream
	sensor  []byte
	unit    int
	zone    int // the sensor's zone, or -1 for by point
	zones   map[string]int
	lat     int
	lon     int
	where   []condition
	general []generalise
	cat     int
	values  map[string]int
	cells   [][]uint32 // zone, category -> cell
	fields  [MaxMeasures]int
	only    int // the field that a reading without any measured one lacks; none where any of several would do
	locate  Locator
	scratch []byte
}

type condition struct {
	field  int
	op     string
	number float64
	text   []byte
	kind   reading.Type
}

type generalise struct {
	field int
	step  float64
	edges []float64
}

const none = -1

// Compile makes the rule of a plan for one sensor's readings of a shape.
func Compile(p plan.Plan, shape *format.Shape, sensorID string, zones Locator) (*Rule, error) {
	r, err := CompileStream(p.Stream, shape, zones)
	if err == nil {
		r, err = r.In(p.Zone)
	}
	if err != nil {
		return nil, err
	}
	return r.For(sensorID), nil
}

// CompileStream makes what is common to a stream's plans: In gives it a zone, For a
// sensor.
func CompileStream(s *plan.Stream, shape *format.Shape, zones Locator) (*Rule, error) {
	if len(s.Measures) > MaxMeasures {
		return nil, fmt.Errorf("decision %s: a stream has at most %d measures", s.Decision, MaxMeasures)
	}
	r := &Rule{stream: s, unit: none, zone: none, lat: none, lon: none, cat: none, locate: zones}
	var missing error
	find := func(name string) int {
		i, ok := shape.Field(name)
		if !ok {
			missing = fmt.Errorf("decision %s: the sensor has no field %s", s.Decision, name)
		}
		return i
	}
	if s.Unit.Field != "" {
		r.unit = find(s.Unit.Field)
	}
	if s.Place.ByPoint() {
		r.lat, r.lon = find(s.Place.Lat), find(s.Place.Lon)
	}
	for _, w := range s.Where {
		c := condition{field: find(w.Field), op: w.Op}
		if err := c.value(w.Value); err != nil {
			return nil, fmt.Errorf("decision %s: %w", s.Decision, err)
		}
		r.where = append(r.where, c)
	}
	for _, g := range s.Generalise {
		r.general = append(r.general, generalise{find(g.Field), g.Step, g.To})
	}
	if s.Category.Field != "" {
		r.cat = find(s.Category.Field)
	}
	for i, m := range s.Measures {
		r.fields[i] = none
		if m.Field != "" {
			r.fields[i] = find(m.Field)
		}
	}
	r.only = single(r.fields[:len(s.Measures)])
	r.index()
	return r, missing
}

// single is the one field that all measures with a field are of; none where they are of
// several, any of which would do.
func single(fields []int) int {
	some := slices.DeleteFunc(slices.Clone(fields), func(f int) bool { return f == none })
	if slices.Sort(some); len(slices.Compact(some)) != 1 {
		return none
	}
	return some[0]
}

// In is the rule for sensors of one zone, which shares the rest; for all where
// readings say where they are.
func (r *Rule) In(zone string) (*Rule, error) {
	if r.stream.Place.ByPoint() {
		return r, nil
	}
	n, ok := r.zones[zone]
	if !ok {
		return nil, fmt.Errorf("decision %s: the sensor's zone is not of the stream", r.stream.Decision)
	}
	own := *r
	own.zone, own.scratch = n, nil
	return &own, nil
}

// For is the rule for one sensor, where sensors are the stream's units.
func (r *Rule) For(sensorID string) *Rule {
	if !r.stream.Unit.Sensor {
		return r
	}
	own := *r
	own.sensor, own.scratch = []byte(sensorID), nil
	return &own
}

// Forget overwrites what is left of the last readings.
func (r *Rule) Forget() { clear(r.scratch[:cap(r.scratch)]) }

// index lays out the closed list of cells by zone and category.
func (r *Rule) index() {
	r.zones, r.values = map[string]int{}, map[string]int{}
	for i, z := range r.stream.Zones {
		r.zones[z] = i
	}
	for i, v := range r.stream.Category.Values {
		r.values[v] = i
	}
	r.cells = make([][]uint32, len(r.stream.Zones))
	for i := range r.cells {
		r.cells[i] = make([]uint32, max(1, len(r.stream.Category.Values)))
	}
	for i, c := range r.stream.Cells {
		r.cells[r.zones[c.Zone]][r.values[c.Category]] = uint32(i)
	}
}

func (c *condition) value(v any) error {
	switch v := v.(type) {
	case float64:
		c.kind, c.number = reading.Number, v
	case int:
		c.kind, c.number = reading.Number, float64(v)
	case int64:
		c.kind, c.number = reading.Number, float64(v)
	case uint64:
		c.kind, c.number = reading.Number, float64(v)
	case string:
		c.kind, c.text = reading.Text, []byte(v)
	case bool:
		c.kind = reading.Bool
		if v {
			c.number = 1
		}
	default:
		return fmt.Errorf("where compares with a number, a text, true or false")
	}
	return nil
}

// Apply fills out from the reading, or says why the decision does not want it.
func (r *Rule) Apply(in reading.Reading, out *Kept) fault.Fault {
	for i := range r.where {
		if !r.where[i].holds(in) {
			return fault.New(fault.Where)
		}
	}
	zone, f := r.place(in)
	if f.Code != fault.None {
		return f
	}
	category := 0
	if r.cat != none {
		var ok bool
		if category, ok = r.category(in); !ok {
			return fault.At(fault.NoCategory, r.cat)
		}
	}
	out.Cell = r.cells[zone][category]
	out.Unit = nil
	switch {
	case r.unit != none:
		if in.Type(r.unit) != reading.Text || len(in.Text(r.unit)) == 0 {
			return r.numericUnit(in, out)
		}
		out.Unit = in.Text(r.unit)
	case r.stream.Unit.Sensor:
		out.Unit = r.sensor
	}
	return r.measure(in, out)
}

// numericUnit takes whole numbers as identifiers too.
func (r *Rule) numericUnit(in reading.Reading, out *Kept) fault.Fault {
	if in.Type(r.unit) != reading.Number {
		return fault.At(fault.MissingField, r.unit)
	}
	r.scratch = strconv.AppendFloat(r.scratch[:0], in.Number(r.unit), 'g', -1, 64)
	out.Unit = r.scratch
	return r.measure(in, out)
}

func (r *Rule) measure(in reading.Reading, out *Kept) fault.Fault {
	out.Has = 0
	wanted := false
	for i, f := range r.fields[:len(r.stream.Measures)] {
		if f == none {
			out.Has |= 1 << i
			continue
		}
		wanted = true
		if r.stream.Measures[i].Share {
			if in.Type(f) == reading.Bool {
				out.Has |= 1 << i
				if out.Values[i] = 0; in.Bool(f) {
					out.Values[i] = plan.Fixed
				}
			}
			continue
		}
		if in.Type(f) != reading.Number {
			continue
		}
		if n := r.number(in, f); !math.IsNaN(n) { // what is not a number is not there
			out.Values[i] = fixed(n)
			out.Has |= 1 << i
		}
	}
	// About nobody, a reading without any measured field says nothing.
	if out.Has == 0 && wanted {
		return fault.At(fault.MissingField, r.only)
	}
	return fault.Fault{}
}

func (r *Rule) place(in reading.Reading) (int, fault.Fault) {
	if r.zone != none {
		return r.zone, fault.Fault{}
	}
	for _, f := range [...]int{r.lat, r.lon} {
		if in.Type(f) != reading.Number {
			return 0, fault.At(fault.MissingField, f)
		}
	}
	id, ok := r.locate.Locate(in.Number(r.lat), in.Number(r.lon))
	zone, known := r.zones[id]
	if !ok || !known {
		return 0, fault.New(fault.NoZone)
	}
	return zone, fault.Fault{}
}

func (r *Rule) category(in reading.Reading) (int, bool) {
	switch in.Type(r.cat) {
	case reading.Text:
		i, ok := r.values[string(in.Text(r.cat))]
		return i, ok
	case reading.Number:
		r.scratch = strconv.AppendFloat(r.scratch[:0], r.number(in, r.cat), 'g', -1, 64)
	case reading.Bool:
		r.scratch = strconv.AppendBool(r.scratch[:0], in.Bool(r.cat))
	default:
		return 0, false
	}
	i, ok := r.values[string(r.scratch)]
	return i, ok
}

// number is a field's value, generalised where the decision says so.
func (r *Rule) number(in reading.Reading, field int) float64 {
	n := in.Number(field)
	for i := range r.general {
		if g := &r.general[i]; g.field == field {
			n = g.apply(n)
		}
	}
	return n
}

func (g *generalise) apply(n float64) float64 {
	if g.step > 0 {
		return math.Floor(n/g.step) * g.step
	}
	i := sort.SearchFloat64s(g.edges, n)
	if i < len(g.edges) && g.edges[i] == n {
		return n
	}
	return g.edges[max(0, i-1)]
}

func (c *condition) holds(in reading.Reading) bool {
	if in.Type(c.field) != c.kind {
		return false
	}
	var order int
	switch c.kind {
	case reading.Text:
		order = bytes.Compare(in.Text(c.field), c.text)
	case reading.Bool:
		order = 1
		if in.Bool(c.field) == (c.number == 1) {
			order = 0
		}
	default:
		switch n := in.Number(c.field); {
		case n < c.number:
			order = -1
		case n > c.number:
			order = 1
		case n != c.number:
			return false // not a number
		}
	}
	switch c.op {
	case "==":
		return order == 0
	case "!=":
		return order != 0
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	case ">=":
		return order >= 0
	}
	return false
}

// fixed rounds a number to millionths; what is beyond a thousand million stays
// there.
func fixed(n float64) int64 {
	const most = 1e9
	return int64(math.Round(min(most, max(-most, n)) * plan.Fixed))
}
