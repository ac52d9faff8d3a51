package yamldoc

import (
	"bytes"
	"encoding"
	"reflect"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A register has a hundred thousand entries, and nearly all are one line of short words:
//
//   - {id: a-1, owner: o, kind: k, zone: z, registered: 2026-01-01, purpose: {en: "How many"}}
//
// These are read here, by a grammar that is a small part of YAML's, in a tenth of the
// parser's time. Whatever is not exactly of this form is left to the parser, and so is
// everything that would be a mistake: only it says which. What both can read they read
// alike (TestQuick).
//
//	entry = "- {" pair *(", " pair) "}"
//	pair  = name ": " (word | date | number | quoted | "{" name ": " (word | quoted) ... "}")
type quick struct {
	text []byte
	ok   bool
}

// maxQuickIndent is how many blanks before it a quick entry may have.
const maxQuickIndent = 64

// quickly reads an entry into a struct, and reports whether it could.
func quickly(raw []byte, v reflect.Value) bool {
	text := bytes.TrimRight(raw, " \r\n")
	line := bytes.TrimLeft(text, " ")
	if v.Kind() != reflect.Struct || len(text)-len(line) > maxQuickIndent {
		return false
	}
	q := quick{line, true}
	q.take("- ")
	out := reflect.New(v.Type()).Elem()
	seen := make(map[string]bool, 16)
	q.pairs(func(key string) {
		f, known := field(out, key)
		if q.ok = q.ok && known && !seen[key]; !q.ok {
			return
		}
		seen[key] = true
		q.value(f)
	})
	if !q.ok || len(q.text) > 0 {
		return false
	}
	v.Set(out)
	return true
}

// take takes what must come next.
func (q *quick) take(s string) {
	rest, ok := bytes.CutPrefix(q.text, []byte(s))
	q.text, q.ok = rest, q.ok && ok
}

// pairs reads a mapping, and has each value read.
func (q *quick) pairs(each func(key string)) {
	q.take("{")
	for q.ok {
		key := q.word()
		q.take(": ")
		if each(key); !q.ok {
			return
		}
		if bytes.HasPrefix(q.text, []byte("}")) {
			break
		}
		q.take(", ")
	}
	q.take("}")
}

func (q *quick) value(f reflect.Value) {
	if !q.ok || len(q.text) == 0 {
		q.ok = false
		return
	}
	u, reads := f.Addr().Interface().(encoding.TextUnmarshaler)
	if _, other := f.Addr().Interface().(yamlUnmarshaler); other {
		q.ok = false
		return
	}
	switch {
	case reads && isDigit(q.text[0]):
		text := q.run()
		q.ok = q.ok && isDate(text) && u.UnmarshalText(text) == nil
	case reads:
		q.ok = false
	case f.Kind() == reflect.String:
		f.SetString(q.plain())
	case f.Type() == reflect.TypeFor[*float64]():
		x := q.number()
		f.Set(reflect.ValueOf(&x))
	case f.Type() == reflect.TypeFor[map[string]string]():
		out := make(map[string]string)
		q.pairs(func(key string) {
			if _, twice := out[key]; twice {
				q.ok = false
			}
			out[key] = q.plain()
		})
		f.Set(reflect.ValueOf(out))
	default:
		q.ok = false
	}
}

// plain is a word, or what stands between quotes, where nothing in it is escaped.
func (q *quick) plain() string {
	if !bytes.HasPrefix(q.text, []byte(`"`)) {
		return q.word()
	}
	q.text = q.text[1:]
	for i := 0; i < len(q.text); {
		c, n := utf8.DecodeRune(q.text[i:])
		switch {
		case c == '"':
			text := string(q.text[:i])
			q.text = q.text[i+1:]
			return text
		case c < ' ' || c > '~' && !unicode.IsLetter(c) || c == '\\':
			q.ok = false
			return ""
		}
		i += n
	}
	q.ok = false
	return ""
}

// number is a number of few digits, such as -41.3874.
func (q *quick) number() float64 {
	text := q.text
	if n := bytes.IndexAny(text, ",}"); n >= 0 {
		text = text[:n]
	}
	digits := bytes.TrimPrefix(text, []byte("-"))
	whole, part, broken := bytes.Cut(digits, []byte("."))
	x, err := strconv.ParseFloat(string(text), 64)
	q.text = q.text[len(text):]
	q.ok = q.ok && err == nil && allDigits(whole) && (!broken || allDigits(part)) && len(digits) <= 15 &&
		(whole[0] != '0' || len(whole) == 1) && (digits[0] != '0' || x != 0 || len(text) == 1)
	return x
}

func allDigits(text []byte) bool {
	return len(text) > 0 && len(bytes.Trim(text, "0123456789")) == 0
}

// meaning are words that mean something else than themselves to some reader of YAML.
var meaning = map[string]bool{
	"true": true, "false": true, "null": true, "yes": true, "no": true, "on": true, "off": true,
	"y": true, "n": true, "nan": true, "inf": true, "infinity": true,
}

// word is a word that begins with a letter.
func (q *quick) word() string {
	text := q.run()
	if len(text) == 0 || isDigit(text[0]) || meaning[strings.ToLower(string(text))] {
		q.ok = false
		return ""
	}
	return string(text)
}

// run is what comes next of letters, digits, and marks that mean nothing between them.
func (q *quick) run() []byte {
	n := 0
	for n < len(q.text) {
		c := q.text[n]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || isDigit(c)
		if !letter && (n == 0 || c != '-' && c != '_' && c != '.' && c != '@' && c != '/') {
			break
		}
		n++
	}
	text := q.text[:n]
	q.text = q.text[n:]
	return text
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// isDate reports whether a text looks like 2026-01-01.
func isDate(text []byte) bool {
	if len(text) != len("2026-01-01") {
		return false
	}
	for i, c := range text {
		if dash := i == 4 || i == 7; dash && c != '-' || !dash && !isDigit(c) {
			return false
		}
	}
	return true
}
