package simulate

import (
	"os"
	"testing"

	"sluice/gateway"
	"sluice/policy/rego"
)

// TestMain is the child that evaluates rules, where a gateway starts one.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == gateway.RulesVerb {
		if rego.Serve(os.Stdin, os.Stdout) != nil {
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}
