package sluice_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mayTouch are the packages under ingest that may use the outside world.
var mayTouch = []string{"gateway/ingest/internal/mqtt", "gateway/ingest/internal/listener",
	"gateway/ingest/internal/sealed", "gateway/ingest/internal/checkpoint"}

type listed struct {
	ImportPath       string
	GoFiles, Imports []string
}

func packages(t *testing.T) map[string][]string {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,GoFiles,Imports", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	pkgs := make(map[string][]string)
	for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); {
		var p listed
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		if len(p.GoFiles) > 0 { // otherwise it is tests only
			pkgs[strings.TrimPrefix(p.ImportPath, "sluice/")] = p.Imports
		}
	}
	return pkgs
}

func TestArrows(t *testing.T) {
	pkgs := packages(t)
	for pkg, imports := range pkgs {
		allowed, known := arrows[pkg]
		if !known {
			t.Errorf("%s is not in the table of arrows", pkg)
			continue
		}
		var used []string
		for _, i := range imports {
			if ours, ok := strings.CutPrefix(i, "sluice/"); ok {
				used = append(used, ours)
			}
		}
		for _, u := range used {
			if !slices.Contains(strings.Fields(allowed.list), u) {
				t.Errorf("%s imports %s: that arrow is not in the table", pkg, u)
			}
		}
		for _, a := range strings.Fields(allowed.list) {
			if !slices.Contains(used, a) {
				t.Errorf("%s does not import %s: take the arrow out of the table", pkg, a)
			}
		}
	}
	for pkg, r := range arrows {
		if r.why == "" {
			t.Errorf("%s has no reason", pkg)
		}
		if _, ok := pkgs[pkg]; !ok {
			t.Errorf("%s is in the table of arrows and does not exist", pkg)
		}
	}
}

func TestDoors(t *testing.T) {
	used := map[string][]string{}
	for pkg, imports := range packages(t) {
		for _, i := range imports {
			first, _, _ := strings.Cut(i, "/")
			if !strings.Contains(first, ".") {
				continue
			}
			door := ""
			for module := range doors {
				if i == module || strings.HasPrefix(i, module+"/") {
					door = module
				}
			}
			if door == "" || !slices.Contains(strings.Fields(doors[door].list), pkg) {
				t.Errorf("%s imports %s: there is no such door", pkg, i)
			}
			used[door] = append(used[door], pkg)
		}
	}
	for module, pkgs := range doors {
		if pkgs.why == "" {
			t.Errorf("%s has no reason", module)
		}
		for _, pkg := range strings.Fields(pkgs.list) {
			if !slices.Contains(used[module], pkg) {
				t.Errorf("%s does not use %s: close the door", pkg, module)
			}
		}
	}
}

// TestWhoSeesCannotSpeak follows imports all the way.
func TestWhoSeesCannotSpeak(t *testing.T) {
	pkgs := packages(t)
	var reach func(pkg string, seen map[string]bool)
	reach = func(pkg string, seen map[string]bool) {
		for _, i := range pkgs[pkg] {
			ours := strings.TrimPrefix(i, "sluice/")
			if !seen[ours] {
				seen[ours] = true
				reach(ours, seen)
			}
		}
	}
	for _, pkg := range []string{"gateway/forward", "store", "store/sqlite", "books", "opendata", "opendata/api",
		"opendata/catalog", "opendata/web", "opendata/query", "opendata/released"} {
		seen := map[string]bool{}
		reach(pkg, seen)
		for s := range seen {
			if strings.HasPrefix(s, "gateway/ingest") || s == "policy/rego" ||
				strings.Contains(s, "open-policy-agent") {
				t.Errorf("%s reaches %s", pkg, s)
			}
		}
	}
	// What a decision means and costs, and the proof of it, is known without a gateway.
	for pkg := range pkgs {
		first, _, _ := strings.Cut(pkg, "/")
		if !slices.Contains([]string{"policy", "verify", "register", "opendata", "store", "books"}, first) {
			continue
		}
		seen := map[string]bool{}
		reach(pkg, seen)
		for s := range seen {
			if s == "gateway" || strings.HasPrefix(s, "gateway/") ||
				strings.HasPrefix(s, "github.com/google/differential-privacy") {
				t.Errorf("%s reaches %s", pkg, s)
			}
		}
	}
	// No arrow runs back up from the ground, from the register to the policy, from the policy to the example city, nor
	// from a room of the gateway to the gateway.
	for pkg, imports := range pkgs {
		for _, i := range imports {
			ours, ok := strings.CutPrefix(i, "sluice/")
			policy := strings.HasPrefix(ours+"/", "policy/")
			up := strings.HasPrefix(pkg, "internal/") && !strings.HasPrefix(ours, "internal/") ||
				strings.HasPrefix(pkg, "register") && policy ||
				strings.HasPrefix(pkg, "policy/") && strings.HasPrefix(ours, "configs/")
			up = up || ours == "gateway" && strings.HasPrefix(pkg, "gateway/") // which puts its rooms together
			if ok && up {
				t.Errorf("%s imports %s: that is above it", pkg, ours)
			}
		}
	}
	for pkg, imports := range pkgs {
		if !strings.HasPrefix(pkg, "gateway/ingest/internal/") || slices.Contains(mayTouch, pkg) {
			continue
		}
		for _, i := range imports {
			if i == "os" || i == "net" || strings.HasPrefix(i, "net/") {
				t.Errorf("%s imports %s: only %v may", pkg, i, mayTouch)
			}
		}
	}
}

