package rego_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"sluice/configs/portalba"
	"sluice/policy/bundle"
	"sluice/policy/compile"
	"sluice/policy/rego"
	"sluice/register"
	"sluice/test/raced"
)

// hostile is a module that somebody wrote to do harm. In most, URL stands for a
// server that counts who comes.
type hostile struct {
	name string
	// source is a module of package sluice.local, without its package line; or of
	// rules/plan.rego, when plan is set.
	source string
	plan   bool
}

const deny = `deny contains {"decision": "2026-14", "message": "x"} if `

// refused use what rules may not call, or do not compile: they never run.
var refused = []hostile{
	{name: "http.send", source: deny + `http.send({"method": "get", "url": "URL"}).status_code == 200`},
	{name: "http.send in a comprehension",
		source: `x := [r | some u in ["URL"]; r := http.send({"method": "get", "url": u})]`},
	{name: "http.send in a function", source: "f(u) := http.send({\"method\": \"get\", \"url\": u})\n" + deny +
		`f("URL").status_code == 200`},
	{name: "http.send by with", source: deny + `count([1]) == 1 with count as http.send`},
	{name: "http.send in a default", source: `default x := http.send({"method": "get", "url": "URL"})`},
	{name: "schema with a reference", source: deny + `json.match_schema({}, {"$ref": "URL/a.json"})[0]`},
	{name: "schema with a nested reference",
		source: deny + `json.match_schema({}, {"properties": {"a": {"$ref": "URL/b.json"}}})[0]`},
	{name: "schema in allOf", source: deny + `json.match_schema({}, {"allOf": [{"$ref": "URL/redirect"}]})[0]`},
	{name: "verify schema", source: deny + `json.verify_schema({"$ref": "URL/c.json"})[0]`},
	{name: "look up a name", source: deny + `net.lookup_ip_addr("canary.sluice.invalid")`},
	{name: "expand a network", source: deny + `count(net.cidr_expand("10.0.0.0/8")) > 1`},
	{name: "merge networks", source: deny + `count(net.cidr_merge(["10.0.0.0/8"])) > 0`},
	{name: "environment", source: deny + `opa.runtime().env.PATH`},
	{name: "version", source: `x := opa.runtime().version`},
	{name: "the clock", source: deny + `time.now_ns() > 0`},
	{name: "the clock in a date", source: deny + `time.date(time.now_ns())[0] > 2000`},
	{name: "randomness", source: deny + `rand.intn("a", 2) == 1`},
	{name: "a random name", source: `x := uuid.rfc4122("a")`},
	{name: "sign for a cloud", source: `x := providers.aws.sign_req({}, {}, 1)`},
	{name: "tokens with certificates", source: `x := io.jwt.decode_verify("a.b.c", {"cert": "URL"})`},
	{name: "certificates", source: `x := crypto.x509.parse_certificates("URL")`},
	{name: "hashes", source: `x := crypto.sha256("a")`},
	{name: "trace", source: deny + `trace("canary")`},
	{name: "parse rules", source: `x := rego.parse_module("a", "package a")`},
	{name: "rules about themselves", source: `x := rego.metadata.chain()`},
	{name: "shift left", source: deny + `bits.lsh(1, 4000000000000) > 0`},
	{name: "all paths of a graph", source: `x := graph.reachable_paths({"a": ["b"], "b": ["a"]}, ["a"])`},
	{name: "reach", source: `x := graph.reachable({"a": ["a"]}, ["a"])`},
	{name: "a regular expression", source: deny + `regex.match("(a+)+$", "aaaaaaaaaaaaaaaaaaaaaaaa!")`},
	{name: "replace by expression", source: `x := regex.replace("aaaa", "(a|aa)+$", "b")`},
	{name: "expressions that meet", source: `x := regex.globs_match("a*", "a*")`},
	{name: "a glob", source: `x := glob.match("**", [], "a")`},
	{name: "a long range", source: `x := count(numbers.range(1, 1000000000))`},
	{name: "a wide number", source: `x := sprintf("%1000000000d", [1])`},
	{name: "repeat", source: `x := strings.repeat("a", 1000000000)`},
	{name: "replace many", source: `x := strings.replace_n({"a": "b"}, "a")`},
	{name: "walk", source: `x := [v | walk(data, [_, v])]`},
	{name: "patch", source: `x := json.patch({}, [{"op": "add", "path": "a", "value": 1}])`},
	{name: "YAML", source: `x := yaml.unmarshal("a: &a [*a]")`},
	{name: "JSON", source: `x := json.unmarshal("[1]")`},
	{name: "base64", source: `x := base64.encode("a")`},
	{name: "GraphQL", source: `x := graphql.is_valid("{a}", "type Query {a: Int}")`},
	{name: "versions", source: `x := semver.compare("1.0.0", "1.0.1")`},
	{name: "another package", source: "\nx := 1", plan: false},
	{name: "recursion", source: "f(x) := f(x)\n" + deny + `f(1) == 1`},
	{name: "recursion through rules", source: "a := b\nb := a"},
	{name: "recursion through the plan", source: `deny := data.sluice.plan.result`},
	{name: "a set that is also a value", source: "deny contains 1\ndeny := {2}"},
	{name: "deep nesting", source: "x := " + strings.Repeat("[", 200_000) + strings.Repeat("]", 200_000)},
	{name: "a number of a billion digits", source: deny + `1e1000000000 + 1 > 1`},
	{name: "deny is true", source: "deny := true"},
	{name: "deny says something else", source: `deny contains {"allow": "2026-14"}`},
	{name: "unknown import", source: `import data.nothing.at.all as x` + "\n" + `import data.nothing.at.all as x`},
}

