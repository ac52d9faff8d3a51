//go:build !race

package policy

// raced says whether this is a build with the race detector.
const raced = false
