package policy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"sluice/policy/plan"
	"sluice/register"
)

// Plans asks the rules what happens to the readings of one sensor. Sensors of
// the same kind, zone, owner and preset share one answer. A sensor of an unknown
// kind or zone has none.
func (s *Set) Plans(ctx context.Context, sensor *register.Sensor) ([]plan.Plan, []Reason, error) {
	kind, known := s.Kinds[sensor.Kind]
	if !known {
		return nil, []Reason{{Rule: "P00", Message: "the sensor's kind is not in kinds.yaml"}}, nil
	}
	zone := sensor.ZoneOf(s.Zones)
	key := fmt.Sprintf("%q %q %q %q", sensor.Kind, zone, sensor.Owner, sensor.Preset)
	s.mu.Lock()
	defer s.mu.Unlock()
	if plans, ok := s.cache[key]; ok {
		return plans, s.why[key], nil
	}
	fields := []any{}
	for _, f := range kind.Fields {
		fields = append(fields, map[string]any{"name": f.Name, "class": f.Class, "type": f.Type})
	}
	answer, err := s.ask(ctx, askPlan, map[string]any{
		"sensor": map[string]any{"kind": sensor.Kind, "zone": zone, "owner": sensor.Owner, "preset": sensor.Preset},
		"fields": fields, "violations": s.violations,
	})
	if err != nil {
		return nil, nil, err
	}
	plans, reasons, err := s.decode(answer)
	if err != nil {
		return nil, nil, err
	}
	s.cache[key], s.why[key] = plans, reasons
	return plans, reasons, nil
}

func (s *Set) decode(answer json.RawMessage) ([]plan.Plan, []Reason, error) {
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
			return nil, nil, problem(WrongType, fmt.Errorf("plan rules: decision %s has no stream", p.Decision))
		}
		if err := p.Stream.Finish(); err != nil {
			return nil, nil, problem(WrongType, fmt.Errorf("plan rules: %w", err))
		}
		known := stream(s.voted, p.Decision)
		if known == nil || known.Digest != p.Stream.Digest {
			return nil, nil, problem(Changed, fmt.Errorf("plan rules: decision %s came back changed", p.Decision))
		}
		if p.Zone != "" && !slices.Contains(known.Zones, p.Zone) {
			return nil, nil, problem(UnknownZone, fmt.Errorf("plan rules: decision %s has a plan for an unknown zone", p.Decision))
		}
		if why := s.Suspension(p.Decision); why != nil {
			result.Reasons = append(result.Reasons, Reason{p.Decision, "S01", "the council has suspended this decision"})
			continue
		}
		own := stream(s.Streams, p.Decision)
		if own == nil || p.Zone != "" && !slices.Contains(own.Zones, p.Zone) {
			result.Reasons = append(result.Reasons, Reason{p.Decision, "P10", "the zone belongs to another gateway"})
			continue
		}
		plans = append(plans, plan.Plan{Stream: own, Zone: p.Zone})
	}
	return plans, result.Reasons, nil
}

func stream(list []*plan.Stream, decision string) *plan.Stream {
	for _, st := range list {
		if st.Decision == decision {
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
		for _, zone := range q.Stream.Zones {
			out[zone] = "suspended: " + why.Reason
		}
		return out, nil
	}
	answer, err := s.ask(ctx, askRelease, map[string]any{
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
			return nil, problem(UnknownZone, errors.New("release rules: an unknown zone is withheld"))
		}
		out[w.Zone] = w.Reason
	}
	return out, nil
}
