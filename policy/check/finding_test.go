package check

import (
	"strings"
	"testing"

	"sluice/internal/locales"
	"sluice/policy/explain"
)

// TestValuesCutNothing: whatever a value of a file is, fmt's own marks among it, each half of a
// finding says all of itself and of the value, and no more.
func TestValuesCutNothing(t *testing.T) {
	for _, hostile := range []string{"%!(EXTRA string=x)", "%!(EXTRA", "%s", "%[9]s", "100 %"} {
		for _, rule := range []string{"S02", "S04", "W44", "K36", "R99"} {
			for l := range locales.Languages {
				what, mend := Finding{Rule: rule, Args: []any{"first", "second", "third"}}.Text(explain.Lang(l))
				gotWhat, gotMend := Finding{Rule: rule, Args: []any{hostile, hostile, hostile}}.Text(explain.Lang(l))
				put := strings.NewReplacer("first", hostile, "second", hostile, "third", hostile)
				if gotWhat != put.Replace(what) || gotMend != put.Replace(mend) || strings.Contains(what+mend, "%!") {
					t.Errorf("%s, %s: %q makes of %q and %q\n%q and\n%q", rule, locales.Languages[l], hostile, what,
						mend, gotWhat, gotMend)
				}
			}
		}
	}
}
