// Package intake tests with the real programs both ways in: brokers and listeners, their
// identities, their outages and who abuses them.
package intake

import (
	"os"
	"testing"

	"sluice/test/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
