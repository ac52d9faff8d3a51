package street

import (
	"encoding/json"
	"io"
	"math"
	"slices"
	"strings"
	"time"
)

// Truth counts what really happened, per hour and zone.
type Truth struct {
	cells map[cell]*tally
}

type cell struct {
	stream, zone string
	hour         int64
}

type tally struct {
	units    map[string]struct{}
	readings int
	sums     map[string]float64
}

func newTruth() *Truth { return &Truth{cells: make(map[cell]*tally)} }

func (t *Truth) of(stream, zone string, at time.Time) *tally {
	key := cell{stream, zone, at.Truncate(time.Hour).Unix()}
	c := t.cells[key]
	if c == nil {
		c = &tally{units: make(map[string]struct{}), sums: make(map[string]float64)}
		t.cells[key] = c
	}
	c.readings++
	return c
}

// see counts a reading of a unit.
func (t *Truth) see(stream, zone string, at time.Time, unit string) {
	t.of(stream, zone, at).units[unit] = struct{}{}
}

// add counts a reading about nobody and adds its numbers up; true is one.
func (t *Truth) add(stream, zone string, at time.Time, fields map[string]any) {
	c := t.of(stream, zone, at)
	for name, value := range fields {
		switch x := value.(type) {
		case float64:
			c.sums[name] += x
		case int:
			c.sums[name] += float64(x)
		case bool:
			if x {
				c.sums[name]++
			}
		}
	}
}

// Line is one line of a truth file.
type Line struct {
	StreamHint string    `json:"stream_hint"`
	Zone       string    `json:"zone"`
	Start      time.Time `json:"start"`
	End        time.Time `json:"end"`
	Units      int       `json:"units"`
	Readings   int       `json:"readings"`
	// Sums are of the numbers in readings about nobody, by field.
	Sums map[string]float64 `json:"sums,omitempty"`
}

// Lines are the counts, by start, stream and zone.
func (t *Truth) Lines() []Line {
	var out []Line
	for key, c := range t.cells {
		start := time.Unix(key.hour, 0).UTC()
		out = append(out,
			Line{key.stream, key.zone, start, start.Add(time.Hour), len(c.units), c.readings, c.rounded()})
	}
	slices.SortFunc(out, func(a, b Line) int {
		if c := a.Start.Compare(b.Start); c != 0 {
			return c
		}
		return strings.Compare(a.StreamHint+" "+a.Zone, b.StreamHint+" "+b.Zone)
	})
	return out
}

// rounded takes what adding up floats brought in off the sums.
func (c *tally) rounded() map[string]float64 {
	out := make(map[string]float64, len(c.sums))
	for name, sum := range c.sums {
		out[name] = math.Round(sum*1e6) / 1e6
	}
	return out
}

// Write writes JSON lines.
func (t *Truth) Write(w io.Writer) error {
	enc := json.NewEncoder(w)
	for _, l := range t.Lines() {
		if err := enc.Encode(l); err != nil {
			return err
		}
	}
	return nil
}

// Forget drops hours that ended before t, so that a street can run for ever.
func (t *Truth) Forget(before time.Time) {
	for key := range t.cells {
		if key.hour+3600 <= before.Unix() {
			delete(t.cells, key)
		}
	}
}
