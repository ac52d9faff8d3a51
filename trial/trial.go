// Package trial runs a draft before anybody votes on it: the draft and the policy
// in force, side by side, each in a gateway of its own, over the same simulated or
// recorded traffic and on an accelerated clock. The gateways are the real ones,
// with real noise and a real ledger; what a decision asks for is computed beside
// them without any of it, so that the error is known.
package trial

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"sluice/books"
	"sluice/firmware-sim/device"
	"sluice/firmware-sim/replay"
	"sluice/firmware-sim/street"
	"sluice/gateway"
	"sluice/policy/bundle"
	"sluice/policy/plan"
	"sluice/register"
	"sluice/store"
	"sluice/store/sqlite"
)

// Traffic is what sensors send: minutes in order.
type Traffic struct {
	Sensors []street.Sensor
	// Start is the first minute, Minutes how many there are.
	Start   time.Time
	Minutes int
	// Minute returns what is seen in one minute; it is asked once for each, in order.
	Minute func(t time.Time) []street.Observation
}

// Options of a trial.
type Options struct {
	Draft, InForce *bundle.Policy // InForce is nil for none
	// Decision is the draft's; the policy in force is shown for the same id or stream.
	Decision string
	Traffic  Traffic
	Progress func(done, total int)
}

// Side is how one policy did.
type Side struct {
	Name     string // draft or in force
	Decision string
	Measures []Measure
	Hours    [24]Hour // by local hour of the day
	Dropped  []Dropped
	Budget   Budget
	Series   []Point // the busiest cell's first measure
	Unit     string
	Cell     string
}

// Measure is how well one number did, over all cells.
type Measure struct {
	Name                        string
	Published, Withheld, NoData int
	// MeanError and P95Error are of published values, against what really happened.
	// Covered is the share of published intervals that hold what could be counted:
	// who has used up its contributions is missing from it.
	MeanError, P95Error, Covered float64
}

// Hour is what happened in one hour of the day, over all days and zones.
type Hour struct {
	Units    int // different units, per zone
	Silenced int // of them, not counted because they had used up their contributions
}

// Dropped is a field of a kind that is dropped, and how many readings had it.
type Dropped struct {
	Kind, Field string
	Readings    int
}

// Budget is what one unit pays a day.
type Budget struct {
	PerDay, AllDecisions, Cap float64
	// DaysUntilCap is after how many simulated days the charter's budget refused; 0
	// for never.
	DaysUntilCap int
	Days         int
}

// Point is one window of the series that is drawn.
type Point struct {
	Start            time.Time
	Truth            float64
	Status           store.Status
	Value, Low, High float64
}

// Report is both sides; InForce is nil for none.
type Report struct {
	Draft, InForce *Side
	Start          time.Time
	Days           int
}

const clockTopic = "city/v1/clock"

// Run runs both sides over the traffic.
func Run(ctx context.Context, o Options) (*Report, error) {
	d := o.Draft.Decision(o.Decision)
	if d == nil {
		return nil, fmt.Errorf("the draft has no decision %s", o.Decision)
	}
	sides := []*running{{name: "draft", policy: o.Draft, decision: d}}
	if o.InForce != nil {
		if old := matching(o.InForce, d); old != nil {
			sides = append(sides, &running{name: "in force", policy: o.InForce, decision: old})
		}
	}
	for _, s := range sides {
		defer s.close()
		if err := s.open(ctx, o.Traffic); err != nil {
			return nil, err
		}
	}
	if err := play(ctx, o, sides); err != nil {
		return nil, err
	}
	report := &Report{Start: o.Traffic.Start.In(o.Draft.Location), Days: (o.Traffic.Minutes + 1439) / 1440}
	for i, s := range sides {
		side, err := s.result(ctx, o.Traffic)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			report.Draft = side
		} else {
			report.InForce = side
		}
	}
	return report, nil
}

// matching finds the decision that the draft changes.
func matching(p *bundle.Policy, d *bundle.Decision) *bundle.Decision {
	if old := p.Decision(d.Decision); old != nil {
		return old
	}
	for i := range p.Decisions {
		if p.Decisions[i].Stream.ID == d.Stream.ID {
			return &p.Decisions[i]
		}
	}
	return nil
}

