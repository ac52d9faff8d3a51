package ingest

import (
	"time"

	"sluice/plan"
	"sluice/register"
)

// quota is how many readings a minute a sensor may have counted, by the minutes that the readings
// are of: what was kept through an outage may come at once.
type quota struct {
	most    int
	minutes map[int64]int
}

// maxMinutes is how many minutes a sensor can have readings of at a time.
const maxMinutes = 1440

// newQuota is the smaller of the entry's and its kind's; nil for none.
func newQuota(e *register.Sensor, k register.Kind) *quota {
	most := e.Quota
	if most == 0 || k.Quota > 0 && k.Quota < most {
		most = k.Quota
	}
	if most == 0 {
		return nil
	}
	return &quota{most, make(map[int64]int)}
}

// follow takes over what was spent of an earlier quota of the sensor's.
func (q *quota) follow(old *quota) *quota {
	if q != nil && old != nil {
		q.minutes = old.minutes
	}
	return q
}

// holds reports whether a stream has a quota. One about units that a sensor tells of has none:
// there, what one sends would decide whether another counts. E305 and E306 are its bounds.
func holds(s *plan.Stream) bool { return s.Unit.None() || s.Unit.Sensor }

// spent reports whether the minute of an instant has had its readings.
func (q *quota) spent(at int64) bool {
	return q != nil && q.minutes[at/int64(time.Minute)] >= q.most
}

// spend takes one reading of that minute.
func (q *quota) spend(at int64) {
	if q == nil {
		return
	}
	minute := at / int64(time.Minute)
	if _, known := q.minutes[minute]; !known && len(q.minutes) >= maxMinutes {
		oldest := minute
		for m := range q.minutes {
			oldest = min(oldest, m)
		}
		delete(q.minutes, oldest)
	}
	q.minutes[minute]++
}
