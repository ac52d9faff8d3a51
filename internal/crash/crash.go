// Package crash makes a panic safe to show. What a panic holds may be a reading,
// and so may the arguments in a stack trace; only the places are kept: function
// names, files and lines.
package crash

import (
	"fmt"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
)

// Error is a panic that was caught: a bug of ours.
type Error struct {
	kind, places string
}

// Error says where, never what.
func (e *Error) Error() string {
	return fmt.Sprintf("this is a bug of ours (%s); please report it with these lines\n%s", e.kind, e.places)
}

// Places are the function names and lines alone, of our own code.
func (e *Error) Places() string { return e.places }

// Guard runs f and turns its panic into an *Error.
func Guard(f func() error) (err error) {
	defer Catch(func(e *Error) { err = e })
	return f()
}

// Catch hands a panic of the deferring function to report; without a panic it
// does nothing. It must be deferred itself.
func Catch(report func(*Error)) {
	if v := recover(); v != nil {
		report(&Error{kind: fmt.Sprintf("%T", v), places: Places(debug.Stack())})
	}
}

// Stacks shows where every goroutine is, without arguments.
func Stacks() string {
	buf := make([]byte, 1<<20)
	return Places(buf[:runtime.Stack(buf, true)])
}

var argument = regexp.MustCompile(`\([^()]*\)$`)

// Places drops arguments, and the panic's own line, from a stack trace.
func Places(stack []byte) string {
	var b strings.Builder
	for line := range strings.Lines(string(stack)) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "\t"):
			line, _, _ = strings.Cut(line, " +0x")
		case strings.HasPrefix(line, "panic("):
			line = "panic(...)"
		case strings.HasPrefix(line, "goroutine "), strings.HasPrefix(line, "created by "):
		default:
			line = argument.ReplaceAllString(line, "(...)")
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}
