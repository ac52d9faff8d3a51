package faults

import (
	"strings"
	"syscall"
	"testing"
	"time"

	_ "modernc.org/sqlite" // to hold ledger.db as another process would

	"sluice/test/harness"
)

// TestTheLastResort: a gateway that does not end by itself says where it stands, and
// ends with a code of its own.
func TestTheLastResort(t *testing.T) {
	t.Parallel()
	c := withStage(t, "stuck stop")
	asked := time.Now()
	if err := c.Gateway.Cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	harness.Await(t, 20*time.Second, "the process to end", c.Gateway.Ended)
	took, code := time.Since(asked), c.Gateway.Cmd.ProcessState.ExitCode()
	if code != 75 || took > harness.Longer(8*time.Second) ||
		!strings.Contains(c.Gateway.Err.String(), "ingest.(*Ingest).stop") {
		t.Errorf("it ended with %d after %s; want 75 after five seconds, and where it stood\n%s", code, took,
			harness.Tail(c.Gateway.Err.String()))
	}
}

// TestIngestStandsStill: whatever ingest waits for, /readyz says that it does, in time,
// and a stop is none the slower.
func TestIngestStandsStill(t *testing.T) {
	t.Parallel()
	c := withStage(t, "stuck acknowledge")
	c.BecomesReady()
	c.Connect()
	c.Link.Publish("city/v1/acme/gate-1/up", []byte(harness.Gate(1, harness.Ten, 1)), false)
	harness.Await(t, 20*time.Second, "ingest to be missed", func() bool {
		_, hints := c.Ready()
		return strings.Contains(hints["intake"], "has not moved for") &&
			strings.Contains(hints["intake"], "it acknowledges")
	})
	endsWell(t, c.Gateway)
}
