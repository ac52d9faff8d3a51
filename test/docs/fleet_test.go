package docs

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"sluice/test/fenced"
	"sluice/test/harness"
)

// TestFleetCommands runs what docs/operations.md says of spreadsheets, beside the example city.
func TestFleetCommands(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	harness.Run(t, "cp", "-r", "../../configs/portalba/policy", "../../configs/portalba/register.yaml", dir)
	harness.Write(t, filepath.Join(dir, "fleet.csv"), "Serial;DevEUI;Latitude;Longitude;Street\r\n"+
		"N-17;24e124136d151485;41,302;2,103;\"Noise at\r\n\"\"Nou\"\"\"\r\n"+
		"N-18;24e124136d151486;41,303;2,104;\r\n;;;\r\n")
	bin := []string{filepath.Dir(harness.Sluice)}
	out := fenced.Take(t, "docs/operations.md", "map=").Run(dir, bin)
	harness.Want(t, out, `fleet.csv: 2 rows, 2 right, 0 wrong(?s:.*)Nothing is written yet(?s:.*)2 sensors written`)
	harness.Want(t, harness.Run(t, harness.Sluice, "register", "check", filepath.Join(dir, "register.yaml"), "--policy",
		filepath.Join(dir, "policy")), `(?m)^\d+ sensors. Nothing is wrong.`)
}

// TestCertificateCommands runs what docs/operations.md says of certificates, and a gateway and a
// mosquitto with what it shows of their configuration.
func TestCertificateCommands(t *testing.T) {
	t.Parallel()
	harness.Need(t, "mosquitto")
	c := harness.Found(t, harness.Small())
	harness.NewAuthority(t, c.Dir).Issue("server", "localhost")
	b := fenced.Take(t, "docs/operations.md", "sluice sensor cert init")
	b.Change("rambla-1", "gate-1")
	b.Text = strings.ReplaceAll(b.Text, "/etc/sluice", c.Dir)
	harness.Want(t, b.Run(c.Dir, []string{filepath.Dir(harness.Sluice)}),
		`certificates until (?s:.*)Nothing to renew(?s:.*)1 certificate is revoked`)
	y := fenced.Take(t, "docs/operations.md", "listen: {mqtt: \"0.0.0.0:8883\"")
	y.Change("0.0.0.0:8883", c.Mqtt)
	c.Edit("gateway.yaml", fmt.Sprintf("listen: {mqtt: %q}\n", c.Mqtt), y.Read())
	c.Run()
	m := fenced.Take(t, "docs/operations.md", "cafile /etc/sluice/town/ca.crt")
	harness.NewMosquitto(t, strings.ReplaceAll(m.Read(), "/etc/sluice", c.Dir)+fmt.Sprintf(
		"\ncertfile %[1]s/server.crt\nkeyfile %[1]s/server.key\n", c.Dir))
	e := fenced.Take(t, "docs/operations.md", "authentication = [{")
	harness.Want(t, e.Read(), `name = pbkdf2, mac_fun = sha512, iterations = 101, dk_length = 64`)
}
