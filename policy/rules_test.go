package policy

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/tester"

	"sluice/configs/portalba"
	"sluice/policy/rules"
	"sluice/register"
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

// TestBuiltinsAreDocumented: docs/policy.md names every builtin that rules may
// call. Operators stand there as they are written.
func TestBuiltinsAreDocumented(t *testing.T) {
	raw, err := os.ReadFile("../docs/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	written := map[string]string{
		"eq": ":=", "equal": "==", "neq": "!=", "assign": ":=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">=", "internal.member_2": "in", "internal.member_3": "in",
		"internal.print": "print", "plus": "+", "minus": "-", "mul": "*", "div": "/", "rem": "%",
	}
	for _, name := range allowed {
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
	if c := capabilities(); c.AllowNet == nil || len(c.AllowNet) > 0 {
		t.Errorf("rules may reach %v", c.AllowNet)
	}
}

// TestPlansComeBackUnchanged gives a gateway rules that weaken what the council
// decided on the way.
func TestPlansComeBackUnchanged(t *testing.T) {
	ctx := context.Background()
	for name, change := range map[string]struct{ old, new string }{
		"weaker protection": {`"stream": d.stream_spec`, `"stream": object.union(d.stream_spec, {"protect": {"min_units": 1}})`},
		"another zone":      {`"zone": zone(d)`, `"zone": "moon"`},
		"an unknown key":    {`"zone": zone(d)`, `"zone": zone(d), "extra": 1`},
		"no stream":         {`"stream": d.stream_spec`, `"stream": null`},
		"not a list":        {`{"plans": plans, "reasons": reasons}`, `{"plans": "all", "reasons": reasons}`},
		"undefined":         {`result := {`, `result := {"x": data.nothing.at.all} if data.nothing.at.all; other := {`},
	} {
		t.Run(name, func(t *testing.T) {
			files := portalba.Policy()
			sources, err := readEmbedded()
			if err != nil {
				t.Fatal(err)
			}
			for file, source := range sources {
				files[file] = []byte(source)
			}
			changed := strings.Replace(sources["rules/plan.rego"], change.old, change.new, 1)
			changed = strings.Replace(changed, "; other := {", "\n\nother := {", 1)
			if changed == sources["rules/plan.rego"] {
				t.Fatalf("plan.rego does not hold %s", change.old)
			}
			files["rules/plan.rego"] = []byte(changed)
			set, err := Compile(ctx, InProcess(), files)
			if err != nil {
				t.Fatal(err)
			}
			plans, _, err := set.Plans(ctx, &register.Sensor{ID: "a", Owner: "o", Kind: "wifi-counter", Zone: "rambla"})
			if err == nil || len(plans) > 0 {
				t.Errorf("%d plans (%v); want an error", len(plans), err)
			}
		})
	}
}
