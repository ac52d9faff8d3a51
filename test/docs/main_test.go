// Package docs tests with the real programs that documents, examples and flags are true, word for word.
package docs

import (
	"os"
	"testing"

	"sluice/test/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
