package sluice_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
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
	"opendata/config.go: check":                         "a flat list of rules",
	"opendata/released/refresh.go: readOn":              "what one look at the books brings, under one lock",
	"policy/check/semantic.go: document":                "a flat list of rules",
	"policy/check/semantic.go: measure":                 "a flat list of rules",
	"policy/check/semantic.go: ground":                  "a flat list of rules",
	"policy/check/value.go: ofSort":                     "a flat list of slips",
	"policy/decision/decision.go: check":                "a flat list of rules",
	"policy/diff/runs.go: misfits":                      "a flat list of rules, those of policy/rules/plan.rego",
	"policy/plan/seal.go: check":                        "a flat list of rules",
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
