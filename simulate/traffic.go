package simulate

import (
	"context"
	"slices"
	"time"

	"sluice/firmware-sim/street"
	"sluice/internal/civil"
	"sluice/policy/bundle"
)

// Traffic is what sensors send, minute by minute.
type Traffic struct {
	// Name is what sentences call it, e.g. the simulated city.
	Name    string
	Sensors []street.Sensor
	// Start is the first minute, Minutes how many there are.
	Start   time.Time
	Minutes int
	// Begin starts the traffic from its beginning, the same each time. It returns a function that
	// gives the observations of each minute in order.
	Begin func() func(t time.Time) []street.Observation
	// StandsFor is whom the fields of simulated sensors stand for, by kind and field; nil for
	// recorded readings, for which the policy's kinds are trusted.
	StandsFor map[street.Kind]map[string]string
}

// each calls see with every observation in order, and tick after each minute.
func (tr Traffic) each(ctx context.Context, tick func(done int), see func(street.Observation)) error {
	minute := tr.Begin()
	for m := range tr.Minutes {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		for _, o := range minute(tr.Start.Add(time.Duration(m) * time.Minute)) {
			see(o)
		}
		tick(m + 1)
	}
	return nil
}

// days is the number of days; one of 23 or 25 hours is one.
func (tr Traffic) days() int { return max(1, (tr.Minutes+1440-61)/1440) }

// City is the simulator's city for some days from the first one of the draft.
func City(p *bundle.Policy, d *bundle.Decision, days int, seed uint64) Traffic {
	sensors := street.Portalba()
	start := d.Stream.From
	y, m, first := start.In(p.Location).Date()
	end := civil.Midnight(y, m, first+days, p.Location) // days of 23 and 25 hours are as long as they are
	return Traffic{
		Name: "the simulated city", Sensors: sensors, Start: start, Minutes: int(end.Sub(start) / time.Minute),
		StandsFor: street.StandsFor(),
		Begin: func() func(time.Time) []street.Observation {
			return street.New(street.Config{Seed: seed, Sensors: sensors, PerHour: 900, Location: p.Location}).Minute
		},
	}
}

// InCity reports whether the simulated city has sensors of all kinds that a decision is about in its
// zones.
func InCity(d *bundle.Decision) bool {
	for _, kind := range d.AppliesTo.Kinds {
		if !slices.ContainsFunc(street.Portalba(), func(x street.Sensor) bool {
			return string(x.Kind) == kind && slices.Contains(d.Stream.Zones, x.Zone)
		}) {
			return false
		}
	}
	return true
}
