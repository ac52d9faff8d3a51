// Package plan defines the compiled form of a decision: the closed vocabulary in
// which the Rego rules must answer, the only form in which a decision reaches the
// gateway's hot path, and the form in which the public books publish it.
//
// A Stream is one decision's published series: its windows, its closed list of
// cells, its measures and their protection. A Plan is a Stream as it applies to
// one sensor, in one zone. Plans are compiled once per policy version from
// register entries and kinds, never from a message.
package plan

import (
	"math"
	"slices"
	"time"

	"sluice/internal/civil"
)

// Plan is how the readings of one sensor are processed for one stream.
type Plan struct {
	Stream *Stream
	// Zone is the sensor's zone; empty when the place comes from coordinates.
	Zone string
}

// Stream is one decision, ready to run.
type Stream struct {
	ID string `json:"id"`
	// Of is the stream whose days these are, of the same decision; see Days.
	Of       string            `json:"of,omitempty"`
	Decision string            `json:"decision"`
	Title    map[string]string `json:"title"`
	Timezone string            `json:"timezone"`
	Every    civil.Period      `json:"every"`
	Lateness civil.Period      `json:"lateness"`
	Forget   civil.Period      `json:"forget_after"`
	// From is the first instant in force, Until the first instant no longer.
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`

	Unit       Unit         `json:"unit"`
	Keep       []string     `json:"keep"`
	Where      []Condition  `json:"where"`
	Generalise []Generalise `json:"generalise"`
	Place      Place        `json:"place"`
	Category   Category     `json:"category"`
	Zones      []string     `json:"zones"`
	Measures   []Measure    `json:"measures"`
	Protect    Protect      `json:"protect"`

	// Digest is the SHA-256 of the stream's canonical JSON, in hex.
	Digest string `json:"-"`
	// Cells is the closed public list, zones times category values.
	Cells []Cell `json:"-"`

	windows, epochs civil.Grid
	canonical       []byte
	parts           []OwnerPart
}

// Canonical is the stream as JSON, whose SHA-256 is Digest.
func (s *Stream) Canonical() []byte { return s.canonical }

// Unit is whom the guarantee protects: a field, the sensor itself, or nobody.
type Unit struct {
	Field     string `json:"field,omitempty"`
	Sensor    bool   `json:"sensor,omitempty"`
	StandsFor string `json:"stands_for"` // device, vehicle, card, home, person or none
}

// None reports a stream about nobody.
func (u Unit) None() bool { return u.StandsFor == "none" }

// CountsEpochs reports whether two numbers are released of each epoch beside the measures:
// how many units there were, and how many of them reached their bound. Sensors that stand
// for homes have neither: how many there are is known, and each is in few cells.
func (s *Stream) CountsEpochs() bool { return s.Unit.Field != "" }

// FirstZone is the stream's first zone in the order of names.
func (s *Stream) FirstZone() string { return slices.Min(s.Zones) }

// EndsEpoch reports whether a window [start, end) is the last of its epoch.
func (s *Stream) EndsEpoch(start, end time.Time) bool {
	_, last := s.Epoch(start)
	return end.Equal(last)
}

// Condition keeps a reading only when field op value holds; a reading without
// the field is dropped.
type Condition struct {
	Field string `json:"field"`
	Op    string `json:"op"` // == != < <= > >=
	Value any    `json:"value"`
}

// Generalise replaces a number by the lower edge of its class: of the step that
// holds it, or of the interval between two edges in To. Below the first edge it
// becomes that edge.
type Generalise struct {
	Field string    `json:"field"`
	To    []float64 `json:"to,omitempty"`
	Step  float64   `json:"step,omitempty"`
}

// Place is where a reading counts: at the sensor, or in the zone that holds its
// coordinates, which die there.
type Place struct {
	Lat string `json:"lat,omitempty"`
	Lon string `json:"lon,omitempty"`
}

// ByPoint reports a place taken from the reading's coordinates.
func (p Place) ByPoint() bool { return p.Lat != "" }

// Category splits each zone by a closed list of values; anything else is refused.
type Category struct {
	Field  string   `json:"field,omitempty"`
	Values []string `json:"values,omitempty"`
}

// Aggregation says how a measure is computed.
type Aggregation string

// The aggregations of this version.
const (
	Count    Aggregation = "count"    // number of readings
	Distinct Aggregation = "distinct" // number of different units
	Sum      Aggregation = "sum"      // sum of a field, fixed point
	Mean     Aggregation = "mean"     // mean of a field, fixed point
	// Histogram is how many, by classes of a field; Quantile is the least value that a
	// share q of them do not exceed, from classes of equal width.
	Histogram Aggregation = "histogram"
	Quantile  Aggregation = "quantile"
	// Levels of decibels: see Level.
	Leq      Aggregation = "leq"
	Lday     Aggregation = "lday"
	Levening Aggregation = "levening"
	Lnight   Aggregation = "lnight"
	Lden     Aggregation = "lden"
)

// Measure is one published number per cell and window.
type Measure struct {
	Name  string      `json:"name"`
	Of    Aggregation `json:"of"`
	Field string      `json:"field,omitempty"`
	// Bounded: Low and High clamp the contribution of one unit.
	Bounded bool    `json:"bounded,omitempty"`
	Low     float64 `json:"low,omitempty"`
	High    float64 `json:"high,omitempty"`
	// Edges are a histogram's, rising: n of them make n-1 classes.
	Edges []float64 `json:"edges,omitempty"`
	// Q is a quantile's share, above 0 and below 1.
	Q float64 `json:"q,omitempty"`
	// Share: the mean is of a boolean field, true as 1 and false as 0.
	Share bool `json:"share,omitempty"`
	// Unit of the number, from the kind's field, e.g. "ug/m3"; readings or the
	// unit of privacy for counts.
	Unit string `json:"unit"`

	// edges of the classes, in millionths; nil for measures of one number.
	edges []int64
}

// Expression is the measure as a decision writes it, e.g. mean(no2).
func (m Measure) Expression() string {
	switch m.Of {
	case Count:
		return "count()"
	case Distinct:
		return "distinct(unit)"
	case Quantile:
		return string(m.Of) + "(" + m.Field + ", " + Plain(m.Q) + ")"
	}
	if m.Share {
		return "share(" + m.Field + ")"
	}
	return string(m.Of) + "(" + m.Field + ")"
}

// Protect is the price of publication, per unit and epoch.
type Protect struct {
	MinUnits         int64   `json:"min_units"`
	Epsilon          float64 `json:"epsilon"`
	Delta            float64 `json:"delta"`
	MaxContributions int64   `json:"max_contributions"`
	// ByOwner are the parts of MaxContributions that each owner's sensors have for
	// themselves; empty where all share it.
	ByOwner map[string]int64 `json:"by_owner,omitempty"`
	// Floor is whose number must reach MinUnits: of the units that were there, or,
	// Noisy, that number with its noise.
	Floor Floor `json:"floor,omitempty"`
	// Membership says whether it is public which units take part.
	Membership Membership `json:"membership,omitempty"`
}

// Floor is how MinUnits is held; empty for exactly.
type Floor string

// Exact is the same as none; Finish takes it out, so that both digest the same.
const (
	Exact Floor = "exact"
	Noisy Floor = "noisy"
)

// Membership is empty where it is protected, too, who takes part.
type Membership string

// Public is for units whose registered number everybody may know: homes. What one of
// them sends is protected, not that it is there.
const Public Membership = "public"

// Cell is one entry of the stream's closed list.
type Cell struct {
	Zone, Category string
}

// ID is ZONE or ZONE/CATEGORY.
func (c Cell) ID() string {
	if c.Category == "" {
		return c.Zone
	}
	return c.Zone + "/" + c.Category
}

// Window returns the window [start, end) that holds t, in UTC.
func (s *Stream) Window(t time.Time) (start, end time.Time) { return s.windows.Step(t) }

// Epoch returns the epoch [start, end) that holds t, in UTC.
func (s *Stream) Epoch(t time.Time) (start, end time.Time) { return s.epochs.Step(t) }

// EpochsOfDay counts the epochs of the local day that holds t.
func (s *Stream) EpochsOfDay(t time.Time) int { return s.epochs.Steps(t) }

// Day names the local day that holds t.
func (s *Stream) Day(t time.Time) string { return s.windows.Day(t) }

// InForce reports whether a window that starts at t is covered by the decision.
func (s *Stream) InForce(t time.Time) bool { return !t.Before(s.From) && t.Before(s.Until) }

// Fixed is the resolution of sums: values are integers of millionths.
const Fixed = 1_000_000

// Bounds are Low and High in millionths.
func (m Measure) Bounds() (low, high int64) {
	return int64(math.Round(m.Low * Fixed)), int64(math.Round(m.High * Fixed))
}

// Middle of the bounds, in millionths.
func (m Measure) Middle() int64 {
	low, high := m.Bounds()
	return low + (high-low)/2
}

// Bound is what one unit adds at most, in absolute value, to the sums of one pair
// taken together: whole readings or units, millionths for sum and mean. It is the
// sensitivity that noise is made for.
func (m Measure) Bound() int64 {
	low, high := m.Bounds()
	switch m.Of {
	case Count:
		return int64(m.High)
	case Sum:
		return max(-low, low, high)
	case Mean:
		return max(high-m.Middle(), m.Middle()-low)
	}
	return 1
}

// Question is what the release rules are asked about one closed window.
type Question struct {
	Stream     *Stream
	Start, End time.Time
}
