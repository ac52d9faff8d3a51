package yamldoc

import (
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// Set is the file with a value put where keys and indexes lead, as Become writes it; nil takes the
// value out.
func Set(raw []byte, put any, path ...string) ([]byte, error) {
	tree, err := ParseTree(raw)
	if err != nil {
		return nil, err
	}
	v, err := tree.Ordered()
	if err != nil {
		return nil, err
	}
	want, err := With(v, put, path...)
	if err != nil {
		return nil, err
	}
	return Become(raw, want)
}

// Become is the file changed so that it says what is wanted, and only where it says something else:
// order, layout, quotes and comments of the rest stay, byte for byte. A comment that stood within
// what is changed is kept above it. What cannot be done so is an error, and so is what would lose a
// comment. Lines end with line feeds.
func Become(raw []byte, want any) ([]byte, error) {
	now := strings.ReplaceAll(string(raw), "\r\n", "\n")
	before, err := readText(now)
	if err != nil {
		return nil, err
	}
	t := before
	for step, most := 0, 0; ; step++ {
		says, err := ordered(t.body)
		if err != nil {
			return nil, err
		}
		if Same(says, want) {
			return []byte(t.raw), t.keeps(before)
		}
		most = max(most, parts(says)+parts(want)) // each value is written at most once, and goes at most once
		next, err := t.nearer(says, want)
		if err != nil {
			return nil, err
		}
		if step > most || next.raw == t.raw { // such as of a text that no file can hold
			return nil, errSpan
		}
		t = next
	}
}

// parts is how many values there are in one.
func parts(v any) int {
	n := 1
	switch v := v.(type) {
	case Pairs:
		for _, p := range v {
			n += parts(p.Value)
		}
	case []any:
		for _, x := range v {
			n += parts(x)
		}
	}
	return n
}

// keeps is an error if a comment of before is not here.
func (t *text) keeps(before *text) error {
	have := t.remarks()
	for _, c := range before.remarks() {
		i := slices.Index(have, c)
		if i < 0 {
			return errSpan
		}
		have = slices.Delete(have, i, i+1)
	}
	return nil
}

// nearer changes one value; where that does not come out, all of the key at the top that holds it.
func (t *text) nearer(says, want any) (*text, error) {
	s := &step{text: t}
	if raw, err := s.value(t.body, says, want, spot{above: t.start(t.body)}); err == nil && raw != t.raw {
		next, err := readText(raw)
		if err == nil && next.keeps(t) == nil && s.came(next) {
			return next, nil
		}
	}
	raw, err := t.rewritten(says, want)
	if err != nil {
		return nil, err
	}
	return readText(raw)
}

// rewritten writes the first key at the top anew that says something else.
func (t *text) rewritten(says, want any) (string, error) {
	was, ok := says.(Pairs)
	is, wanted := want.(Pairs)
	list, err := pairs(t.body)
	if !ok || !wanted || err != nil || !isBlock(t.body) {
		return "", errSpan
	}
	for i, p := range list {
		put := is.Get(p.key)
		if Same(was.Get(p.key), put) {
			continue
		}
		from, to := t.start(p.at), len(strings.TrimRight(t.raw, "\n"))
		if i+1 < len(list) {
			to = len(strings.TrimRight(t.raw[:t.start(list[i+1].at)], "\n"))
		}
		if to < from {
			return "", errSpan
		}
		if put == nil {
			to = min(to+1, len(t.raw))
			return t.splice(from, to, "", from), nil
		}
		key := keyText(p.key) + ":"
		return t.splice(from, to, key+behindKey(put, 0, len(key)), from), nil
	}
	return "", errSpan
}

// spot is where a value stands.
type spot struct {
	flow   bool
	quoted bool
	indent int // of the key or dash before it
	column int // behind that
	above  int // an offset in the line above which a comment can stand
	behind int // where its key's colon ends; 0 where it has none
}

// step is one change in the making: what it makes of the value that it changes.
type step struct {
	*text
	path []string
	gone bool
	put  any
}

// came reports whether a file says what the step was to make of it.
func (s *step) came(next *text) bool {
	says, err := ordered(next.body)
	if err != nil {
		return false
	}
	if s.gone {
		return true // Become compares the whole
	}
	return Same(In(says, s.path...), s.put)
}

// value makes the first change that brings a value nearer to another.
func (s *step) value(n ast.Node, says, want any, at spot) (string, error) {
	switch was := says.(type) {
	case Pairs:
		if is, ok := want.(Pairs); ok && len(is) > 0 && len(was) > 0 {
			return s.mapping(n, was, is, at)
		}
	case []any:
		if is, ok := want.([]any); ok && len(is) > 0 && len(was) > 0 {
			return s.list(n, was, is, at)
		}
	}
	s.put = want
	return s.replace(n, want, at)
}

// replace writes a whole value anew.
func (s *step) replace(n ast.Node, want any, at spot) (string, error) {
	from, to, err := s.span(n)
	if err != nil {
		return "", err
	}
	quoted := from < to && (s.raw[from] == '"' || s.raw[from] == '\'')
	if at.flow || !nested(want) {
		put := inBrackets(want)
		if _, isText := want.(string); isText {
			put = spelled(want, quoted)
		}
		if from == to || isBlock(n) && at.behind > 0 {
			from, put = max(at.behind, min(from, to)), " "+put
			if at.behind > 0 {
				from = at.behind
			}
		}
		return s.splice(from, to, put, at.above), nil
	}
	if at.behind > 0 {
		return s.splice(at.behind, to, behindKey(want, at.indent, at.column), at.above), nil
	}
	return s.splice(from, to, entryText(want, at.indent), at.above), nil
}
