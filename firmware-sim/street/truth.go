package street

import (
	"encoding/json"
	"io"
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
}

func newTruth() *Truth { return &Truth{cells: make(map[cell]*tally)} }

func (t *Truth) see(stream, zone string, at time.Time, unit string) {
	key := cell{stream, zone, at.Truncate(time.Hour).Unix()}
	c := t.cells[key]
	if c == nil {
		c = &tally{units: make(map[string]struct{})}
		t.cells[key] = c
	}
	c.units[unit] = struct{}{}
	c.readings++
}

// Line is one line of a truth file.
type Line struct {
	StreamHint string    `json:"stream_hint"`
	Zone       string    `json:"zone"`
	Start      time.Time `json:"start"`
	End        time.Time `json:"end"`
	Units      int       `json:"units"`
	Readings   int       `json:"readings"`
}

// Lines are the counts, by start, stream and zone.
func (t *Truth) Lines() []Line {
	var out []Line
	for key, c := range t.cells {
		start := time.Unix(key.hour, 0).UTC()
		out = append(out, Line{key.stream, key.zone, start, start.Add(time.Hour), len(c.units), c.readings})
	}
	slices.SortFunc(out, func(a, b Line) int {
		if c := a.Start.Compare(b.Start); c != 0 {
			return c
		}
		return strings.Compare(a.StreamHint+" "+a.Zone, b.StreamHint+" "+b.Zone)
	})
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
