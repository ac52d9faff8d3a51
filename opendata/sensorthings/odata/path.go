package odata

import (
	"slices"
	"strconv"
	"strings"
)

// Segment is one part of a resource path: a set, a link or a property, perhaps with the id of
// one of its entities; or $ref, $value or $count.
type Segment struct {
	Name  string
	Keyed bool
	Key   ID
}

// ID is the id of an entity: a number or a text. They are different where they look the
// same.
type ID struct {
	Text   string
	Number bool
}

// String is the id as paths have it: 5 or 'rambla'.
func (id ID) String() string {
	if id.Number {
		return id.Text
	}
	return "'" + strings.ReplaceAll(id.Text, "'", "''") + "'"
}

// maxSegments bounds a path.
const maxSegments = 16

// ParsePath reads a path that is decoded and has no slash before it. A text as a key has
// quotes, in which slashes are no separators; without quotes it is taken as well, since there
// are clients that know ids as numbers only.
func ParsePath(path string) ([]Segment, error) {
	wrong := &Error{Option: "path", Hint: "is such as Things('rambla')/Datastreams"}
	var list []Segment
	for rest := path; rest != ""; {
		if len(list) >= maxSegments {
			return nil, wrong
		}
		n := strings.IndexAny(rest, "/(")
		if n < 0 {
			return append(list, Segment{Name: rest}), nil
		}
		s := Segment{Name: rest[:n]}
		if rest[n] == '/' {
			rest = rest[n+1:]
			if s.Name == "" || rest == "" {
				return nil, wrong
			}
			list = append(list, s)
			continue
		}
		var ok bool
		if s.Key, rest, ok = key(rest[n+1:]); !ok || s.Name == "" {
			return nil, wrong
		}
		s.Keyed = true
		list = append(list, s)
		if rest == "" {
			return list, nil
		}
		if rest, ok = strings.CutPrefix(rest, "/"); !ok || rest == "" {
			return nil, wrong
		}
	}
	return list, nil
}

// key reads an id and the parenthesis behind it.
func key(text string) (id ID, rest string, ok bool) {
	if strings.HasPrefix(text, "'") {
		l := newLexer("path", text)
		quoted, closed := l.quoted()
		rest, ok = strings.CutPrefix(l.rest, ")")
		return ID{Text: quoted}, rest, closed && ok
	}
	plain, rest, ok := strings.Cut(text, ")")
	if plain == "" || strings.ContainsAny(plain, "'(") {
		return id, "", false
	}
	return ID{plain, digits(plain)}, rest, ok
}

func digits(s string) bool {
	n, err := strconv.ParseInt(s, 10, 64)
	return err == nil && strconv.FormatInt(n, 10) == s
}

// Key reads an id of a filter: a number or a text.
func Key(v any) (ID, bool) {
	switch v := v.(type) {
	case string:
		return ID{Text: v}, true
	case float64:
		text := strconv.FormatFloat(v, 'f', -1, 64)
		return ID{text, true}, digits(text)
	}
	return ID{}, false
}

// Names are the names of a path's segments.
func Names(path []Segment) (list []string) {
	for _, s := range path {
		list = append(list, s.Name)
	}
	return slices.Clip(list)
}
