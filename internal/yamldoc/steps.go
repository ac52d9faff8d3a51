package yamldoc

import (
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// mapping adds the first key that is missing, changes the first value that is another, or takes
// the first key out that is not wanted, in this order, so that a mapping is never empty between.
func (s *step) mapping(n ast.Node, was, want Pairs, at spot) (string, error) {
	list, err := pairs(n)
	if err != nil {
		return "", err
	}
	flow := at.flow || !isBlock(n)
	if flow && at.behind > 0 && !share(was, want) { // written anew, it is laid out anew
		s.put = want
		return s.replace(n, want, at)
	}
	for i, p := range want {
		if was.index(p.Key) < 0 {
			s.path, s.put = append(s.path, p.Key), p.Value
			return s.addKey(list, was, want[:i], p, flow, at)
		}
	}
	for i, p := range list {
		put := want.index(p.key)
		if put < 0 || Same(was[i].Value, want[put].Value) {
			continue
		}
		s.path = append(s.path, p.key)
		return s.value(p.value, was[i].Value, want[put].Value, s.behindPair(p, flow, at))
	}
	for i, p := range list {
		if want.index(p.key) < 0 {
			s.gone = true
			return s.dropKey(list, i, flow, at)
		}
	}
	return "", errSpan
}

// share reports whether two mappings have a key in common.
func share(a, b Pairs) bool {
	for _, p := range a {
		if b.index(p.Key) >= 0 {
			return true
		}
	}
	return false
}

// behindPair is the place of a pair's value.
func (s *step) behindPair(p pair, flow bool, at spot) spot {
	key := s.start(p.at)
	_, end, err := s.span(p.at)
	out := spot{flow: flow, above: at.above}
	if err != nil || flow {
		return out
	}
	out.above, out.indent = key, key-s.lineStart(key)
	if colon := strings.IndexByte(s.raw[end:], ':'); colon >= 0 {
		out.behind = end + colon + 1
		out.column = out.behind - s.lineStart(key)
	}
	return out
}

// addKey writes a pair behind the nearest of those that are before it and are there.
func (s *step) addKey(list []pair, was, before Pairs, p Pair, flow bool, at spot) (string, error) {
	prev := -1
	for _, b := range before {
		prev = max(prev, was.index(b.Key))
	}
	if flow {
		put := keyText(p.Key) + ": " + inBrackets(p.Value)
		if prev < 0 {
			from := s.start(list[0].at)
			return s.splice(from, from, put+", ", at.above), nil
		}
		_, to, err := s.span(list[prev].value)
		if err != nil {
			return "", err
		}
		return s.splice(to, to, ", "+put, at.above), nil
	}
	first := s.start(list[0].at)
	indent := first - s.lineStart(first)
	key := strings.Repeat(" ", indent) + keyText(p.Key) + ":"
	put := key + behindKey(p.Value, indent, len([]rune(key)))
	if prev < 0 && strings.TrimSpace(s.raw[s.lineStart(first):first]) == "" {
		line := s.lineStart(first)
		return s.splice(line, line, put+"\n", first), nil
	}
	_, to, err := s.span(list[max(0, prev)].value)
	if err != nil {
		return "", err
	}
	to = s.lineEnd(to)
	return s.splice(to, to, "\n"+put, first), nil
}

// dropKey takes a pair out of a mapping of several.
func (s *step) dropKey(list []pair, i int, flow bool, at spot) (string, error) {
	from := s.start(list[i].at)
	_, to, err := s.span(list[i].value)
	if err != nil || len(list) < 2 {
		return "", errSpan
	}
	if flow {
		if i > 0 {
			_, from, err = s.span(list[i-1].value)
		} else {
			to = s.start(list[1].at)
		}
		return s.splice(from, to, "", at.above), err
	}
	if strings.TrimSpace(s.raw[s.lineStart(from):from]) != "" { // behind a dash
		return s.splice(from, s.start(list[i+1].at), "", from), nil
	}
	return s.dropLines(from, to), nil
}

// dropLines takes the lines of a part out; their comments stay.
func (s *step) dropLines(from, to int) string {
	return s.splice(s.lineStart(from), min(s.lineEnd(to)+1, len(s.raw)), "", from)
}

// list makes the first entry another, or adds or takes out the first that makes a difference.
func (s *step) list(n ast.Node, was, want []any, at spot) (string, error) {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		return "", errSpan
	}
	i := 0
	for i < len(was) && i < len(want) && Same(was[i], want[i]) {
		i++
	}
	flow := at.flow || seq.IsFlowStyle
	s.path = append(s.path, strconv.Itoa(i))
	switch {
	case len(was) < len(want):
		s.put = want[i]
		return s.addEntry(seq, i, want[i], flow, at)
	case len(was) > len(want):
		s.gone = true
		return s.dropEntry(seq, i, flow, at)
	}
	in := spot{flow: flow, above: at.above}
	if !flow {
		from := s.start(seq.Values[i])
		in.above, in.indent = from, s.indent(from)
	}
	return s.value(seq.Values[i], was[i], want[i], in)
}

func (s *step) addEntry(seq *ast.SequenceNode, i int, v any, flow bool, at spot) (string, error) {
	next := i < len(seq.Values)
	if flow {
		if next {
			from := s.start(seq.Values[i])
			return s.splice(from, from, inBrackets(v)+", ", at.above), nil
		}
		_, to, err := s.span(seq.Values[i-1])
		return s.splice(to, to, ", "+inBrackets(v), at.above), err
	}
	indent := s.indent(s.start(seq.Values[0]))
	put := strings.Repeat(" ", indent) + "- " + entryText(v, indent)
	if next {
		line := s.lineStart(s.start(seq.Values[i]))
		return s.splice(line, line, put+"\n", line), nil
	}
	_, to, err := s.span(seq.Values[i-1])
	if err != nil {
		return "", err
	}
	to = s.lineEnd(to)
	return s.splice(to, to, "\n"+put, s.start(seq.Values[0])), nil
}

func (s *step) dropEntry(seq *ast.SequenceNode, i int, flow bool, at spot) (string, error) {
	from, to, err := s.span(seq.Values[i])
	if err != nil {
		return "", err
	}
	if !flow {
		return s.dropLines(from, to), nil
	}
	if i > 0 {
		_, from, err = s.span(seq.Values[i-1])
	} else {
		to = s.start(seq.Values[1])
	}
	return s.splice(from, to, "", at.above), err
}
