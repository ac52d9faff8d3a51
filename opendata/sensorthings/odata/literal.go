package odata

import (
	"strconv"
	"strings"
	"time"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/wkt"

	"sluice/internal/pattern"
)

// The values of literals are nil, bool, float64, string, Time, time.Duration, Date, Clock and
// orb.Geometry.
type (
	// Time is an instant, or an interval [Start, End) where End is later.
	Time struct{ Start, End time.Time }
	// Date is a day, 2026-11-23.
	Date string
	// Clock is a time of day, since midnight.
	Clock time.Duration
)

// At is an instant.
func At(t time.Time) Time { return Time{t.UTC(), t.UTC()} }

// Instant reports whether it is one, and no interval.
func (t Time) Instant() bool { return !t.End.After(t.Start) }

// String is ISO 8601 in UTC.
func (t Time) String() string {
	if t.Instant() {
		return t.Start.Format(time.RFC3339Nano)
	}
	return t.Start.Format(time.RFC3339Nano) + "/" + t.End.Format(time.RFC3339Nano)
}

// ParseTime reads an instant with its offset (RFC 3339), or an interval of two instants, or of
// one and a duration (ISO 8601). Its year is from 1 to 9998.
func ParseTime(s string) (Time, bool) {
	from, to, interval := strings.Cut(s, "/")
	start, ok := parseInstant(from)
	if !ok || !interval {
		return At(start), ok
	}
	if d, ok := Duration(to); ok {
		return Time{start, start.Add(d)}, inRange(start.Add(d))
	}
	end, ok := parseInstant(to)
	return Time{start, end}, ok && !end.Before(start)
}

func parseInstant(s string) (time.Time, bool) {
	// What was a + before a form was decoded is a space.
	s = strings.ToUpper(strings.Replace(s, " ", "+", 1))
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05Z0700",
		"2006-01-02T15:04Z0700"} {
		if t, err := time.Parse(layout, s); err == nil {
			t = t.UTC()
			return t, inRange(t)
		}
	}
	return time.Time{}, false
}

func inRange(t time.Time) bool { return t.Year() >= 1 && t.Year() <= 9998 }

func clock(s string) (Clock, bool) {
	t, err := time.Parse("15:04:05", s)
	if err != nil {
		t, err = time.Parse("15:04", s)
	}
	return Clock(t.Sub(time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC))), err == nil
}

var duration = pattern.New(
	`^-?P(?:(\d{1,6})D)?(?:T(?:(\d{1,7})H)?(?:(\d{1,8})M)?(?:(\d{1,9}(?:\.\d{1,9})?)S)?)?$`)

// Duration reads days, hours, minutes and seconds in ISO 8601, as OData has them: months and
// years have no length.
func Duration(s string) (d time.Duration, ok bool) {
	part := duration.FindStringSubmatch(s)
	if part == nil || strings.HasSuffix(s, "P") || strings.HasSuffix(s, "T") {
		return 0, false
	}
	for n, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
		v, err := strconv.ParseFloat("0"+part[n+1], 64)
		if d += time.Duration(v * float64(unit)); err != nil || d < 0 || v*unit.Hours() > 1e6*24 {
			return 0, false
		}
	}
	if s[0] == '-' {
		d = -d
	}
	return d, true
}

const maxPoints = 2000 // of a geometry

// Geometry reads well-known text. Coordinates are longitude and latitude; rings that are not
// closed are closed.
func Geometry(text string) (g orb.Geometry, ok bool) {
	defer func() {
		if recover() != nil { // the library's, of text that is none
			g, ok = nil, false
		}
	}()
	if len(text) > MaxQuery || strings.Count(text, "(") > 200 || strings.Count(text, ",") > maxPoints {
		return nil, false
	}
	if upper := strings.ToUpper(text); strings.HasPrefix(upper, "SRID=4326;") {
		text = text[len("SRID=4326;"):]
	}
	g, err := wkt.Unmarshal(strings.TrimSpace(text))
	if err != nil || g == nil || !finite(g) {
		return nil, false
	}
	switch g := g.(type) {
	case orb.Polygon:
		closeRings(g)
	case orb.MultiPolygon:
		for _, p := range g {
			closeRings(p)
		}
	case orb.Collection:
		return nil, false
	}
	return g, true
}

// finite reports whether a geometry has points, and all of them on a map of degrees.
func finite(g orb.Geometry) bool {
	b := g.Bound()
	return b.Min[0] <= b.Max[0] && b.Min[1] <= b.Max[1] &&
		b.Min[0] >= -1e4 && b.Max[0] <= 1e4 && b.Min[1] >= -1e4 && b.Max[1] <= 1e4
}

func closeRings(p orb.Polygon) {
	for n, r := range p {
		if len(r) > 2 && r[0] != r[len(r)-1] {
			p[n] = append(r, r[0])
		}
	}
}
