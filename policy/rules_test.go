package policy

import (
	"context"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/tester"

	"sluice/policy/rules"
)

// TestRules runs the *_test.rego beside the rules.
func TestRules(t *testing.T) {
	entries, err := rules.FS.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	parsed := make(map[string]*ast.Module)
	for _, e := range entries {
		raw, err := rules.FS.ReadFile(e.Name())
		if err != nil {
			t.Fatal(err)
		}
		if parsed[e.Name()], err = ast.ParseModuleWithOpts(e.Name(), string(raw), ast.ParserOptions{RegoVersion: ast.RegoV1}); err != nil {
			t.Fatal(err)
		}
	}
	results, err := tester.NewRunner().SetCompiler(ast.NewCompiler()).SetModules(parsed).RunTests(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for r := range results {
		ran++
		if !r.Pass() {
			t.Errorf("%s.%s failed: %v", r.Package, r.Name, r.Error)
		}
	}
	if ran < 30 {
		t.Errorf("%d Rego tests ran; want at least 30", ran)
	}
}
