package sluice_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestPatternsCompile compiles every text that a package makes a pattern of, which the program does
// only when it uses one.
func TestPatternsCompile(t *testing.T) {
	found := 0
	for pkg := range packages(t) {
		texts, calls := patternsOf(t, pkg)
		for _, call := range calls {
			found++
			text, constant := constantText(call.Args[0], texts)
			if !constant {
				t.Errorf("%s makes a pattern of what is no constant: regexp.MustCompile is for that", pkg)
			} else if _, err := regexp.Compile(text); err != nil {
				t.Errorf("%s: %v", pkg, err)
			}
		}
	}
	if found < 80 {
		t.Errorf("%d patterns were found: this looks for them in a wrong way", found)
	}
}

// patternsOf are a package's constants that may be texts, by name, and its calls of pattern.New.
func patternsOf(t *testing.T, pkg string) (texts map[string]ast.Expr, calls []*ast.CallExpr) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(filepath.FromSlash(pkg), "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	texts = make(map[string]ast.Expr)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GenDecl:
				for _, s := range n.Specs {
					if v, ok := s.(*ast.ValueSpec); ok && n.Tok == token.CONST && len(v.Values) == len(v.Names) {
						for i, name := range v.Names {
							texts[name.Name] = v.Values[i]
						}
					}
				}
			case *ast.CallExpr:
				if s, ok := n.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "New" {
					if x, ok := s.X.(*ast.Ident); ok && x.Name == "pattern" {
						calls = append(calls, n)
					}
				}
			}
			return true
		})
	}
	return texts, calls
}

// constantText is the text of an expression of literals, sums and constants.
func constantText(e ast.Expr, texts map[string]ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, err == nil
	case *ast.BinaryExpr:
		left, ok := constantText(e.X, texts)
		right, too := constantText(e.Y, texts)
		return left + right, ok && too && e.Op == token.ADD
	case *ast.Ident:
		if of, known := texts[e.Name]; known {
			return constantText(of, texts)
		}
	}
	return "", false
}
