package main

import (
	"strings"
	"testing"

	"sluice/register/fleet"
)

// TestKeysAreExplained: each key of an entry is a flag that says what it is.
func TestKeysAreExplained(t *testing.T) {
	for _, key := range fleet.Keys() {
		if usageOf[strings.TrimSuffix(key, ".")] == "" {
			t.Errorf("sluice sensor new --help does not say what %s is", key)
		}
	}
}
