// Package raced lets tests do without the race detector that would find nothing in them:
// those that measure, which would measure the detector, and those that compute much in one
// goroutine. make test runs their packages both ways; TestMakeTestsAll looks that it does. What
// takes long and is for the detector, too, is then run with it alone.
package raced

import (
	"os"
	"testing"
)

// Skip skips a test in a build with the race detector.
func Skip(t testing.TB) {
	t.Helper()
	if !Turn(false) {
		t.Skip("it runs without the race detector")
	}
}

// Also skips a test in a build without the race detector where make test, which says so, runs it in
// one with it, too: it is the same test, and takes long.
func Also(t testing.TB) {
	t.Helper()
	if !Turn(true) {
		t.Skip("make test runs it with the race detector")
	}
}

// Turn reports whether this build runs a part of a test: one that is for the race detector, or one
// in which that would find nothing.
func Turn(detector bool) bool {
	if On {
		return detector
	}
	return !detector || os.Getenv("SLUICE_TEST_RACED") == ""
}
