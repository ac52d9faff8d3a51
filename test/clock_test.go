package test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestAClockThatWasAhead: a gateway whose clock was ahead and is right again says so,
// also to doctor. What docs/operations.md says about it works: a state directory begun
// anew publishes at once, and the books of both add up.
func TestAClockThatWasAhead(t *testing.T) {
	t.Parallel()
	files := small()
	for _, name := range []string{"policy/decisions/gates.yaml", "policy/decisions/devices.yaml"} {
		files[name] = wallClock(files[name])
	}
	c := found(t, files)
	c.run()
	c.serve()
	c.connect()
	now := time.Now().UTC().Truncate(time.Second)
	c.tick(now)
	c.tick(now.Add(5 * time.Minute))
	c.at(now.Add(5 * time.Minute))
	c.gateway.stop(20 * time.Second)
	config, state := filepath.Join(c.dir, "gateway.yaml"), filepath.Join(c.dir, "state")
	write(t, config,
		strings.Replace(strings.Replace(read(t, config), "time: {topic: city/v1/clock}", "time: wall", 1),
			"admin: 127.0.0.1:0", "admin: "+freeAddr(t), 1))
	c.run()
	await(t, 20*time.Second, "the clock not to be ready", func() bool {
		_, hints := c.ready()
		return strings.Contains(hints["clock"], "behind the last window's time") &&
			strings.Contains(hints["clock"], "docs/operations.md")
	})
	if _, out := verb(t, "doctor", "-c", config); !strings.Contains(out, "not ready: clock") {
		t.Errorf("doctor says\n%s", out)
	}

	c.gateway.stop(20 * time.Second)
	old := filepath.Join(c.dir, "state.ahead")
	if err := os.Rename(state, old); err != nil {
		t.Fatal(err)
	}
	c.run()
	c.serve()
	c.connect()
	seq := 0
	await(t, 30*time.Second, "numbers to flow again", func() bool {
		seq++
		c.send("gate-1", `{"fields":{"passed":1}}`)
		for _, i := range readAll(t, c.opendata, "/api/v1/streams/gates/observations?limit=1000&measure=passed") {
			if i.Status == "published" {
				return true
			}
		}
		return false
	})
	if ok, hints := c.ready(); !ok {
		t.Errorf("it is not ready: %v", hints)
	}
	for _, dir := range []string{state, old} {
		if code, out := verb(t, "ledger", "verify", dir); code != 0 {
			t.Errorf("verifying %s gives %d\n%s", filepath.Base(dir), code, out)
		}
	}
}

// TestRecoverAfterAJump: a city's gateway that begins anew after a clock was ahead by a
// year releases nothing until it is told to, and then after a day, not after a year.
func TestRecoverAfterAJump(t *testing.T) {
	t.Parallel()
	c, a, inbox := voted(t, 0)
	c.run()
	c.connect()
	a.enact("founding", inbox, members[:4]...)
	await(t, 20*time.Second, "the first policy", func() bool { return c.version() == 1 })
	var head string
	await(t, 30*time.Second, "a release", func() bool {
		list, _ := filepath.Glob(filepath.Join(c.keys, "*", "head.json"))
		if len(list) == 1 {
			head = list[0]
		}
		return head != ""
	})
	c.gateway.stop(20 * time.Second)
	var h map[string]any
	if err := json.Unmarshal([]byte(read(t, head)), &h); err != nil {
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
	writeSecret(t, head, string(raw))
	if err := os.Rename(filepath.Join(c.dir, "state"), filepath.Join(c.dir, "state.ahead")); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(c.dir, "gateway.yaml")
	code, out := verb(t, "ledger", "recover", "-c", config)
	until := regexp.MustCompile(`is silent until (\S+)\.`).FindStringSubmatch(out)
	if code != 0 || until == nil {
		t.Fatalf("recover: %d\n%s", code, out)
	}
	at, err := time.Parse(time.RFC3339, until[1])
	if err != nil || at.After(time.Now().Add(26*time.Hour)) || at.Before(time.Now()) {
		t.Errorf("the streams are silent until %s (%v); want a day", at, err)
	}
	c.run()
	await(t, 20*time.Second, "the policy", func() bool { return c.version() == 1 })
	await(t, 20*time.Second, "everything to be ready", func() bool { ok, _ := c.ready(); return ok })
	if code, out := verb(t, "ledger", "verify", filepath.Join(c.dir, "state")); code != 0 {
		t.Errorf("verifying gives %d\n%s", code, out)
	}
}
