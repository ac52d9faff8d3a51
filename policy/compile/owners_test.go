package compile

import (
	"slices"
	"strings"
	"testing"

	"sluice/configs/portalba"
	"sluice/policy/rego"
	"sluice/register"
)

// TestOwnersWithoutAPart: where a decision divides its bound between owners, sensors of
// others have no plan, whatever the rules say; and owners that nobody names are asked about
// together.
func TestOwnersWithoutAPart(t *testing.T) {
	const file = "decisions/2026-14-footfall.yaml"
	for name, lenient := range map[string]bool{"the rules look": false, "the rules do not": true} {
		files := portalba.Policy()
		text := strings.Replace(string(files[file]), "max_contributions: 4",
			"max_contributions: 4\n  by_owner: {acme: 3, tram: 1}", 1)
		if text == string(files[file]) {
			t.Fatal("the example has another bound")
		}
		files[file] = []byte(text)
		if lenient {
			sources, err := rego.Embedded()
			if err != nil {
				t.Fatal(err)
			}
			sources["rules/plan.rego"] = strings.Replace(sources["rules/plan.rego"], "count(parts(d)) > 0",
				"count(parts(d)) > 99", 1)
			for file, source := range sources {
				files[file] = []byte(source)
			}
		}
		set, err := Files(t.Context(), rego.InProcess(), files)
		if err != nil {
			t.Fatal(err)
		}
		for _, owner := range []string{"acme", "tram", "other", "another", ""} {
			plans, reasons, err := set.Plans(t.Context(),
				&register.Sensor{ID: "a", Owner: owner, Kind: "wifi-counter", Zone: "rambla"})
			named := owner == "acme" || owner == "tram"
			refused := slices.ContainsFunc(reasons, func(r Reason) bool {
				return r.Rule == "P11" && r.Decision == "2026-14"
			})
			if err != nil || (len(plans) == 1) != named || refused == named {
				t.Errorf("%s, owner %q: %d plans, %v, %v", name, owner, len(plans), reasons, err)
			}
			for _, p := range plans {
				if n, ok := p.Stream.OwnerPart(owner); !ok || p.Stream.OwnerParts()[n-1].Owner != owner {
					t.Errorf("%s, owner %q: part %d, %v", name, owner, n, ok)
				}
			}
		}
		if n := len(set.cache); n != 3 {
			t.Errorf("%s: %d sorts are asked about; want one of each owner with a part and one of the others", name, n)
		}
	}
}
