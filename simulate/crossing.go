package simulate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"time"

	"sluice/firmware-sim/street"
	"sluice/internal/civil"
	"sluice/plan"
	"sluice/policy/bundle"
	"sluice/policy/templates"
	"sluice/register"
)

// crossing makes what the sensors of a described street send, a local day at a time.
type crossing struct {
	Answers
	d       *bundle.Decision
	loc     *time.Location
	sensors []street.Sensor
	seed    uint64
	kinds   map[string][]column
	weights []float64 // of the sensors, summed up

	day  time.Time // that list is of; its start
	next time.Time // the day after
	list []street.Observation
}

// column is a field of a kind and how its values are made.
type column struct {
	register.Field
	unit      bool // it tells units apart
	values    []string
	where     []plan.Condition
	low, high float64
	usual     bool // low and high are what it is when it is quiet and when it is busy
}

// add lays out the fields of a kind.
func (c *crossing) add(kind string, k register.Kind) {
	if c.kinds == nil {
		c.kinds = make(map[string][]column)
	}
	s := c.d.Stream
	for _, f := range k.Fields {
		x := column{Field: f, unit: f.Name == s.Unit.Field, low: 0, high: 100}
		if len(f.Valid) == 2 {
			x.low, x.high = f.Valid[0], f.Valid[1]
		}
		for _, m := range s.Measures {
			if m.Field != f.Name {
				continue
			}
			low, high := x.low, x.high
			if m.Bounded {
				low, high = m.Low, m.High
			} else if n := len(m.Edges); n > 0 {
				low, high = m.Edges[0], m.Edges[n-1]
			}
			if len(f.Valid) == 2 {
				low, high = max(low, f.Valid[0]), min(high, f.Valid[1])
			}
			x.low, x.high = low, high
		}
		x.asUsual(kind)
		if s.Category.Field == f.Name {
			x.values = s.Category.Values
		}
		for _, w := range s.Where {
			if w.Field == f.Name {
				x.where = append(x.where, w)
			}
		}
		c.kinds[kind] = append(c.kinds[kind], x)
	}
}

// asUsual takes what a template says of the field for its bounds, which are far wider than what is measured:
// a sum of values drawn from all that is valid would be of no street.
func (x *column) asUsual(kind string) {
	quiet, busy, ok := templates.Usual(kind, x.Name)
	if !ok || x.low >= x.high {
		return
	}
	within := func(f float64) float64 { return min(x.high, max(x.low, f)) }
	x.low, x.high, x.usual = within(quiet), within(busy), true
}

// number draws a value, more of it the busier it is.
func (x *column) number(busy float64, rnd *rand.Rand) float64 {
	part := .2 + .4*busy
	if x.usual {
		part = .05 + .85*busy
	}
	return x.low + (x.high-x.low)*min(1, max(0, part+.12*rnd.NormFloat64()))
}

// minute gives the observations of the minute that begins at t.
func (c *crossing) minute(t time.Time) []street.Observation {
	if c.day.IsZero() || !t.Before(c.next) {
		c.make(t)
	}
	from := sort.Search(len(c.list), func(i int) bool { return !c.list[i].Time.Before(t) })
	to := from
	for to < len(c.list) && c.list[to].Time.Before(t.Add(time.Minute)) {
		to++
	}
	return c.list[from:to]
}

// make makes the day that holds t.
func (c *crossing) make(t time.Time) {
	y, m, d := t.In(c.loc).Date()
	c.day, c.next = civil.Midnight(y, m, d, c.loc), civil.Midnight(y, m, d+1, c.loc)
	c.list = c.list[:0:0]
	rnd := rand.New(rand.NewPCG(c.seed, uint64(c.day.Unix())))
	switch {
	case len(c.sensors) == 0:
	case c.d.Stream.Unit.Sensor:
		c.meters(rnd)
	case c.d.Stream.Unit.None():
		c.readings(rnd)
	default:
		c.people(rnd)
	}
	slices.SortStableFunc(c.list, func(a, b street.Observation) int { return a.Time.Compare(b.Time) })
}

// people are as many passes as were answered, of units that come back.
func (c *crossing) people(rnd *rand.Rand) {
	clock := c.clock()
	for passes := 0; passes < c.Passes; {
		id := rnd.Uint64()
		for range min(c.visits(rnd), c.Passes-passes) {
			c.see(c.sensor(rnd), clock(rnd), id, rnd)
			passes++
		}
	}
}

// meters send once an hour each.
func (c *crossing) meters(rnd *rand.Rand) {
	for at := c.day; at.Before(c.next); at = at.Add(time.Hour) {
		for i := range c.sensors {
			c.see(i, at.Add(time.Duration(i%60)*time.Minute), uint64(i), rnd)
		}
	}
}

