package policy

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

	"sluice/test/harness"
)

// TestAVote runs a council's vote with real ssh-keygen and real gateways: nothing
// flows before it, what it says flows after it, a suspension stops it at once, and
// what is not voted changes nothing.
func TestAVote(t *testing.T) {
	t.Parallel()
	c, a, inbox := harness.Voted(t, 0)
	c.Run()
	c.Serve()
	c.Connect()
	c.Send("gate-1", `{"seq":1,"fields":{"passed":1}}`)
	if n := c.Metric(`sluice_readings_total{code="E406",state="refused"}`) +
		c.Metric(`sluice_readings_total{code="E401",state="refused"}`); n > 1 {
		t.Errorf("%v readings were refused", n)
	}
	if _, _, page := harness.Get(t, c.Opendata+"/"); !bytes.Contains(page, []byte("not put any policy in force")) {
		t.Error("the page does not say that nothing is in force")
	}

	a.Must(harness.Sluice, "motion", "create", "founding")
	if out, err := a.Try(harness.Sluice, "motion", "enact", "founding"); err == nil || !strings.Contains(out, "V04") {
		t.Errorf("a motion without signatures: %v\n%s", err, out)
	}
	a.Sign("founding", harness.Members[:3]...)
	if out, err := a.Try(harness.Sluice, "motion", "status", "founding"); err == nil ||
		!strings.Contains(out, "3 of 4") ||
		!strings.Contains(out, "1 more") {
		t.Errorf("three signatures: %v\n%s", err, out)
	}
	a.Says("founding", harness.Members[6], "against", "Nobody has <asked> the street.")
	a.Says("founding", harness.Members[3], "for", "The school asked.") // and has not voted yet
	if out, err := a.Try(harness.Sluice, "motion", "enact", "founding"); err == nil || !strings.Contains(out, "V04") {
		t.Errorf("a ballot against, or a reason, counts to the quorum: %v\n%s", err, out)
	}
	a.Sign("founding", harness.Members[3])
	a.Must(harness.Sluice, "motion", "status", "founding")
	a.Must(harness.Sluice, "motion", "enact", "founding", "--inbox", inbox)
	harness.Await(t, 20*time.Second, "the first policy", func() bool { return c.Version() == 1 })

	harness.Await(t, 20*time.Second, "the stream", func() bool {
		status, _, _ := harness.Get(t, c.Opendata+"/api/v1/streams/gates/observations")
		return status == http.StatusOK
	})
	seq := 1
	published := func() (n float64) {
		seq++
		c.Send("gate-1", fmt.Sprintf(`{"seq":%d,"fields":{"passed":1}}`, seq))
		for _, i := range harness.ReadAll(t, c.Opendata,
			"/api/v1/streams/gates/observations?limit=1000&measure=passed") {
			if i.Value != nil {
				n += *i.Value
			}
		}
		return n
	}
	harness.Await(t, 30*time.Second, "readings under the first policy", func() bool { return published() > 0 })
	// not the turn of the hour
	harness.Await(t, 30*time.Second, "an hour in which nothing but readings came", func() bool {
		before, hour := c.Metrics(), time.Now().Hour()
		published()
		after := c.Metrics()
		if before != after && time.Now().Hour() == hour {
			t.Errorf("a reading is seen in the metrics; before:\n%s\nafter:\n%s", before, after)
		}
		return time.Now().Hour() == hour
	})
	for _, line := range strings.Split(c.Metrics(), "\n") {
		if strings.HasPrefix(line, "go_") || strings.HasPrefix(line, "process_") {
			t.Errorf("the metrics tell of the process: %s", line)
		}
	}
	checkPages(a, c)
	checkAgainst(a, c)

	// The gateway comes back with the policy that it had, and takes no older one.
	c.Gateway.Kill()
	c.Run()
	if v := c.Version(); v != 1 {
		t.Errorf("after a restart the version is %v; want 1", v)
	}

	// Two members suspend; the stream falls silent at once and says why.
	out := a.Must(harness.Sluice, "motion", "suspend", "1", "--reason", "a sensor was tampered with")
	motion := regexp.MustCompile(`suspend-1-v2`).FindString(out)
	if motion == "" {
		t.Fatalf("no motion's name in\n%s", out)
	}
	a.Sign(motion, harness.Members[5:7]...)
	a.Must(harness.Sluice, "motion", "enact", motion, "--inbox", inbox)
	harness.Await(t, 20*time.Second, "the suspension", func() bool { return c.Version() == 2 })
	harness.Await(t, 20*time.Second, "a withheld window", func() bool {
		for _, i := range harness.ReadAll(t, c.Opendata, "/api/v1/streams/gates/observations?limit=1000") {
			if i.Status == "withheld" && strings.Contains(i.Reason, "tampered with") {
				return true
			}
		}
		return false
	})
	var list struct{ Decisions []struct{ ID, State string } }
	harness.Await(t, 20*time.Second, "the suspended state", func() bool {
		harness.GetJSON(t, c.Opendata+"/api/v1/decisions", &list)
		for _, d := range list.Decisions {
			if d.ID == "1" && d.State == "suspended" {
				return true
			}
		}
		return false
	})
	// Lifting it takes the quorum for weakening.
	harness.Write(t, a.Path("suspended.yaml"), "suspended: []\n")
	a.Must(harness.Sluice, "motion", "create", "lift")
	a.Sign("lift", harness.Members[:4]...)
	if out, err := a.Try(harness.Sluice, "motion", "enact", "lift"); err == nil ||
		!strings.Contains(out, "5 are needed") {
		t.Errorf("four members lift a suspension: %v\n%s", err, out)
	}
	if !strings.Contains(a.Must(harness.Sluice, "motion", "show"), "suspended") {
		t.Error("show does not say that a decision is suspended")
	}
}

