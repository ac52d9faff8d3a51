// Package brief bounds text for logs, terminals and answers. Brokers, databases, rules and file
// names put text into errors that may be megabytes long, span lines, or control a terminal.
//
//	brief.Text("a\nb\x1b[2J") // `a b\x1b[2J`, the escape shown as four characters
package brief

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Max is the longest text, and the longest line of a report, in bytes.
const Max = 300

// The bounds of a report of several lines, such as a mistake in a file with the lines around it.
const (
	MaxLines  = 24
	MaxReport = 4096 // bytes
)

const (
	ellipsis = "…"
	tail     = 90 // bytes of the end that are kept: what to do stands there
)

// Text returns s on one line of at most Max bytes of valid UTF-8. A longer text is cut in the
// middle, since its beginning says where and its end what to do. Runs of white space become one
// space, and unprintable characters are escaped.
func Text(s string) string {
	if short(s) {
		return s
	}
	const reach = 4 * Max // of either end is looked at: the rest is cut anyway
	if len(s) > 2*reach {
		return join(plain(s[:reach]), plain(s[len(s)-reach:]))
	}
	if p := plain(s); len(p) > Max {
		return join(p, p)
	} else {
		return p
	}
}

// join puts the beginning of a and the end of b together.
func join(a, b string) string {
	a, b = a[:min(len(a), Max-tail-len(ellipsis))], b[max(0, len(b)-tail):]
	for len(a) > 0 && !utf8.ValidString(a) {
		a = a[:len(a)-1]
	}
	for len(b) > 0 && !utf8.RuneStart(b[0]) {
		b = b[1:]
	}
	return a + ellipsis + b
}

// short reports whether s can stay as it is, the usual case.
func short(s string) bool {
	return len(s) <= Max && utf8.ValidString(s) && !strings.Contains(s, "  ") &&
		!strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) && strings.TrimSpace(s) == s
}

func plain(s string) string {
	var b strings.Builder
	gap := false
	for i, size := 0, 0; i < len(s); i += size {
		var r rune
		r, size = utf8.DecodeRuneInString(s[i:])
		if unicode.IsSpace(r) {
			gap = b.Len() > 0
			continue
		}
		if gap {
			b.WriteByte(' ')
			gap = false
		}
		switch {
		case r == utf8.RuneError && size == 1:
			b.WriteRune(unicode.ReplacementChar)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
}

// Report returns s on at most MaxLines lines and MaxReport bytes, each line with its indent and at
// most Max bytes after that.
func Report(s string) string {
	var b strings.Builder
	n := 0
	for line := range strings.Lines(s) {
		line = strings.TrimRight(line, "\r\n")
		indent := line[:min(len(line)-len(strings.TrimLeft(line, " ")), 40)]
		line = indent + inner(line[len(indent):])
		if n++; n > MaxLines || b.Len()+len(line)+1 > MaxReport-len(ellipsis) {
			b.WriteString(ellipsis)
			return b.String()
		}
		b.WriteString(line + "\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// inner is Text, but keeps inner spaces, by which snippets line up.
func inner(line string) string {
	if len(line) <= Max && utf8.ValidString(line) && !strings.ContainsFunc(line, func(r rune) bool {
		return !unicode.IsPrint(r)
	}) {
		return line
	}
	return Text(line)
}
