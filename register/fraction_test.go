package register

import (
	"strings"
	"testing"
)

// TestFractions: a profile whose devices send fractions is held against a kind that takes whole numbers only.
func TestFractions(t *testing.T) {
	reg, err := Parse("register.yaml", []byte(`sensors:
  - {id: a, owner: o, kind: k, zone: z, registered: 2026-01-01, preset: espresense, profile: espresense, device: hall}
`))
	if err != nil {
		t.Fatal(err)
	}
	for typ, want := range map[string]bool{"int": true, "float": false} {
		found := reg.Check(map[string]Kind{"k": {Fields: []Field{{Name: "rssi", Type: typ}}}}, nil)
		said := false
		for _, f := range found {
			said = said || strings.Contains(f.What(), "send fractions of")
		}
		if said != want {
			t.Errorf("%s: %v", typ, found)
		}
	}
}
