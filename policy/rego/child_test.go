package rego_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"sluice/configs/portalba"
	"sluice/policy/bundle"
	"sluice/policy/compile"
	"sluice/policy/rego"
	"sluice/register"
	"sluice/test/raced"
)

// TestMain lets the test binary be the rules' process.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "rules" {
		if err := rego.Serve(os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func child(t *testing.T) *rego.Child {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := rego.NewChild(self, "rules")
	t.Cleanup(func() { _ = c.Close() })
	return c
}

var rambla = register.Sensor{ID: "a", Owner: "o", Kind: "wifi-counter", Zone: "rambla"}

// bomb is a local module that never comes to an end, with allowed builtins only.
const bomb = `package sluice.local
n := [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
deny contains x if {
	some a in n; some b in n; some c in n; some d in n; some e in n; some f in n; some g in n; some h in n; some i in n
	a + b + c + d + e + f + g + h + i == 82
	x := {"decision": "2026-14", "message": "never"}
}`

// glutton doubles an array until memory ends.
var glutton = "package sluice.local\na0 := [1, 2, 3, 4, 5, 6, 7, 8]\n" + doublings(30) +
	"\ndeny contains {\"decision\": \"2026-14\", \"message\": \"x\"} if count(a30) == 1\n"

func doublings(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "a%d := array.concat(a%d, a%[2]d)\n", i+1, i)
	}
	return b.String()
}

// TestPolicyCannotFailOpen: whatever is wrong with a policy or its rules, there
// is no plan, and a code says why.
func TestPolicyCannotFailOpen(t *testing.T) {
	local := func(module string) func(bundle.Files) {
		return func(f bundle.Files) { f["local/x.rego"] = []byte(module) }
	}
	rules := func(name, module string) func(bundle.Files) {
		return func(f bundle.Files) {
			all, err := rego.Embedded()
			if err != nil {
				panic(err)
			}
			for n, text := range all {
				f[n] = []byte(text)
			}
			f["rules/"+name] = []byte(module)
		}
	}
	replace := func(file, old, new string) func(bundle.Files) {
		return func(f bundle.Files) { f[file] = []byte(strings.Replace(string(f[file]), old, new, 1)) }
	}
	const plans = "package sluice.plan\nresult := "
	for name, c := range map[string]struct {
		change func(bundle.Files)
		want   rego.Code
	}{
		"undefined plan": {rules("plan.rego", "package sluice.plan\nresult := x if { x := 1; false }"),
			rego.Undefined},
		"undefined charter": {rules("charter.rego", "package sluice.charter\nviolations := x if { x := []; false }"),
			rego.Undefined},
		"null":     {rules("plan.rego", plans+"null"), rego.Undefined},
		"a number": {rules("plan.rego", plans+"1"), rego.WrongType},
		"true":     {rules("plan.rego", plans+"true"), rego.WrongType},
		"an unknown key": {rules("plan.rego", plans+`{"plans": [], "reasons": [], "allow": true}`),
			rego.WrongType},
		"plan without stream": {rules("plan.rego",
			plans+`{"plans": [{"decision": "2026-14", "zone": "rambla"}], "reasons": []}`), rego.WrongType},
		"charter says true": {rules("charter.rego", "package sluice.charter\nviolations := data.charter.city.id"),
			rego.WrongType},
		"two answers": {rules("plan.rego", plans+"1 if true\nresult := 2 if true"), rego.Conflict},
		"set conflict": {local(`package sluice.local
deny := {{"decision": "x", "message": "a"}} if true
deny := {{"decision": "x", "message": "b"}} if true`), rego.Conflict},
		"builtin error": {local("package sluice.local\ndeny contains {\"decision\": \"2026-14\", " +
			"\"message\": \"x\"} if to_number(data.charter.city.id) == 1"), rego.BuiltinError},
		"timeout":      {local(bomb), rego.Timeout},
		"missing data": {func(f bundle.Files) { delete(f, "charter.yaml") }, rego.HalfBundle},
		"half a bundle": {func(f bundle.Files) {
			delete(f, "kinds.yaml")
			delete(f, "zones.geojson")
		}, rego.HalfBundle},
		"no policy":            {func(f bundle.Files) { clear(f) }, rego.NoPolicy},
		"unknown measure":      {replace(footfallFile, "distinct(unit)", "median(unit)"), rego.Unreadable},
		"not YAML":             {replace(footfallFile, "stream:", "stream"), rego.Unreadable},
		"rules do not compile": {local("package sluice.local\ndeny contains"), rego.BadRules},
		"a forbidden builtin":  {local("package sluice.local\nx := http.send({})"), rego.BadRules},
		"another zone": {rules("plan.rego",
			strings.Replace(embedded(t, "rules/plan.rego"), `"zone": zone(d)`, `"zone": "moon"`, 1)), rego.UnknownZone},
		"another protection": {rules("plan.rego",
			strings.Replace(embedded(t, "rules/plan.rego"), `"stream": d.stream_spec`,
				`"stream": object.union(d.stream_spec, {"protect": {"min_units": 1}})`, 1)), rego.Changed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ways := map[string]rego.Evaluator{"in process": rego.InProcess()}
			if !raced.On { // a child has nothing beside it, and takes seconds to begin with the race detector
				ways["in a child"] = child(t)
			}
			for what, ev := range ways {
				files := portalba.Policy()
				c.change(files)
				set, err := compile.Files(context.Background(), ev, files)
				if err == nil {
					var got int
					plans, _, planErr := set.Plans(context.Background(), &rambla)
					if got = len(plans); got > 0 {
						t.Errorf("%s: there are %d plans", what, got)
					}
					err = planErr
				}
				if code := rego.CodeOf(err); code != c.want {
					t.Errorf("%s: the code is %s (%v); want %s", what, code, err, c.want)
				}
			}
		})
	}
}

