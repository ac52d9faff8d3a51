package docs

import (
	"path/filepath"
	"testing"

	"sluice/test/fenced"
	"sluice/test/harness"
)

// TestSampleCommands runs what docs/wire.md says of trying a message, beside the example city.
func TestSampleCommands(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	harness.Run(t, "cp", "-r", "../../configs/portalba/policy", dir)
	out := fenced.Take(t, "docs/wire.md", "echo '{\"ts\"").Run(dir, []string{filepath.Dir(harness.Sluice)})
	harness.Want(t, out, `reading 1 counts by 2026-16
    instant  2026-11-23T10:00:00Z, from /ts
    seq      1, from /seq(?s:.*)device   noise-7, from the topic`)
	harness.Want(t, out, `/fields/laeq +laeq +kept +decision 2026-16
(?s:.*)/fields/note +dropped +nothing names it
1 message, 1 reading: 1 would count`)
}
