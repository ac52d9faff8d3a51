package explain_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"

	"sluice/test/claims"
)

// claimed is what each sentence says of intervals; see test/claims.
var claimed = map[string]claims.Claim{
	"e-error": claims.Counted,
	"e-bound": claims.Nothing, // that numbers can be lower than what passed
	"noisy":   claims.Nothing, "noisy-f": claims.Nothing,
	"e-mean":   claims.Nothing,
	"e-mean-f": claims.Nothing,
}

// phrases reads the sentences where they are written, by key.
func phrases(t *testing.T) map[string][3]string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "phrases.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][3]string{}
	ast.Inspect(f, func(n ast.Node) bool {
		pair, ok := n.(*ast.KeyValueExpr)
		if !ok {
			return true
		}
		key, isText := pair.Key.(*ast.BasicLit)
		list, isList := pair.Value.(*ast.CompositeLit)
		if !isText || !isList || len(list.Elts) != 3 {
			return true
		}
		var texts [3]string
		for l, e := range list.Elts {
			if lit, ok := e.(*ast.BasicLit); ok {
				texts[l], _ = strconv.Unquote(lit.Value)
			}
		}
		id, _ := strconv.Unquote(key.Value)
		out[id] = texts
		return true
	})
	if len(out) < 40 || out["e-error"][2] == "" {
		t.Fatalf("only %d sentences were found; the search is broken", len(out))
	}
	return out
}

// TestClaims: no sentence of a decision's page says more of an interval than the
// simulator finds.
func TestClaims(t *testing.T) {
	if err := claims.Check(phrases(t), claimed, claims.Least); err != nil {
		t.Error(err)
	}
}
