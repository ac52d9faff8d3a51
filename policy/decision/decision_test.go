package decision

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"sluice/register"
)

func seeds(f *testing.F) {
	names, err := filepath.Glob("../../configs/portalba/policy/decisions/*.yaml")
	if err != nil || len(names) == 0 {
		f.Fatal("no decisions to begin with", err)
	}
	for _, name := range append(names, "../../configs/portalba/policy/kinds.yaml",
		"../../configs/portalba/policy/charter.yaml", "../../configs/portalba/register.yaml") {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("place: {lat: 1}"))
}

// FuzzParse: whatever the file, there is a document or an error, and a document
// that is accepted can be translated or is refused with words.
func FuzzParse(f *testing.F) {
	seeds(f)
	f.Fuzz(func(_ *testing.T, raw []byte) {
		if d, err := Parse("x.yaml", raw); err == nil {
			if s, err := d.Plan(time.UTC, nil); err == nil {
				_ = s.Finish()
			}
		}
		_, _ = register.ParseKinds("x.yaml", raw)
		_, _ = ParseCharter("x.yaml", raw)
		_, _ = ParseCouncil("x.yaml", raw)
	})
}
