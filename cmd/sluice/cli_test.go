package main

import (
	"go/ast"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"sluice/test/gofile"
)

// TestVerbsStandAlone: a file with a verb uses nothing of a file with another verb, but the
// verb itself, which its group lists. What verbs share is in files without one.
func TestVerbsStandAlone(t *testing.T) {
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	files, owner, verbs, verbOf := map[string]*ast.File{}, map[string]string{}, map[string]bool{}, map[string]bool{}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := gofile.Parse(token.NewFileSet(), path)
		if err != nil {
			t.Fatal(err)
		}
		files[path] = f
		for name, verb := range declared(f) {
			owner[name] = path
			verbs[name] = verb
			verbOf[path] = verbOf[path] || verb
		}
	}
	for path, f := range files {
		if !verbOf[path] {
			continue
		}
		fields := map[*ast.Ident]bool{} // names behind a dot, and keys, are not of this package
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				fields[n.Sel] = true
			case *ast.FuncDecl:
				fields[n.Name] = true
			case *ast.KeyValueExpr:
				if id, ok := n.Key.(*ast.Ident); ok {
					fields[id] = true
				}
			case *ast.Field:
				for _, id := range n.Names {
					fields[id] = true
				}
			case *ast.Ident:
				if at := owner[n.Name]; at != "" && at != path && verbOf[at] && !verbs[n.Name] && !fields[n] {
					t.Errorf("%s uses %s of %s, which has a verb of its own: move it to a file without one", path,
						n.Name, at)
				}
			}
			return true
		})
	}
	if len(verbs) < 150 || len(verbOf) < 30 {
		t.Errorf("only %d names and %d files were found", len(verbs), len(verbOf))
	}
}

// declared are the functions, types, variables and constants of a file; true for a
// function that returns a verb.
func declared(f *ast.File) map[string]bool {
	out := map[string]bool{}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv != nil {
				continue
			}
			verb := false
			if r := d.Type.Results; r != nil && len(r.List) == 1 && d.Name.Name != "group" { // which makes them
				if star, ok := r.List[0].Type.(*ast.StarExpr); ok {
					sel, ok := star.X.(*ast.SelectorExpr)
					verb = ok && sel.Sel.Name == "Command"
				}
			}
			out[d.Name.Name] = verb
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					out[spec.Name.Name] = false
				case *ast.ValueSpec:
					for _, id := range spec.Names {
						out[id.Name] = false
					}
				}
			}
		}
	}
	return out
}
