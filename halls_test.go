package sluice_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A type is a room, not a hall: it has one thing to do, which most of its fields serve.
const (
	mostFields  = 15
	mostMethods = 20
)

// halls are larger all the same, each for a reason.
var halls = map[string]string{
	"gateway/config.Config":                   "one field for each key of gateway.yaml",
	"gateway/ingest.Ingest":                   "one field for each part, and a method for each thing they do together",
	"gateway/ingest/internal/listener.conn":   "one connection: its budgets, and a method for each kind of packet",
	"gateway/ingest/internal/window.Entry":    "one record of the log: a field for each thing it can say",
	"gateway/ingest.catchUp":                  "what intake waits for behind a broker, and since when",
	"gateway/ingest.sensor":                   "what is known of one sensor, in one piece: there are 100,000",
	"gateway/ingest.windows":                  "the open windows and epochs of all streams; it has few fields",
	"gateway/ingest/internal/checkpoint.Keys": "one method for each thing that becomes of a key; it has few fields",
	"gateway/ingest/internal/checkpoint.Log":  "it writes segments, and rewrites them beside",
	"gateway/ingest/internal/format.Decoder":  "one walk over the bytes of two formats, without allocation",
	"gateway/ingest/internal/intake.Message":  "a publication and how far it is, in one piece, for each reading's sake",
	"gateway/ingest/internal/mqtt.Client":     "one session at a broker, and what is said of it",
	"gateway/ingest/internal/redact.Rule":     "a plan made ready for one sensor: a field for each step",
}

// TestNoHalls counts what the types of the gateway's rooms have.
func TestNoHalls(t *testing.T) {
	unused := maps.Clone(halls)
	for pkg := range packages(t) {
		if pkg != "gateway" && !strings.HasPrefix(pkg, "gateway/") {
			continue
		}
		fields, methods := typeSizes(t, pkg)
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			f, m := fields[name], methods[name]
			if f <= mostFields && m <= mostMethods {
				continue
			}
			if halls[pkg+"."+name] == "" {
				t.Errorf("%s.%s has %d fields and %d methods; make several types of it, %d and %d at most", pkg, name,
					f, m, mostFields, mostMethods)
			}
			delete(unused, pkg+"."+name)
		}
	}
	for name := range unused {
		t.Errorf("%s is no hall any more: take it out of the table", name)
	}
}

// typeSizes counts the fields and the methods of the structs of a package, by name.
func typeSizes(t *testing.T, pkg string) (fields, methods map[string]int) {
	t.Helper()
	fields, methods = map[string]int{}, map[string]int{}
	files, err := filepath.Glob(filepath.Join(filepath.FromSlash(pkg), "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.TypeSpec:
				if s, ok := n.Type.(*ast.StructType); ok {
					fields[n.Name.Name] = 0
					for _, field := range s.Fields.List {
						fields[n.Name.Name] += max(1, len(field.Names))
					}
				}
			case *ast.FuncDecl:
				if n.Recv != nil {
					typ := n.Recv.List[0].Type
					if star, ok := typ.(*ast.StarExpr); ok {
						typ = star.X
					}
					if id, ok := typ.(*ast.Ident); ok {
						methods[id.Name]++
					}
				}
			}
			return true
		})
	}
	return fields, methods
}
