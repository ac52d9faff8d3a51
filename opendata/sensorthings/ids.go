package sensorthings

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"sluice/opendata/sensorthings/odata"
	"sluice/store"
)

// part writes a name for an id: letters, digits and . _ - are as they are, any other byte is ~
// and two digits.
func part(name string) string {
	var b strings.Builder
	for n := range len(name) {
		c := name[n]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-' {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "~%02X", c)
	}
	return b.String()
}

// datastreamID is STREAM:MEASURE:EVERY:ZONE, with :CATEGORY behind it where there is one.
func datastreamID(s store.Series) string {
	parts := []string{part(s.Stream), part(s.Measure), part(s.Every), part(s.Zone)}
	if s.Category != "" {
		parts = append(parts, part(s.Category))
	}
	return strings.Join(parts, ":")
}

// propertyID is STREAM:MEASURE.
func propertyID(s store.Series) string { return part(s.Stream) + ":" + part(s.Measure) }

// seriesOf is what an observation is of.
func seriesOf(o *store.Observation) store.Series {
	return store.Series{Stream: o.Stream, Every: o.Every, Zone: o.Zone, Category: o.Category, Measure: o.Measure}
}

// observationID is DATASTREAM@START, with @GATEWAY behind it where the row names one: a zone
// that changes hands may have a window of each.
func observationID(datastream string, o *store.Observation) string {
	id := datastream + "@" + o.Start.UTC().Format(time.RFC3339Nano)
	if o.Gateway != "" {
		id += "@" + part(o.Gateway)
	}
	return id
}

// place is where an observation is among all: by time, stream, cell, measure and gateway, as
// the store has them.
type place struct {
	start                          time.Time
	stream, cell, measure, gateway string
}

func placeOf(o *store.Observation) place {
	return place{o.Start, o.Stream, o.Cell, o.Measure, o.Gateway}
}

// compare is below 0 where a is before b.
func (a place) compare(b place) int {
	return cmp.Or(a.start.Compare(b.start), cmp.Compare(a.stream, b.stream), cmp.Compare(a.cell, b.cell),
		cmp.Compare(a.measure, b.measure), cmp.Compare(a.gateway, b.gateway))
}

// parseID reads the id of an observation: its Datastream's, and its place.
func parseID(id string) (datastream string, p place, ok bool) {
	parts := strings.Split(id, "@")
	if len(parts) != 2 && len(parts) != 3 {
		return "", place{}, false
	}
	start, err := time.Parse(time.RFC3339Nano, parts[1])
	names := strings.Split(parts[0], ":")
	if err != nil || len(names) != 4 && len(names) != 5 || start.Year() < 1970 || start.Year() > 2200 {
		return "", place{}, false
	}
	for n := range names {
		if names[n], ok = unpart(names[n]); !ok {
			return "", place{}, false
		}
	}
	p = place{start.UTC(), names[0], names[3], names[1], ""}
	if len(names) == 5 {
		p.cell += "/" + names[4]
	}
	if len(parts) == 3 {
		p.gateway, ok = unpart(parts[2])
	}
	return parts[0], p, ok
}

// unpart reads what part has written; nothing else.
func unpart(text string) (string, bool) {
	var b strings.Builder
	for n := 0; n < len(text); n++ {
		if text[n] != '~' {
			b.WriteByte(text[n])
			continue
		}
		if n+2 >= len(text) {
			return "", false
		}
		v, err := strconv.ParseUint(text[n+1:n+3], 16, 8)
		if err != nil {
			return "", false
		}
		b.WriteByte(byte(v))
		n += 2
	}
	return b.String(), part(b.String()) == text
}

func textID(s string) odata.ID { return odata.ID{Text: s} }
