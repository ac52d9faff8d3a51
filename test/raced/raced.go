// Package raced lets tests do without the race detector that would find nothing in them:
// those that measure, which would measure the detector, and those that compute much in one
// goroutine. make test runs their packages both ways; TestMakeTestsAll looks that it does.
package raced

import "testing"

// Skip skips a test in a build with the race detector.
func Skip(t testing.TB) {
	t.Helper()
	if On {
		t.Skip("it runs without the race detector")
	}
}
