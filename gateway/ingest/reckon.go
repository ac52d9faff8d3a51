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
	// patience bounds how long a jump is doubted; a small one only for as long as it is
	// wide, since believing it wrongly costs no more than that.
	patience = 10 * time.Minute
	// absurd is a jump ahead that no running process has slept through: it is believed
	// only after a restart.
	absurd = 24 * time.Hour
)

// dawn is before every time that can be right: a machine without a battery wakes in 1970.
var dawn = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// reckoning holds the system's clock against the time that the machine has been up.
// While they disagree, time goes on from the last that was believed. Its owner is
// ingest's goroutine.
type reckoning struct {
	at  time.Time     // believed last
	up  time.Duration // the machine's uptime then
	off time.Duration // how far the system's clock is from what is believed; 0 while it is
	at0 time.Duration // uptime since when it is off by that
}

// look takes one look at the clock and returns the time that is believed.
func (r *reckoning) look(wall time.Time, up time.Duration) time.Time {
	off := r.apart(wall, up)
	if off == 0 {
		r.at, r.up, r.off = wall, up, 0
		return wall
	}
	if (off - r.off).Abs() > tolerance {
		r.off, r.at0 = off, up // another jump
	}
	if wait, ever := doubt(off); ever && up-r.at0 >= wait {
		r.at, r.up, r.off = wall, up, 0
		return wall
	}
	r.at, r.up = r.at.Add(up-r.up), up
	return r.at
}

// apart is how far the system's clock is ahead of what is believed; 0 within the
// tolerance.
func (r *reckoning) apart(wall time.Time, up time.Duration) time.Duration {
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
	return min(off.Abs(), patience), off <= absurd
}

// now is the time that is believed, without a monotonic part: two of those compare by
// it, and would hide a jump.
func (i *Ingest) now() time.Time {
	wall, up := i.cfg.Now().Round(0).UTC(), i.uptime()
	if i.reckon.at.Before(dawn) || i.reckon.at.Before(i.state.Now.Add(-tolerance)) {
		i.reckon = reckoning{} // it is known to be wrong, and so is held against nothing
	}
	doubted := i.reckon.off
	now := i.reckon.look(wall, up)
	if doubted != 0 && i.reckon.off == 0 && now.Equal(wall) {
		i.cfg.Log.Warn("the system's clock is believed again", "now", now)
	}
	problem := i.reckon.problem(wall, up)
	switch behind := i.state.Now.Sub(now); {
	case wall.Before(dawn):
		problem = fmt.Sprintf("the system's clock says %s, so nothing is measured; set it right", wall.Format(time.DateOnly))
	case problem == "" && behind > tolerance:
		problem = fmt.Sprintf("the system's clock is %s behind the last window's time, %s: no window closes until then. Set it right; if it is right now and was ahead before, see The clock in docs/operations.md",
			span(behind), i.state.Now.Format(time.RFC3339))
	}
	i.clockSays.Store(&problem)
	return now
}

// problem says what is doubted; empty for nothing.
func (r *reckoning) problem(wall time.Time, up time.Duration) string {
	if r.off == 0 {
		return ""
	}
	way := "ahead"
	if r.off < 0 {
		way = "back"
	}
	until := "it is not believed until the gateway is restarted"
	if wait, ever := doubt(r.off); ever {
		until = fmt.Sprintf("it is believed in %s, or after a restart", span(wait-(up-r.at0)))
	}
	return fmt.Sprintf("the system's clock has jumped %s by %s, to %s; %s. Windows go by the time that has passed meanwhile. Set the clock right if that is wrong",
		way, span(r.off.Abs()), wall.Format(time.RFC3339), until)
}

// span is a duration for people.
func span(d time.Duration) string { return max(d, 0).Truncate(time.Second).String() }

// clock is the gateway's time in nanoseconds: of receipt, or simulated.
func (i *Ingest) clock(received time.Time) int64 {
	switch {
	case i.cfg.Clock == "":
		return i.received(received)
	case i.state.Now.IsZero():
		return received.UnixNano()
	}
	return i.state.Now.UnixNano()
}

// received is an instant of receipt in the time that is believed. What came before a
// jump is left as it is.
func (i *Ingest) received(at time.Time) int64 {
	t := at.UnixNano()
	d := time.Duration(t - i.state.Now.UnixNano())
	if d.Abs() <= tolerance {
		return t
	}
	if off := i.reckon.apart(i.cfg.Now().Round(0), i.uptime()); (d - off).Abs() < d.Abs() {
		return t - int64(off)
	}
	return t
}

// uptime is how long the machine has been up, asleep or not.
func (i *Ingest) uptime() time.Duration {
	if i.cfg.Uptime != nil {
		return i.cfg.Uptime()
	}
	return time.Since(i.pulse.begun)
}

// Clock is what is wrong with the gateway's clock, and what to do; empty for nothing.
// It never waits.
func (i *Ingest) Clock() string {
	if p := i.clockSays.Load(); p != nil && *p != "" {
		return *p
	}
	if p := i.astray.Load(); p != nil {
		return *p
	}
	return ""
}

// compare says when most readings of an hour were out of time: then it may well be the
// gateway's clock that is wrong. It is asked once an hour, as what it reads is shown. While a
// stream is silent after a recovery of the ledger, what comes for it is late by that.
func (i *Ingest) compare() {
	old, now := &i.state.Shown, &i.state.account
	came := now.Received - old.Received
	wrong := now.Late - old.Late + now.Refused["E301"] - old.Refused["E301"]
	silent := false
	for _, s := range i.streams {
		silent = silent || s.next.After(i.state.Now)
	}
	if came < 10 || wrong <= came/2 || silent {
		i.astray.Store(nil)
		return
	}
	hint := "most readings of the last full hour were late or ahead of time (E302, E301): compare this machine's clock with the sensors'. If it is right now and was ahead before, see The clock in docs/operations.md"
	i.astray.Store(&hint)
}
