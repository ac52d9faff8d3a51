package policy

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sluice/test/harness"
)

// TestInboxOverHTTP takes two motions from a web server's listing, in order, and
// does not fetch again what has not changed.
func TestInboxOverHTTP(t *testing.T) {
	t.Parallel()
	c, a, _ := harness.Voted(t, 0)
	share := t.TempDir()
	a.Enact("founding", share, harness.Members[:4]...)
	a.Enact("again", share, harness.Members[:5]...)
	var fetched, unchanged atomic.Int64
	files := http.FileServer(http.Dir(share))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".sluice") {
			w.Header().Set("ETag", `"`+filepath.Base(r.URL.Path)+`"`)
			if r.Header.Get("If-None-Match") != "" {
				unchanged.Add(1)
			} else {
				fetched.Add(1)
			}
		}
		files.ServeHTTP(w, r)
	}))
	defer server.Close()
	config := filepath.Join(c.Dir, "gateway.yaml")
	harness.Write(t, config, strings.Replace(harness.Read(t, config), "inbox: inbox", "inbox: "+server.URL+"/", 1))
	c.Run()
	harness.Await(t, 20*time.Second, "both motions", func() bool { return c.Version() == 2 })
	harness.Await(t, 20*time.Second, "a look that fetches nothing", func() bool { return unchanged.Load() >= 2 })
	// The second one's name comes first, so that it is fetched once more when what it
	// follows is in force.
	if n := fetched.Load(); n != 3 {
		t.Errorf("motions were fetched %d times; want three times", n)
	}
}

// TestSuspensionReachesOpenWindows: in a simulation, where signed policies stay
// verified, a suspension withholds a window that was open when it came, and changes
// nothing of what was released before.
func TestSuspensionReachesOpenWindows(t *testing.T) {
	t.Parallel()
	c, a, inbox := harness.Voted(t, 0)
	files, err := filepath.Glob(a.Path("decisions", "*.yaml"))
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	for _, file := range files { // three hours of two seconds would be five thousand windows
		harness.Write(t, file, strings.Replace(harness.Read(t, file), "every: PT2S", "every: PT1H", 1))
	}
	config := filepath.Join(c.Dir, "gateway.yaml")
	harness.Write(t, config, "simulation: true\n"+
		strings.Replace(harness.Read(t, config), "time: wall", "time: {topic: city/v1/clock}", 1))
	a.Enact("founding", inbox, harness.Members[:4]...)
	c.Run()
	c.Serve()
	c.Connect()
	harness.Await(t, 20*time.Second, "the first policy", func() bool { return c.Version() == 1 })
	hour := time.Now().UTC().Truncate(time.Hour).Add(-3 * time.Hour)
	c.Tick(hour)
	c.Send("gate-1", harness.Gate(1, hour.Add(time.Second), 5))
	c.Tick(hour.Add(time.Hour + 5*time.Minute)) // one window is published, the next is open
	c.Send("gate-1", harness.Gate(2, hour.Add(time.Hour+time.Second), 7))
	a.Must(harness.Sluice, "motion", "suspend", "1", "--reason", "a fault")
	a.Sign("suspend-1-v2", harness.Members[:2]...)
	a.Must(harness.Sluice, "motion", "enact", "suspend-1-v2", "--inbox", inbox)
	harness.Await(t, 20*time.Second, "the suspension", func() bool { return c.Version() == 2 })
	c.Send("gate-1", harness.Gate(3, hour.Add(time.Hour+2*time.Second), 9))
	c.Tick(hour.Add(3 * time.Hour))
	c.Send("gate-1", harness.Gate(4, hour.Add(3*time.Hour), 9))
	if n := c.Metric(`sluice_readings_total{code="E401",state="refused"}`); n != 1 {
		t.Errorf("%v readings of a suspended decision were refused; want 1", n)
	}
	harness.Await(t, 20*time.Second, "the windows", func() bool {
		return len(c.Items("gates", hour, hour.Add(2*time.Hour))) == 4
	})
	for _, i := range c.Items("gates", hour, hour.Add(2*time.Hour)) {
		switch {
		case i.Start.Equal(hour) && (i.Value == nil || i.Status != "published"):
			t.Errorf("what was released before is %s", i.Status)
		case i.Start.Equal(hour.Add(time.Hour)) && (i.Status != "withheld" || !strings.Contains(i.Reason, "a fault")):
			t.Errorf("the open window is %s (%s)", i.Status, i.Reason)
		}
	}
}

