package sluice_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"sluice/test/fenced"
)

// What a page holds: who reads a function or a file sees all of it.
const (
	mostFileLines = 400
	mostFuncLines = 60
	mostBranches  = 20 // McCabe, A Complexity Measure, IEEE Transactions on Software Engineering 2(4), 1976
)

// manyWays are functions that have more ways through than that, each for a reason.
var manyWays = map[string]string{
	"gateway/ingest/internal/format/time.go: parseTime": "the marks of one fixed form, on the way of every reading",
	"internal/yamldoc/even.go: even":                    "one walk over a line's characters",
	"opendata/released/refresh.go: readOn":              "what one look at the books brings, under one lock",
	"policy/check/semantic.go: document":                "a flat list of rules",
	"policy/check/semantic.go: measure":                 "a flat list of rules",
	"policy/check/semantic.go: charterAndRoster":        "a flat list of rules",
	"policy/check/value.go: ofSort":                     "a flat list of slips",
	"policy/decision/decision.go: check":                "a flat list of rules",
	"policy/diff/runs.go: misfits":                      "a flat list of rules, those of policy/rules/plan.rego",
	"plan/seal.go: check":                               "a flat list of rules",
	"register/clash.go: touch":                          "the ways in which two edges can lie",
	"verify/api.go: mechanism":                          "a flat list of what a number says of itself",
}

// TestShapes: files fit a few screens, functions one, and none of them has too many ways
// through. Tests' functions may be as long as their tables are.
func TestShapes(t *testing.T) {
	files := sources(t)
	if len(files) < 500 {
		t.Fatalf("%d files", len(files))
	}
	unused := maps.Clone(manyWays)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(raw, []byte("\n")); n > mostFileLines {
			t.Errorf("%s has %d lines; %d is the most: make two files of two subjects", file, n, mostFileLines)
		}
		if strings.HasSuffix(file, "_test.go") || strings.HasPrefix(file, "test/") {
			continue
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, file, raw, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			at := set.Position(fn.Pos())
			if n := set.Position(fn.End()).Line - at.Line + 1; n > mostFuncLines {
				t.Errorf("%s: %s has %d lines; %d is the most", at, fn.Name.Name, n, mostFuncLines)
			}
			name := file + ": " + fn.Name.Name
			if n := branches(fn); n > mostBranches && manyWays[name] != "" {
				delete(unused, name)
			} else if n > mostBranches {
				t.Errorf("%s: %s has %d ways through; %d is the most", at, fn.Name.Name, n, mostBranches)
			}
		}
	}
	for name := range unused {
		t.Errorf("%s has fewer ways through now: take it out of the table", name)
	}
}

// sources are all Go files that are here, in a checkout and in a tarball alike, committed or not;
// what was installed or built, in .tools and bin, is not ours.
func sources(t *testing.T) (files []string) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || path == "bin"):
			return filepath.SkipDir
		case !d.IsDir() && strings.HasSuffix(path, ".go"):
			files = append(files, filepath.ToSlash(path))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// branches is the cyclomatic complexity of a function: one, and one for each if, loop, case
// and operator that may not look at its right side.
func branches(fn *ast.FuncDecl) int {
	n := 1
	ast.Inspect(fn, func(x ast.Node) bool {
		switch x := x.(type) {
		case *ast.IfStmt, *ast.ForStmt, *ast.RangeStmt:
			n++
		case *ast.CaseClause:
			if x.List != nil {
				n++
			}
		case *ast.CommClause:
			if x.Comm != nil {
				n++
			}
		case *ast.BinaryExpr:
			if x.Op == token.LAND || x.Op == token.LOR {
				n++
			}
		}
		return true
	})
	return n
}

// How wide a line may be: a reader has two files side by side, and prose in one of them.
const (
	maxCodeColumns  = 120 // a tab counts four
	maxProseColumns = 140
)

// TestWidth: no line of code is wider than maxCodeColumns, and no line of prose than
// maxProseColumns. What a raw string holds (messages, files, tags), tables, code in documents and
// the addresses of links are as wide as they are.
func TestWidth(t *testing.T) {
	for _, file := range sources(t) {
		lines := linesOf(t, file)
		raw := rawStrings([]byte(strings.Join(lines, "\n")))
		for n, line := range lines {
			w := utf8.RuneCountInString(strings.ReplaceAll(line, "\t", "    "))
			if w > maxCodeColumns && !raw[n+1] {
				t.Errorf("%s:%d has %d columns; %d at most", file, n+1, w, maxCodeColumns)
			}
		}
	}
	documents, err := fenced.Documents(".")
	if err != nil || len(documents) < 10 {
		t.Fatal(documents, err)
	}
	for _, file := range documents {
		if path.Ext(file) == ".md" {
			for _, n := range wideLines(linesOf(t, file)) {
				t.Errorf("%s:%d is wider than %d columns", file, n, maxProseColumns)
			}
		}
	}
}

// rawStrings are the numbers of the lines that a raw string has a part of.
func rawStrings(src []byte) map[int]bool {
	file := token.NewFileSet().AddFile("", -1, len(src))
	var s scanner.Scanner
	s.Init(file, src, nil, 0)
	lines := map[int]bool{}
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			return lines
		}
		for n := range strings.Count(lit, "\n") + 1 {
			if tok == token.STRING && lit[0] == '`' {
				lines[file.Line(pos)+n] = true
			}
		}
	}
}

func linesOf(t *testing.T, file string) []string {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(raw), "\n")
}

// address is where a link of a document leads.
var address = regexp.MustCompile(`\]\([^)]*\)`)

// wideLines are the numbers of the lines of prose that are too wide.
func wideLines(lines []string) (wide []int) {
	code := false
	for i, line := range lines {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			code = !code
		}
		text := address.ReplaceAllString(line, "]")
		other := strings.HasPrefix(strings.TrimLeft(text, " "), "|") || strings.HasPrefix(text, "![") ||
			strings.HasPrefix(text, "    ")
		if !code && !other &&
			utf8.RuneCountInString(text) > maxProseColumns {
			wide = append(wide, i+1)
		}
	}
	return wide
}

// TestTablesAreWhole: a row of a table stands on one line, or it is none to whoever shows the page.
func TestTablesAreWhole(t *testing.T) {
	documents, err := fenced.Documents(".")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for _, file := range documents {
		code := false
		for n, line := range linesOf(t, file) {
			line = strings.TrimSpace(line)
			if strings.HasPrefix(line, "```") {
				code = !code
			}
			if code || path.Ext(file) != ".md" || !strings.HasPrefix(line, "| ") {
				continue
			}
			if rows++; !strings.HasSuffix(line, "|") {
				t.Errorf("%s:%d: the row goes on on the next line", file, n+1)
			}
		}
	}
	if rows < 100 {
		t.Errorf("%d rows were found", rows)
	}
}

// TestWideLines: the test above sees a wide line where it should, and only there.
func TestWideLines(t *testing.T) {
	long := strings.Repeat("x", maxProseColumns)
	for text, want := range map[string]int{
		long: 0, long + "x": 1, "| " + long: 0, "```\n" + long + "x\n```": 0, "```\n```\n" + long + "x": 1,
		strings.Repeat("é", maxProseColumns): 0, "[a](" + long + ")": 0, long + "[a](b)": 1,
	} {
		if got := len(wideLines(strings.Split(text, "\n"))); got != want {
			t.Errorf("%.20s: %d wide lines; want %d", text, got, want)
		}
	}
}
