package policy

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
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
		"undefined":      {harness.Ruled("result := x if { x := 1; false }"), "R10"},
		"null":           {harness.Ruled("result := null"), "R10"},
		"wrong type":     {harness.Ruled(`result := {"plans": true, "reasons": []}`), "R11"},
		"an unknown key": {harness.Ruled(`result := {"plans": [], "reasons": [], "allow": true}`), "R11"},
		"set conflict":   {harness.Ruled("result := {1} if true\nresult := {2} if true"), "R12"},
		"builtin error":  {harness.Ruled(`result := to_number(data.charter.city.id)`), "R13"},
		"timeout":        {harness.Ruled(endless), "R14"},
		"plan for a moon": {harness.Ruled(
			`result := {"plans": [{"decision": d.decision, "zone": "moon", "stream": d.stream_spec} | some d in data.decisions; d.decision == "1"], "reasons": []}`), "R16"},
		"weaker than decided": {harness.Ruled(
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
			files := harness.Small()
			c.change(files)
			town := harness.Found(t, files)
			if c.code == "R01" {
				harness.RemoveAll(t, filepath.Join(town.Dir, "policy"))
			}
			town.Run()
			town.Connect()
			town.Tick(harness.Ten)
			town.Send("gate-1", harness.Gate(1, harness.Ten, 5))
			town.Send("wifi-1",
				fmt.Sprintf(`{"ts":%q,"seq":1,"fields":{"device":"02:00:5e:50:00:01","rssi":-50}}`,
					harness.Ten.Format(time.RFC3339)))
			town.Tick(harness.Ten.Add(3 * time.Hour))
			closed(town, c.code)
			if n := town.Metric("sluice_received_total"); n != 2 {
				t.Errorf("%v readings were received; want 2", n)
			}
			if n := town.Metric(`sluice_readings_total{code="",state="counted"}`); n != 0 {
				t.Errorf("%v readings were counted; want none", n)
			}
		})
	}
}

const endless = `n := [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
result := x if {
	some a in n; some b in n; some c in n; some d in n; some e in n; some f in n; some g in n; some h in n; some i in n
	a + b + c + d + e + f + g + h + i == 82
	x := {"plans": [], "reasons": []}
}`

// closed insists that the policy's code is public and that nothing else is wrong.
func closed(c *harness.City, code string) {
	c.T.Helper()
	ok, hints := c.Ready()
	if ok || !strings.Contains(hints["policy"], code+": ") || len(hints) != 1 {
		c.T.Errorf("readyz says %v; want %s for the policy alone", hints, code)
	}
	if log := c.Gateway.Err.String(); !strings.Contains(log, "code="+code) && !strings.Contains(log, "rule="+code) {
		c.T.Errorf("the log does not say %s:\n%s", code, log)
	}
	if n := c.Metric("sluice_releases_total{status=\"published\"}"); n != 0 {
		c.T.Errorf("%v observations were published", n)
	}
}

// TestPolicyRemovedAndBack takes the policy away from a running gateway: from the
// next window on nothing flows, also after a restart; and puts it back.
func TestPolicyRemovedAndBack(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, harness.Small())
	c.Begin()
	c.Send("gate-1", harness.Gate(1, harness.Ten, 5))
	policy, away := filepath.Join(c.Dir, "policy"), filepath.Join(c.Dir, "away")
	move(t, policy, away)
	harness.Await(t, 20*time.Second, "the policy to be gone", func() bool {
		_, hints := c.Ready()
		return strings.Contains(hints["policy"], "R01: ")
	})
	c.Gateway.Kill()
	c.Run()
	c.Tick(harness.Ten.Add(time.Hour))
	c.Send("gate-1", harness.Gate(2, harness.Ten.Add(time.Hour), 6))
	c.Tick(harness.Ten.Add(2 * time.Hour))
	if n := c.Metric(`sluice_readings_total{code="E401",state="refused"}`); n != 1 {
		t.Errorf("%v readings were refused for want of a decision; want 1", n)
	}
	if _, hints := c.Ready(); !strings.Contains(hints["policy"], "R01: ") {
		t.Errorf("after a restart readyz says %v; want R01", hints)
	}
	_, _, body := harness.Get(t, c.Opendata+"/api/v1/decisions")
	if !strings.Contains(string(body), `"suspended"`) || strings.Contains(string(body), `"in_force"`) {
		t.Errorf("the public books do not say that no decision runs: %.300s", body)
	}
	move(t, away, policy)
	harness.Await(t, 20*time.Second, "the policy to be back", func() bool { ok, _ := c.Ready(); return ok })
	c.Tick(harness.Ten.Add(3 * time.Hour))
	c.Send("gate-1", harness.Gate(3, harness.Ten.Add(3*time.Hour), 7))
	c.Tick(harness.Ten.Add(5 * time.Hour))
	c.Stored()
	list := c.Items("gates", harness.Ten, harness.Ten.Add(4*time.Hour))
	if got := harness.Value(t, list, harness.Ten, "passed"); got != 5 {
		t.Errorf("the window that was open has %v; want 5", got)
	}
	if got := harness.Value(t, list, harness.Ten.Add(3*time.Hour), "passed"); got != 7 {
		t.Errorf("the window after has %v; want 7", got)
	}
	for _, i := range list {
		if i.Start.Equal(harness.Ten.Add(time.Hour)) {
			t.Errorf("a window without a policy is there: %v", i)
		}
	}
}

// TestASlipWhileEditing: a policy that becomes wrong changes nothing, and says so;
// once it is mended nothing is left of it.
func TestASlipWhileEditing(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, harness.Small())
	c.Begin()
	version := c.Metric("sluice_policy_version")
	path := filepath.Join(c.Dir, "policy/decisions/gates.yaml")
	good := harness.Read(t, path)
	for _, slip := range []struct{ file, text, code string }{
		{path, strings.Replace(good, "stream:", "streem:", 1), "R03: "},
		{filepath.Join(c.Dir, "policy/local/x.rego"), "package sluice.local\ndeny contains", "R04: "},
	} {
		harness.Write(t, slip.file, slip.text)
		harness.Await(t, 20*time.Second, "readyz to say "+slip.code, func() bool {
			_, hints := c.Ready()
			return strings.Contains(hints["policy"], slip.code) &&
				strings.Contains(hints["policy"], "the policy in force goes on")
		})
		c.Send("gate-1", harness.Gate(len(slip.code+slip.file), harness.Ten, 1))
		if slip.file == path {
			harness.Write(t, path, good)
		} else {
			harness.RemoveAll(t, slip.file)
		}
		harness.Await(t, 20*time.Second, "readyz to be well again", func() bool { ok, _ := c.Ready(); return ok })
	}
	if n := c.Metric("sluice_policy_version"); n != version {
		t.Errorf("%v policy versions; want %v as before", n, version)
	}
	c.Counted(2)
}

func move(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}
