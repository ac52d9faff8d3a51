// Package gofile reads the project's own Go files for tests that hold documents and
// translations against what the code says.
package gofile

import (
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"os"
	"strconv"
)

// Parse parses a Go file as go/parser does. A text that stands over several lines, as
// "one " + "two", is one literal; what comes behind it in the file is some lines higher then.
func Parse(set *token.FileSet, path string) (*ast.File, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parser.ParseFile(set, path, join(raw), 0)
}

// join makes one literal of quoted texts with a plus between them.
func join(src []byte) []byte {
	file := token.NewFileSet().AddFile("", -1, len(src))
	var s scanner.Scanner
	s.Init(file, src, nil, 0)
	var out []byte
	copied := 0         // bytes of src that are in out, or stand in text
	text, plus := "", 0 // the text at hand, and the pluses behind it
	begin, end := 0, 0  // of it in src
	flush := func() {
		if text != "" {
			out = append(append(out, src[copied:begin]...), strconv.Quote(text)...)
			copied, text = end, ""
		}
	}
	for {
		pos, tok, lit := s.Scan()
		at := file.Offset(pos)
		switch {
		case tok == token.STRING && lit[0] == '"':
			part, err := strconv.Unquote(lit)
			if err != nil || part == "" || text != "" && plus != 1 {
				flush()
			}
			if text == "" {
				begin = at
			}
			if err == nil && part != "" {
				text, plus, end = text+part, 0, at+len(lit)
			}
		case tok == token.ADD && text != "":
			plus++
		default:
			flush()
		}
		if tok == token.EOF {
			flush()
			return append(out, src[copied:]...)
		}
	}
}
