package sluice_test

import (
	"go/ast"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"sluice/test/fenced"
	"sluice/test/gofile"
)

// drawn are blocks without a language that nobody runs, by document and first words.
var drawn = map[string]string{
	"README.md sensors ──MQTT": "the way of a reading, as a drawing",
}

// claim is a call of fenced.Take, or of fenced.All, which takes whatever there is.
type claim struct{ test, where, file, begins string }

// TestDocuments: each fenced block of each document, and each command in a comment of
// configs/, is taken by a test that runs it, and each test takes a block that is there.
// With -v it prints which test runs which block.
func TestDocuments(t *testing.T) {
	files, err := fenced.Documents(".")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d documents, %v", len(files), err)
	}
	claims := claimed(t)
	used := make([]int, len(claims))
	stale := map[string]bool{}
	for key := range drawn {
		stale[key] = true
	}
	blocks := 0
	for _, file := range files {
		list, err := fenced.Blocks(".", file)
		if err != nil {
			t.Fatal(err)
		}
	next:
		for _, b := range list {
			blocks++
			for key := range drawn {
				if begins, ok := strings.CutPrefix(key, file+" "); ok && b.Lang == "" && b.Begins(begins) {
					delete(stale, key)
					continue next
				}
			}
			var by []string
			for i, c := range claims {
				if c.file == file && b.Begins(c.begins) {
					used[i]++
					if c.begins == "" {
						used[i] = 1
					}
					by = append(by, c.test)
				}
			}
			if by == nil {
				t.Errorf("%s: no test runs it; write one that takes it by fenced.Take (CONTRIBUTING.md)", b)
			}
			t.Logf("%s: %s", b, strings.Join(by, ", "))
		}
	}
	for i, c := range claims {
		if used[i] != 1 {
			t.Errorf("%s: %s takes %q of %s, with which %d blocks begin; want one", c.where, c.test, c.begins, c.file,
				used[i])
		}
	}
	for key := range stale {
		t.Errorf("there is no drawing %q any more", key)
	}
	if blocks < 50 {
		t.Errorf("only %d blocks were found", blocks)
	}
}

// claimed are all calls of fenced.Take in tests. Their arguments must be literals.
func claimed(t *testing.T) []claim {
	t.Helper()
	var all []claim
	tests(t, func(_ string, set *token.FileSet, f *ast.File) {
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(fn, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				c := claim{test: fn.Name.Name, where: set.Position(call.Pos()).String()}
				switch fencedName(call.Fun) {
				case "Take":
					c.file, c.begins = literal(call.Args[1]), literal(call.Args[2])
					if c.begins == "" {
						t.Errorf("%s: the document and the block's first words are literals", c.where)
					}
				case "All":
					c.file = literal(call.Args[1])
				default:
					return true
				}
				all = append(all, c)
				return true
			})
		}
	})
	if len(all) < 20 {
		t.Errorf("only %d blocks are taken", len(all))
	}
	return all
}

// tests parses every file of tests and the harness, but those that hold documents, here and
// in fenced.
func tests(t *testing.T, each func(path string, set *token.FileSet, f *ast.File)) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() &&
			(d.Name() == "testdata" || d.Name() == "fenced" || len(d.Name()) > 1 && strings.HasPrefix(d.Name(), ".")) {
			return filepath.SkipDir
		}
		harness := filepath.ToSlash(filepath.Dir(path)) == "test/harness"
		if d.IsDir() || !harness && !strings.HasSuffix(path, "_test.go") ||
			filepath.Dir(path) == "." && path != "visitors_test.go" {
			return nil
		}
		set := token.NewFileSet()
		f, err := gofile.Parse(set, path)
		if err != nil {
			return err
		}
		each(path, set, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// fencedName is the name of a function of package fenced.
func fencedName(fun ast.Expr) string {
	if s, ok := fun.(*ast.SelectorExpr); ok {
		if pkg, ok := s.X.(*ast.Ident); ok && pkg.Name == "fenced" {
			return s.Sel.Name
		}
	}
	return ""
}

func literal(e ast.Expr) string {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return ""
	}
	s, err := strconv.Unquote(lit.Value)
	if err != nil {
		return ""
	}
	return s
}
