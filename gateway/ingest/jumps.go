package ingest

import (
	"fmt"
	"time"
)

// The system's clock may jump: by a mistake of its time server, of an operator, of a
// battery. Windows that close too early are closed for good, so a jump is not believed
// at once.
const (
	// tolerance is a step that is taken as it is: clocks are set right by seconds.
	tolerance = time.Minute
	// maxDoubt bounds how long a jump is doubted; a small one only for as long as it is
	// wide, since believing it wrongly costs no more than that.
	maxDoubt = 10 * time.Minute
	// maxJump is a jump ahead that no running process has slept through: it is believed
	// only after a restart.
	maxJump = 24 * time.Hour
)

// minTime is before every time that can be right: a machine without a battery wakes in 1970.
var minTime = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// jumpFilter holds the system's clock against the time that the machine has been up.
// While they disagree, time goes on from the last that was believed. Its owner is
// ingest's goroutine.
type jumpFilter struct {
	at       time.Time     // believed last
	up       time.Duration // the machine's uptime then
	off      time.Duration // how far the system's clock is from what is believed; 0 while it is
	offSince time.Duration // uptime since when it is off by that
}

// observe takes one look at the clock and returns the time that is believed.
func (r *jumpFilter) observe(wall time.Time, up time.Duration) time.Time {
	off := r.offset(wall, up)
	if off == 0 {
		r.at, r.up, r.off = wall, up, 0
		return wall
	}
	if (off - r.off).Abs() > tolerance {
		r.off, r.offSince = off, up // another jump
	}
	if wait, ever := doubt(off); ever && up-r.offSince >= wait {
		r.at, r.up, r.off = wall, up, 0
		return wall
	}
	r.at, r.up = r.at.Add(up-r.up), up
	return r.at
}

// offset is how far the system's clock is ahead of what is believed; 0 within the
// tolerance.
func (r *jumpFilter) offset(wall time.Time, up time.Duration) time.Duration {
	if r.at.IsZero() {
		return 0
	}
	if off := wall.Sub(r.at.Add(up - r.up)); off.Abs() > tolerance {
		return off
	}
	return 0
}

// doubt is how long a jump is not believed; false for as long as the process runs.
func doubt(off time.Duration) (time.Duration, bool) {
	return min(off.Abs(), maxDoubt), off <= maxJump
}

// problem says what is doubted; empty for nothing.
func (r *jumpFilter) problem(wall time.Time, up time.Duration) string {
	if r.off == 0 {
		return ""
	}
	way := "ahead"
	if r.off < 0 {
		way = "back"
	}
	until := "it is not believed until the gateway is restarted"
	if wait, ever := doubt(r.off); ever {
		until = fmt.Sprintf("it is believed in %s, or after a restart", span(wait-(up-r.offSince)))
	}
	return fmt.Sprintf("the system's clock has jumped %s by %s, to %s; %s. Windows go by the time that has passed "+
		"meanwhile. Set the clock right if that is wrong",
		way, span(r.off.Abs()), wall.Format(time.RFC3339), until)
}

// span is a duration for people.
func span(d time.Duration) string { return max(d, 0).Truncate(time.Second).String() }
