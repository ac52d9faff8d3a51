package check_test

import (
	"slices"
	"strings"
	"testing"

	"sluice/configs/portalba"
)

// TestALevelIsOfDecibels: of a field in another unit there is none, and where no unit is
// said, that is.
func TestALevelIsOfDecibels(t *testing.T) {
	for unit, want := range map[string]string{"unit: dB(A), ": "", "unit: dBA, ": "", "unit: db, ": "",
		"unit: ug/m3, ": "D36", "": "W42"} {
		files := portalba.Policy()
		files["kinds.yaml"] = []byte(strings.Replace(string(files["kinds.yaml"]), "unit: dB(A), ", unit, 1))
		found, _ := run(files)
		got := rules(found)
		if want == "" && len(got) > 0 || want != "" && !slices.Equal(got, []string{want}) {
			t.Errorf("%q: %v; want %q", unit, got, want)
		}
	}
}
