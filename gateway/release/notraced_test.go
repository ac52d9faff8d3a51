//go:build !race

package release

const fewer = 1