// running is one side while it runs.
type running struct {
	name     string
	policy   *bundle.Policy
	decision *bundle.Decision

	dir     string
	gateway *gateway.Gateway
	link    *device.Link
	fleet   *device.Fleet
	model   *model
	stop    context.CancelFunc
	done    chan error
}

func (r *running) open(ctx context.Context, tr Traffic) (err error) {
	if r.dir, err = os.MkdirTemp("", "sluice-trial-"); err != nil {
		return err
	}
	if err := r.policy.Files.Write(filepath.Join(r.dir, "policy")); err != nil {
		return err
	}
	reg := filepath.Join(r.dir, "register.yaml")
	if err := writeRegister(reg, tr.Sensors, tr.Start); err != nil {
		return err
	}
	r.gateway, err = gateway.Open(ctx, gateway.Config{
		Gateway: "trial", Keys: "memory", Dir: r.dir, Simulation: true, Time: gateway.Time{Topic: clockTopic}, Register: reg,
		Listen: gateway.Listen{MQTT: "127.0.0.1:0"}, Admin: "127.0.0.1:0", Policy: gateway.Policy{Dir: filepath.Join(r.dir, "policy")},
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	if text := r.gateway.Problem(); text != "" {
		return errors.Join(errors.New(text), r.gateway.Close())
	}
	live, stop := context.WithCancel(context.WithoutCancel(ctx))
	r.stop, r.done = stop, make(chan error, 1)
	go func() { r.done <- errors.Join(r.gateway.Run(live), r.gateway.Close()) }()
	if r.link, err = device.Connect("tcp://"+r.gateway.MQTT(), "trial"); err != nil {
		return err
	}
	r.fleet = device.NewFleet(r.link, tr.Sensors, device.Faults{}, 1, 1)
	r.model = newModel(r.policy, r.decision, tr.Sensors)
	return nil
}

func writeRegister(path string, sensors []street.Sensor, start time.Time) error {
	text := "sensors:\n"
	for _, s := range sensors {
		text += fmt.Sprintf("  - {id: %s, owner: %s, kind: %s, zone: %s, registered: %s}\n", s.ID, s.Owner, s.Kind, s.Zone, start.AddDate(0, 0, -2).Format(time.DateOnly))
	}
	return os.WriteFile(path, []byte(text), 0o600)
}

// close gives everything back; a side that never opened has nothing.
func (r *running) close() {
	r.halt()
	if r.dir != "" {
		_ = os.RemoveAll(r.dir) // a temporary directory
	}
}

// halt stops the gateway, so that what it released is in the store.
func (r *running) halt() {
	if r.link != nil {
		r.link.Close()
		r.link = nil
	}
	if r.stop != nil {
		r.stop()
		<-r.done
		r.stop = nil
	}
}

// play sends every minute to all sides, then lets the last windows close.
func play(ctx context.Context, o Options, sides []*running) error {
	end := o.Traffic.Start.Add(time.Duration(o.Traffic.Minutes) * time.Minute)
	for m := range o.Traffic.Minutes {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		t := o.Traffic.Start.Add(time.Duration(m) * time.Minute)
		list := o.Traffic.Minute(t)
		for _, s := range sides {
			if err := s.minute(t, list); err != nil {
				return err
			}
		}
		if o.Progress != nil {
			o.Progress(m+1, o.Traffic.Minutes)
		}
	}
	for _, s := range sides {
		for _, late := range []time.Duration{0, s.decision.Stream.Lateness.Nominal() + time.Minute} {
			if err := s.link.Tick(clockTopic, end.Add(late)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *running) minute(t time.Time, list []street.Observation) error {
	if err := r.link.Tick(clockTopic, t); err != nil {
		return err
	}
	if t.Unix()%300 == 0 {
		r.fleet.Beat(t, "PT5M")
	}
	for _, o := range list {
		r.model.see(o)
	}
	return r.fleet.Send(list)
}

// result reads what was released and compares it with the model.
func (r *running) result(ctx context.Context, tr Traffic) (*Side, error) {
	r.halt()
	st, err := sqlite.OpenReader(filepath.Join(r.dir, "store.db"))
	if err != nil {
		return nil, err
	}
	defer st.Close()
	end := tr.Start.Add(time.Duration(tr.Minutes) * time.Minute)
	list, err := st.Observations(ctx, store.Query{Stream: r.decision.Stream.ID, From: tr.Start, To: end, Limit: 10_000_000})
	if err != nil {
		return nil, err
	}
	side := r.model.side(list)
	side.Name, side.Decision = r.name, r.decision.Decision
	side.Budget, err = r.budget(tr)
	return side, err
}

// budget reads the gateway's own ledger for when the cap was reached.
func (r *running) budget(tr Traffic) (Budget, error) {
	s := r.decision.Stream
	b := Budget{Days: (tr.Minutes + 1439) / 1440}
	if s.Unit.None() {
		return b, nil
	}
	b.PerDay, b.Cap = s.Protect.Epsilon*float64(r.decision.EpochsPerDay()), r.policy.Charter.EpsilonPerDay[s.Unit.StandsFor]
	for i := range r.policy.Decisions {
		if x := &r.policy.Decisions[i]; x.Stream.Unit.StandsFor == s.Unit.StandsFor && !x.Stream.Unit.None() {
			b.AllDecisions += x.Protect.Epsilon * float64(x.EpochsPerDay())
		}
	}
	entries, err := books.Reader{Source: books.Dir(filepath.Join(r.dir, "public"))}.Ledger()
	if err != nil {
		return b, err
	}
	first := s.Day(tr.Start)
	for _, e := range entries {
		if e.Decision == r.decision.Decision && e.Kind == "refuse" {
			a, errA := time.Parse(time.DateOnly, first)
			z, errZ := time.Parse(time.DateOnly, e.Day)
			if errA == nil && errZ == nil {
				b.DaysUntilCap = int(z.Sub(a).Hours()/24) + 1
				break
			}
		}
	}
	return b, nil
}

// City is the simulator's city for some days from the first one of the draft.
func City(p *bundle.Policy, d *bundle.Decision, days int, seed uint64) Traffic {
	sensors := street.Portalba()
	start := d.Stream.From
	s := street.New(street.Config{Seed: seed, Sensors: sensors, PerHour: 900, Location: p.Location})
	return Traffic{Sensors: sensors, Start: start, Minutes: days * 24 * 60, Minute: s.Minute}
}

// Recorded is a file of readings, as firmware-sim replays them, moved by whole
// days to begin on the draft's first day. The register says of which kind and in
// which zone its sensors are.
func Recorded(file, mapping, layout, timezone string, reg *register.Register, p *bundle.Policy, d *bundle.Decision) (Traffic, error) {
	m, err := replay.ParseMapping(mapping, layout, timezone)
	if err != nil {
		return Traffic{}, err
	}
	rows, _, err := replay.Read(file, m)
	if err != nil {
		return Traffic{}, err
	}
	var sensors []street.Sensor
	index := make(map[string]int)
	for i := range reg.Sensors {
		x := &reg.Sensors[i]
		index[x.ID] = len(sensors)
		sensors = append(sensors, street.Sensor{ID: x.ID, Owner: x.Owner, Zone: x.ZoneOf(p.Zones), Kind: street.Kind(x.Kind)})
	}
	rows = slices.DeleteFunc(rows, func(r replay.Row) bool { _, known := index[r.Sensor]; return !known })
	if len(rows) == 0 {
		return Traffic{}, errors.New("no row of the file is of a sensor in the register")
	}
	first := plan.Midnight(rows[0].Time.In(p.Location).Year(), rows[0].Time.In(p.Location).Month(), rows[0].Time.In(p.Location).Day(), p.Location)
	shift := d.Stream.From.Sub(first).Round(24 * time.Hour)
	at := 0
	last := rows[len(rows)-1].Time.Add(shift)
	start := rows[0].Time.Add(shift).Truncate(time.Minute)
	return Traffic{
		Sensors: sensors, Start: start, Minutes: int(last.Sub(start)/time.Minute) + 1,
		Minute: func(t time.Time) (out []street.Observation) {
			for ; at < len(rows) && rows[at].Time.Add(shift).Before(t.Add(time.Minute)); at++ {
				out = append(out, street.Observation{Sensor: index[rows[at].Sensor], Time: rows[at].Time.Add(shift), Fields: rows[at].Fields})
			}
			return out
		},
	}, nil
}