// sly use allowed builtins only: they compile, and the sandbox must stop them.
var sly = []hostile{
	{name: "loops in loops", source: strings.TrimPrefix(bomb, "package sluice.local\n")},
	{name: "an array that doubles", source: strings.TrimPrefix(glutton, "package sluice.local\n")},
	{name: "a string that doubles", source: chain(40, `"aaaaaaaa"`, `concat("", [PREV, PREV])`, `count(LAST) == 1`)},
	{name: "replace that grows", source: chain(40, `"aaaaaaaa"`, `replace(PREV, "a", "aa")`, `count(LAST) == 1`)},
	{name: "numbers that square", source: chain(45, `123456789`, `PREV * PREV`, `LAST == 1`)},
	{name: "numbers with many digits", source: chain(30, `1e10000`, `PREV * PREV`, `LAST == 1`)},
	{name: "a number from text", source: deny + `to_number("1e999999999") + 1 > 1`},
	{name: "round a huge number", source: deny + `round(to_number("1e999999999")) > 1`},
	{name: "a remainder of a huge number", source: deny + `to_number("1e999999999") % 7 == 3`},
	{name: "all triples", source: "n := {x | some d in data.decisions; some z in data.zones; some y in data.zones; " +
		"some w in data.zones; x := [d.decision, z, y, w]}\n" + deny +
		`count({[a, b, c] | some a in n; some b in n; some c in n}) == 1`},
	{name: "objects of objects",
		source: chain(40, `{"a": 1}`, `{"a": PREV, "b": PREV}`,
			`count([x | x := LAST; x.a; object.union(x, {"c": 1}) == {}]) == 1`) + "\n" + deny +
			`object.union(v40, v40) == object.union(v39, {})`},
	{name: "sort all pairs", source: "n := [x | some a in [0,1,2,3,4,5,6,7,8,9]; some b in [0,1,2,3,4,5,6,7,8,9]; " +
		"some c in [0,1,2,3,4,5,6,7,8,9]; some d in [0,1,2,3,4,5,6,7,8,9]; some e in [0,1,2,3,4,5,6,7,8,9]; some f " +
		"in [0,1,2,3,4,5,6,7,8,9]; x := [f, e, d, c, b, a]]\n" + deny + `sort(n)[0] == 1`},
	{name: "search in a long text", source: chain(22, `"aaaaaaaa"`, `concat("", [PREV, PREV])`, `false`) +
		"\nn := [0,1,2,3,4,5,6,7,8,9]\n" + deny +
		`{ some a in n; some b in n; some c in n; some d in n; some e in n; ` +
		`indexof(v22, concat("", ["b", v20])) == a + b + c + d + e }`},
	{name: "split a long text",
		source: chain(26, `"a,a,a,a,"`, `concat("", [PREV, PREV])`, `count(split(LAST, ",")) == 1`)},
	{name: "every in every", source: "n := [0,1,2,3,4,5,6,7,8,9]\n" + deny +
		`every a in n { every b in n { every c in n { every d in n { every e in n { ` +
		`every f in n { every g in n { every h in n { a + b + c + d + e + f + g + h >= 0 } } } } } } } }`},
	{name: "unions of unions",
		source: chain(24, `{1, 2, 3}`,
			`{x | some a in [PREV, {[PREV, 1]}]; some x in a} | {[PREV, y] | some y in PREV}`, `count(LAST) == 1`)},
	{name: "a builtin fails", source: deny + `to_number("no number") == 1`},
	{name: "a default hides a failure",
		source: "default ok := true\nok := x if { x := to_number(\"no number\") == 1 }\n" + deny + `not ok`},
	{name: "division by nothing", source: deny + `1 / (count([]) * 1) == 1`},
	{name: "two answers", source: "deny := {{\"decision\": \"x\", \"message\": \"a\"}} if true\ndeny := " +
		"{{\"decision\": \"x\", \"message\": \"b\"}} if true"},
	{name: "deny says it otherwise",
		source: "deny contains {\"decision\": d.decision, \"message\": d.stream_spec} if some d in data.decisions"},
	{name: "deny has an odd message", source: `deny contains {"decision": "2026-14", "message": 7}`},
	{name: "a plan of its own", plan: true, source: "package sluice.plan\nresult := {\"plans\": [{\"decision\": " +
		"\"2026-14\", \"zone\": \"rambla\", \"stream\": {\"id\": \"footfall\"}}], \"reasons\": []}"},
	{name: "a plan that mocks the charter", plan: true, source: "package sluice.plan\nresult := {\"plans\": [p | " +
		"some d in data.decisions; count(data.sluice.charter.violations) == 0 with data.charter as {\"min_units\": " +
		"0}; p := {\"decision\": d.decision, \"zone\": \"rambla\", \"stream\": object.union(d.stream_spec, " +
		"{\"protect\": {\"min_units\": 1, \"epsilon\": 100, \"delta\": 0.9, \"max_contributions\": 9}})}], " +
		"\"reasons\": []}"},
}

