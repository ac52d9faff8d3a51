package test

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
)

// TestInboxOverHTTP takes two motions from a web server's listing, in order, and
// does not fetch again what has not changed.
func TestInboxOverHTTP(t *testing.T) {
	t.Parallel()
	c, a, _ := voted(t, 0)
	share := t.TempDir()
	a.enact("founding", share, members[:4]...)
	a.enact("again", share, members[:5]...)
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
	config := filepath.Join(c.dir, "gateway.yaml")
	write(t, config, strings.Replace(read(t, config), "inbox: inbox", "inbox: "+server.URL+"/", 1))
	c.run()
	await(t, 20*time.Second, "both motions", func() bool { return c.version() == 2 })
	await(t, 20*time.Second, "a look that fetches nothing", func() bool { return unchanged.Load() >= 2 })
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
	c, a, inbox := voted(t, 0)
	file := a.path("decisions", "gates.yaml")
	write(t, file, strings.Replace(read(t, file), "every: PT2S", "every: PT1H", 1))
	config := filepath.Join(c.dir, "gateway.yaml")
	write(t, config, "simulation: true\n"+
		strings.Replace(read(t, config), "time: wall", "time: {topic: city/v1/clock}", 1))
	a.enact("founding", inbox, members[:4]...)
	c.run()
	c.serve()
	c.connect()
	await(t, 20*time.Second, "the first policy", func() bool { return c.version() == 1 })
	hour := time.Now().UTC().Truncate(time.Hour).Add(-3 * time.Hour)
	c.tick(hour)
	c.send("gate-1", gate(1, hour.Add(time.Second), 5))
	c.tick(hour.Add(time.Hour + 5*time.Minute)) // one window is published, the next is open
	c.send("gate-1", gate(2, hour.Add(time.Hour+time.Second), 7))
	a.must(sluice, "motion", "suspend", "1", "--reason", "a fault")
	a.sign("suspend-1-v2", members[:2]...)
	a.must(sluice, "motion", "enact", "suspend-1-v2", "--inbox", inbox)
	await(t, 20*time.Second, "the suspension", func() bool { return c.version() == 2 })
	c.send("gate-1", gate(3, hour.Add(time.Hour+2*time.Second), 9))
	c.tick(hour.Add(3 * time.Hour))
	c.send("gate-1", gate(4, hour.Add(3*time.Hour), 9))
	if n := c.metric(`sluice_readings_total{code="E401",state="refused"}`); n != 1 {
		t.Errorf("%v readings of a suspended decision were refused; want 1", n)
	}
	await(t, 20*time.Second, "the windows", func() bool {
		return len(c.items("gates", hour, hour.Add(2*time.Hour))) == 4
	})
	for _, i := range c.items("gates", hour, hour.Add(2*time.Hour)) {
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
	c, a, inbox := voted(t, 0)
	signed := read(t, filepath.Join(c.dir, "gateway.yaml"))
	unsigned := "simulation: true\n" +
		regexp.MustCompile(`policy: \{[^}]*\}`).ReplaceAllString(signed, "policy: {dir: "+a.dir+"}")
	a.enact("founding", inbox, members[:4]...)
	refused := func(text, says string) {
		t.Helper()
		write(t, filepath.Join(c.dir, "gateway.yaml"), text)
		cmd := exec.Command(sluice, "gateway", "-c", filepath.Join(c.dir, "gateway.yaml"))
		out, _ := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != 3 || !strings.Contains(string(out), says) {
			t.Errorf("exit code %d, saying %s; want 3 and %q", cmd.ProcessState.ExitCode(), out, says)
		}
	}
	c.run()
	await(t, 20*time.Second, "the first policy", func() bool { return c.version() == 1 })
	c.gateway.stop(5 * time.Second)
	refused(unsigned, "an unsigned directory needs a state directory of its own")

	other := strings.Replace(unsigned, "dir: state", "dir: other", 1)
	write(t, filepath.Join(c.dir, "gateway.yaml"), other)
	c.run()
	await(t, 20*time.Second, "the unsigned policy", func() bool { return c.version() == 1 })
	c.gateway.stop(5 * time.Second)
	refused(strings.Replace(signed, "dir: state", "dir: other", 1),
		"signed policies need a state directory of their own")
}

// TestComingChange: a change that was voted and waits for its notice is on the
// page of the decision that it changes.
func TestComingChange(t *testing.T) {
	t.Parallel()
	c, a, inbox := voted(t, 0)
	a.enact("founding", inbox, members[:4]...)
	charter := a.path("charter.yaml")
	write(t, charter, strings.Replace(read(t, charter), "notice_days: 0", "notice_days: 20", 1))
	a.enact("notice", inbox, members[:5]...)
	file := a.path("decisions", "devices.yaml")
	write(t, file, strings.Replace(read(t, file), "min_units: 5", "min_units: 4", 1))
	a.enact("looser", inbox, members[:5]...)
	c.run()
	c.serve()
	await(t, 30*time.Second, "the page to announce the change", func() bool {
		for _, id := range []string{"1", "2"} {
			if _, _, page := get(t, c.opendata+"/decisions/"+id); bytes.Contains(page, []byte("A change has been voted (motion looser)")) {
				return bytes.Contains(page, []byte("smallest group: 5 → 4"))
			}
		}
		return false
	})
	if v := c.version(); v != 2 {
		t.Errorf("version %v is in force; want 2", v)
	}
}

// TestSunset: after the last day nothing flows, and the page says why.
func TestSunset(t *testing.T) {
	t.Parallel()
	files := small()
	for name := range files {
		if strings.HasPrefix(name, "policy/decisions/") {
			files[name] = strings.Replace(files[name], "2026-12-31", ten.AddDate(0, 0, 1).Format(time.DateOnly), 1)
		}
	}
	c := found(t, files)
	c.begin()
	c.send("gate-1", gate(1, ten, 3))
	c.tick(ten.Add(72 * time.Hour))
	c.send("gate-1", gate(2, ten.Add(72*time.Hour), 3))
	if n := c.metric(`sluice_readings_total{code="E401",state="refused"}`); n != 1 {
		t.Errorf("%v readings were refused after the sunset; want 1", n)
	}
	await(t, 20*time.Second, "the page to say so", func() bool {
		_, _, page := get(t, c.opendata+"/")
		return bytes.Contains(page, []byte("every decision of the council has reached its last day"))
	})
}

// TestNotice: what weakens waits for its notice, is announced meanwhile, and a
// gateway that is no simulation takes nothing unsigned.
func TestNotice(t *testing.T) {
	t.Parallel()
	c, a, inbox := voted(t, 14)
	a.enact("founding", inbox, members[:4]...)
	c.run()
	c.serve()
	await(t, 20*time.Second, "the announcement", func() bool {
		return strings.Contains(c.gateway.err.String(), "waits for its time")
	})
	if v := c.version(); v != 0 && v != 1 || strings.Contains(c.gateway.err.String(), "a motion is in force") {
		t.Errorf("version %v is in force before its notice is over", v)
	}
	write(t, filepath.Join(c.dir, "bad.yaml"),
		regexp.MustCompile(`policy: \{[^}]*\}`).ReplaceAllString(read(t, filepath.Join(c.dir, "gateway.yaml")),
			"policy: {dir: policy}"))
	out, err := exec.Command(sluice, "gateway", "-c", filepath.Join(c.dir, "bad.yaml")).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "only signed policies run") {
		t.Errorf("an unsigned directory without simulation: %v\n%s", err, out)
	}
}
