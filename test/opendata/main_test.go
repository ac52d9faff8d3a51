// Package opendata tests with the real programs what residents are answered: pages in a browser,
// lists, files, hostile questions.
package opendata

import (
	"os"
	"testing"

	"sluice/test/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
