package ingest

import (
	"slices"
	"time"

	"sluice/register"
)

// livesEvery is how often liveness is judged in wall time: it is told by the
// minute, and a hundred thousand sensors are milliseconds of work.
const livesEvery = 2 * time.Second

// Life is what is known of a sensor.
type Life int8

// Known lives.
const (
	NotKnown Life = iota
	Living
	Silent
)

// Lives are those of a register's sensors, in its order. They do not change.
type Lives struct {
	Register *register.Register
	Of       []Life
}

// liveness knows which sensors have ever sent a heartbeat, which is durable, and judges
// who lives now.
type liveness struct {
	clock  *eventClock
	heard  map[uint64]bool
	list   []uint64  // the same, in the order in which they came; it only grows
	judged time.Time // when it was last judged
}

func newLiveness(clock *eventClock) liveness {
	return liveness{clock: clock, heard: make(map[uint64]bool)}
}

// note keeps that these sensors have sent a heartbeat.
func (l *liveness) note(numbers ...uint64) {
	for _, n := range numbers {
		if !l.heard[n] {
			l.heard[n] = true
			l.list = append(l.list, n)
		}
	}
}

// judge says which of a roster's sensors live now; before where that has not changed.
func (l *liveness) judge(r *roster, before *Lives) *Lives {
	now := l.clock.now
	same := before != nil && before.Register == r.register
	if same && !l.clock.simulated() && now.Sub(l.judged).Abs() < livesEvery {
		return before
	}
	l.judged = now
	out := &Lives{r.register, make([]Life, len(r.sensors))}
	for n, s := range r.sensors {
		out.Of[n] = l.of(s, now)
	}
	if same && slices.Equal(before.Of, out.Of) {
		return before
	}
	return out
}

// of judges one sensor by heartbeats; one about nobody also by its readings.
func (l *liveness) of(s *sensor, at time.Time) Life {
	now := at.UnixNano()
	alive := func(yes bool) Life {
		if yes {
			return Living
		}
		return Silent
	}
	switch {
	case at.IsZero() || s.home:
	case s.silentAfter > 0:
		return alive(now <= s.silentAfter)
	case !s.aboutPeople && len(s.routes) > 0:
		every := max(2*s.routes[0].spec.Every.Nominal(), time.Hour)
		return alive(s.lastReading > 0 && now-s.lastReading <= int64(every))
	case s.declaresPulse && now-l.clock.since.UnixNano() > int64(time.Hour):
		return Silent
	}
	return NotKnown
}
