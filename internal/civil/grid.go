// Package civil is the calendar of a city: local days, ISO 8601 periods, and grids of equal
// steps that begin at local midnight.
package civil

import "time"

// Grid cuts local days into equal steps. Steps start at local midnight and the
// last one of a day ends at the next midnight, so a day of 23 or 25 hours has a
// shorter, or one more, step and nothing ever crosses midnight.
//
// Example: with a step of 6 h in Europe/Madrid, 25 October 2026 (25 hours) has
// five steps, the last of them one hour long.
type Grid struct {
	step time.Duration
	loc  *time.Location
}

// NewGrid makes the grid of steps in loc; the step is more than zero and at
// most a nominal day.
func NewGrid(step time.Duration, loc *time.Location) Grid { return Grid{step, loc} }

// Step returns the step [start, end) that holds t, in UTC.
func (g Grid) Step(t time.Time) (start, end time.Time) {
	day, next := g.day(t)
	start = day.Add(t.Sub(day).Truncate(g.step))
	end = start.Add(g.step)
	if end.After(next) || g.step >= 24*time.Hour {
		end = next
	}
	if g.step >= 24*time.Hour {
		start = day
	}
	return start.UTC(), end.UTC()
}

// Steps counts the steps of the local day that holds t.
func (g Grid) Steps(t time.Time) int {
	if g.step >= 24*time.Hour {
		return 1
	}
	day, next := g.day(t)
	n := next.Sub(day)
	return int((n + g.step - 1) / g.step)
}

// Day names the local day that holds t, e.g. 2026-11-23.
func (g Grid) Day(t time.Time) string { return t.In(g.loc).Format(time.DateOnly) }

// Location is the time zone of the grid.
func (g Grid) Location() *time.Location { return g.loc }

func (g Grid) day(t time.Time) (start, end time.Time) {
	y, m, d := t.In(g.loc).Date()
	return Midnight(y, m, d, g.loc), Midnight(y, m, d+1, g.loc)
}

// Midnight is the first instant of a local day. Where clocks jump over
// midnight, as some zones do, that instant is later than 00:00.
func Midnight(y int, m time.Month, d int, loc *time.Location) time.Time {
	t := time.Date(y, m, d, 0, 0, 0, 0, loc)
	want := time.Date(y, m, d, 12, 0, 0, 0, loc).Day()
	for t.Day() != want {
		t = t.Add(30 * time.Minute)
	}
	return t
}
