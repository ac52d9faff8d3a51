package activation

import (
	"context"
	"testing"

	"sluice/gateway/config"
	"sluice/policy/rego"
)

// TestBundlesAreTasted: what the council has signed is read in the child first; a
// child that dies of it keeps it away from the gateway.
func TestBundlesAreTasted(t *testing.T) {
	m := &motions{p: &Policies{cfg: new(config.Config), planner: planner{rules: rego.NewChild("/bin/false")}}}
	v := m.verifier(context.Background())
	if v.Taste == nil {
		t.Fatal("a gateway reads bundles that nothing has tasted")
	}
	if err := v.Taste([]byte("poison")); rego.CodeOf(err) != rego.Died {
		t.Errorf("got %v; want %s", err, rego.Died)
	}
}