// TestOneSortOfPolicy: a state directory runs signed policies or a simulation's,
// never one after the other.
func TestOneSortOfPolicy(t *testing.T) {
	t.Parallel()
	c, a, inbox := harness.Voted(t, 0)
	signed := harness.Read(t, filepath.Join(c.Dir, "gateway.yaml"))
	unsigned := "simulation: true\n" +
		regexp.MustCompile(`policy: \{[^}]*\}`).ReplaceAllString(signed, "policy: {dir: "+a.Dir+"}")
	a.Enact("founding", inbox, harness.Members[:4]...)
	refused := func(text, says string) {
		t.Helper()
		harness.Write(t, filepath.Join(c.Dir, "gateway.yaml"), text)
		cmd := exec.Command(harness.Sluice, "gateway", "-c", filepath.Join(c.Dir, "gateway.yaml"))
		out, _ := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != 3 || !strings.Contains(string(out), says) {
			t.Errorf("exit code %d, saying %s; want 3 and %q", cmd.ProcessState.ExitCode(), out, says)
		}
	}
	c.Run()
	harness.Await(t, 20*time.Second, "the first policy", func() bool { return c.Version() == 1 })
	c.Gateway.Stop(5 * time.Second)
	refused(unsigned, "an unsigned directory needs a state directory of its own")

	other := strings.Replace(unsigned, "dir: state", "dir: other", 1)
	harness.Write(t, filepath.Join(c.Dir, "gateway.yaml"), other)
	c.Run()
	harness.Await(t, 20*time.Second, "the unsigned policy", func() bool { return c.Version() == 1 })
	c.Gateway.Stop(5 * time.Second)
	refused(strings.Replace(signed, "dir: state", "dir: other", 1),
		"signed policies need a state directory of their own")
}

// TestComingChange: a change that was voted and waits for its notice is on the
// page of the decision that it changes.
func TestComingChange(t *testing.T) {
	t.Parallel()
	c, a, inbox := harness.Voted(t, 0)
	a.Enact("founding", inbox, harness.Members[:4]...)
	charter := a.Path("charter.yaml")
	harness.Write(t, charter, strings.Replace(harness.Read(t, charter), "notice_days: 0", "notice_days: 20", 1))
	a.Enact("notice", inbox, harness.Members[:5]...)
	file := a.Path("decisions", "devices.yaml")
	harness.Write(t, file, strings.Replace(harness.Read(t, file), "min_units: 5", "min_units: 4", 1))
	a.Enact("looser", inbox, harness.Members[:5]...)
	c.Run()
	c.Serve()
	harness.Await(t, 30*time.Second, "the page to announce the change", func() bool {
		for _, id := range []string{"1", "2"} {
			if _, _, page := harness.Get(t, c.Opendata+"/decisions/"+id); bytes.Contains(page,
				[]byte("A change has been voted (motion looser)")) {
				return bytes.Contains(page, []byte("smallest group: 5 → 4"))
			}
		}
		return false
	})
	if v := c.Version(); v != 2 {
		t.Errorf("version %v is in force; want 2", v)
	}
}

// TestSunset: after the last day nothing flows, and the page says why.
func TestSunset(t *testing.T) {
	t.Parallel()
	files := harness.Small()
	for name := range files {
		if strings.HasPrefix(name, "policy/decisions/") {
			files[name] = strings.Replace(files[name], "2026-12-31", harness.Ten.AddDate(0, 0, 1).Format(time.DateOnly),
				1)
		}
	}
	c := harness.Found(t, files)
	c.Begin()
	c.Send("gate-1", harness.Gate(1, harness.Ten, 3))
	c.Tick(harness.Ten.Add(72 * time.Hour))
	c.Send("gate-1", harness.Gate(2, harness.Ten.Add(72*time.Hour), 3))
	if n := c.Metric(`sluice_readings_total{code="E401",state="refused"}`); n != 1 {
		t.Errorf("%v readings were refused after the sunset; want 1", n)
	}
	harness.Await(t, 20*time.Second, "the page to say so", func() bool {
		_, _, page := harness.Get(t, c.Opendata+"/")
		return bytes.Contains(page, []byte("every decision of the council has reached its last day"))
	})
}

// TestNotice: what weakens waits for its notice, is announced meanwhile, and a
// gateway that is no simulation takes nothing unsigned.
func TestNotice(t *testing.T) {
	t.Parallel()
	c, a, inbox := harness.Voted(t, 14)
	a.Enact("founding", inbox, harness.Members[:4]...)
	c.Run()
	c.Serve()
	harness.Await(t, 20*time.Second, "the announcement", func() bool {
		return strings.Contains(c.Gateway.Err.String(), "waits for its time")
	})
	if v := c.Version(); v != 0 && v != 1 || strings.Contains(c.Gateway.Err.String(), "a motion is in force") {
		t.Errorf("version %v is in force before its notice is over", v)
	}
	harness.Write(t, filepath.Join(c.Dir, "bad.yaml"),
		regexp.MustCompile(`policy: \{[^}]*\}`).ReplaceAllString(harness.Read(t, filepath.Join(c.Dir, "gateway.yaml")),
			"policy: {dir: policy}"))
	out, err := exec.Command(harness.Sluice, "gateway", "-c", filepath.Join(c.Dir, "bad.yaml")).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "only signed policies run") {
		t.Errorf("an unsigned directory without simulation: %v\n%s", err, out)
	}
}
