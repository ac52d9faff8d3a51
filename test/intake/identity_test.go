package intake

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/firmware-sim/device"
	"sluice/test/harness"
)

// TestListenerIdentities: with passwords, a stranger does not get in, and a
// sensor reads its own feedback only.
func TestListenerIdentities(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, harness.Small())
	secrets := c.Passwords()
	path := filepath.Join(c.Dir, "gateway.yaml")
	harness.Write(t, path,
		strings.Replace(harness.Read(t, path), fmt.Sprintf("listen: {mqtt: %q}\n", c.Mqtt),
			fmt.Sprintf("listen: {mqtt: %q, passwords: passwords}\n", c.Mqtt), 1))
	c.Run()
	for user, password := range map[string]string{"": "", "gate-1": "wrong", "nobody": secrets["gate-1"],
		"gateway": secrets["gateway"], "wifi-1": secrets["gate-1"]} {
		if link, err := device.ConnectAs("tcp://"+c.Mqtt, "x", user, password); err == nil {
			link.Close()
			t.Errorf("user %q got in", user)
		}
	}
	link := harness.PublisherAs(t, c.Mqtt, "gate-1", secrets["gate-1"])
	link.Publish("city/v1/acme/gate-1/up", []byte(`{"fields":{"passed":1}}`), false)
	if err := link.Flush(); err != nil {
		t.Fatal(err)
	}
	harness.Need(t, "mosquitto_sub")
	host, port, _ := strings.Cut(c.Mqtt, ":")
	for topic, want := range map[string]bool{"city/v1/acme/gate-1/feedback": true,
		"city/v1/acme/wifi-1/feedback": false, "city/v1/acme/+/feedback": false, "#": false, "$SYS/#": false} {
		p := harness.Start(t, "stdbuf", "-oL", "mosquitto_sub", "-h", host, "-p", port, "-u", "gate-1", "-P",
			secrets["gate-1"],
			"-t", topic, "-d")
		if code := p.Find(`Subscribed \(mid: \d+\): (\d+)`)[1]; (code == "0") != want {
			t.Errorf("subscribing to %s: it is answered %s; want it granted: %v", topic, code, want)
		}
		p.Kill()
	}
}

// TestListenerCertificates: a sensor is who its certificate says.
func TestListenerCertificates(t *testing.T) {
	t.Parallel()
	harness.Need(t, "mosquitto_pub")
	c := harness.Found(t, harness.Small())
	ca := harness.NewAuthority(t, c.Dir)
	ca.Issue("server", "localhost")
	ca.Issue("gate", "gate-1")
	ca.Issue("wifi", "wifi-1")
	ca.Issue("nobody", "nobody")
	path := filepath.Join(c.Dir, "gateway.yaml")
	harness.Write(t, path,
		strings.Replace(harness.Read(t, path), fmt.Sprintf("listen: {mqtt: %q}\n", c.Mqtt),
			fmt.Sprintf("listen: {mqtt: %q, tls: {cert: server.crt, key: server.key, client_ca: ca.crt}}\n", c.Mqtt),
			1))
	harness.Write(t, path, strings.Replace(harness.Read(t, path), "time: {topic: city/v1/clock}", "time: wall", 1))
	c.Run()
	_, port, _ := strings.Cut(c.Mqtt, ":")
	pub := func(who string) error {
		args := []string{"-h", "localhost", "-p", port, "-q", "1", "-t", "city/v1/acme/gate-1/up", "-m",
			`{"fields":{"passed":1}}`, "--cafile", filepath.Join(c.Dir, "ca.crt")}
		if who != "" {
			args = append(args, "--cert", filepath.Join(c.Dir, who+".crt"), "--key", filepath.Join(c.Dir, who+".key"))
		}
		ctx := exec.Command("timeout", append([]string{harness.Limit(5 * time.Second), "mosquitto_pub"}, args...)...)
		return ctx.Run()
	}
	if err := pub("gate"); err != nil {
		t.Errorf("the sensor's own certificate: %v", err)
	}
	if err := pub("wifi"); err != nil {
		t.Errorf("another sensor's certificate: %v; want it taken and refused with a code", err)
	}
	for _, who := range []string{"", "nobody"} {
		if pub(who) == nil {
			t.Errorf("%q got in", who)
		}
	}
	c.Received(2)
	if n := c.Metric(`sluice_readings_total{code="E003",state="refused"}`); n != 1 {
		t.Errorf("%v readings were refused for their identity; want 1", n)
	}
}

