//go:build !race

package rego

// raced says whether this is a build with the race detector.
const raced = false
