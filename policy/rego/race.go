//go:build race

package rego

// raced says that this is a build with the race detector, whose shadow memory
// no limit leaves room for.
const raced = true
