package test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// assembly is a council at its desk: a policy directory, seven members with keys
// that ssh-keygen made, and the clerk.
type assembly struct {
	t   *testing.T
	dir string
}

var members = []string{"anna", "bru", "carla", "dani", "emma", "ferran", "gemma"}

// assemble writes the desk. The policy is that of the small city.
func assemble(t *testing.T, files map[string]string) *assembly {
	t.Helper()
	need(t, "ssh-keygen")
	a := &assembly{t, t.TempDir()}
	var roster strings.Builder
	roster.WriteString("version: 1\nmembers:\n")
	for i, m := range members {
		kind := []string{"ed25519", "ecdsa"}[i%2]
		a.must("ssh-keygen", "-q", "-t", kind, "-N", "", "-C", m, "-f", a.path("keys", m))
		fmt.Fprintf(&roster, "  - {id: %s, name: %s, keys: [%q]}\n", m, strings.ToUpper(m[:1])+m[1:],
			strings.TrimSpace(read(t, a.path("keys", m+".pub"))))
	}
	for name, text := range files {
		write(t, a.path(name), text)
	}
	write(t, a.path("council.yaml"), roster.String())
	return a
}

func (a *assembly) path(parts ...string) string {
	full := filepath.Join(append([]string{a.dir}, parts...)...)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		a.t.Fatal(err)
	}
	return full
}

// must runs a command at the desk.
func (a *assembly) must(name string, args ...string) string {
	a.t.Helper()
	out, err := a.try(name, args...)
	if err != nil {
		a.t.Fatalf("%s %s: %v\n%s", filepath.Base(name), strings.Join(args, " "), err, out)
	}
	return out
}