// chain is n rules, each made of the one before, and a denial that looks at the last.
func chain(n int, first, next, ask string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "v0 := %s\n", first)
	for i := range n {
		fmt.Fprintf(&b, "v%d := %s\n", i+1, strings.ReplaceAll(next, "PREV", fmt.Sprint("v", i)))
	}
	return b.String() + deny + strings.ReplaceAll(ask, "LAST", fmt.Sprint("v", n))
}

// set makes the example city with the module in it.
func (h hostile) files(url string) bundle.Files {
	files := portalba.Policy()
	source := strings.ReplaceAll(h.source, "URL", url)
	if h.plan {
		all, err := rego.Embedded()
		if err != nil {
			panic(err)
		}
		for name, text := range all {
			files[name] = []byte(text)
		}
		files["rules/plan.rego"] = []byte(source)
		return files
	}
	if h.name == "another package" {
		source = "package sluice.plan\n" + source
	} else {
		source = "package sluice.local\n" + source
	}
	files["local/x.rego"] = []byte(source)
	return files
}

// visitors counts who comes to a server on loopback.
func visitors(t *testing.T) (string, *atomic.Int64) {
	t.Helper()
	var n atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		http.Redirect(w, r, "/again", http.StatusFound)
	}))
	t.Cleanup(server.Close)
	return server.URL, &n
}

// TestHostileModulesAreRefused: what rules may not call does not compile, in the
// child or out of it.
func TestHostileModulesAreRefused(t *testing.T) {
	raced.Skip(t)
	url, came := visitors(t)
	c := child(t)
	for _, h := range refused {
		t.Run(h.name, func(t *testing.T) {
			began := time.Now()
			_, err := compile.Files(context.Background(), c, h.files(url))
			if code := rego.CodeOf(err); err == nil ||
				code != rego.BadRules && code != rego.Died && code != rego.Timeout && code != rego.Unreadable {
				t.Errorf("got %v; want it refused", err)
			}
			if took := time.Since(began); took > 10*rego.ChildStart {
				t.Errorf("it took %v", took)
			}
		})
	}
	if n := came.Load(); n > 0 {
		t.Errorf("%d requests came", n)
	}
}

