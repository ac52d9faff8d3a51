package format

import (
	"bytes"
	"strconv"
)

// quote makes JSON of an object whose keys and values have no quotes; false for what is none, or has one inside
// another:
//
//	{t:2026-03-02T10:04:00Z, 53 : 50}
//
// A key ends at the first colon. What is a number in JSON is one. Bytes that are not ASCII are left out, as the
// platform of the kits that write so does: they come from a clock that could not be read.
func (d *Decoder) quote(payload []byte) ([]byte, bool) {
	rest, begins := bytes.CutPrefix(bytes.TrimSpace(payload), []byte("{"))
	rest, ends := bytes.CutSuffix(rest, []byte("}"))
	if !begins || !ends {
		return nil, false
	}
	d.quoted = append(d.quoted[:0], '{')
	for more := len(bytes.TrimSpace(rest)) > 0; more; {
		var pair []byte
		pair, rest, more = bytes.Cut(rest, []byte(","))
		key, value, ok := bytes.Cut(pair, []byte(":"))
		if !ok {
			return nil, false
		}
		if len(d.quoted) > 1 {
			d.quoted = append(d.quoted, ',')
		}
		from := len(d.quoted)
		if !d.plain(key) || len(d.quoted) == from+len(`""`) {
			return nil, false
		}
		d.quoted = append(d.quoted, ':')
		if from = len(d.quoted); !d.plain(value) {
			return nil, false
		}
		if text := d.quoted[from+1 : len(d.quoted)-1]; isNumeral(text) {
			d.quoted = append(d.quoted[:from], text...)
		}
	}
	d.quoted = append(d.quoted, '}')
	return d.quoted, true
}

// plain adds a text in quotes; false where it has what ends a text in JSON, or an object in an object.
func (d *Decoder) plain(text []byte) bool {
	d.quoted = append(d.quoted, '"')
	for _, b := range bytes.TrimSpace(text) {
		switch {
		case b >= 0x80:
			continue
		case b < ' ' || b == 0x7f || b == '"' || b == '\\' || b == '{' || b == '}' || b == '[' || b == ']':
			return false
		}
		d.quoted = append(d.quoted, b)
	}
	d.quoted = append(d.quoted, '"')
	return true
}

// isNumeral reports whether a text is a number in JSON (RFC 8259 section 6), which has no leading zero or plus.
func isNumeral(text []byte) bool {
	digits := bytes.TrimPrefix(text, []byte("-"))
	if len(digits) == 0 || len(text) > 40 || digits[0] < '0' || digits[0] > '9' || digits[len(digits)-1] == '.' ||
		len(digits) > 1 && digits[0] == '0' && digits[1] != '.' {
		return false
	}
	if bytes.ContainsFunc(digits, func(r rune) bool { return (r < '0' || r > '9') && r != '.' }) {
		return false
	}
	_, err := strconv.ParseFloat(string(text), 64)
	return err == nil
}