const footfallFile = "decisions/2026-14-footfall.yaml"

func embedded(t *testing.T, name string) string {
	t.Helper()
	all, err := rego.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return all[name]
}

// TestLocalDenyThatIsNotUnderstood: what a council's module says in the wrong
// shape is not silence.
func TestLocalDenyThatIsNotUnderstood(t *testing.T) {
	raced.Skip(t)
	for deny, want := range map[string]string{
		`"all"`: "R04", "null": "R04", "true": "R04", `{"2026-14"}`: "R04", // OPA's own types know better
		"data.charter.city.id": "L02", "data.charter.city": "L02", "data.charter.purposes": "L02",
		"{data.charter.city.id}":                                 "L02",
		`{{"decision": data.charter.min_units, "message": "x"}}`: "L02", `[data.charter.city]`: "L02",
	} {
		files := portalba.Policy()
		files["local/x.rego"] = []byte("package sluice.local\ndeny := " + deny)
		set, err := compile.Files(context.Background(), rego.InProcess(), files)
		got := string(rego.CodeOf(err))
		if err == nil {
			plans, reasons, err := set.Plans(context.Background(), &rambla)
			if err != nil || len(plans) > 0 || len(reasons) != 1 {
				t.Errorf("deny := %s gives %d plans and %v, %v; want none and a reason", deny, len(plans), reasons, err)
				continue
			}
			got = reasons[0].Rule
		}
		if got != want {
			t.Errorf("deny := %s gives %s; want %s", deny, got, want)
		}
	}
}

func TestCharterWithoutAFloor(t *testing.T) {
	raced.Skip(t)
	files := portalba.Policy()
	files["charter.yaml"] = []byte(strings.Replace(string(files["charter.yaml"]), "min_units: 10\n", "", 1))
	set, err := compile.Files(context.Background(), rego.InProcess(), files)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range set.Streams {
		if !s.Unit.None() {
			t.Errorf("%s runs without a floor", s.ID)
		}
	}
}

