//go:build race

package ingest

import "testing"

// measured skips a test that measures the engine: with the race detector it would measure
// that. make test runs it without besides.
func measured(t *testing.T) {
	t.Helper()
	t.Skip("it measures, and runs without the race detector")
}
