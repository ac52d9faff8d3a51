package harness

import (
	"strings"
	"testing"
)

// TestScriptsFail: what a script finds, or breaks at, is said of that script, and the next one runs.
func TestScriptsFail(t *testing.T) {
	t.Parallel()
	installed := libraries(t)
	for name, want := range map[string]string{"nothing.js": "Cannot find module", "linked.js": "no such file"} {
		if out, err := script(installed, []string{name, "no/file"}); err == nil || !strings.Contains(out, want) {
			t.Errorf("%s says %q, %v", name, out, err)
		}
	}
}
