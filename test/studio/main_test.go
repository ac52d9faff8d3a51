// Package studio tests the studio with the real program and a real browser, as people at a town hall
// use it.
package studio

import (
	"os"
	"testing"

	"sluice/test/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
