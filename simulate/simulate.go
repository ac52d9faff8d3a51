// Package simulate runs a draft before the vote. The draft and the policy in force run side by side,
// each in a gateway of its own, over the same simulated or recorded traffic and on an accelerated
// clock. The gateways are real, with real noise and a real ledger; a model computes the exact
// results beside them, so that the error is known.
//
// Who weighs values one against another waits for no gateway: a Rehearsal counts the traffic once, and
// tries values on it by the arithmetic that releases numbers, with noise from a seed. Traffic is that of
// the simulated city, of a street in three Answers, or a Recording.
package simulate

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
	"sluice/firmware-sim/street"
	"sluice/gateway"
	"sluice/gateway/config"
	"sluice/policy/bundle"
	"sluice/store"
	"sluice/store/sqlite"
)

// Options of a simulation.
type Options struct {
	Draft, InForce *bundle.Policy // InForce is nil for none
	// Decision is the draft's; the policy in force is compared by the same id or stream.
	Decision string
	Traffic  Traffic
	Progress func(done, total int)
	// Speech is the language of the report's sentences; nil for English.
	Speech Speech
}

// Names of the sides, as they appear in files.
const nameDraft, nameInForce = "draft", "in force"

const clockTopic = "city/v1/clock"

// Run runs both sides over the traffic and compares them with the model.
func Run(ctx context.Context, o Options) (*Report, error) {
	d := o.Draft.Decision(o.Decision)
	if d == nil {
		return nil, noDecision(o.Decision)
	}
	progress := o.Progress
	if progress == nil {
		progress = func(int, int) {}
	}
	o.Progress = func(done, _ int) { progress(done, 2*o.Traffic.Minutes) }
	sides := []*running{{name: nameDraft, policy: o.Draft, decision: d}}
	if o.InForce != nil {
		if old := Matching(o.InForce, d); old != nil {
			sides = append(sides, &running{name: nameInForce, policy: o.InForce, decision: old})
		}
	}
	report := &Report{Start: o.Traffic.Start.In(o.Draft.Location), Days: o.Traffic.days()}
	if err := examine(ctx, o, sides, report); err != nil {
		return nil, err
	}
	sides = slices.DeleteFunc(sides, func(s *running) bool { return s.left })
	for _, s := range sides {
		defer s.close()
		if err := s.open(ctx, o.Traffic); err != nil {
			return nil, err
		}
	}
	if err := play(ctx, o, sides); err != nil {
		return nil, err
	}
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

func noDecision(id string) error { return fmt.Errorf("the draft has no decision %s", id) }

// examine reads the traffic once before anything runs: does it have what the decisions need, and
// which choice would serve best?
func examine(ctx context.Context, o Options, sides []*running, report *Report) error {
	o.Speech = orEnglish(o.Speech)
	search, err := newSearch(o.Draft, sides[0].decision, o.Traffic)
	if err != nil {
		return err
	}
	var surveys []*survey
	var models []*model
	for _, s := range sides {
		surveys, models = append(surveys, newSurvey()),
			append(models, newModel(s.policy, s.decision, o.Traffic.Sensors))
	}
	day := o.Traffic.Start.Add(24 * time.Hour)
	err = o.Traffic.each(ctx, func(done int) { o.Progress(done, 0) }, func(x street.Observation) {
		for i, m := range models {
			surveys[i].see(o.Traffic.Sensors[x.Sensor], x, m)
			m.see(x)
		}
		if x.Time.Before(day) {
			search.see(x)
		}
	})
	if err != nil {
		return err
	}
	for i, s := range sides {
		notes, err := lacks(o.Speech, s.policy, s.decision, o.Traffic, surveys[i], models[i])
		switch lack := (*Lacks)(nil); {
		case err == nil && i == 0:
			report.Notes = append(report.Notes, notes...)
		case i > 0 && errors.As(err, &lack):
			s.left = true
			report.Notes = append(report.Notes, notBeside(o.Speech, lack))
		case err != nil:
			return err
		}
	}
	report.Proposal = search.propose(o.Speech)
	return nil
}

// Matching is the decision of a policy that a draft changes, by its id or its stream; nil for none.
func Matching(p *bundle.Policy, d *bundle.Decision) *bundle.Decision {
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

// running is the state of one side.
type running struct {
	name     string
	policy   *bundle.Policy
	decision *bundle.Decision
	left     bool // out, because the traffic lacks what it asks for

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
	r.gateway, err = gateway.Open(ctx, config.Config{
		Gateway: "trial", Keys: "memory", Dir: r.dir, Simulation: true, Time: config.Time{Topic: clockTopic},
		Register: reg,
		Listen:   config.Listen{MQTT: "127.0.0.1:0"}, Admin: "127.0.0.1:0",
		Policy: config.Policy{Dir: filepath.Join(r.dir, "policy")},
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
		text += fmt.Sprintf("  - {id: %s, owner: %s, kind: %s, zone: %s, registered: %s}\n", s.ID, s.Owner, s.Kind,
			s.Zone, start.AddDate(0, 0, -2).Format(time.DateOnly))
	}
	return os.WriteFile(path, []byte(text), 0o600)
}

// close releases everything; a side that was never opened has nothing to release.
func (r *running) close() {
	r.halt()
	if r.dir != "" {
		_ = os.RemoveAll(r.dir) // a temporary directory
	}
}

// halt stops the gateway, so that everything it released is in the store.
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
	minute := o.Traffic.Begin()
	for m := range o.Traffic.Minutes {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		t := o.Traffic.Start.Add(time.Duration(m) * time.Minute)
		list := minute(t)
		for _, s := range sides {
			if err := s.minute(t, list); err != nil {
				return err
			}
		}
		o.Progress(o.Traffic.Minutes+m+1, 0)
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
	list, err := st.Observations(ctx,
		store.Query{Stream: r.decision.Stream.ID, From: tr.Start, To: end, Limit: 10_000_000})
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
	b := Budget{Days: tr.days()}
	if s.Unit.None() {
		return b, nil
	}
	b.PerDay, b.Cap = s.Protect.Epsilon*float64(r.decision.EpochsPerDay()),
		r.policy.Charter.EpsilonPerDay[s.Unit.StandsFor]
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