// checkPages looks at what residents see of the vote, and verifies a signature
// with what they can download.
func checkPages(a *harness.Assembly, c *harness.City) {
	a.T.Helper()
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
	harness.Await(a.T, 20*time.Second, "votes in the books", func() bool {
		harness.GetJSON(a.T, c.Opendata+"/api/v1/decisions/1", &list)
		return len(list.Decisions) == 1 && len(list.Decisions[0].Votes) == 4
	})
	d := list.Decisions[0]
	if d.State != "in_force" || d.Motion != "founding" || !d.Votes[0].Verified ||
		!strings.HasPrefix(d.Votes[0].Key, "SHA256:") || len(d.Explain) != 3 {
		a.T.Errorf("the decision is %+v", d)
	}
	_, _, page := harness.Get(a.T, c.Opendata+"/decisions/1")
	command := regexp.MustCompile(`ssh-keygen -Y verify [^\n]*motion.txt`).
		FindString(strings.ReplaceAll(string(page), "&lt;", "<"))
	if command == "" {
		a.T.Fatalf("the page has no command to verify the vote\n%s", page)
	}
	down := a.T.TempDir()
	for _, name := range []string{"motion.txt", "allowed_signers", "bundle.tar.gz", "ballots/anna.sig"} {
		status, _, raw := harness.Get(a.T, c.Opendata+"/decisions/1/"+name)
		if status != http.StatusOK {
			a.T.Fatalf("%s: %d", name, status)
		}
		harness.Write(a.T, filepath.Join(down, filepath.Base(name)), string(raw))
	}
	cmd := exec.Command("sh", "-c", command)
	cmd.Dir = down
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "Good") {
		a.T.Errorf("%s: %v\n%s", command, err, out)
	}
	a.T.Run("in a browser", func(t *testing.T) {
		chromium := harness.Chromium(t)
		harness.Node(t, "pages.js", c.Opendata, chromium, "/decisions/1", "/decisions", "/privacy")
	})
}

