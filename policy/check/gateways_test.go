package check_test

import (
	"strings"
	"testing"

	"sluice/configs/portalba"
	"sluice/policy/explain"
)

// TestBudgetOverGateways: a decision whose zones belong to two gateways costs twice.
func TestBudgetOverGateways(t *testing.T) {
	files := portalba.Policy()
	files["zones.geojson"] = []byte(strings.Replace(string(files["zones.geojson"]), `"name": "La Rambla"`,
		`"name": "La Rambla", "gateway": "edge-2"`, 1))
	found, _ := run(files)
	if len(found) != 1 || found[0].Rule != "C06" || found[0].File != footfall {
		t.Errorf("found %+v; want C06", found)
	}
	for _, l := range []explain.Lang{0, 1, 2} {
		what, mend := found[0].Text(l)
		if all := what + mend; !strings.Contains(all, " 2 ") || !strings.Contains(all, "zones.geojson") ||
			strings.Contains(all, "%!") {
			t.Errorf("it says %q and %q", what, mend)
		}
	}
}
