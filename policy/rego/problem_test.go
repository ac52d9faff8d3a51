package rego_test

import (
	"errors"
	"testing"

	"sluice/policy/rego"
)

// TestSomethingElse: what has no code of its own is said as R99, and nothing as nothing.
func TestSomethingElse(t *testing.T) {
	if code := rego.CodeOf(errors.New("the sky fell")); code != "R99" {
		t.Errorf("it is %s; want R99", code)
	}
}
