// Package operations tests with the real programs what an operator sees and may write:
// configuration, doctor, modes of files.
package operations

import (
	"os"
	"testing"

	"sluice/test/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
