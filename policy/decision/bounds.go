package decision

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

// Bounds of a YAML file. They hold before the parser sees it, which would take
// gigabytes and minutes for some thousand brackets.
const (
	// MaxFile bounds any file, in bytes.
	MaxFile = 1 << 20
	// MaxDocument bounds a file of a policy, but for its zones.
	MaxDocument = 64 << 10

	maxDepth   = 32  // brackets inside each other
	maxEntries = 8   // list entries that begin on one line: - - -
	maxIndent  = 256 // blanks before a line
)

// unused are the forms of YAML that no file of ours needs: each is a second way
// to write something, or to make it mean something else.
var unused = map[token.Type]string{
	token.AnchorType:      "anchors and aliases are not used here; write the value out",
	token.AliasType:       "anchors and aliases are not used here; write the value out",
	token.MergeKeyType:    "merge keys are not used here; write the values out",
	token.TagType:         "tags such as !!int are not used here; write the value alone",
	token.DirectiveType:   "directives are not used here; take the line out",
	token.MappingKeyType:  "keys are written as KEY: VALUE, without ?",
	token.DocumentEndType: "a file holds one document; take the line ... out",
	token.InvalidType:     "not YAML",
}

// tokens cuts a file into tokens, which costs time and memory in proportion to its
// length, and refuses what is too deep, and what is not used here. The error is a
// SyntaxError.
func tokens(raw []byte) (token.Tokens, error) {
	if len(raw) > MaxFile {
		return nil, &SyntaxError{Position{1, 1}, "larger than 1 MiB; split it"}
	}
	if err := plainText(raw); err != nil {
		return nil, err
	}
	list := lexer.Tokenize(string(raw))
	depth, entries, line := 0, 0, 0
	for i, t := range list {
		at := Position{1, 1}
		if t.Position != nil {
			at = Position{t.Position.Line, t.Position.Column}
		}
		if at.Line != line {
			line, entries = at.Line, 0
		}
		if text := unused[t.Type]; text != "" {
			return nil, &SyntaxError{at, text}
		}
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		case token.SequenceEntryType:
			entries++
		case token.DocumentHeaderType:
			if i > 0 && list[i-1].Type != token.CommentType {
				return nil, &SyntaxError{at, "a file holds one document; put each into a file of its own"}
			}
		}
		if depth > maxDepth || entries > maxEntries || at.Column > maxIndent && firstOnLine(list, i) {
			return nil, &SyntaxError{at, "nested too deeply"}
		}
	}
	return list, nil
}

// firstOnLine reports whether a token begins its line.
func firstOnLine(list token.Tokens, i int) bool {
	return i == 0 || list[i-1].Position == nil || list[i].Position == nil || list[i-1].Position.Line != list[i].Position.Line
}

// plainText refuses bytes that are no text, or that a terminal would obey.
func plainText(raw []byte) error {
	if !utf8.Valid(raw) {
		return &SyntaxError{Position{1, 1}, "not UTF-8; save it in that encoding"}
	}
	i := bytes.IndexFunc(raw, func(r rune) bool { return r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0x7f || r == '\ufeff' })
	if i < 0 {
		return nil
	}
	before := string(raw[:i])
	return &SyntaxError{Position{strings.Count(before, "\n") + 1, i - strings.LastIndexByte(before, '\n')}, "a control character or byte order mark; take it out"}
}
