package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestPolicyCannotFailOpen starts a gateway with policies that are wrong in one
// way each. Nothing flows, a code says why, and the gateway lives.
func TestPolicyCannotFailOpen(t *testing.T) {
	t.Parallel()
	const gates = "policy/decisions/gates.yaml"
	for name, c := range map[string]struct {
		change func(map[string]string)
		code   string
	}{
		"no policy":     {func(map[string]string) {}, "R01"},
		"half a bundle": {func(f map[string]string) { delete(f, "policy/zones.geojson") }, "R02"},
		"missing data":  {func(f map[string]string) { delete(f, "policy/charter.yaml") }, "R02"},
		"not YAML":      {func(f map[string]string) { f[gates] = "decision: [" }, "R03"},
		"unknown measure": {func(f map[string]string) {
			f[gates] = strings.Replace(f[gates], "count()", "median()", 1)
		}, "R03"},
		"Rego syntax": {func(f map[string]string) {
			f["policy/local/x.rego"] = "package sluice.local\ndeny contains"
		}, "R04"},
		"forbidden builtin": {func(f map[string]string) {
			f["policy/local/x.rego"] = "package sluice.local\nx := time.now_ns()"
		}, "R04"},
		"undefined":      {ruled("result := x if { x := 1; false }"), "R10"},
		"null":           {ruled("result := null"), "R10"},
		"wrong type":     {ruled(`result := {"plans": true, "reasons": []}`), "R11"},
		"an unknown key": {ruled(`result := {"plans": [], "reasons": [], "allow": true}`), "R11"},
		"set conflict":   {ruled("result := {1} if true\nresult := {2} if true"), "R12"},
		"builtin error":  {ruled(`result := to_number(data.charter.city.id)`), "R13"},
		"timeout":        {ruled(endless), "R14"},
		"plan for a moon": {ruled(
			`result := {"plans": [{"decision": d.decision, "zone": "moon", "stream": d.stream_spec} | some d in data.decisions; d.decision == "1"], "reasons": []}`), "R16"},
		"weaker than decided": {ruled(
			`result := {"plans": [{"decision": d.decision, "zone": "square", "stream": object.union(d.stream_spec, {"protect": {"min_units": 1}})} | some d in data.decisions; d.decision == "2"], "reasons": []}`), "R17"},
		"deny in a bad shape": {func(f map[string]string) {
			f["policy/local/x.rego"] = "package sluice.local\ndeny := data.charter.purposes"
		}, "L02"},
		"charter broken": {func(f map[string]string) {
			f["policy/charter.yaml"] = strings.Replace(f["policy/charter.yaml"], "[test]", "[other]", 1)
		}, "C01"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := small()
			c.change(files)
			town := found(t, files)
			if c.code == "R01" {
				removeAll(t, filepath.Join(town.dir, "policy"))
			}
			town.run()
			town.connect()
			town.tick(ten)
			town.send("gate-1", gate(1, ten, 5))
			town.send("wifi-1",
				fmt.Sprintf(`{"ts":%q,"seq":1,"fields":{"device":"02:00:5e:50:00:01","rssi":-50}}`,
					ten.Format(time.RFC3339)))
			town.tick(ten.Add(3 * time.Hour))
			town.closed(c.code)
			if n := town.metric("sluice_received_total"); n != 2 {
				t.Errorf("%v readings were received; want 2", n)
			}
			if n := town.metric(`sluice_readings_total{code="",state="counted"}`); n != 0 {
				t.Errorf("%v readings were counted; want none", n)
			}
		})
	}
}

// ruled puts a plan.rego of one's own beside the other rules.
func ruled(body string) func(map[string]string) {
	return func(files map[string]string) {
		for _, name := range []string{"charter", "release", "lib"} {
			raw, err := os.ReadFile("../policy/rules/" + name + ".rego")
			if err != nil {
				panic(err)
			}
			files["policy/rules/"+name+".rego"] = string(raw)
		}
		files["policy/rules/plan.rego"] = "package sluice.plan\n" + body
	}
}

const endless = `n := [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
result := x if {
	some a in n; some b in n; some c in n; some d in n; some e in n; some f in n; some g in n; some h in n; some i in n
	a + b + c + d + e + f + g + h + i == 82
	x := {"plans": [], "reasons": []}
}`

