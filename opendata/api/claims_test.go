package api

import (
	"go/ast"
	"go/token"
	"reflect"
	"strconv"
	"testing"

	"sluice/test/claims"
	"sluice/test/gofile"
)

// claimed is what each field's description says of intervals; see test/claims.
var claimed = map[string]claims.Claim{
	"item.Low":             claims.Counted,
	"measure.TypicalError": claims.Counted,
	"epoch.Bounded":        claims.Nothing,
	"epoch.Units":          claims.Nothing,
	"entry.Method":         claims.Nothing,
	"item.Scale":           claims.Nothing,
	"stream.Floor":         claims.Nothing,
	"stream.Simulation":    claims.Nothing,
}

// TestClaims: no description of a field, on /docs and in /openapi.json, says more of
// an interval than the simulator finds.
func TestClaims(t *testing.T) {
	f, err := gofile.Parse(token.NewFileSet(), "types.go")
	if err != nil {
		t.Fatal(err)
	}
	sentences := map[string][3]string{}
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		if s, ok := spec.Type.(*ast.StructType); ok {
			for _, field := range s.Fields.List {
				if field.Tag == nil || len(field.Names) == 0 {
					continue
				}
				tag, err := strconv.Unquote(field.Tag.Value)
				if err != nil {
					t.Fatal(err)
				}
				if doc := reflect.StructTag(tag).Get("doc"); doc != "" {
					sentences[spec.Name.Name+"."+field.Names[0].Name] = [3]string{doc}
				}
			}
		}
		return true
	})
	if len(sentences) < 10 {
		t.Fatalf("only %d descriptions were found; the search is broken", len(sentences))
	}
	if err := claims.Check(sentences, claimed, claims.Least); err != nil {
		t.Error(err)
	}
}
