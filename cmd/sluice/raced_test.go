//go:build race

package main

// raced says that everything takes about eight times as long: the tests of words, in all
// languages, are skipped. make test runs them without the race detector besides.
const raced = true
