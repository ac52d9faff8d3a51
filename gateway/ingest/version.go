package ingest

import (
	"fmt"
	"time"

	"sluice/plan"
	"sluice/register"
)

// Version is one policy in force: windows that start at or after Since run
// under it. The first version's Since is the zero time.
type Version struct {
	Since time.Time
	// Past says that nothing runs under it any more: it has no streams and no plans.
	Past     bool
	Digest   string
	Kinds    map[string]register.Kind
	Zones    *register.Zones
	Location *time.Location
	Streams  []*plan.Stream
	// Homes are the kinds whose sensors stand for somebody, beside those of which
	// Kinds says so.
	Homes map[string]bool
	// Plans are each sensor's plans, by the sensor's id.
	Plans map[string][]plan.Plan
}

// Check says whether a version can be adopted: whether every plan fits what a
// sensor of its kind sends. A sensor whose own entry does not fit is left out alone.
func (v *Version) Check(reg *register.Register) error {
	f := newFitter(nil, time.Time{})
	for n := range reg.Sensors {
		e := &reg.Sensors[n]
		kind, known := v.Kinds[e.Kind]
		if !known || e.Mapped() {
			continue
		}
		sent := f.shape(kind, &sensor{entry: e})
		for _, p := range v.Plans[e.ID] {
			if _, err := f.rule(0, p, sent.shape, v.Zones); err != nil {
				return fmt.Errorf("a sensor of kind %s: %w", e.Kind, err) // which one may be somebody's home
			}
		}
	}
	return nil
}