// closed insists that the policy's code is public and that nothing else is wrong.
func (c *city) closed(code string) {
	c.t.Helper()
	ok, hints := c.ready()
	if ok || !strings.Contains(hints["policy"], code+": ") || len(hints) != 1 {
		c.t.Errorf("readyz says %v; want %s for the policy alone", hints, code)
	}
	if log := c.gateway.err.String(); !strings.Contains(log, "code="+code) && !strings.Contains(log, "rule="+code) {
		c.t.Errorf("the log does not say %s:\n%s", code, log)
	}
	if n := c.metric("sluice_releases_total{status=\"published\"}"); n != 0 {
		c.t.Errorf("%v observations were published", n)
	}
}

// TestPolicyRemovedAndBack takes the policy away from a running gateway: from the
// next window on nothing flows, also after a restart; and puts it back.
func TestPolicyRemovedAndBack(t *testing.T) {
	t.Parallel()
	c := found(t, small())
	c.begin()
	c.send("gate-1", gate(1, ten, 5))
	policy, away := filepath.Join(c.dir, "policy"), filepath.Join(c.dir, "away")
	move(t, policy, away)
	await(t, 20*time.Second, "the policy to be gone", func() bool {
		_, hints := c.ready()
		return strings.Contains(hints["policy"], "R01: ")
	})
	c.gateway.kill()
	c.run()
	c.tick(ten.Add(time.Hour))
	c.send("gate-1", gate(2, ten.Add(time.Hour), 6))
	c.tick(ten.Add(2 * time.Hour))
	if n := c.metric(`sluice_readings_total{code="E401",state="refused"}`); n != 1 {
		t.Errorf("%v readings were refused for want of a decision; want 1", n)
	}
	if _, hints := c.ready(); !strings.Contains(hints["policy"], "R01: ") {
		t.Errorf("after a restart readyz says %v; want R01", hints)
	}
	_, _, body := get(t, c.opendata+"/api/v1/decisions")
	if !strings.Contains(string(body), `"suspended"`) || strings.Contains(string(body), `"in_force"`) {
		t.Errorf("the public books do not say that no decision runs: %.300s", body)
	}
	move(t, away, policy)
	await(t, 20*time.Second, "the policy to be back", func() bool { ok, _ := c.ready(); return ok })
	c.tick(ten.Add(3 * time.Hour))
	c.send("gate-1", gate(3, ten.Add(3*time.Hour), 7))
	c.tick(ten.Add(5 * time.Hour))
	c.stored()
	list := c.items("gates", ten, ten.Add(4*time.Hour))
	if got := value(t, list, ten, "passed"); got != 5 {
		t.Errorf("the window that was open has %v; want 5", got)
	}
	if got := value(t, list, ten.Add(3*time.Hour), "passed"); got != 7 {
		t.Errorf("the window after has %v; want 7", got)
	}
	for _, i := range list {
		if i.Start.Equal(ten.Add(time.Hour)) {
			t.Errorf("a window without a policy is there: %v", i)
		}
	}
}

// TestASlipWhileEditing: a policy that becomes wrong changes nothing, and says so;
// once it is mended nothing is left of it.
func TestASlipWhileEditing(t *testing.T) {
	t.Parallel()
	c := found(t, small())
	c.begin()
	version := c.metric("sluice_policy_version")
	path := filepath.Join(c.dir, "policy/decisions/gates.yaml")
	good := read(t, path)
	for _, slip := range []struct{ file, text, code string }{
		{path, strings.Replace(good, "stream:", "streem:", 1), "R03: "},
		{filepath.Join(c.dir, "policy/local/x.rego"), "package sluice.local\ndeny contains", "R04: "},
	} {
		write(t, slip.file, slip.text)
		await(t, 20*time.Second, "readyz to say "+slip.code, func() bool {
			_, hints := c.ready()
			return strings.Contains(hints["policy"], slip.code) &&
				strings.Contains(hints["policy"], "the policy in force goes on")
		})
		c.send("gate-1", gate(len(slip.code+slip.file), ten, 1))
		if slip.file == path {
			write(t, path, good)
		} else {
			removeAll(t, slip.file)
		}
		await(t, 20*time.Second, "readyz to be well again", func() bool { ok, _ := c.ready(); return ok })
	}
	if n := c.metric("sluice_policy_version"); n != version {
		t.Errorf("%v policy versions; want %v as before", n, version)
	}
	c.counted(2)
}

func move(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}