// checkAgainst looks for who was against: in the books, on the page, and as strangers verify it.
func checkAgainst(a *harness.Assembly, c *harness.City) {
	a.T.Helper()
	_, _, page := harness.Get(a.T, c.Opendata+"/decisions/1")
	if !bytes.Contains(page, []byte("<q>Nobody has &lt;asked&gt; the street.</q>")) ||
		!bytes.Contains(page, []byte("<td>For it</td><td><q>The school asked.</q>")) {
		a.T.Errorf("the page does not say who was for it and against, and why:\n%s", page)
	}
	command := regexp.MustCompile(`ssh-keygen -Y verify -f statement_signers [^\n]*?\.txt\b[^<\n]*`).
		FindString(strings.ReplaceAll(string(page), "&lt;", "<"))
	reasoned, member := harness.Members[3], harness.Members[6]
	down := a.T.TempDir()
	text := "ballots/" + reasoned + ".txt"
	for _, name := range []string{"statement_signers", text, text + ".sig"} {
		status, _, raw := harness.Get(a.T, c.Opendata+"/decisions/1/"+name)
		if status != http.StatusOK {
			a.T.Fatalf("%s: %d", name, status)
		}
		harness.Write(a.T, filepath.Join(down, filepath.Base(name)), string(raw))
	}
	cmd := exec.Command("sh", "-c", strings.SplitN(command, ".sig", 2)[0]+".sig < "+reasoned+".txt")
	cmd.Dir = down
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "Good") {
		a.T.Errorf("%s: %v\n%s", command, err, out)
	}
	out := a.Must(harness.Sluice, "verify", c.Opendata)
	if !strings.Contains(out, "4 statements beside the votes") ||
		!strings.Contains(out, " votes for motions, ") {
		a.T.Errorf("verify says\n%s", out)
	}
	verifier, err := filepath.Abs("../../docs/verify.py")
	if err != nil {
		a.T.Fatal(err)
	}
	books := filepath.Join(a.T.TempDir(), "public") // a copy: the gateway mends its own
	if err := os.CopyFS(books, os.DirFS(filepath.Join(c.Dir, "state", "public"))); err != nil {
		a.T.Fatal(err)
	}
	if out, err := a.Try("python3", verifier, books); err != nil {
		a.T.Errorf("verify.py: %v\n%s", err, out)
	}
	signers := filepath.Join(books, "decisions", "1", "statement_signers")
	right := harness.Read(a.T, signers)
	harness.Write(a.T, signers, right+strings.Replace(right, member+" ", "* ", 1))
	if out, err := a.Try("python3", verifier, books); err == nil || !strings.Contains(out, "others than allowed") {
		a.T.Errorf("verify.py of another's key: %v\n%s", err, out)
	}
	harness.Write(a.T, signers, right)
	said := filepath.Join(books, "decisions", "1", "ballots", member+".txt")
	harness.Write(a.T, said, strings.Replace(harness.Read(a.T, said), "Nobody", "Everybody", 1))
	if out, err := a.Try("python3", verifier, books); err == nil || !strings.Contains(out, "is not what was signed") ||
		!strings.Contains(out, "does not hold") {
		a.T.Errorf("verify.py of another reason: %v\n%s", err, out)
	}
	vote := filepath.Join(books, "decisions", "1", "ballots", harness.Members[0]+".sig")
	harness.Write(a.T, vote, harness.Read(a.T, said+".sig"))
	claim := "the vote of " + harness.Members[0] + " does not hold"
	if out, err := a.Try("python3", verifier, books); err == nil || !strings.Contains(out, claim) {
		a.T.Errorf("verify.py of a vote that is none: %v\n%s", err, out)
	}
	if out, err := a.Try(harness.Sluice, "ledger", "verify", books); err == nil || !strings.Contains(out, claim) {
		a.T.Errorf("verify of a vote that is none: %v\n%s", err, out)
	}
}

// TestForgedMotions puts motions into a gateway's inbox that must change nothing:
// each is refused with its code, said and counted, and readings go on.
func TestForgedMotions(t *testing.T) {
	t.Parallel()
	c, a, inbox := harness.Voted(t, 0)
	a.Enact("founding", inbox, harness.Members[:4]...)
	c.Run()
	harness.Await(t, 20*time.Second, "the first policy", func() bool { return c.Version() == 1 })

	a.Must(harness.Sluice, "motion", "create", "next")
	a.Sign("next", harness.Members[:5]...)
	good := a.Must(harness.Sluice, "motion", "enact", "next")
	_ = good
	file := []byte(harness.Read(t, a.Path("motions", "next", "next.sluice")))
	first := []byte(harness.Read(t, a.Path("motions", "founding", "founding.sluice")))
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
	if err := os.Symlink(a.Path("motions", "next", "next.sluice"), filepath.Join(inbox, "link.sluice")); err != nil {
		t.Fatal(err)
	}
	harness.Await(t, 20*time.Second, "four refusals", func() bool {
		return strings.Count(c.Gateway.Err.String(), "a motion is refused") == 4
	})
	time.Sleep(1500 * time.Millisecond) // they are not said twice
	if n := strings.Count(c.Gateway.Err.String(), "a motion is refused"); n != 4 {
		t.Errorf("%d refusals are said; want 4", n)
	}
	// Which part the flipped byte is in, and so which of two codes it has, is a matter of their lengths.
	if n := c.Metric(`sluice_policy_refused_total{code="V01"}`) +
		c.Metric(`sluice_policy_refused_total{code="V03"}`); n != 4 {
		t.Errorf("%v refusals are counted as V01 or V03; want 4", n)
	}
	if v := c.Version(); v != 1 {
		t.Errorf("version %v is in force; want 1", v)
	}
	a.Enact("later", inbox, harness.Members[:5]...) // version 3, before version 2 is there: it waits, and is said once
	harness.Await(t, 20*time.Second, "the motion that comes too early", func() bool {
		return strings.Contains(c.Gateway.Err.String(), "code=V18")
	})
	time.Sleep(2500 * time.Millisecond)
	if n := strings.Count(c.Gateway.Err.String(), "code=V18"); n != 1 {
		t.Errorf("it is said %d times; want once", n)
	}
	if err := os.WriteFile(filepath.Join(inbox, "next.sluice"), file, 0o644); err != nil {
		t.Fatal(err)
	}
	harness.Await(t, 20*time.Second, "the honest motions, in order", func() bool { return c.Version() == 3 })
}
