// Package sensors tests with the real programs what docs/wire.md says, message by message, and
// every code that a sensor can meet.
package sensors

import (
	"os"
	"testing"

	"sluice/test/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
