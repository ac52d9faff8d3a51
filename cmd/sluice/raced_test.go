//go:build race

package main

// raced says that everything takes about eight times as long. make test runs the tests of
// words in all languages without the race detector besides.
const raced = true
