// Package privacy tests with the real programs what nobody may learn: canaries in every byte that
// was written, homes, budgets, real data.
package privacy

import (
	"os"
	"testing"

	"sluice/test/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
