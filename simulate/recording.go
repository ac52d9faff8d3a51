package simulate

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"sluice/firmware-sim/replay"
	"sluice/firmware-sim/street"
	"sluice/internal/civil"
	"sluice/policy/bundle"
	"sluice/register"
)

// Recording is recorded readings in memory.
type Recording struct {
	name string
	rows []replay.Row
}

// ReadRecording reads a file of readings, as firmware-sim replays it.
func ReadRecording(r io.Reader, name, mapping, layout, timezone string) (*Recording, error) {
	m, err := replay.ParseMapping(mapping, layout, timezone)
	if err != nil {
		return nil, err
	}
	rows, _, err := replay.ReadFrom(r, name, m)
	return &Recording{name, rows}, err
}

// Recorded is a file of readings, shifted by whole days to begin on the draft's first day. The register
// has the kind and zone of each sensor.
func Recorded(
	file, mapping, layout, timezone string, reg *register.Register, p *bundle.Policy, d *bundle.Decision,
) (Traffic, error) {
	f, err := os.Open(file)
	if err != nil {
		return Traffic{}, err
	}
	defer f.Close()
	r, err := ReadRecording(f, file, mapping, layout, timezone)
	if err != nil {
		return Traffic{}, err
	}
	var sensors []street.Sensor
	for i := range reg.Sensors {
		x := &reg.Sensors[i]
		sensors = append(sensors,
			street.Sensor{ID: x.ID, Owner: x.Owner, Zone: x.ZoneOf(p.Zones), Kind: street.Kind(x.Kind)})
	}
	tr, ok := r.traffic(sensors, p, d)
	if !ok {
		return tr, errors.New("no row of the file is of a sensor in the register")
	}
	return tr, nil
}

// MaxDays is how many days of a recording are taken, from its first one on.
const MaxDays = 14

// InZones is whole days of a recording of which each row names the zone it was made in, where a
// register would have its sensor. All rows are taken to be of the decision's first kind.
func (r *Recording) InZones(p *bundle.Policy, d *bundle.Decision) (Traffic, error) {
	var sensors []street.Sensor
	for _, zone := range d.Stream.Zones {
		sensors = append(sensors,
			street.Sensor{ID: zone, Owner: "street", Zone: zone, Kind: street.Kind(d.AppliesTo.Kinds[0])})
	}
	tr, ok := r.traffic(sensors, p, d)
	if !ok {
		return tr, errors.New("no row of the file is of a zone of this decision: the column that sensor= names has " +
			"ids of zones")
	}
	last := tr.Start.Add(time.Duration(tr.Minutes-1) * time.Minute).In(p.Location)
	year, month, day := tr.Start.In(p.Location).Date()
	tr.Start = civil.Midnight(year, month, day, p.Location)
	end := civil.Midnight(last.Year(), last.Month(), last.Day()+1, p.Location)
	if most := civil.Midnight(year, month, day+MaxDays, p.Location); end.After(most) {
		end = most
	}
	tr.Minutes = int(end.Sub(tr.Start) / time.Minute)
	return tr, nil
}

// traffic is what was recorded of these sensors; ok is false where there is nothing.
func (r *Recording) traffic(sensors []street.Sensor, p *bundle.Policy, d *bundle.Decision) (tr Traffic, ok bool) {
	index := make(map[string]int)
	for i, x := range sensors {
		index[x.ID] = i
	}
	rows := slices.DeleteFunc(slices.Clone(r.rows),
		func(r replay.Row) bool { _, known := index[r.Sensor]; return !known })
	if len(rows) == 0 {
		return tr, false
	}
	first := civil.Midnight(rows[0].Time.In(p.Location).Year(), rows[0].Time.In(p.Location).Month(),
		rows[0].Time.In(p.Location).Day(), p.Location)
	shift := d.Stream.From.Sub(first).Round(24 * time.Hour)
	last := rows[len(rows)-1].Time.Add(shift)
	start := rows[0].Time.Add(shift).Truncate(time.Minute)
	begin := func() func(time.Time) []street.Observation {
		at := 0
		return func(t time.Time) (out []street.Observation) {
			for ; at < len(rows) && rows[at].Time.Add(shift).Before(t.Add(time.Minute)); at++ {
				out = append(out,
					street.Observation{Sensor: index[rows[at].Sensor], Time: rows[at].Time.Add(shift),
						Fields: rows[at].Fields})
			}
			return out
		}
	}
	return Traffic{Name: "the file " + filepath.Base(r.name), Sensors: sensors, Start: start,
		Minutes: int(last.Sub(start)/time.Minute) + 1, Begin: begin}, true
}
