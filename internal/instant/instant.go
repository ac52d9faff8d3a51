// Package instant reads times as other systems write them: RFC 3339 and its sloppy relatives,
// seconds and their fractions since 1970, intervals, ages, and dates in the layouts that vendors
// made up. All are nanoseconds since 1970, UTC, from the years 1970 to 2261.
//
// Reading allocates nothing and never says what was read.
package instant

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	_ "time/tzdata" // minimal containers have none
)

// Local is the name of the zone that is the city's own, known only where the policy is.
const Local = "local"

// Form is one way to write a time. The zero Form is none.
type Form struct {
	name   string
	per    float64 // nanoseconds of one unit, where the time is a number
	layout string  // where it is a date
	age    bool    // a number of seconds before receipt
	span   bool    // an ISO 8601 interval, of which the start counts
	zone   *time.Location
	local  bool
}

var units = map[string]float64{"s": 1e9, "ms": 1e6, "us": 1e3, "ns": 1}

const (
	dashed  = "YYYY-MM-DDThh:mm:ss"
	letters = "YMDhms"
)

// Parse makes a form of its name and of the zone that a date without one is in:
//
//	rfc3339    2026-11-23T10:00:00Z, also with a blank for T, ±hhmm, and with no zone
//	s ms us ns that many since 1970, as a number or as the text of one
//	relative   seconds before receipt
//	interval   ISO 8601-1:2019 section 5.5, START/END or START/DURATION; START counts
//
// or a layout of YYYY, YY, MM, DD, hh, mm and ss with other characters as they are, such as
// DD/MM/YYYYThh:mm:ss. Behind a date may stand a fraction of a second and a zone: Z, ±hh:mm, ±hhmm,
// UTC, GMT, CET, CEST, or W and S for the winter and summer time of the zone (DSMR). The zone is UTC
// where it is empty, a name of the IANA time zone database, or local.
func Parse(name, zone string) (Form, error) {
	f := Form{name: name, zone: time.UTC, local: zone == Local}
	if zone != "" && zone != Local {
		at, err := time.LoadLocation(zone)
		if err != nil || zone == "Local" {
			return Form{}, errors.New("zone is UTC, local (the city's) or a name such as Europe/Madrid")
		}
		f.zone = at
	}
	per, number := units[name]
	switch {
	case number:
		f.per = per
	case name == "relative":
		f.age = true
	case name == "rfc3339":
		f.layout = dashed
	case name == "interval":
		f.layout, f.span = dashed, true
	default:
		if err := checkLayout(name); err != nil {
			return Form{}, err
		}
		f.layout = name
	}
	if zone != "" && f.layout == "" {
		return Form{}, fmt.Errorf("zone goes with dates; a time as %s has none", name)
	}
	return f, nil
}

func checkLayout(layout string) error {
	seen := map[string]bool{}
	for rest := layout; rest != ""; {
		n := token(rest)
		part := rest[:n]
		if strings.Contains(letters, part[:1]) {
			switch part {
			case "YYYY", "YY", "MM", "DD", "hh", "mm", "ss":
			default:
				return unknownForm
			}
			if seen[part[:1]] {
				return unknownForm
			}
			seen[part[:1]] = true
		}
		rest = rest[n:]
	}
	if len(seen) != len(letters) || len(layout) > 40 {
		return unknownForm
	}
	return nil
}

var unknownForm = errors.New(
	"as is rfc3339, s, ms, us, ns, relative, interval, or a layout of YYYY or YY, MM, DD, hh, " +
		"mm and ss such as DD/MM/YYYYThh:mm:ss")

// token is how many bytes the next part of a layout has: a run of one letter that stands for
// digits, or any other byte. MM is the month and mm the minute.
func token(layout string) int {
	if !strings.Contains(letters, layout[:1]) {
		return 1
	}
	n := 1
	most := 2
	if layout[0] == 'Y' {
		most = 4
	}
	for n < len(layout) && n < most && layout[n] == layout[0] {
		n++
	}
	return n
}

// In gives the form the city's zone, where it is local.
func (f Form) In(city *time.Location) Form {
	if f.local && city != nil {
		f.zone = city
	}
	return f
}

// IsNumber reports whether a time in this form is a number, or the text of one.
func (f Form) IsNumber() bool { return f.per > 0 || f.age }

// Relative reports whether the time is told from receipt on, so that the device has not dated
// the reading itself.
func (f Form) Relative() bool { return f.age }

// Number reads a time that is a number; received is when it came. Numbers that are no
// time since 1970 are refused.
func (f Form) Number(n float64, received int64) (int64, bool) {
	switch {
	case math.IsNaN(n) || math.IsInf(n, 0):
		return 0, false
	case f.age:
		at := received - int64(n*1e9)
		return at, n >= 0 && n <= 366*86400
	}
	whole := math.Floor(n)
	at := whole * f.per
	if f.per == 0 || n < 0 || at > latest {
		return 0, false
	}
	return int64(whole)*int64(f.per) + int64(math.Round((n-whole)*f.per)), true
}

