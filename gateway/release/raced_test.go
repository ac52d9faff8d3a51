//go:build race

package release

// fewer divides how often tests draw where the race detector makes each draw take ten
// times as long. make test runs them without it besides.
const fewer = 3
