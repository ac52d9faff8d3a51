package faults

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
)

// TestAClockThatWasAhead: a gateway whose clock was ahead and is right again says so,
// also to doctor. What docs/operations.md says about it works: a state directory begun
// anew publishes at once, and the books of both add up.
func TestAClockThatWasAhead(t *testing.T) {
	t.Parallel()
	files := harness.Small()
	for _, name := range []string{"policy/decisions/gates.yaml", "policy/decisions/devices.yaml"} {
		files[name] = harness.WallClock(files[name])
	}
	c := harness.Found(t, files)
	c.Run()
	c.Serve()
	c.Connect()
	now := time.Now().UTC().Truncate(time.Second)
	c.Tick(now)
	c.Tick(now.Add(5 * time.Minute))
	c.At(now.Add(5 * time.Minute))
	c.Gateway.Stop(20 * time.Second)
	config, state := filepath.Join(c.Dir, "gateway.yaml"), filepath.Join(c.Dir, "state")
	harness.Write(t, config,
		strings.Replace(strings.Replace(harness.Read(t, config), "time: {topic: city/v1/clock}", "time: wall", 1),
			"admin: 127.0.0.1:0", "admin: "+harness.FreeAddr(t), 1))
	c.Run()
	harness.Await(t, 20*time.Second, "the clock not to be ready", func() bool {
		_, hints := c.Ready()
		return strings.Contains(hints["clock"], "behind the last window's time") &&
			strings.Contains(hints["clock"], "docs/operations.md")
	})
	if _, out := harness.Verb(t, "doctor", "-c", config); !strings.Contains(out, "not ready: clock") {
		t.Errorf("doctor says\n%s", out)
	}

	c.Gateway.Stop(20 * time.Second)
	old := filepath.Join(c.Dir, "state.ahead")
	if err := os.Rename(state, old); err != nil {
		t.Fatal(err)
	}
	c.Run()
	c.Serve()
	c.Connect()
	seq := 0
	harness.Await(t, 30*time.Second, "numbers to flow again", func() bool {
		seq++
		c.Send("gate-1", `{"fields":{"passed":1}}`)
		for _, i := range harness.ReadAll(t, c.Opendata,
			"/api/v1/streams/gates/observations?limit=1000&measure=passed") {
			if i.Status == "published" {
				return true
			}
		}
		return false
	})
	c.BecomesReady()
	for _, dir := range []string{state, old} {
		if code, out := harness.Verb(t, "ledger", "verify", dir); code != 0 {
			t.Errorf("verifying %s gives %d\n%s", filepath.Base(dir), code, out)
		}
	}
}

// TestRecoverAfterAJump: a city's gateway that begins anew after a clock was ahead by a
// year releases nothing until it is told to, and then after a day, not after a year.
func TestRecoverAfterAJump(t *testing.T) {
	t.Parallel()
	c, a, inbox := harness.Voted(t, 0)
	c.Run()
	c.Connect()
	a.Enact("founding", inbox, harness.Members[:4]...)
	harness.Await(t, 20*time.Second, "the first policy", func() bool { return c.Version() == 1 })
	var head string
	harness.Await(t, 30*time.Second, "a release", func() bool {
		list, _ := filepath.Glob(filepath.Join(c.Keys, "*", "head.json"))
		if len(list) == 1 {
			head = list[0]
		}
		return head != ""
	})
	c.Gateway.Stop(20 * time.Second)
	var h map[string]any
	if err := json.Unmarshal([]byte(harness.Read(t, head)), &h); err != nil {
		t.Fatal(err)
	}
	for id := range h["streams"].(map[string]any) {
		h["streams"].(map[string]any)[id] = time.Now().AddDate(1, 0, 0).UTC().Format(time.RFC3339)
	}
	delete(h, "sum") // as earlier versions left it
	raw, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	harness.WriteSecret(t, head, string(raw))
	if err := os.Rename(filepath.Join(c.Dir, "state"), filepath.Join(c.Dir, "state.ahead")); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(c.Dir, "gateway.yaml")
	code, out := harness.Verb(t, "ledger", "recover", "-c", config)
	until := regexp.MustCompile(`is silent until (\S+)\.`).FindStringSubmatch(out)
	if code != 0 || until == nil {
		t.Fatalf("recover: %d\n%s", code, out)
	}
	at, err := time.Parse(time.RFC3339, until[1])
	if err != nil || at.After(time.Now().Add(26*time.Hour)) || at.Before(time.Now()) {
		t.Errorf("the streams are silent until %s (%v); want a day", at, err)
	}
	c.Run()
	harness.Await(t, 20*time.Second, "the policy", func() bool { return c.Version() == 1 })
	harness.Await(t, 20*time.Second, "everything to be ready", func() bool { ok, _ := c.Ready(); return ok })
	if code, out := harness.Verb(t, "ledger", "verify", filepath.Join(c.Dir, "state")); code != 0 {
		t.Errorf("verifying gives %d\n%s", code, out)
	}
}
