package bundle

import (
	"encoding/json"
	"fmt"
	"time"

	"sluice/policy/decision"
)

// Data is what the rules see: documents with derived numbers, so that no rule
// parses a date or a duration.
//
//	decisions  documents, with stream_spec, stands_for, epochs_per_day, gateways, days,
//	           from_seconds, until_seconds, blackouts in seconds
//	charter    with sunset_max_days and blackout_max_seconds
//	kinds      by id
//	zones      ids
func Data(p *Policy) (map[string]any, error) {
	decisions := []any{}
	for _, d := range p.Decisions {
		v, err := decision.Data(d.Document)
		if err != nil {
			return nil, err
		}
		spec, err := decision.Data(d.Stream)
		if err != nil {
			return nil, err
		}
		m := v.(map[string]any)
		m["stream_spec"] = spec
		m["stands_for"] = d.Stream.Unit.StandsFor
		m["epochs_per_day"] = number(d.EpochsPerDay())
		m["gateways"] = number(p.GatewaysOf(d.AppliesTo.Zones))
		m["days"] = number(int64(d.Stream.Until.Sub(d.Stream.From) / (24 * time.Hour)))
		m["from_seconds"] = number(d.Stream.From.Unix())
		m["until_seconds"] = number(d.Stream.Until.Unix())
		list := []any{}
		for _, b := range d.Blackouts {
			list = append(list, map[string]any{
				"zones": anys(b.Zones), "reason": b.Reason,
				"from_seconds": number(b.From.Unix()), "until_seconds": number(b.Until.Unix()),
				"seconds": number(int64(b.Until.Sub(b.From) / time.Second)),
			})
		}
		m["blackouts"] = list
		decisions = append(decisions, normal(m))
	}
	charter, err := decision.Data(p.Charter)
	if err != nil {
		return nil, err
	}
	cm := normal(charter).(map[string]any)
	cm["sunset_max_days"] = number(int64(p.Charter.SunsetMax.Nominal() / (24 * time.Hour)))
	cm["blackout_max_seconds"] = number(int64(p.Charter.BlackoutMax.Nominal() / time.Second))
	kinds, err := decision.Data(p.Kinds)
	if err != nil {
		return nil, err
	}
	return map[string]any{"decisions": decisions, "charter": cm, "kinds": normal(kinds), "zones": anys(p.Zones.IDs())},
		nil
}

func number(n int64) json.Number { return json.Number(fmt.Sprint(n)) }

func anys(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}

// normal turns absent lists (null) into empty ones, which is what rules expect.
func normal(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, x := range v {
			if x == nil {
				v[key] = []any{}
			} else {
				v[key] = normal(x)
			}
		}
	case []any:
		for i := range v {
			v[i] = normal(v[i])
		}
	}
	return v
}

// GatewaysOf counts the gateways to which zones belong: each of them publishes, and
// each costs.
func (p *Policy) GatewaysOf(zones []string) int64 {
	seen := make(map[string]bool)
	for _, id := range zones {
		seen[p.Zones.Gateway(id)] = true
	}
	return max(1, int64(len(seen)))
}
