package yamldoc

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"

	"github.com/goccy/go-yaml/ast"
)

// MaxEntry bounds one entry of a List, in bytes.
const MaxEntry = 16 << 10

// List is a file that is one key with a list of mappings, cut into its entries:
//
//	sensors:
//	  - {id: a, owner: o}
//	  - id: b
//	    owner: o
//
// Each entry is read by itself, so that a long file costs the parser's memory for
// one entry, and a mistake in one says nothing of the others. What is cut is what
// YAML 1.2 (section 8.2.1) cuts: an entry goes on while lines are indented deeper
// than its "-". A file in any other layout is read whole, up to MaxFile.
type List struct {
	name    string
	doc     any // what the file is, for hints
	entries []entry
}

// entry is a part of the file's lines, or a node of a file that was read whole.
type entry struct {
	raw  []byte // the entry's lines, or the whole file
	line int    // where it begins, from 1
	node ast.Node
}

// ReadList cuts a file into the entries under its key, the only one that it may
// have; where there are more than limit, into some more than limit. The file's name is used in errors only; doc is a
// pointer to a struct that the whole file would fit.
func ReadList(name string, raw []byte, key string, limit int, doc any) (*List, error) {
	l := &List{name: name, doc: doc}
	head, odd := l.cut(raw, key, limit)
	err := plainText(raw[:head])
	if err == nil && odd > 0 {
		err = l.whole(raw, key, odd)
	}
	if err != nil {
		return nil, shown(name, raw, 0, err, doc)
	}
	return l, nil
}

// Len is how many entries there are.
func (l *List) Len() int { return len(l.entries) }

// Line is where an entry begins, from 1.
func (l *List) Line(n int) int { return l.entries[n].line }

// Decode reads an entry into v, as strictly as Decode. It may be called from
// several goroutines.
func (l *List) Decode(n int, v any) error {
	e := &l.entries[n]
	err := e.decode(v)
	if err == nil {
		return nil
	}
	if e.node != nil {
		return shown(l.name, e.raw, 0, err, l.doc)
	}
	return shown(l.name, e.raw, e.line-1, err, l.doc)
}

func (e *entry) decode(v any) error {
	if e.node != nil {
		return set(e.node, reflect.ValueOf(v).Elem())
	}
	if len(e.raw) > MaxEntry {
		return &SyntaxError{Position: Position{1, 1},
			Text: fmt.Sprintf("an entry of more than %d KiB; shorten it", MaxEntry>>10)}
	}
	if quickly(e.raw, reflect.ValueOf(v).Elem()) {
		return nil
	}
	return e.parse(v)
}

// parse reads an entry by YAML's whole grammar.
func (e *entry) parse(v any) error {
	tree, err := ParseTree(e.raw)
	if err != nil {
		return err
	}
	list, ok := tree.body.(*ast.SequenceNode)
	if !ok || len(list.Values) != 1 {
		return &SyntaxError{Position: Position{1, 1}, Text: "one entry is wanted here, which begins with -"}
	}
	if _, err := plain(list.Values[0]); err != nil {
		return err
	}
	return set(list.Values[0], reflect.ValueOf(v).Elem())
}

// cut finds the entries by their lines, and at most one more than limit. It returns
// how many bytes are before the first, and the first line that fits no such layout,
// or 0.
func (l *List) cut(raw []byte, key string, limit int) (head, odd int) {
	if n := loneReturn(raw); n >= 0 {
		return 0, 1 + bytes.Count(raw[:n], []byte("\n"))
	}
	keyed, marked, begin, indent := false, false, -1, -1
	for at, line := 0, 1; at < len(raw); line++ {
		end := at + bytes.IndexByte(raw[at:], '\n') + 1
		if end == at {
			end = len(raw)
		}
		text := bytes.TrimRight(raw[at:end], "\r\n")
		deep := len(text) - len(bytes.TrimLeft(text, " "))
		switch {
		case deep == len(text) || text[deep] == '#':
		case !keyed && !marked && string(text) == "---":
			marked = true
		case !keyed:
			if !isKey(text, key) {
				return 0, line
			}
			keyed = true
		case isDash(text[deep:]) && (begin < 0 || deep == indent):
			if begin < 0 {
				head, indent = at, deep
			} else {
				l.entries[len(l.entries)-1].raw = raw[begin:at]
			}
			begin = at
			if l.entries = append(l.entries, entry{line: line}); len(l.entries) > limit {
				return head, 0
			}
		case begin < 0 || deep <= indent:
			return 0, line
		}
		at = end
	}
	switch {
	case !keyed:
		return 0, 1 // a file that says nothing
	case begin < 0:
		return len(raw), 0
	}
	l.entries[len(l.entries)-1].raw = raw[begin:]
	return head, 0
}

