package compile

import (
	"os"
	"testing"

	"sluice/policy/rego"
	"sluice/register"
)

// TestMain lets the test binary be the rules' process.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "rules" {
		if err := rego.Serve(os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func child(t *testing.T) *rego.Child {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := rego.NewChild(self, "rules")
	t.Cleanup(func() { _ = c.Close() })
	return c
}

var rambla = register.Sensor{ID: "a", Owner: "o", Kind: "wifi-counter", Zone: "rambla"}
