package rego_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/tester"

	"sluice/policy/rego"
	"sluice/policy/rules"
	"sluice/test/raced"
)

// TestRules runs the *_test.rego beside the rules.
func TestRules(t *testing.T) {
	raced.Skip(t)
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
		if parsed[e.Name()], err = ast.ParseModuleWithOpts(e.Name(), string(raw),
			ast.ParserOptions{RegoVersion: ast.RegoV1}); err != nil {
			t.Fatal(err)
		}
	}
	results, err := tester.NewRunner().SetCompiler(ast.NewCompiler()).SetModules(parsed).RunTests(context.Background(),
		nil)
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

// TestBuiltinsAreDocumented: docs/policy.md names every builtin that rules may
// call. Operators stand there as they are written.
func TestBuiltinsAreDocumented(t *testing.T) {
	raw, err := os.ReadFile("../../docs/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	written := map[string]string{
		"eq": ":=", "equal": "==", "neq": "!=", "assign": ":=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">=",
		"internal.member_2": "in", "internal.member_3": "in",
		"internal.print": "print", "plus": "+", "minus": "-", "mul": "*", "div": "/", "rem": "%",
	}
	for _, name := range rego.Allowed {
		if w, ok := written[name]; ok {
			name = w
		}
		if !strings.Contains(string(raw), "`"+name+"`") {
			t.Errorf("docs/policy.md does not name %s", name)
		}
	}
}

// TestNoNetwork: nil would allow all hosts.
func TestNoNetwork(t *testing.T) {
	if c := rego.Capabilities(); c.AllowNet == nil || len(c.AllowNet) > 0 {
		t.Errorf("rules may reach %v", c.AllowNet)
	}
}