// Whole reads a time that is a whole number, to the nanosecond.
func (f Form) Whole(n uint64, received int64) (int64, bool) {
	if f.age || f.per == 0 || n > uint64(latest/f.per) {
		return f.Number(float64(n), received)
	}
	return int64(n) * int64(f.per), true
}

// latest is the last nanosecond that is taken, somewhat before an int64 is full.
const latest = 9.2e18

// Text reads a date.
func (f Form) Text(b []byte) (int64, bool) {
	if f.layout == "" {
		return 0, false
	}
	var c clock
	rest, ok := c.take(b, f.layout)
	if !ok {
		return 0, false
	}
	if f.span {
		rest, ok = before(rest, '/')
		if !ok {
			return 0, false
		}
	}
	rest, ok = c.fraction(rest)
	if !ok {
		return 0, false
	}
	return c.at(rest, f.zone)
}

// before is what stands before a byte.
func before(b []byte, end byte) ([]byte, bool) {
	for i, c := range b {
		if c == end {
			return b[:i], true
		}
	}
	return nil, false
}

// clock is a date and a time of day as they are written.
type clock struct{ year, month, day, hour, minute, second, nanos int }

// take reads what the layout says, and returns what is behind it.
func (c *clock) take(b []byte, layout string) ([]byte, bool) {
	for layout != "" {
		n := token(layout)
		if len(b) < n {
			return nil, false
		}
		if strings.IndexByte(letters, layout[0]) < 0 {
			// A blank for T, and T for a blank, are the commonest slip.
			same := b[0] == layout[0] || layout[0] == 'T' && b[0] == ' ' || layout[0] == ' ' && b[0] == 'T'
			if !same {
				return nil, false
			}
		} else if !c.set(layout[:n], b[:n]) {
			return nil, false
		}
		b, layout = b[n:], layout[n:]
	}
	return b, true
}

func (c *clock) set(part string, digits []byte) bool {
	n := 0
	for _, d := range digits {
		if d < '0' || d > '9' {
			return false
		}
		n = 10*n + int(d-'0')
	}
	switch part[0] {
	case 'Y':
		if c.year = n; len(part) == 2 {
			c.year += 2000
		}
	case 'M':
		c.month = n
	case 'D':
		c.day = n
	case 'h':
		c.hour = n
	case 'm':
		c.minute = n
	default:
		c.second = n
	}
	return true
}

// fraction reads up to nine digits behind a point or a comma; more are cut off.
func (c *clock) fraction(b []byte) ([]byte, bool) {
	if len(b) == 0 || b[0] != '.' && b[0] != ',' {
		return b, true
	}
	n := 1
	for scale := 100_000_000; n < len(b) && b[n] >= '0' && b[n] <= '9'; n++ {
		c.nanos += int(b[n]-'0') * scale
		scale /= 10
	}
	return b[n:], n > 1 && n < 20
}

// at is the instant, given what stands where a zone may stand.
func (c *clock) at(zone []byte, other *time.Location) (int64, bool) {
	if c.year < 1970 || c.year > 2261 || c.month < 1 || c.month > 12 || c.day < 1 || c.hour > 23 || c.minute > 59 ||
		c.second > 59 {
		return 0, false
	}
	if len(zone) > 0 && zone[0] == ' ' {
		zone = zone[1:]
	}
	east, known := offset(zone)
	where := other
	if known {
		where = time.UTC
	} else if len(zone) > 1 || len(zone) == 1 && zone[0] != 'W' && zone[0] != 'S' {
		return 0, false
	}
	t := time.Date(c.year, time.Month(c.month), c.day, c.hour, c.minute, c.second, c.nanos, where)
	if t.Day() != c.day {
		return 0, false // there is no such day
	}
	if len(zone) == 1 && !known {
		t = season(t, zone[0] == 'S')
	}
	at := t.UnixNano() - int64(east)*int64(time.Second)
	return at, at >= 0
}

// season is the other of two hours that have one name in autumn, where it is of that season.
func season(t time.Time, summer bool) time.Time {
	if t.IsDST() == summer {
		return t
	}
	for _, by := range []time.Duration{-time.Hour, time.Hour} {
		if o := t.Add(by); o.IsDST() == summer && o.Hour() == t.Hour() {
			return o
		}
	}
	return t
}

// offset reads a zone to seconds east of UTC; false where there is none.
func offset(b []byte) (int, bool) {
	switch string(b) {
	case "Z", "z", "UTC", "GMT":
		return 0, true
	case "CET":
		return 3600, true
	case "CEST":
		return 7200, true
	case "":
		return 0, false
	}
	if b[0] != '+' && b[0] != '-' {
		return 0, false
	}
	var hhmm [4]int
	n := 0
	for i, c := range b[1:] {
		switch {
		case c == ':' && i == 2 && len(b) == 6:
		case c >= '0' && c <= '9' && n < 4:
			hhmm[n] = int(c - '0')
			n++
		default:
			return 0, false
		}
	}
	h, m := 10*hhmm[0]+hhmm[1], 10*hhmm[2]+hhmm[3]
	if n != 4 && n != 2 || h > 23 || m > 59 {
		return 0, false
	}
	east := h*3600 + m*60
	if b[0] == '-' {
		east = -east
	}
	return east, true
}
