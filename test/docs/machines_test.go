package docs

import (
	"fmt"
	"os"
	"testing"

	"sluice/test/fenced"
	"sluice/test/harness"
)

// loopback is how addresses of loopback begin that nobody else has: neither another process nor the other test.
func loopback(test int) string {
	pid := os.Getpid()
	return fmt.Sprintf("127.%d.%d.", 1+2*(pid>>8%125)+test, 1+pid%250)
}

// TestSeveralMachinesCommands runs the commands of docs/operations.md for several machines: three real servers and
// three gateways up to the first number, at addresses of loopback that no other test has.
func TestSeveralMachinesCommands(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"nats-server", "mosquitto_pub", "curl", "ssh-keygen"} {
		harness.Need(t, program)
	}
	dir := harness.Checkout(t)
	b := fenced.Take(t, "docs/operations.md", "go build -o bin/ ./cmd/sluice\nmkdir machines")
	built(b)
	b.Change("127.0.1.", loopback(0))
	out := b.Run(dir, nil)
	harness.Want(t, out, `signed by operator\.`)
	harness.Want(t, out, `ok +servers +3 of 3 answer`)
	harness.Want(t, out, `,PT1M,carrer-nou,level,71\.5,published,71\.5,71\.5,`)
	harness.Want(t, out, `(?m)^town-3 +front, worker, releaser +yes`)
	harness.Want(t, out, `town-4 comes: worker`)
	harness.Want(t, out, `(?m)^town-4 +worker +yes +\d`)
}

// TestMovingCommands runs the commands by which a town in one process becomes the first of several machines: the number
// of the window that was open meanwhile is published, and everything adds up.
func TestMovingCommands(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"nats-server", "mosquitto_pub", "curl", "ssh-keygen"} {
		harness.Need(t, program)
	}
	dir := harness.Checkout(t)
	b := fenced.Take(t, "docs/operations.md", "go build -o bin/ ./cmd/sluice\nmkdir moving")
	built(b)
	b.Change("127.0.2.", loopback(1))
	out := b.Run(dir, nil)
	harness.Want(t, out, `The books are the cluster's, and \d+ open windows?`)
	harness.Want(t, out, `,PT1M,carrer-nou,level,71\.5,published,71\.5,71\.5,`)
	harness.Want(t, out, `[Ee]verything adds up`)
}