// TestBrokerWithTLS: the gateway as a client of a broker that wants TLS and a
// password, with the access list that sluice sensor acl writes; doctor finds
// nothing to mend, and finds it where a stranger may read.
func TestBrokerWithTLSAndDoctor(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, harness.Small())
	secrets := c.Passwords()
	ca := harness.NewAuthority(t, c.Dir)
	ca.Issue("server", "localhost")
	broker := harness.NewMosquitto(t, fmt.Sprintf("allow_anonymous false\npassword_file %[1]s/passwords\nacl_file "+
		"%[1]s/acl\ncafile %[1]s/ca.crt\ncertfile %[1]s/server.crt\nkeyfile %[1]s/server.key\n", c.Dir))
	_, port, _ := strings.Cut(broker.Addr, ":")
	path := filepath.Join(c.Dir, "gateway.yaml")
	harness.Write(t, path, strings.Replace(harness.Read(t, path), fmt.Sprintf("listen: {mqtt: %q}\n", c.Mqtt),
		"mqtt: {broker: \"tls://localhost:"+port+
			"\", username: gateway, password_file: gateway.password, ca: ca.crt}\n", 1))
	harness.Write(t, path, strings.Replace(harness.Read(t, path), "time: {topic: city/v1/clock}", "time: wall", 1))
	c.Run()
	c.BrokerUp(true)
	link := func(user string) error {
		return exec.Command("timeout", harness.Limit(5*time.Second), "mosquitto_pub", "-h", "localhost", "-p", port,
			"-q", "1",
			"-V", "5", "-u", user, "-P", secrets[user], "-t", "city/v1/acme/gate-1/up", "-m", `{"fields":{"passed":1}}`,
			"--cafile", filepath.Join(c.Dir, "ca.crt")).Run()
	}
	if err := link("gate-1"); err != nil {
		t.Error(err)
	}
	_ = link("wifi-1") // the broker says nothing, or no
	c.Received(1)
	if err := link("gate-1"); err != nil { // comes after what the other sent
		t.Error(err)
	}
	c.Received(2)
	if n := c.Metric("sluice_received_total"); n != 2 {
		t.Errorf("%v readings came through; want the sensor's own two alone", n)
	}
	for _, policy := range []string{"gates", "devices"} { // doctor looks at today
		p := filepath.Join(c.Dir, "policy/decisions", policy+".yaml")
		harness.Write(t, p, harness.WallClock(harness.Read(t, p)))
	}
	doctor := func(code int, says ...string) {
		t.Helper()
		cmd := exec.Command(harness.Sluice, "doctor", "-c", path, "--mosquitto", broker.Conf)
		out, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != code {
			t.Errorf("doctor gives %d; want %d\n%s", got, code, out)
		}
		for _, s := range says {
			if !strings.Contains(string(out), s) {
				t.Errorf("doctor does not say %q\n%s", s, out)
			}
		}
	}
	harness.Await(t, 20*time.Second, "the policy to be looked at", func() bool {
		return exec.Command(harness.Sluice, "doctor", "-c", path, "--mosquitto", broker.Conf).Run() == nil
	})
	doctor(0, "a stranger is refused", "in memory only", "decisions in force")
	if n := c.Metric("sluice_received_total"); n != 2 {
		t.Errorf("doctor was counted as a reading: %v", n)
	}
	conf := harness.Read(t, broker.Conf)
	harness.Write(t, broker.Conf,
		strings.Replace(strings.Replace(conf, "persistence false", "persistence true", 1), "max_inflight",
			"log_type all\nmax_inflight", 1))
	doctor(1, "raw readings to its disk in clear")
	harness.Write(t, broker.Conf, conf)
	broker.P.Kill()
	doctor(4, "nobody answers")
	harness.Write(t, broker.Conf,
		strings.NewReplacer("allow_anonymous false", "allow_anonymous true", "acl_file", "# acl_file").Replace(conf))
	broker.Start()
	doctor(1, "can read what sensors publish")
	harness.AppendTo(t, path, "unknown: 1\n")
	doctor(3, "unknown")
}
