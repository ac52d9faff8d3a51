package compile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"sluice/plan"
	"sluice/policy/rego"
	"sluice/register"
)

// Plans asks the rules what happens to the readings of one sensor. Sensors of
// the same kind, zone, preset and, where some rule looks at it, owner share one answer. A sensor of an unknown
// kind or zone has none.
func (s *Set) Plans(ctx context.Context, sensor *register.Sensor) ([]plan.Plan, []Reason, error) {
	sort, known := s.sortOf(sensor)
	if !known {
		return nil, []Reason{{Rule: "P00", Message: "the sensor's kind is not in kinds.yaml"}}, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if plans, ok := s.cache[sort]; ok {
		return plans, s.why[sort], nil
	}
	answer, err := s.ask(ctx, rego.AskPlan, s.question(sort))
	if err != nil {
		return nil, nil, err
	}
	if err := s.keep(sort, answer); err != nil {
		return nil, nil, err
	}
	return s.cache[sort], s.why[sort], nil
}

// together is how many questions of Prepare go to the rules at once.
const together = 64

// Prepare asks what Plans would ask for each sensor of a register, many at once: a
// city has thousands of sorts, and the way to the rules and back takes longer than
// they do. What gets no answer is left to Plans, which says why.
func (s *Set) Prepare(ctx context.Context, reg *register.Register) {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := make(map[sort]bool)
	var todo []sort
	for n := range reg.Sensors {
		one, known := s.sortOf(&reg.Sensors[n])
		if _, answered := s.cache[one]; known && !answered && !asked[one] {
			asked[one] = true
			todo = append(todo, one)
		}
	}
	for some := range slices.Chunk(todo, together) {
		var inputs []any
		for _, one := range some {
			inputs = append(inputs, s.question(one))
		}
		answers, err := s.rules.AskEach(ctx, s.bundle, rego.AskPlan, inputs)
		if err != nil || len(answers) != len(some) {
			return
		}
		for n, one := range some {
			if s.keep(one, answers[n]) != nil {
				return
			}
		}
	}
}

// sort is all that rules see of a sensor; the owner only where they may look at it. Part
// is the owner where a decision names it in by_owner.
type sort struct{ kind, zone, owner, preset, part string }

func (s *Set) sortOf(sensor *register.Sensor) (one sort, known bool) {
	_, known = s.Kinds[sensor.Kind]
	one = sort{kind: sensor.Kind, zone: sensor.ZoneOf(s.Zones), owner: sensor.Owner, preset: sensor.Preset}
	if !s.owners {
		one.owner = ""
	}
	if slices.ContainsFunc(s.voted, func(st *plan.Stream) bool { return st.Protect.ByOwner[sensor.Owner] > 0 }) {
		one.part = sensor.Owner
	}
	return one, known
}

// question is what the rules are asked about a sort of sensor.
func (s *Set) question(one sort) any {
	fields := []any{}
	for _, f := range s.Kinds[one.kind].Fields {
		fields = append(fields, map[string]any{"name": f.Name, "class": f.Class, "type": f.Type})
	}
	return map[string]any{
		"sensor": map[string]any{"kind": one.kind, "zone": one.zone, "owner": one.owner, "preset": one.preset,
			"part": one.part},
		"fields": fields, "violations": s.violations,
	}
}

// keep takes an answer to it; who calls it holds mu.
func (s *Set) keep(one sort, answer json.RawMessage) error {
	plans, reasons, err := s.decode(one, answer)
	if err != nil {
		return err
	}
	s.cache[one], s.why[one] = plans, reasons
	return nil
}

func (s *Set) decode(one sort, answer json.RawMessage) ([]plan.Plan, []Reason, error) {
	var result struct {
		Plans []struct {
			Decision string       `json:"decision"`
			Zone     string       `json:"zone"`
			Stream   *plan.Stream `json:"stream"`
		} `json:"plans"`
		Reasons []Reason `json:"reasons"`
	}
	if err := strict(answer, &result); err != nil {
		return nil, nil, fmt.Errorf("plan rules: %w", err)
	}
	var plans []plan.Plan
	for _, p := range result.Plans {
		if p.Stream == nil {
			return nil, nil, rego.WithCode(rego.WrongType,
				fmt.Errorf("plan rules: decision %s has no stream", p.Decision))
		}
		if err := p.Stream.Finish(); err != nil {
			return nil, nil, rego.WithCode(rego.WrongType, fmt.Errorf("plan rules: %w", err))
		}
		known := stream(s.voted, p.Decision)
		if known == nil || known.Digest != p.Stream.Digest {
			return nil, nil, rego.WithCode(rego.Changed,
				fmt.Errorf("plan rules: decision %s came back changed", p.Decision))
		}
		if p.Zone != "" && !slices.Contains(known.Zones, p.Zone) {
			return nil, nil, rego.WithCode(rego.UnknownZone,
				fmt.Errorf("plan rules: decision %s has a plan for an unknown zone", p.Decision))
		}
		if _, named := known.OwnerPart(one.part); !named { // whatever the rules say of it
			result.Reasons = append(result.Reasons,
				Reason{p.Decision, "P11", "by_owner does not name the sensor's owner"})
			continue
		}
		if known.Unit.None() && s.Charter.AboutPeople(one.kind, s.Kinds[one.kind]) { // whatever the rules say
			result.Reasons = append(result.Reasons,
				Reason{p.Decision, "C04", "this kind counts people, so the decision needs a unit of privacy"})
			continue
		}
		if why := s.Suspension(p.Decision); why != nil {
			result.Reasons = append(result.Reasons,
				Reason{p.Decision, "S01", "the council has suspended this decision"})
			continue
		}
		own := stream(s.Streams, p.Decision)
		if own == nil || p.Zone != "" && !slices.Contains(own.Zones, p.Zone) {
			result.Reasons = append(result.Reasons, Reason{p.Decision, "P10", "the zone belongs to another gateway"})
			continue
		}
		plans = append(plans, plan.Plan{Stream: own, Zone: p.Zone})
		for _, days := range s.Streams { // what the rules allow for hours, they allow for days
			if days.Decision == p.Decision && days.Of == own.ID {
				plans = append(plans, plan.Plan{Stream: days, Zone: p.Zone})
			}
		}
	}
	return plans, result.Reasons, nil
}

// stream is that of a decision, not of its days; nil for none.
func stream(list []*plan.Stream, decision string) *plan.Stream {
	for _, st := range list {
		if st.Decision == decision && st.Of == "" {
			return st
		}
	}
	return nil
}

// Withhold asks the release rules which of the stream's zones are withheld for
// one closed window, and the public reason of each. It sees metadata only.
func (s *Set) Withhold(ctx context.Context, q plan.Question) (map[string]string, error) {
	if why := s.Suspension(q.Stream.Decision); why != nil {
		out := make(map[string]string)
		text, _ := why.Reason.Best("en")
		for _, zone := range q.Stream.Zones {
			out[zone] = "suspended: " + text
		}
		return out, nil
	}
	answer, err := s.ask(ctx, rego.AskRelease, map[string]any{
		"decision": q.Stream.Decision, "stream": q.Stream.ID,
		"start_seconds": q.Start.Unix(), "end_seconds": q.End.Unix(),
		"zones": q.Stream.Zones,
	})
	if err != nil {
		return nil, err
	}
	var list []struct {
		Zone   string `json:"zone"`
		Reason string `json:"reason"`
	}
	if err := strict(answer, &list); err != nil {
		return nil, fmt.Errorf("release rules: %w", err)
	}
	out := make(map[string]string, len(list))
	for _, w := range list {
		if !slices.Contains(q.Stream.Zones, w.Zone) {
			return nil, rego.WithCode(rego.UnknownZone, errors.New("release rules: an unknown zone is withheld"))
		}
		out[w.Zone] = w.Reason
	}
	return out, nil
}
