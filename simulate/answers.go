package simulate

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"sluice/firmware-sim/street"
	"sluice/internal/civil"
	"sluice/policy/bundle"
)

// Answers describe a street by what somebody knows of it who has looked at it for a day.
type Answers struct {
	// Passes is how many pass on a day, in all zones together. Of a decision whose units are the
	// sensors, such as homes' meters, it is how many there are; of one about nobody, how many
	// readings there are.
	Passes int `json:"passes"`
	// Peak is the local hour in which most pass, 0 to 23.
	Peak int `json:"peak"`
	// Returns is how often one of them comes back on the same day, on average.
	Returns float64 `json:"returns"`
}

// Bounds of the answers.
const (
	MaxPasses  = 100_000
	MaxReturns = 20
	maxMeters  = 2_000 // sensors that are units
)

// What is wrong with an answer.
var (
	ErrAnswers = errors.New("a street is PASSES,PEAK,RETURNS: how many pass on a day, in which hour most do, and how " +
		"often one comes back, e.g. 3000,18,0.5")
	ErrPasses  = errors.New("how many pass on a day is a whole number from 1 to 100000")
	ErrPeak    = errors.New("the hour in which most pass is from 0 to 23")
	ErrReturns = errors.New("how often one comes back on the same day is a number from 0 to 20, e.g. 0.5")
)

// ParseAnswers reads PASSES,PEAK,RETURNS, e.g. 3000,18,0.5.
func ParseAnswers(text string) (Answers, error) {
	parts := strings.Split(text, ",")
	if len(parts) != 3 {
		return Answers{}, ErrAnswers
	}
	return NewAnswers(parts[0], parts[1], parts[2])
}

// NewAnswers reads the three answers, the peak as 18 or 18:00, and a comma in a number as a point.
func NewAnswers(passes, peak, returns string) (a Answers, err error) {
	clean := func(s string) string { return strings.Trim(strings.TrimSpace(s), "+") }
	if a.Passes, err = strconv.Atoi(clean(passes)); err != nil || a.Passes < 1 || a.Passes > MaxPasses {
		return a, ErrPasses
	}
	hour, _, _ := strings.Cut(clean(peak), ":")
	if a.Peak, err = strconv.Atoi(hour); err != nil || a.Peak < 0 || a.Peak > 23 {
		return a, ErrPeak
	}
	a.Returns, err = strconv.ParseFloat(strings.Replace(clean(returns), ",", ".", 1), 64)
	if err != nil || !(a.Returns >= 0 && a.Returns <= MaxReturns) {
		return a, ErrReturns
	}
	return a, nil
}

// String is what ParseAnswers reads.
func (a Answers) String() string {
	return fmt.Sprintf("%d,%d,%s", a.Passes, a.Peak, strconv.FormatFloat(a.Returns, 'f', -1, 64))
}

// Traffic is the street for some days from the decision's first one on. Each of its zones has a sensor
// of each of its kinds (and owners), the first zone the most traffic and each next one about half of
// it. The same seed gives the same street.
func (a Answers) Traffic(p *bundle.Policy, d *bundle.Decision, days int, seed uint64) Traffic {
	start := d.Stream.From
	y, m, first := start.In(p.Location).Date()
	end := civil.Midnight(y, m, first+days, p.Location)
	sensors := a.sensors(d)
	return Traffic{
		Name: "the street", Sensors: sensors, Start: start, Minutes: int(end.Sub(start) / time.Minute),
		Begin: func() func(time.Time) []street.Observation {
			c := &crossing{Answers: a, d: d, loc: p.Location, sensors: sensors, seed: seed}
			for kind := range p.Kinds {
				if slices.Contains(d.AppliesTo.Kinds, kind) {
					c.add(kind, p.Kinds[kind])
				}
			}
			return c.minute
		},
	}
}

func (a Answers) sensors(d *bundle.Decision) (list []street.Sensor) {
	owners := []string{"street"}
	if parts := d.Stream.OwnerParts(); len(parts) > 0 {
		owners = nil
		for _, part := range parts {
			owners = append(owners, part.Owner)
		}
	}
	if d.Stream.Unit.Sensor {
		for n := range min(a.Passes, maxMeters) {
			kinds, zones := d.AppliesTo.Kinds, d.Stream.Zones
			list = append(list, street.Sensor{
				ID: fmt.Sprintf("home-%04d", n), Owner: owners[n%len(owners)], Zone: zones[n%len(zones)],
				Kind: street.Kind(kinds[n/len(zones)%len(kinds)]),
			})
		}
		return list
	}
	for _, zone := range d.Stream.Zones {
		for _, kind := range d.AppliesTo.Kinds {
			for _, owner := range owners {
				list = append(list, street.Sensor{ID: fmt.Sprintf("s%04d", len(list)), Owner: owner, Zone: zone,
					Kind: street.Kind(kind)})
			}
		}
	}
	return list
}

// busyness is how busy an hour is, of the busiest: a bell around the peak, wide as a street's day, and a
// little at night.
func (a Answers) busyness(hour float64) float64 {
	away := math.Abs(hour - float64(a.Peak) - .5)
	away = min(away, 24-away)
	return .02 + .98*math.Exp(-away*away/(2*3.2*3.2))
}

// visits is how often one unit passes on a day: once, and again as often as a geometric number of mean
// Returns.
func (a Answers) visits(rnd *rand.Rand) int {
	n := 1
	for again := a.Returns / (1 + a.Returns); n < 100 && rnd.Float64() < again; n++ {
	}
	return n
}
