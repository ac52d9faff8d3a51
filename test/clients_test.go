package test

import (
	"os"
	"os/exec"
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
	sub := start(t, "mosquitto_sub", "-h", host, "-p", port, "-t", "#", "-t", "$SYS/#", "-t", "city/v1/acme/+/up")
	sub.find("denied")
	c.send("gate-1", gate(100, ten, 1))
	time.Sleep(time.Second)
	if out := sub.out.String() + sub.err.String(); strings.Contains(out, "passed") || strings.Contains(out, "mochi") {
		t.Errorf("a subscriber got %s", out)
	}
	c.tick(ten.Add(2 * time.Hour))
	c.stored()
	if got := value(t, c.items("gates", ten, ten.Add(time.Hour)), ten, "passed"); got != 7 {
		t.Errorf("passed is %v; want 7", got)
	}
}
