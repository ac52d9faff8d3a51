// Package faults tests with the real programs kills, stops, damage, lost files, clocks that jump:
// nothing acknowledged is lost.
package faults

import (
	"os"
	"testing"

	"sluice/test/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
