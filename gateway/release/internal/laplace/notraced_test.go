//go:build !race

package laplace

const fewer = 1
