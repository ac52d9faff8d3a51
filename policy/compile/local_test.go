package compile

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sluice/configs/portalba"
	"sluice/policy/rego"
	"sluice/register"
)

// TestLocalCanOnlyDeny: whatever a module says, no sensor gets a plan that it would
// not have without the module.
func TestLocalCanOnlyDeny(t *testing.T) {
	base, err := Files(context.Background(), rego.InProcess(), portalba.Policy())
	if err != nil {
		t.Fatal(err)
	}
	sensors := []register.Sensor{rambla, {ID: "b", Owner: "o", Kind: "card-reader", Zone: "estacio"},
		{ID: "c", Owner: "o", Kind: "noise-meter", Zone: "port"},
		{ID: "d", Owner: "o", Kind: "air-station", Zone: "raval"}}
	rapid.Check(t, func(r *rapid.T) {
		var b strings.Builder
		b.WriteString("package sluice.local\n")
		head := rapid.SampledFrom([]string{"deny contains x if", "deny contains x if", "allow contains x if",
			"result := x if", "plans := [x] if"}).Draw(r, "head")
		value := rapid.SampledFrom([]string{
			`x := {"decision": d.decision, "message": "m"}`, `x := {"decision": "2026-14", "message": "m"}`,
			`x := {"decision": d.decision, "zone": "rambla", "stream": d.stream_spec}`,
			`x := d.stream_spec`, `x := 1`,
		}).Draw(r, "value")
		cond := rapid.SampledFrom([]string{
			"true", "false", `d.decision == "2026-14"`, "d.protect.epsilon > 0.5",
			`count(data.zones) == 0 with data.zones as []`,
			`input.sensor.kind == "wifi-counter"`, `count([1]) == 7 with count as max`,
			`data.charter.min_units == 0 with data.charter.min_units as 0`,
		}).Draw(r, "cond")
		fmt.Fprintf(&b, "%s { some d in data.decisions; %s; %s }\n", head, cond, value)
		files := portalba.Policy()
		files["local/x.rego"] = []byte(b.String())
		set, err := Files(context.Background(), rego.InProcess(), files)
		if err != nil {
			return // nothing is permitted
		}
		for i := range sensors {
			plans, _, err := set.Plans(context.Background(), &sensors[i])
			if err != nil {
				continue
			}
			before, _, err := base.Plans(context.Background(), &sensors[i])
			if err != nil {
				r.Fatal(err)
			}
			if extra := without(plans, before); len(extra) > 0 {
				r.Fatalf("sensor %s gains %v by\n%s", sensors[i].ID, extra, b.String())
			}
			for _, p := range plans {
				if p.Stream.Digest != stream(base.Streams, p.Stream.Decision).Digest {
					r.Fatalf("a plan came out changed by\n%s", b.String())
				}
			}
		}
	})
}
