package simulate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"sluice/firmware-sim/street"
	"sluice/internal/civil"
	"sluice/plan"
	"sluice/policy/bundle"
)

// Values are what a council weighs: the window, the smallest group, the budget and how often one
// counts.
type Values struct {
	Every            civil.Period `json:"every"`
	MinUnits         int64        `json:"min_units"`
	Epsilon          float64      `json:"epsilon"`
	MaxContributions int64        `json:"max_contributions"`
}

// ValuesOf are those of a decision.
func ValuesOf(d *bundle.Decision) Values {
	p := d.Stream.Protect
	return Values{d.Stream.Every, p.MinUnits, p.Epsilon, p.MaxContributions}
}

// maxKept bounds the readings that a rehearsal keeps in memory, some 300 bytes each.
const maxKept = 2_000_000

// ErrLong is the error for more readings than a rehearsal keeps.
var ErrLong = errors.New("there are more than two million readings; take fewer days")

// Rehearsal has a day's or more traffic in memory, and tries values on it without a gateway: in
// milliseconds, and with the arithmetic of release. Where Run measures what a gateway does, this
// computes it; a test holds the two together. It is safe for concurrent use.
type Rehearsal struct {
	policy   *bundle.Policy
	decision *bundle.Decision
	traffic  Traffic
	// Notes are sentences on what is not simulated.
	Notes []string

	list   []street.Observation
	mu     sync.Mutex
	models map[string]*model // by window, and of the first day only or not; guarded by mu
}

// NewRehearsal reads the traffic once. The error is a Lacks where it has not what the decision needs.
func NewRehearsal(
	ctx context.Context, p *bundle.Policy, d *bundle.Decision, tr Traffic, sp Speech, progress func(done, total int),
) (*Rehearsal, error) {
	r := &Rehearsal{policy: p, decision: d, traffic: tr, models: make(map[string]*model)}
	m, v := newModel(p, d, tr.Sensors), newSurvey()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	tick := func(done int) {
		if progress != nil {
			progress(done, tr.Minutes)
		}
	}
	err := tr.each(ctx, tick, func(x street.Observation) {
		sensor := tr.Sensors[x.Sensor]
		v.see(sensor, x, m)
		if !slices.Contains(d.AppliesTo.Kinds, string(sensor.Kind)) {
			return
		}
		if len(r.list) == maxKept {
			stop(ErrLong)
			return
		}
		m.see(x)
		r.list = append(r.list, x)
	})
	if err != nil {
		return nil, errors.Join(context.Cause(ctx))
	}
	if r.Notes, err = lacks(orEnglish(sp), p, d, tr, v, m); err != nil {
		return nil, err
	}
	r.models[key(d.Stream.Every, tr.days() == 1)] = m
	return r, nil
}

func key(every civil.Period, first bool) string { return fmt.Sprint(every.Nominal(), first) }

// stream is the decision's with other values. The error tells which of them no decision can have.
func (r *Rehearsal) stream(v Values) (*plan.Stream, error) {
	s := *r.decision.Stream
	s.Every, s.Measures, s.Cells = v.Every, slices.Clone(s.Measures), nil
	if len(s.OwnerParts()) > 0 {
		v.MaxContributions = s.Protect.MaxContributions // the parts of by_owner are parts of it
	}
	if !s.Unit.None() {
		s.Protect.MinUnits, s.Protect.Epsilon, s.Protect.MaxContributions = v.MinUnits, v.Epsilon, v.MaxContributions
	}
	if err := s.Finish(); err != nil {
		return nil, err
	}
	return &s, nil
}

// model is the truth in a stream's windows; of the first day only where first is said.
func (r *Rehearsal) model(s *plan.Stream, first bool) *model {
	first = first || r.traffic.days() == 1
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.models[key(s.Every, first)]
	if m == nil {
		m = newModel(r.policy, r.decision, r.traffic.Sensors)
		m.s = s
		end := r.traffic.Start.Add(24 * time.Hour)
		for _, x := range r.list {
			if !first || x.Time.Before(end) {
				m.see(x)
			}
		}
		r.models[key(s.Every, first)] = m
	}
	own := *m // what has passed is the same under other values
	own.s = s
	return &own
}

// Propose is the contribution bound and window that serve best within the charter's limits, over the
// first day, with the smallest group and the budget of these values; nil for a stream about nobody.
func (r *Rehearsal) Propose(v Values, sp Speech) (*Proposal, error) {
	s, err := r.stream(v)
	if err != nil {
		return nil, err
	}
	d := *r.decision
	d.Stream = s
	search, err := searchOver(r.policy, &d, func(s *plan.Stream) *model { return r.model(s, true) })
	if err != nil {
		return nil, err
	}
	return search.propose(orEnglish(sp)), nil
}
