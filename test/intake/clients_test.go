package intake

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
)

// TestMosquittoClients uses a client that is not ours, at every quality of
// service and in both versions of the protocol.
func TestMosquittoClients(t *testing.T) {
	t.Parallel()
	harness.Need(t, "mosquitto_pub")
	c := harness.Found(t, harness.Small())
	c.Begin()
	host, port, _ := strings.Cut(c.Mqtt, ":")
	seq := 0
	for _, version := range []string{"311", "5"} {
		for _, qos := range []string{"0", "1", "2"} {
			seq++
			out, err := exec.Command("mosquitto_pub", "-h", host, "-p", port, "-V", version, "-q", qos,
				"-t", "city/v1/acme/gate-1/up", "-m", harness.Gate(seq, harness.Ten, 1),
				"--will-topic", "city/v1/acme/gate-1/feedback", "--will-payload", "02:00:5e:ff:ff:01").CombinedOutput()
			if err != nil {
				t.Errorf("version %s, QoS %s: %v\n%s", version, qos, err, out)
			}
		}
	}
	harness.Await(t, 10*time.Second, "six readings", func() bool { return c.Metric("sluice_received_total") == 6 })
	// Nothing that a sensor publishes is ever delivered to another client.
	sub := harness.Start(t, "mosquitto_sub", "-h", host, "-p", port, "-t", "#", "-t", "$SYS/#", "-t",
		"city/v1/acme/+/up")
	sub.Find("denied")
	c.Send("gate-1", harness.Gate(100, harness.Ten, 1))
	time.Sleep(time.Second)
	if out := sub.Out.String() + sub.Err.String(); strings.Contains(out, "passed") || strings.Contains(out, "mochi") {
		t.Errorf("a subscriber got %s", out)
	}
	c.Tick(harness.Ten.Add(2 * time.Hour))
	c.Stored()
	if got := c.FirstHour("gates", "passed"); got != 7 {
		t.Errorf("passed is %v; want 7", got)
	}
}