func (a *assembly) try(name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = a.dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// sign is what a member does, with nothing of ours.
func (a *assembly) sign(motion string, who ...string) {
	a.t.Helper()
	text := a.path("motions", motion, "motion.txt")
	for _, m := range who {
		a.must("ssh-keygen", "-q", "-Y", "sign", "-f", a.path("keys", m), "-n", "sluice-vote@smallville", text)
		if err := os.Rename(text+".sig", a.path("motions", motion, "ballots", m+".sig")); err != nil {
			a.t.Fatal(err)
		}
	}
}

// enact is a whole vote.
func (a *assembly) enact(motion, inbox string, who ...string) {
	a.t.Helper()
	a.must(sluice, "motion", "create", motion)
	a.sign(motion, who...)
	a.must(sluice, "motion", "enact", motion, "--inbox", inbox)
}

// voted is the small city with a gateway that takes signed policies only, in
// wall time.
func voted(t *testing.T, notice int) (*city, *assembly, string) {
	t.Helper()
	desk := map[string]string{}
	files := small()
	for name, text := range files {
		if rest, ok := strings.CutPrefix(name, "policy/"); ok && rest != "council.yaml" {
			if strings.HasPrefix(rest, "decisions/") {
				text = today(text)
			}
			desk[rest] = text
			delete(files, name)
		}
	}
	desk["charter.yaml"] = regexp.MustCompile(`(?m)^notice_days:.*\n`).ReplaceAllString(desk["charter.yaml"], "")
	desk["charter.yaml"] = regexp.MustCompile(`(?m)^quorums:.*\n`).ReplaceAllString(desk["charter.yaml"], "") +
		fmt.Sprintf("notice_days: %d\nquorums: {enact: 4, weaken: 5, charter: 5, roster: 5, suspend: 2}\n", notice)
	a := assemble(t, desk)
	c := found(t, files)
	inbox := filepath.Join(c.dir, "inbox")
	if err := os.MkdirAll(inbox, 0o755); err != nil {
		t.Fatal(err)
	}
	pin := regexp.MustCompile(`sha256:[0-9a-f]{64}`).FindString(a.must(sluice, "motion", "show"))
	config := filepath.Join(c.dir, "gateway.yaml")
	text := strings.Replace(read(t, config), "time: {topic: city/v1/clock}", "time: wall", 1)
	text = regexp.MustCompile(`(?m)^simulation: true\n`).ReplaceAllString(text, "")
	text = regexp.MustCompile(`(?m)^policy:.*\n`).ReplaceAllString(text, "")
	write(t, config, text+fmt.Sprintf("policy: {inbox: inbox, every: PT1S, roster: %q}\nallow_swap: true\n", pin))
	return c, a, inbox
}

// today shortens windows to two seconds, in force now.
func today(text string) string {
	text = strings.Replace(strings.Replace(text, "lateness: PT2M", "lateness: PT1S", 1), "every: PT1H", "every: PT2S",
		1)
	from, until, review := time.Now().AddDate(0, 0, -2), time.Now().AddDate(0, 1, 0),
		"review: "+time.Now().AddDate(0, 0, 20).Format(time.DateOnly)
	text = strings.NewReplacer("2026-01-01", from.Format(time.DateOnly), "2026-12-31", until.Format(time.DateOnly),
		"review: 2026-06-01", review).Replace(text)
	for key, line := range map[string]string{"legal_basis:": "legal_basis: \"by-law 1\"\n", "review:": review + "\n"} {
		if !strings.Contains(text, key) {
			text += line // without it nothing is put to the vote
		}
	}
	return text
}

func (c *city) version() float64 { return c.metric("sluice_policy_version") }

// TestAVote runs a council's vote with real ssh-keygen and real gateways: nothing
// flows before it, what it says flows after it, a suspension stops it at once, and
// what is not voted changes nothing.
func TestAVote(t *testing.T) {
	t.Parallel()
	c, a, inbox := voted(t, 0)
	c.run()
	c.serve()
	c.connect()
	c.send("gate-1", `{"seq":1,"fields":{"passed":1}}`)
	if n := c.metric(`sluice_readings_total{code="E406",state="refused"}`) +
		c.metric(`sluice_readings_total{code="E401",state="refused"}`); n > 1 {
		t.Errorf("%v readings were refused", n)
	}
	if _, _, page := get(t, c.opendata+"/"); !bytes.Contains(page, []byte("not put any policy in force")) {
		t.Error("the page does not say that nothing is in force")
	}

	a.must(sluice, "motion", "create", "founding")
	if out, err := a.try(sluice, "motion", "enact", "founding"); err == nil || !strings.Contains(out, "V04") {
		t.Errorf("a motion without signatures: %v\n%s", err, out)
	}
	a.sign("founding", members[:3]...)
	if out, err := a.try(sluice, "motion", "status", "founding"); err == nil || !strings.Contains(out, "3 of 4") ||
		!strings.Contains(out, "1 more") {
		t.Errorf("three signatures: %v\n%s", err, out)
	}
	a.sign("founding", members[3])
	a.must(sluice, "motion", "status", "founding")
	a.must(sluice, "motion", "enact", "founding", "--inbox", inbox)
	await(t, 20*time.Second, "the first policy", func() bool { return c.version() == 1 })

	await(t, 20*time.Second, "the stream", func() bool {
		status, _, _ := get(t, c.opendata+"/api/v1/streams/gates/observations")
		return status == http.StatusOK
	})
	seq := 1
	published := func() (n float64) {
		seq++
		c.send("gate-1", fmt.Sprintf(`{"seq":%d,"fields":{"passed":1}}`, seq))
		for _, i := range readAll(t, c.opendata, "/api/v1/streams/gates/observations?limit=1000&measure=passed") {
			if i.Value != nil {
				n += *i.Value
			}
		}
		return n
	}
	await(t, 30*time.Second, "readings under the first policy", func() bool { return published() > 0 })
	await(t, 30*time.Second, "an hour in which nothing but readings came", func() bool { // not the turn of the hour
		before, hour := c.metrics(), time.Now().Hour()
		published()
		after := c.metrics()
		if before != after && time.Now().Hour() == hour {
			t.Errorf("a reading is seen in the metrics; before:\n%s\nafter:\n%s", before, after)
		}
		return time.Now().Hour() == hour
	})
	for _, line := range strings.Split(c.metrics(), "\n") {
		if strings.HasPrefix(line, "go_") || strings.HasPrefix(line, "process_") {
			t.Errorf("the metrics tell of the process: %s", line)
		}
	}
	a.checkPages(c)

	// The gateway comes back with the policy that it had, and takes no older one.
	c.gateway.kill()
	c.run()
	if v := c.version(); v != 1 {
		t.Errorf("after a restart the version is %v; want 1", v)
	}

	// Two members suspend; the stream falls silent at once and says why.
	out := a.must(sluice, "motion", "suspend", "1", "--reason", "a sensor was tampered with")
	motion := regexp.MustCompile(`suspend-1-v2`).FindString(out)
	if motion == "" {
		t.Fatalf("no motion's name in\n%s", out)
	}
	a.sign(motion, members[5:7]...)
	a.must(sluice, "motion", "enact", motion, "--inbox", inbox)
	await(t, 20*time.Second, "the suspension", func() bool { return c.version() == 2 })
	await(t, 20*time.Second, "a withheld window", func() bool {
		for _, i := range readAll(t, c.opendata, "/api/v1/streams/gates/observations?limit=1000") {
			if i.Status == "withheld" && strings.Contains(i.Reason, "tampered with") {
				return true
			}
		}
		return false
	})
	var list struct{ Decisions []struct{ ID, State string } }
	await(t, 20*time.Second, "the suspended state", func() bool {
		getJSON(t, c.opendata+"/api/v1/decisions", &list)
		for _, d := range list.Decisions {
			if d.ID == "1" && d.State == "suspended" {
				return true
			}
		}
		return false
	})
	// Lifting it takes the quorum for weakening.
	write(t, a.path("suspended.yaml"), "suspended: []\n")
	a.must(sluice, "motion", "create", "lift")
	a.sign("lift", members[:4]...)
	if out, err := a.try(sluice, "motion", "enact", "lift"); err == nil || !strings.Contains(out, "5 are needed") {
		t.Errorf("four members lift a suspension: %v\n%s", err, out)
	}
	if !strings.Contains(a.must(sluice, "motion", "show"), "suspended") {
		t.Error("show does not say that a decision is suspended")
	}
}

// checkPages looks at what residents see of the vote, and verifies a signature
// with what they can download.
func (a *assembly) checkPages(c *city) {
	a.t.Helper()
	var list struct {
		Decisions []struct {
			ID, State, Motion string
			Explain           map[string]string
			Votes             []struct {
				Member, Key string
				Verified    bool
			}
		}
	}
	await(a.t, 20*time.Second, "votes in the books", func() bool {
		getJSON(a.t, c.opendata+"/api/v1/decisions/1", &list)
		return len(list.Decisions) == 1 && len(list.Decisions[0].Votes) == 4
	})
	d := list.Decisions[0]
	if d.State != "in_force" || d.Motion != "founding" || !d.Votes[0].Verified ||
		!strings.HasPrefix(d.Votes[0].Key, "SHA256:") || len(d.Explain) != 3 {
		a.t.Errorf("the decision is %+v", d)
	}
	_, _, page := get(a.t, c.opendata+"/decisions/1")
	command := regexp.MustCompile(`ssh-keygen -Y verify [^\n]*motion.txt`).
		FindString(strings.ReplaceAll(string(page), "&lt;", "<"))
	if command == "" {
		a.t.Fatalf("the page has no command to verify the vote\n%s", page)
	}
	down := a.t.TempDir()
	for _, name := range []string{"motion.txt", "allowed_signers", "bundle.tar.gz", "ballots/anna.sig"} {
		status, _, raw := get(a.t, c.opendata+"/decisions/1/"+name)
		if status != http.StatusOK {
			a.t.Fatalf("%s: %d", name, status)
		}
		write(a.t, filepath.Join(down, filepath.Base(name)), string(raw))
	}
	cmd := exec.Command("sh", "-c", command)
	cmd.Dir = down
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "Good") {
		a.t.Errorf("%s: %v\n%s", command, err, out)
	}
	a.t.Run("in a browser", func(t *testing.T) {
		need(t, "chromium")
		chromium, err := exec.LookPath("chromium")
		if err != nil {
			t.Fatal(err)
		}
		node(t, "pages.js", c.opendata, chromium, "/decisions/1", "/decisions", "/privacy")
	})
}

