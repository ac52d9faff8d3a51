package main

import (
	"regexp"
	"strings"
)

var argument = regexp.MustCompile(`\(.*\)$`)

// places keeps function names and line numbers of a stack and drops arguments,
// which may point at a reading.
func places(stack []byte) string {
	var b strings.Builder
	for line := range strings.Lines(string(stack)) {
		line = strings.TrimRight(line, "\n")
		if !strings.HasPrefix(line, "\t") {
			line = argument.ReplaceAllString(line, "(...)")
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}
