package main

import "strings"

// commentsIn translates a template's comments; the lines for editors stay. A comment follows a hash
// at the beginning of a line or after a blank, so no value of a template may contain " # ".
func commentsIn(v locale, template string) string {
	var b strings.Builder
	for line := range strings.Lines(template) {
		text := strings.TrimSuffix(line, "\n")
		at := strings.LastIndex(text, "# ") // a key that is a comment itself has one behind it
		if at < 0 || at > 0 && text[at-1] != ' ' || strings.HasPrefix(text, "# yaml-language-server") {
			b.WriteString(line)
			continue
		}
		b.WriteString(text[:at+2] + v.Retell(text[at+2:]) + line[len(text):])
	}
	return b.String()
}