// TestForgedMotions puts motions into a gateway's inbox that must change nothing:
// each is refused with its code, said and counted, and readings go on.
func TestForgedMotions(t *testing.T) {
	t.Parallel()
	c, a, inbox := voted(t, 0)
	a.enact("founding", inbox, members[:4]...)
	c.run()
	await(t, 20*time.Second, "the first policy", func() bool { return c.version() == 1 })

	a.must(sluice, "motion", "create", "next")
	a.sign("next", members[:5]...)
	good := a.must(sluice, "motion", "enact", "next")
	_ = good
	file := []byte(read(t, a.path("motions", "next", "next.sluice")))
	first := []byte(read(t, a.path("motions", "founding", "founding.sluice")))
	flipped := bytes.Clone(file)
	flipped[len(flipped)/2] ^= 1
	for name, raw := range map[string][]byte{
		"rubbish": []byte("hello"), "flipped": flipped, "half": file[:len(file)/2],
		"old": append(bytes.Clone(first), make([]byte, 512)...),
	} {
		if err := os.WriteFile(filepath.Join(inbox, name+".sluice"), raw, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(a.path("motions", "next", "next.sluice"), filepath.Join(inbox, "link.sluice")); err != nil {
		t.Fatal(err)
	}
	await(t, 20*time.Second, "four refusals", func() bool {
		return strings.Count(c.gateway.err.String(), "a motion is refused") == 4
	})
	time.Sleep(1500 * time.Millisecond) // they are not said twice
	if n := strings.Count(c.gateway.err.String(), "a motion is refused"); n != 4 {
		t.Errorf("%d refusals are said; want 4", n)
	}
	// Which part the flipped byte is in, and so which of two codes it has, is a matter of their lengths.
	if n := c.metric(`sluice_policy_refused_total{code="V01"}`) +
		c.metric(`sluice_policy_refused_total{code="V03"}`); n != 4 {
		t.Errorf("%v refusals are counted as V01 or V03; want 4", n)
	}
	if v := c.version(); v != 1 {
		t.Errorf("version %v is in force; want 1", v)
	}
	a.enact("later", inbox, members[:5]...) // version 3, before version 2 is there: it waits, and is said once
	await(t, 20*time.Second, "the motion that comes too early", func() bool {
		return strings.Contains(c.gateway.err.String(), "code=V18")
	})
	time.Sleep(2500 * time.Millisecond)
	if n := strings.Count(c.gateway.err.String(), "code=V18"); n != 1 {
		t.Errorf("it is said %d times; want once", n)
	}
	if err := os.WriteFile(filepath.Join(inbox, "next.sluice"), file, 0o644); err != nil {
		t.Fatal(err)
	}
	await(t, 20*time.Second, "the honest motions, in order", func() bool { return c.version() == 3 })
}
