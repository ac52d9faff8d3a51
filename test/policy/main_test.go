// Package policy tests with the real programs how a council's policy gets into force: motions,
// votes, the inbox, the verbs of councils.
package policy

import (
	"os"
	"testing"

	"sluice/test/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
