package compile

import (
	"context"
	"strings"
	"testing"

	"sluice/configs/portalba"
	"sluice/policy/rego"
	"sluice/register"
)

// TestPlansComeBackUnchanged gives a gateway rules that weaken what the council
// decided on the way.
func TestPlansComeBackUnchanged(t *testing.T) {
	ctx := context.Background()
	for name, change := range map[string]struct{ old, new string }{
		"weaker protection": {`"stream": d.stream_spec`,
			`"stream": object.union(d.stream_spec, {"protect": {"min_units": 1}})`},
		"another zone":   {`"zone": zone(d)`, `"zone": "moon"`},
		"an unknown key": {`"zone": zone(d)`, `"zone": zone(d), "extra": 1`},
		"no stream":      {`"stream": d.stream_spec`, `"stream": null`},
		"not a list":     {`{"plans": plans, "reasons": reasons}`, `{"plans": "all", "reasons": reasons}`},
		"undefined":      {`result := {`, `result := {"x": data.nothing.at.all} if data.nothing.at.all; other := {`},
	} {
		t.Run(name, func(t *testing.T) {
			files := portalba.Policy()
			sources, err := rego.Embedded()
			if err != nil {
				t.Fatal(err)
			}
			for file, source := range sources {
				files[file] = []byte(source)
			}
			changed := strings.Replace(sources["rules/plan.rego"], change.old, change.new, 1)
			changed = strings.Replace(changed, "; other := {", "\n\nother := {", 1)
			if changed == sources["rules/plan.rego"] {
				t.Fatalf("plan.rego does not hold %s", change.old)
			}
			files["rules/plan.rego"] = []byte(changed)
			set, err := Files(ctx, rego.InProcess(), files)
			if err != nil {
				t.Fatal(err)
			}
			plans, _, err := set.Plans(ctx, &register.Sensor{ID: "a", Owner: "o", Kind: "wifi-counter", Zone: "rambla"})
			if err == nil || len(plans) > 0 {
				t.Errorf("%d plans (%v); want an error", len(plans), err)
			}
		})
	}
}
