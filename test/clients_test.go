package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func need(t *testing.T, tool string) {
	t.Helper()
	if _, err := exec.LookPath(tool); err != nil && os.Getenv("CI") != "" {
		t.Fatalf("%s is not installed", tool)
	} else if err != nil {
		t.Skipf("%s is not installed", tool)
	}
}

// TestMosquittoClients uses a client that is not ours, at every quality of
// service and in both versions of the protocol.
func TestMosquittoClients(t *testing.T) {
	t.Parallel()
	need(t, "mosquitto_pub")
	c := found(t, small())
	c.begin()
	host, port, _ := strings.Cut(c.mqtt, ":")
	seq := 0
	for _, version := range []string{"311", "5"} {
		for _, qos := range []string{"0", "1", "2"} {
			seq++
			out, err := exec.Command("mosquitto_pub", "-h", host, "-p", port, "-V", version, "-q", qos,
				"-t", "city/v1/acme/gate-1/up", "-m", gate(seq, ten, 1),
				"--will-topic", "city/v1/acme/gate-1/feedback", "--will-payload", "02:00:5e:ff:ff:01").CombinedOutput()
			if err != nil {
				t.Errorf("version %s, QoS %s: %v\n%s", version, qos, err, out)
			}
		}
	}
	await(t, 10*time.Second, "six readings", func() bool { return c.metric("sluice_received_total") == 6 })
	// Nothing that a sensor publishes is ever delivered to another client.
	sub := exec.Command("mosquitto_sub", "-h", host, "-p", port, "-t", "#", "-t", "$SYS/#", "-t", "city/v1/acme/+/up", "-W", "2")
	done := make(chan string)
	go func() { out, _ := sub.CombinedOutput(); done <- string(out) }()
	time.Sleep(300 * time.Millisecond)
	c.send("gate-1", gate(100, ten, 1))
	if out := <-done; strings.Contains(out, "passed") || strings.Contains(out, "mochi") || !strings.Contains(out, "denied") {
		t.Errorf("a subscriber got %s", out)
	}
	c.tick(ten.Add(2 * time.Hour))
	c.stored()
	if got := value(t, c.items("gates", ten, ten.Add(time.Hour)), ten, "passed"); got != 7 {
		t.Errorf("passed is %v; want 7", got)
	}
}

// TestPagesInABrowser opens the pages as a resident does.
func TestPagesInABrowser(t *testing.T) {
	t.Parallel()
	need(t, "chromium")
	d := startDemo(t, filepath.Join(t.TempDir(), "town"))
	d.find(`"event":"replayed"`)
	for path, want := range map[string][]string{
		"/":                          {"Portalba", "Footfall in the old town", "Who decided this"},
		"/streams/footfall":          {"<svg", "class=\"band\"", "withheld", "published from about 47 devices"},
		"/streams/noise":             {"about nobody"},
		"/sensors":                   {"rambla-1", "counted", "dropped", "silent"},
		"/sensors/rambla-1":          {"wifi-counter", "decision 2026-14"},
		"/decisions/2026-14":         {"in force", "max_contributions: 2", "Who is measured", "Everything else that a sensor sends is dropped", "decision.yaml"},
		"/decisions/2026-14?lang=ca": {"A qui es mesura", "<div lang=\"ca\">"},
		"/privacy":                   {"reserved for each device", "adds up over days"},
	} {
		shot := filepath.Join(t.TempDir(), "page.png")
		args := []string{
			"--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-quic",
			"--disable-component-update", "--disable-sync", "--user-data-dir=" + t.TempDir(), "--window-size=800,1000",
		}
		dom, err := exec.Command("chromium", append(args, "--dump-dom", d.OpenData+path)...).Output()
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for _, w := range want {
			if !strings.Contains(string(dom), w) {
				t.Errorf("%s does not show %q", path, w)
			}
		}
		if strings.Contains(string(dom), "<script") {
			t.Errorf("%s has a script", path)
		}
		if path != "/" {
			continue
		}
		if out, err := exec.Command("chromium", append(args, "--screenshot="+shot, d.OpenData+path)...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", path, err, out)
		}
		if info, err := os.Stat(shot); err != nil || info.Size() < 10_000 {
			t.Errorf("the picture of %s is empty", path)
		}
	}
}
