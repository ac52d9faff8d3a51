package gateway

import (
	"context"
	"testing"

	"sluice/policy/rego"
)

// TestBundlesAreTasted: what the council has signed is read in the child first; a
// child that dies of it keeps it away from the gateway.
func TestBundlesAreTasted(t *testing.T) {
	g := &Gateway{rules: rego.NewChild("/bin/false")}
	v := g.verifier(context.Background())
	if v.Taste == nil {
		t.Fatal("a gateway reads bundles that nothing has tasted")
	}
	if err := v.Taste([]byte("poison")); rego.CodeOf(err) != rego.Died {
		t.Errorf("got %v; want %s", err, rego.Died)
	}
}