// readings are about nobody: those that are counted come as people would, those that measure come
// evenly.
func (c *crossing) readings(rnd *rand.Rand) {
	counts := slices.ContainsFunc(c.d.Stream.Measures, func(m plan.Measure) bool { return m.Field == "" })
	if clock := c.clock(); counts {
		for range c.Passes {
			c.see(c.sensor(rnd), clock(rnd), rnd.Uint64(), rnd)
		}
		return
	}
	length := int(c.next.Sub(c.day) / time.Minute)
	each := min(max(1, c.Passes/len(c.sensors)), length)
	for i := range c.sensors {
		for n := range each {
			c.see(i, c.day.Add(time.Duration(n*length/each)*time.Minute), 0, rnd)
		}
	}
}

// clock draws minutes of the day, more of them around the peak.
func (c *crossing) clock() func(*rand.Rand) time.Time {
	var sums []float64
	total := 0.0
	for at := c.day; at.Before(c.next); at = at.Add(time.Minute) {
		total += c.busyness(c.hour(at))
		sums = append(sums, total)
	}
	return func(rnd *rand.Rand) time.Time {
		n := sort.SearchFloat64s(sums, rnd.Float64()*total)
		return c.day.Add(time.Duration(min(n, len(sums)-1)) * time.Minute)
	}
}

func (c *crossing) hour(t time.Time) float64 {
	t = t.In(c.loc)
	return float64(t.Hour()) + float64(t.Minute())/60
}

// sensor draws one: each zone's half as often as that of the one before, down to a twentieth of the
// first one's.
func (c *crossing) sensor(rnd *rand.Rand) int {
	if c.weights == nil {
		each, total := len(c.sensors)/len(c.d.Stream.Zones), 0.0 // of a zone
		for i := range c.sensors {
			total += max(.05, math.Pow(1.9, -float64(i/each)))
			c.weights = append(c.weights, total)
		}
	}
	last := len(c.sensors) - 1
	return min(last, sort.SearchFloat64s(c.weights, rnd.Float64()*c.weights[last]))
}

// see adds one reading of a sensor.
func (c *crossing) see(sensor int, at time.Time, id uint64, rnd *rand.Rand) {
	columns := c.kinds[string(c.sensors[sensor].Kind)]
	fields := make(map[string]any, len(columns))
	for i := range columns {
		fields[columns[i].Name] = columns[i].value(at, id, c.busyness(c.hour(at)), rnd)
	}
	c.list = append(c.list, street.Observation{Sensor: sensor, Time: at, Fields: fields})
}

// value is one that meets the decision's conditions.
func (x *column) value(at time.Time, id uint64, busy float64, rnd *rand.Rand) (v any) {
	switch {
	case x.unit || x.Class == "identifier" && x.Type == "string":
		v = identifier(x.Format, id)
	case len(x.values) > 0:
		v = x.values[min(len(x.values)-1, int(float64(len(x.values))*rnd.Float64()*rnd.Float64()))]
	case x.Type == "bool":
		v = rnd.Float64() < .2+.4*busy
	case x.Type == "time":
		v = at.UTC().Format(time.RFC3339)
	case x.Type == "string":
		v = "some"
	default:
		f := x.number(busy, rnd)
		if v = math.Round(f*10) / 10; x.Type == "int" {
			v = int(math.Round(f))
		}
	}
	for _, w := range x.where {
		if !meets(v, w) {
			v = fulfil(x, w)
		}
	}
	return v
}

// fulfil is a value that meets a condition.
func fulfil(x *column, w plan.Condition) any {
	f, isNumber := number(w.Value)
	switch {
	case w.Op == "==" || w.Op == ">=" || w.Op == "<=":
		if isNumber && x.Type == "int" {
			return int(f)
		}
		return w.Value
	case w.Op == ">":
		f++
	case w.Op == "<":
		f--
	case isNumber: // is not
		f++
	default:
		if b, ok := w.Value.(bool); ok {
			return !b
		}
		return "other"
	}
	if x.Type == "int" {
		return int(f)
	}
	return f
}

// identifier is in the form that a kind asks for.
func identifier(format string, id uint64) string {
	switch format {
	case "", "text":
		return fmt.Sprintf("u%016x", id)
	case "eui64":
		return fmt.Sprintf("%016x", id)
	case "uuid":
		return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", uint32(id), uint16(id>>32), id>>48&0xfff, id>>52&0xfff,
			id&0xffffffffffff)
	case "plate":
		return fmt.Sprintf("%04d%c%c%c", id%10000, 'B'+rune(id>>20%20), 'C'+rune(id>>30%20), 'D'+rune(id>>40%20))
	}
	return fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", byte(id)&0xfc|2, byte(id>>8), byte(id>>16), byte(id>>24),
		byte(id>>32), byte(id>>40))
}