// loneReturn is where a carriage return stands alone, which ends a line for YAML
// and for few editors; -1 for nowhere.
func loneReturn(raw []byte) int {
	for at := 0; ; at++ {
		n := bytes.IndexByte(raw[at:], '\r')
		if n < 0 {
			return -1
		}
		if at += n; at+1 == len(raw) || raw[at+1] != '\n' {
			return at
		}
	}
}

// isKey reports whether a line is the key alone, perhaps with a comment.
func isKey(text []byte, key string) bool {
	rest, ok := bytes.CutPrefix(text, []byte(key+":"))
	if !ok {
		return false
	}
	blank := bytes.TrimLeft(rest, " ")
	return len(blank) == 0 || blank[0] == '#' && len(blank) < len(rest)
}

func isDash(text []byte) bool {
	return text[0] == '-' && (len(text) == 1 || text[1] == ' ')
}

// whole reads a file of another layout, or says what is wrong with its first odd
// line where it is too long for that.
func (l *List) whole(raw []byte, key string, odd int) error {
	l.entries = nil
	if len(raw) > MaxFile {
		return &SyntaxError{Position: Position{odd, 1}, Text: fmt.Sprintf("a file of more than %d MiB is %s: and a "+
			"list, every entry of which begins with - in the same column; this line is neither", MaxFile>>20, key)}
	}
	tree, err := ParseTree(raw)
	if err != nil {
		return err
	}
	if _, err := tree.plain(); err != nil {
		return err
	}
	if tree.body.Type() == ast.NullType {
		return nil
	}
	if !isMapping(tree.body) {
		return &SyntaxError{Position: position(tree.body), Text: "keys with values are wanted here: " + key}
	}
	list, err := pairs(tree.body)
	if err != nil {
		return err
	}
	for _, p := range list {
		if p.key != key {
			return &SyntaxError{Position: position(p.at), Text: fmt.Sprintf("unknown field %q", p.key)}
		}
		if p.value.Type() == ast.NullType {
			continue
		}
		values, ok := p.value.(*ast.SequenceNode)
		if !ok {
			return &SyntaxError{Position: position(p.value), Text: "a list is wanted here: [A, B]"}
		}
		for _, v := range values.Values {
			l.entries = append(l.entries, entry{raw, position(v).Line, v})
		}
	}
	return nil
}

// shown is an error with the file's name, and its line where raw has it; raw may be
// a part of the file, behind so many lines.
func shown(name string, raw []byte, before int, err error, v any) error {
	var syntax *SyntaxError
	if !errors.As(err, &syntax) {
		return fmt.Errorf("%s: %w", name, err)
	}
	at := *syntax
	at.Line += before
	if line, ok := lastLine(at.args); ok && at.said == twiceKey { // the other place is behind them, too
		at.args = []any{at.args[0], line + before}
		at.Text = at.said.in(0, at.args)
	}
	return &FileError{&at,
		fmt.Sprintf("%s: [%d:%d] %s%s%s", name, at.Line, at.Column, at.Text, hint(at.Text, v),
			excerpt(raw, syntax.Position, before))}
}

// lastLine is the line that the last argument of a slip is.
func lastLine(args []any) (line int, ok bool) {
	if len(args) < 2 {
		return 0, false
	}
	line, ok = args[1].(int)
	return line, ok
}
