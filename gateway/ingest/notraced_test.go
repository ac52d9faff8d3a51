//go:build !race

package ingest

import "testing"

// measured lets a test measure: the race detector is not in it.
func measured(*testing.T) {}
