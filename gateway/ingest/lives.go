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

// judge says which sensors live now; before where that has not changed.
func (i *Ingest) judge(before *Lives) *Lives {
	now := i.state.Now
	if before != nil && before.Register == i.register && i.cfg.Clock == "" && now.Sub(i.judged).Abs() < livesEvery {
		return before
	}
	i.judged = now
	out := &Lives{i.register, make([]Life, len(i.sensors))}
	for n, s := range i.sensors {
		out.Of[n] = i.life(s, now)
	}
	if before != nil && before.Register == i.register && slices.Equal(before.Of, out.Of) {
		return before
	}
	return out
}

// life judges by heartbeats; sensors about nobody also by their readings.
func (i *Ingest) life(s *sensor, at time.Time) Life {
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
	case s.declaresPulse && now-i.since.UnixNano() > int64(time.Hour):
		return Silent
	}
	return NotKnown
}
