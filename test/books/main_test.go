// Package books tests with the real programs the public books and the stores behind them: they add
// up, for several gateways, too.
package books

import (
	"os"
	"testing"

	"sluice/test/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
