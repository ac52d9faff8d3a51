package yamldoc

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// ErrInsert is the error of Insert where the file is written in a way that it does not know.
var ErrInsert = errors.New("the file is written in a way that nothing can be added to without changing more; " +
	"add it by hand")

// Insert adds key: value (a key may be in quotes) at the end of the mapping at a path, or value to the list there if
// key is
// empty. Value is YAML; of several lines it stands below its key, which the mapping must be in block
// style for. Mappings that the path lacks are made. All else stays byte for byte, comments too, and
// the result is read again: it says what the file said and what was added, or it is ErrInsert.
func Insert(raw []byte, path []string, key, value string) ([]byte, error) {
	tree, err := ParseTree(raw)
	if err != nil {
		return nil, err
	}
	at, node := 0, tree.body
	for ; at < len(path); at++ {
		_, below := child(node, path[at])
		if below == nil {
			break
		}
		node = below
	}
	if at < len(path) && (key == "" || strings.Contains(value, "\n")) {
		return nil, ErrInsert
	}
	whole := key
	for i := len(path) - 1; i >= at; i-- {
		value, whole = "{"+whole+": "+value+"}", path[i]
	}
	out := insertInto(string(raw), node, whole, value)
	if out == "" || !added(tree, out, path[:at], whole, value) {
		return nil, ErrInsert
	}
	return []byte(out), nil
}

// insertInto writes an entry into a node of a text; empty where it cannot.
func insertInto(raw string, node ast.Node, key, value string) string {
	switch n := node.(type) {
	case *ast.MappingNode:
		if n.IsFlowStyle {
			return beforeEnd(raw, n.End, len(n.Values), key+": "+value)
		}
		if len(n.Values) > 0 && key != "" {
			return below(raw, position(n.Values[0].Key), false, key+":", value)
		}
	case *ast.MappingValueNode:
		if key != "" {
			return below(raw, position(n.Key), false, key+":", value)
		}
	case *ast.SequenceNode:
		switch {
		case key != "":
		case n.IsFlowStyle:
			return beforeEnd(raw, n.End, len(n.Values), value)
		case n.Start != nil:
			return below(raw, Position{n.Start.Position.Line, n.Start.Position.Column}, true, "-", value)
		}
	}
	return ""
}

// beforeEnd writes an entry before the bracket that ends a flow.
func beforeEnd(raw string, end *token.Token, entries int, entry string) string {
	if end == nil || strings.Contains(entry, "\n") {
		return ""
	}
	lines := strings.SplitAfter(raw, "\n")
	line, column := end.Position.Line-1, end.Position.Column-1
	if line >= len(lines) {
		return ""
	}
	text := []rune(lines[line])
	if column >= len(text) || text[column] != '}' && text[column] != ']' {
		return ""
	}
	if entries > 0 {
		entry = ", " + entry
	}
	lines[line] = strings.TrimRight(string(text[:column]), " ") + entry + string(text[column:])
	return strings.Join(lines, "")
}

// below writes an entry behind the last line of a block whose first entry stands at a place.
func below(raw string, first Position, list bool, key, value string) string {
	lines := strings.SplitAfter(raw, "\n")
	if n := len(lines); lines[n-1] == "" {
		lines = lines[:n-1]
	}
	indent := first.Column - 1
	last := first.Line - 1
	for i := first.Line; i < len(lines); i++ {
		body := strings.TrimLeft(lines[i], " ")
		deep := len(lines[i]) - len(body)
		if strings.TrimSpace(body) == "" || body[0] == '#' {
			continue
		}
		if deep < indent || list && deep == indent && body[0] != '-' {
			break
		}
		last = i
	}
	if last >= len(lines) {
		return ""
	}
	margin := strings.Repeat(" ", indent)
	entry := margin + key + " " + value + "\n"
	if strings.Contains(value, "\n") {
		entry = margin + key + "\n"
		for line := range strings.Lines(strings.TrimRight(value, "\n") + "\n") {
			entry += margin + "  " + line
		}
	}
	if !strings.HasSuffix(lines[last], "\n") {
		lines[last] += "\n"
	}
	lines[last] += entry
	return strings.Join(lines, "")
}

// added reports whether a text says what a tree said, and the entry besides.
func added(before *Tree, out string, path []string, key, value string) bool {
	after, err := ParseTree([]byte(out))
	if err != nil {
		return false
	}
	entry, err := ParseTree([]byte("x: " + value))
	if strings.Contains(value, "\n") {
		entry, err = ParseTree([]byte(below("x:\n", Position{1, 1}, false, "y:", value)))
	}
	if err != nil {
		return false
	}
	was, is := asJSON(before), asJSON(after)
	what, _ := asJSON(entry).(map[string]any)
	one := what["x"]
	if y, there := what["y"]; there {
		one = y
	}
	return reflect.DeepEqual(put(was, path, strings.Trim(key, `"`), one), is)
}

func asJSON(t *Tree) (v any) {
	if raw, err := t.Value(); err != nil || json.Unmarshal(raw, &v) != nil {
		return nil
	}
	return v
}

// put adds an entry to a value that was read from JSON.
func put(v any, path []string, key string, entry any) any {
	switch v := v.(type) {
	case map[string]any:
		if len(path) > 0 {
			v[path[0]] = put(v[path[0]], path[1:], key, entry)
		} else if _, there := v[key]; !there {
			v[key] = entry
		}
		return v
	case []any:
		if len(path) == 0 && key == "" {
			return append(v, entry)
		}
	}
	return v
}