// TestSlyModulesAreStopped: with allowed builtins only, a module can fail, run
// long or take memory. It permits nothing, and the next question is answered.
func TestSlyModulesAreStopped(t *testing.T) {
	if rego.Raced {
		t.Skip("its times are those of a build without the race detector; make test runs it there")
	}
	if len(refused)+len(sly) < 45 || len(sly) < 15 {
		t.Fatalf("%d modules, %d of them with allowed builtins only; want 45 and 15", len(refused)+len(sly), len(sly))
	}
	url, came := visitors(t)
	c := child(t)
	sane, err := compile.Files(context.Background(), c, portalba.Policy())
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range sly {
		t.Run(h.name, func(t *testing.T) {
			set, err := compile.Files(context.Background(), c, h.files(url))
			if rego.CodeOf(err) == rego.BadRules {
				t.Fatalf("it does not compile, so the sandbox is not tried: %v", err)
			}
			if err == nil {
				began := time.Now()
				plans, reasons, err := set.Plans(context.Background(), &rambla)
				took := time.Since(began)
				if err == nil && (len(plans) > 0 || len(reasons) == 0 && !h.plan) {
					t.Errorf("there are %d plans and no error; want nothing permitted", len(plans))
				}
				if took > 10*rego.AskTimeout+2*rego.ChildStart {
					t.Errorf("it was denied after %v; want %v", took, rego.AskTimeout)
				}
				t.Logf("%v after %v", err, took.Round(time.Millisecond))
			}
			other := register.Sensor{ID: "b", Owner: h.name, Kind: "noise-meter", Zone: "port"} // not in the cache
			if plans, _, err := sane.Plans(context.Background(), &other); err != nil || len(plans) != 1 {
				t.Errorf("another policy is harmed: %d plans (%v)", len(plans), err)
			}
		})
	}
	if n := came.Load(); n > 0 {
		t.Errorf("%d requests came", n)
	}
}

// TestNothingIsSent runs the hostile modules in a network of their own, where
// every packet is seen.
func TestNothingIsSent(t *testing.T) {
	raced.Skip(t)
	if os.Getenv("SLUICE_ALONE") != "" {
		alone(t)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run", "^TestNothingIsSent$", "-test.v")
	cmd.Env = append(os.Environ(), "SLUICE_ALONE=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if err != nil && len(out) == 0 {
		t.Skipf("this machine gives no network namespace: %v", err)
	}
	if err != nil || !strings.Contains(string(out), "packets seen") {
		t.Errorf("%v\n%s", err, out)
	}
}

// alone is inside: loopback is up, and a raw socket sees every packet.
func alone(t *testing.T) {
	up(t)
	// ETH_P_ALL, big-endian
	fd, err := syscall.Socket(syscall.AF_PACKET, syscall.SOCK_RAW|syscall.SOCK_NONBLOCK, 0x0300)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	seen := func() (n int) {
		buf := make([]byte, 1<<16)
		for {
			if _, _, err := syscall.Recvfrom(fd, buf, 0); err != nil {
				return n
			}
			n++
		}
	}
	url, _ := visitors(t)
	if resp, err := http.Get(url); err == nil {
		resp.Body.Close()
	}
	if seen() == 0 {
		t.Fatal("the socket does not see what is sent")
	}
	http.DefaultClient.CloseIdleConnections()
	time.Sleep(100 * time.Millisecond)
	seen()
	c := child(t)
	most := len(sly)
	if rego.Raced {
		most = 3 // each takes its time, and the race detector's
	}
	for _, list := range [][]hostile{refused, sly[:most]} {
		for _, h := range list {
			if set, err := compile.Files(context.Background(), c, h.files("http://127.0.0.1:9")); err == nil {
				_, _, _ = set.Plans(context.Background(), &rambla)
			}
		}
	}
	n := seen()
	t.Logf("packets seen: %d", n)
	if n > 0 {
		t.Errorf("%d packets were sent", n)
	}
}
