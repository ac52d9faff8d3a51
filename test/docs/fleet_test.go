package docs

import (
	"path/filepath"
	"testing"

	"sluice/test/fenced"
	"sluice/test/harness"
)

// TestFleetCommands runs what docs/operations.md says of spreadsheets, beside the example city.
func TestFleetCommands(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	harness.Run(t, "cp", "-r", "../../configs/portalba/policy", "../../configs/portalba/register.yaml", dir)
	harness.Write(t, filepath.Join(dir, "fleet.csv"), "Serial;Latitude;Longitude;Street\r\n"+
		"N-17;41,302;2,103;\"Noise at\r\n\"\"Nou\"\"\"\r\nN-18;41,303;2,104;\r\n;;;\r\n")
	bin := []string{filepath.Dir(harness.Sluice)}
	out := fenced.Take(t, "docs/operations.md", "sluice sensor import fleet.csv").Run(dir, bin)
	harness.Want(t, out, `fleet.csv: 2 rows, 2 right, 0 wrong(?s:.*)Nothing is written yet(?s:.*)2 sensors written`)
	harness.Want(t, harness.Run(t, harness.Sluice, "register", "check", filepath.Join(dir, "register.yaml"), "--policy",
		filepath.Join(dir, "policy")), `16 sensors. Nothing is wrong.`)
}
