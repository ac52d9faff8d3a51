package yamldoc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"sluice/internal/pattern"
)

// wide is how long a line gets before brackets are broken into lines.
const wide = 110

// bare is a text that means itself without quotes: a word, a date, a period.
var bare = pattern.New(`^([A-Za-z][A-Za-z0-9_-]*|[0-9]{4}-[0-9]{2}-[0-9]{2})$`)

// taken are words that mean something else to some reader of YAML.
var taken = pattern.New(`(?i)^(y|n|yes|no|on|off|true|false|null)$`)

// spelled is a scalar as it stands in a file; a text in quotes, where it needs or had them.
func spelled(v any, quoted bool) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		if !quoted && bare.MatchString(v) && !taken.MatchString(v) {
			return v
		}
		return quote(v)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return fmt.Sprint(v)
}

// quote is a text in double quotes, whose escapes are JSON's.
func quote(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always has a form
	return strings.NewReplacer("\u00a0", `\u00a0`, "\u202f", `\u202f`, "\ufeff", `\ufeff`, "\x7f", `\u007f`).
		Replace(strings.TrimSuffix(b.String(), "\n"))
}

// keyText is a key as it stands in a file.
func keyText(key string) string { return spelled(key, false) }

// inBrackets is a value on one line.
func inBrackets(v any) string {
	switch v := v.(type) {
	case Pairs:
		parts := make([]string, len(v))
		for i, p := range v {
			parts[i] = keyText(p.Key) + ": " + inBrackets(p.Value)
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case []any:
		parts := make([]string, len(v))
		for i, x := range v {
			parts[i] = inBrackets(x)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return spelled(v, false)
}

// behindKey is a value as it follows a key and its colon, which stand so deep; of a value that is
// short, or has no parts, the rest of the line.
func behindKey(v any, indent, column int) string {
	short := inBrackets(v)
	if !nested(v) || column+1+len([]rune(short)) <= wide && !deep(v) {
		return " " + short
	}
	return "\n" + block(v, indent+2)
}

// nested reports whether a value has parts.
func nested(v any) bool {
	switch v := v.(type) {
	case Pairs:
		return len(v) > 0
	case []any:
		return len(v) > 0
	}
	return false
}

// deep reports whether a list has entries with parts, which get a line each.
func deep(v any) bool {
	list, _ := v.([]any)
	for _, x := range list {
		if nested(x) {
			return true
		}
	}
	return false
}

// block is a value with parts on lines of its own, without the last line feed.
func block(v any, indent int) string {
	pad := strings.Repeat(" ", indent)
	var lines []string
	switch v := v.(type) {
	case Pairs:
		for _, p := range v {
			key := pad + keyText(p.Key) + ":"
			lines = append(lines, key+behindKey(p.Value, indent, len([]rune(key))))
		}
	case []any:
		for _, x := range v {
			lines = append(lines, pad+"- "+entryText(x, indent))
		}
	default:
		return pad + spelled(v, false)
	}
	return strings.Join(lines, "\n")
}

// entryText is an entry of a list as it follows its dash, which stands so deep.
func entryText(v any, indent int) string {
	short := inBrackets(v)
	if p, ok := v.(Pairs); ok && len(p) > 0 && indent+2+len([]rune(short)) > wide {
		return strings.TrimLeft(block(v, indent+2), " ")
	}
	return short
}
