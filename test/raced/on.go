//go:build race

package raced

// On says that the race detector is in this build.
const On = true