// TestIngestSaysLittle reads the exported signatures of gateway/ingest: nothing
// of its internal packages may show, since internal blocks naming a type, not
// holding its value.
func TestIngestSaysLittle(t *testing.T) {
	files, err := filepath.Glob("gateway/ingest/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("gateway/ingest is not there", err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		inside := map[string]bool{}
		for _, i := range f.Imports {
			path := strings.Trim(i.Path.Value, `"`)
			if strings.HasPrefix(path, "sluice/gateway/ingest/internal/") {
				inside[filepath.Base(path)] = true
			}
		}
		for _, d := range f.Decls {
			checkDecl(t, name, d, inside)
		}
	}
}

func checkDecl(t *testing.T, file string, d ast.Decl, inside map[string]bool) {
	var show ast.Node
	what := ""
	switch d := d.(type) {
	case *ast.FuncDecl:
		if !d.Name.IsExported() || d.Recv != nil && !exportedReceiver(d.Recv) {
			return
		}
		show, what = d.Type, d.Name.Name
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			if ts, ok := spec.(*ast.TypeSpec); ok && ts.Name.IsExported() {
				if st, ok := ts.Type.(*ast.StructType); ok {
					for _, field := range st.Fields.List {
						if len(field.Names) > 0 && field.Names[0].IsExported() {
							mentions(t, file, ts.Name.Name+"."+field.Names[0].Name, field.Type, inside)
						}
					}
				}
			}
		}
		return
	default:
		return
	}
	mentions(t, file, what, show, inside)
}

func exportedReceiver(list *ast.FieldList) bool {
	typ := list.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	id, ok := typ.(*ast.Ident)
	return ok && id.IsExported()
}

func mentions(t *testing.T, file, what string, n ast.Node, inside map[string]bool) {
	ast.Inspect(n, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := s.X.(*ast.Ident); ok && inside[id.Name] {
				t.Errorf("%s: %s shows %s.%s to the outside", file, what, id.Name, s.Sel.Name)
			}
		}
		return true
	})
}

// TestDocumented insists on one package comment each.
func TestDocumented(t *testing.T) {
	for _, pkg := range slices.Sorted(maps.Keys(packages(t))) {
		files, err := filepath.Glob(filepath.Join(pkg, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		docs := 0
		for _, name := range files {
			f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.PackageClauseOnly)
			if err != nil {
				t.Fatal(err)
			}
			if f.Doc != nil && !strings.HasSuffix(name, "_test.go") {
				docs++
			}
		}
		if docs != 1 {
			t.Errorf("%s has %d package comments; want one", pkg, docs)
		}
	}
}

// TestRehearsalsAreSimulations: what disclosure control says with a caller's own noise protects nobody,
// so only simulate asks for it, of numbers that it made itself or was given.
func TestRehearsalsAreSimulations(t *testing.T) {
	asked := 0
	for _, file := range sources(t) {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(raw), "release."+"Rehearse(") {
			continue
		}
		if asked++; file != "simulate/trial.go" {
			t.Errorf("%s rehearses a release; only simulate does", file)
		}
	}
	if asked == 0 {
		t.Error("nobody rehearses a release: take release.Rehearse away")
	}
}
