package docs

import (
	"os"
	"path/filepath"
	"testing"

	"sluice/test/fenced"
	"sluice/test/harness"
)

// TestCertificate runs the commands of docs/certificate.md: a simulated device is tried, and its certificate
// verified by both programs; a person is told what to enter into a real one.
func TestCertificate(t *testing.T) {
	t.Parallel()
	harness.Need(t, "ssh-keygen")
	dir := t.TempDir()
	b := fenced.Take(t, "docs/certificate.md", "go build -o bin/ ./cmd/sluice ./firmware-sim")
	b.Change("127.0.0.1:1885", "127.0.0.1:0")
	built(b)
	out := b.Run(dir, nil)
	for _, check := range []string{"identity", "retransmission", "clock", "backlog", "reset", "malformed", "declared",
		"heartbeat"} {
		harness.Want(t, out, `(?m)^`+check+` +pass `)
	}
	harness.Want(t, harness.Read(t, filepath.Join(dir, "certificate/report.txt")), `(?m)^Device +firmware-sim, a simulated`)
	out = fenced.Take(t, "docs/certificate.md", "echo \"lab@example.org").Run(dir, nil)
	harness.Want(t, out, `(?m)^Signed by lab@example.org$`)
	harness.Want(t, out, `Good "sluice-certificate" signature for lab@example.org`)

	b = fenced.Take(t, "docs/certificate.md", "sluice sensor certify --kind noise-meter")
	b.Change("0.0.0.0:1883", "0.0.0.0:0").Change("--out certificate", "--out . --deadline 3s") // nobody brings a device
	harness.Run(t, "cp", "-r", "../../configs/portalba/policy", dir)
	out = b.Run(dir, []string{filepath.Join(dir, "bin")})
	harness.Want(t, out, `User +device\s+Password +\w{32} .*shown this once.*\s+Readings +city/v1/vendor/device/up, at QoS 1`)
	harness.Want(t, out, `(?m)^identity +not tried +nothing of the device came`)
	if _, err := os.Stat(filepath.Join(dir, "report.json")); err != nil {
		t.Error(err)
	}
	b = fenced.Take(t, "docs/certificate.md", "sluice sensor certify --preset chirpstack-v4")
	b.Change("0.0.0.0:8083", "0.0.0.0:0").Change("--out certificate", "--out bin --deadline 3s")
	out = b.Run(dir, []string{filepath.Join(dir, "bin")})
	harness.Want(t, out, `Readings +application/\{app\}/device/24e124fffef5ab12/event/up`)
	harness.Want(t, out, `(?m)^identity +not tried +nothing of the device came`)
}