// TestAKilledChild comes back by itself; one that cannot live is an error.
func TestAKilledChild(t *testing.T) {
	c := child(t)
	set, err := compile.Files(context.Background(), c, portalba.Policy())
	if err != nil {
		t.Fatal(err)
	}
	err = c.Process().Kill()
	if err != nil {
		t.Fatal(err)
	}
	if plans, _, err := set.Plans(context.Background(), &rambla); err != nil || len(plans) != 1 {
		t.Errorf("after the child was killed: %d plans, %v; want one", len(plans), err)
	}
	for _, command := range []string{"/bin/false", "/nonexistent"} {
		_, err := compile.Files(context.Background(), rego.NewChild(command), portalba.Policy())
		if rego.CodeOf(err) != rego.Died {
			t.Errorf("a child that is %s gives %v; want %s", command, err, rego.Died)
		}
	}
}

// TestTheChildIsConfined reads the limits that the child has set itself.
func TestTheChildIsConfined(t *testing.T) {
	c := child(t)
	if _, err := compile.Files(context.Background(), c, portalba.Policy()); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", c.Process().Pid))
	if err != nil {
		t.Fatal(err)
	}
	limits := strings.Join(strings.Fields(string(raw)), " ")
	want := []string{"Max cpu time 120 120", "Max file size 0 0", "Max core file size 0 0", "Max open files 32 32"}
	if !rego.Raced {
		want = append(want, "Max data size 1073741824 1073741824")
	}
	for _, w := range want {
		if !strings.Contains(limits, w) {
			t.Errorf("the child lacks the limit %q: %s", w, limits)
		}
	}
	env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", c.Process().Pid))
	if err != nil || len(env) > 0 {
		t.Errorf("the child has an environment of %d bytes, %v; want none", len(env), err)
	}
}

func TestAGluttonDiesAlone(t *testing.T) {
	if rego.Raced {
		t.Skip("the race detector's memory leaves no room for a limit")
	}
	c := child(t)
	files := portalba.Policy()
	files["local/x.rego"] = []byte(glutton)
	set, err := compile.Files(context.Background(), c, files)
	if err == nil {
		_, _, err = set.Plans(context.Background(), &rambla)
	}
	if code := rego.CodeOf(err); code != rego.Died && code != rego.Timeout {
		t.Errorf("a rule that takes all memory gives %v; want %s or %s", err, rego.Died, rego.Timeout)
	}
	if _, err := compile.Files(context.Background(), c, portalba.Policy()); err != nil {
		t.Errorf("after it nothing works: %v", err)
	}
}

func TestAChildStopsWhenAsked(t *testing.T) {
	c := child(t)
	files := portalba.Policy()
	files["local/x.rego"] = []byte(bomb)
	set, err := compile.Files(context.Background(), c, files)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	begun := time.Now()
	if _, _, err := set.Plans(ctx, &rambla); !errors.Is(err, context.DeadlineExceeded) ||
		time.Since(begun) > 3*time.Second {
		t.Errorf("got %v after %s; want the context's end at once", err, time.Since(begun))
	}
}

// TestTaste: a bundle is read in the child, and what is wrong with it is said.
func TestTaste(t *testing.T) {
	c := child(t)
	files, err := rego.WithRules(portalba.Policy())
	if err != nil {
		t.Fatal(err)
	}
	p, err := bundle.Read(files)
	if err != nil {
		t.Fatal(err)
	}
	packed, err := p.PackOPA()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Taste(context.Background(), packed); err != nil {
		t.Errorf("a good bundle: %v", err)
	}
	if err := c.Taste(context.Background(), packed[:len(packed)/2]); rego.CodeOf(err) != rego.Unreadable {
		t.Errorf("half a bundle: %v; want %s", err, rego.Unreadable)
	}
	if _, err := compile.Files(context.Background(), c, files); err != nil {
		t.Errorf("the child, after that: %v", err)
	}
	if score, err := os.ReadFile(fmt.Sprintf("/proc/%d/oom_score_adj", c.Process().Pid)); err == nil &&
		strings.TrimSpace(string(score)) != "1000" {
		t.Errorf("the child would not be the first to go: %s", score)
	}
	gone := rego.NewChild("/bin/false")
	if err := gone.Taste(context.Background(), packed); rego.CodeOf(err) != rego.Died {
		t.Errorf("a child that dies: %v; want %s", err, rego.Died)
	}
}
