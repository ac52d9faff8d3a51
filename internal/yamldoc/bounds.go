package yamldoc

import (
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
var unused = map[token.Type]said{
	token.AnchorType:      anchors,
	token.AliasType:       anchors,
	token.MergeKeyType:    mergeKeys,
	token.TagType:         tags,
	token.DirectiveType:   directives,
	token.MappingKeyType:  questionKeys,
	token.DocumentEndType: documentEnd,
}

// tokens cuts a file into tokens, which costs time and memory in proportion to its
// length, and refuses what is too deep, and what is not used here. The error is a
// SyntaxError.
func tokens(raw []byte) (token.Tokens, error) {
	if len(raw) > MaxFile {
		return nil, slip(Position{1, 1}, tooLarge)
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
		if t.Type == token.InvalidType {
			return nil, slipOf(raw, at, t.Error)
		}
		if text, ok := unused[t.Type]; ok {
			return nil, slip(at, text)
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
				return nil, slip(at, manyDocuments)
			}
		}
		if depth > maxDepth || entries > maxEntries || at.Column > maxIndent && firstOnLine(list, i) {
			return nil, slip(at, tooDeep)
		}
	}
	return list, nil
}

// firstOnLine reports whether a token begins its line.
func firstOnLine(list token.Tokens, i int) bool {
	return i == 0 || list[i-1].Position == nil || list[i].Position == nil ||
		list[i-1].Position.Line != list[i].Position.Line
}

// plainText refuses bytes that are no text, that a terminal would obey, or that look
// like blanks and are none.
func plainText(raw []byte) error {
	for i, line, begin := 0, 1, 0; i < len(raw); {
		r, n := utf8.DecodeRune(raw[i:])
		at := Position{line, i - begin + 1}
		switch {
		case r == utf8.RuneError && n == 1:
			return slip(at, notUTF8)
		case r == '\t':
			return slip(at, aTab)
		case r == '\u00a0' || r == '\u202f':
			return slip(at, hardBlank)
		case r == '\ufeff' && i == 0:
			return slip(at, byteOrder)
		case r < ' ' && r != '\n' && r != '\r' || r == 0x7f || r == '\ufeff':
			return slip(at, control)
		case r == '\n':
			line, begin = line+1, i+1
		}
		i += n
	}
	return nil
}
