package sensors

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
)

// TestWireConnection connects as docs/wire.md says, with clients that are not ours.
func TestWireConnection(t *testing.T) {
	t.Parallel()
	harness.Need(t, "mosquitto_pub")
	c := harness.Found(t, harness.Small())
	secrets := c.Passwords()
	ca := harness.NewAuthority(t, c.Dir)
	ca.Issue("server", "localhost")
	ca.Issue("gate", "gate-1")
	ca.Issue("stranger", "nobody")
	c.Edit("gateway.yaml", fmt.Sprintf("listen: {mqtt: %q}", c.Mqtt),
		fmt.Sprintf(
			"listen: {mqtt: %q, passwords: passwords, tls: {cert: server.crt, key: server.key, client_ca: ca.crt}}",
			c.Mqtt))
	c.Edit("gateway.yaml", "time: {topic: city/v1/clock}", "time: wall")
	c.Run()
	_, port, _ := strings.Cut(c.Mqtt, ":")
	addr := "localhost:" + port
	secure := []string{"--cafile", filepath.Join(c.Dir, "ca.crt")}
	password := append([]string{"-u", "gate-1", "-P", secrets["gate-1"]}, secure...)
	certificate := func(name string) []string {
		return append([]string{"--cert", filepath.Join(c.Dir, name+".crt"), "--key", filepath.Join(c.Dir, name+".key")},
			secure...)
	}
	reading := []string{"-q", "1", "-t", "city/v1/acme/gate-1/up", "-m", `{"fields":{"passed":1}}`}

	documented(t, "To the gateway's own listener, or to the city's broker; ask which, and for your user name (the "+
		"sensor's id in the register) and password, or a certificate whose common name is that id.")
	for name, who := range map[string]struct {
		as    []string
		comes bool
	}{
		"its password": {password, true}, "its certificate": {certificate("gate"), true},
		"nobody's certificate": {certificate("stranger"), false},
		"a wrong password":     {append([]string{"-u", "gate-1", "-P", "wrong"}, secure...), false},
		"nothing":              {secure, false},
	} {
		before := c.Metric("sluice_received_total")
		if out, err := harness.Pub(t, addr, append(reading, who.as...)...); (err == nil) != who.comes {
			t.Errorf("with %s: %v\n%s", name, err, out)
		}
		if got := c.Metric("sluice_received_total") - before; got != map[bool]float64{true: 1}[who.comes] {
			t.Errorf("with %s %v readings come in", name, got)
		}
	}

	documented(t, "A sensor can write its own `up` and `hb` and read its own `feedback`.",
		"| `city/v1/OWNER/SENSOR/up` (or the register's `topic`) | the sensor | readings |",
		"| `city/v1/OWNER/SENSOR/hb` | the sensor | heartbeats |")
	for topic, want := range map[string]string{"city/v1/acme/gate-1/up": "ok", "city/v1/acme/wifi-1/up": "E003",
		"city/v1/acme/wifi-1/hb": "E003"} {
		got := outcome(c, 1, func() {
			if out, err := harness.Pub(t, addr,
				append([]string{"-q", "1", "-t", topic, "-m", `{"fields":{"passed":1}}`}, password...)...); err != nil {
				t.Errorf("%s: %v\n%s", topic, err, out)
			}
		})
		if strings.TrimSpace(got) != want {
			t.Errorf("%s as gate-1: %s; want %s", topic, got, want)
		}
	}
	if out, err := harness.Pub(t, addr,
		append([]string{"-q", "1", "-t", "city/v1/acme/gate-1/hb", "-m", `{"every":"PT60S"}`}, password...)...); err != nil {
		t.Errorf("a heartbeat: %v\n%s", err, out)
	}
	for topic, granted := range map[string]bool{"city/v1/acme/gate-1/feedback": true,
		"city/v1/acme/wifi-1/feedback": false, "city/v1/acme/gate-1/up": false} {
		sub := exec.Command("mosquitto_sub",
			append([]string{"-h", "localhost", "-p", port, "-V", "5", "-t", topic, "-E", "-d"}, password...)...)
		if out, _ := sub.CombinedOutput(); strings.Contains(string(out), "denied") == granted {
			t.Errorf("subscribing to %s: granted should be %v\n%s", topic, granted, out)
		}
	}
	c.Adds()
}

// TestWireQualities publishes in each version and quality that docs/wire.md names, and
// with what it says that nobody takes notice of.
func TestWireQualities(t *testing.T) {
	t.Parallel()
	harness.Need(t, "mosquitto_pub")
	files := harness.Small()
	files["register.yaml"] += "  - {id: free, owner: acme, kind: people-gate, zone: square, registered: " +
		"2026-01-01}\n  - {id: boots, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01}\n"
	c := harness.Found(t, files)
	c.Begin()
	seq := 0
	send := func(want string, more ...string) string {
		t.Helper()
		seq++
		var said string
		got := outcome(c, 1, func() {
			out, err := harness.Pub(t, c.Mqtt,
				append([]string{"-t", "city/v1/acme/gate-1/up", "-m", harness.Gate(seq, harness.Ten, 1)}, more...)...)
			if err != nil {
				t.Errorf("%v: %v\n%s", more, err, out)
			}
			said = out
		})
		if strings.TrimSpace(got) != want {
			t.Errorf("%v: %s; want %s", more, got, want)
		}
		return said
	}
	documented(t, "MQTT 3.1.1 or 5, at QoS 1; 3.1 is taken for 3.1.1.")
	for _, version := range []string{"mqttv31", "mqttv311", "mqttv5"} {
		if said := send("ok", "-V", version, "-q", "1"); !strings.Contains(said, "received PUBACK (Mid: 1, RC:0)") {
			t.Errorf("%s: %s", version, said)
		}
	}
	documented(t, "QoS 2 works as well, QoS 0 without any promise.")
	for _, version := range []string{"mqttv31", "mqttv311", "mqttv5"} {
		if said := send("ok", "-V", version, "-q", "2"); !strings.Contains(said, "received PUBCOMP (Mid: 1, RC:0)") {
			t.Errorf("%s: %s", version, said)
		}
		send("ok", "-V", version, "-q", "0")
	}
	documented(t, "Last wills are ignored.")
	dying := harness.DialWire(t, c.Mqtt)
	dying.Send(harness.MQTTPacket(0x10, harness.MQTTText("MQTT"), []byte{4, 0x0e, 0, 60}, harness.MQTTText("dying"),
		harness.MQTTText("city/v1/acme/gate-1/up"), harness.MQTTText(harness.Gate(1000, harness.Ten, 1))))
	if kind, body := dying.Packet(harness.Patience); kind != 0x20 || body[1] != 0 {
		t.Fatalf("a CONNECT with a last will is answered %#x %x", kind, body)
	}
	before := c.Metric("sluice_received_total")
	harness.NoError(t, dying.Close())
	send("ok", "-q", "1") // comes after the will would
	time.Sleep(100 * time.Millisecond)
	if n := c.Metric("sluice_received_total") - before; n != 1 {
		t.Errorf("with a last will %v readings came; want the sensor's own", n)
	}

	documented(t, "At the listener, the acknowledgement comes after the reading's effect is on disk; without it, "+
		"send again: redelivery is harmless.")
	send("ok", "-q", "1")
	c.Gateway.Kill() // at once behind the acknowledgement
	c.Run()
	seq-- // the same again
	send("E303", "-q", "1")
	documented(t, "A sensor is refused (E305) that in one window leaves more than 32,000 holes in its `seq`, and "+
		"one more for each second of the window, has more than 2,000 `boot`s, or sends more than 16,000 readings "+
		"without `seq`.",
		"Others are not affected.")
	for sensor, shape := range map[string]struct {
		least, most float64 // how many are taken
		reading     func(n int) string
	}{
		"new-2": {35_600, 36_400, func(n int) string { return harness.Gate(2*n+5000, harness.Ten, 0) }},
		"free": {16_000, 16_400, func(n int) string {
			return fmt.Sprintf(`{"ts":"2026-03-02T10:00:00Z","fields":{"passed":0,"n%d":1}}`, n)
		}},
		"boots": {2_000, 2_060, func(n int) string {
			return fmt.Sprintf(`{"ts":"2026-03-02T10:00:00Z","seq":1,"boot":%d,"fields":{"passed":0}}`, n)
		}},
	} {
		before := codesNow(c)["E305"]
		outcome(c, 40_000, func() {
			for from := range 4 {
				list := make([]string, 10_000)
				for n := range list {
					list[n] = shape.reading(10_000*from + n)
				}
				c.Send(sensor, "["+strings.Join(list, ",")+"]")
			}
		})
		if taken := 40_000 - (codesNow(c)["E305"] - before); taken < shape.least || taken > shape.most {
			t.Errorf("of 40,000 readings of %s %v are taken; want from %v to %v", sensor, taken, shape.least,
				shape.most)
		}
	}
	send("ok", "-q", "1")
	send("ok", "-q", "1")
	want := float64(3 + 6 + 1 + 1 + 2)
	if got := sums(c, "gates", "passed"); got[0] != want {
		t.Errorf("%v passed; want %v", got, want)
	}
}

// TestWireBroker: what docs/wire.md says of a sensor behind the city's broker.
func TestWireBroker(t *testing.T) {
	t.Parallel()
	harness.Need(t, "mosquitto_pub")
	broker := harness.NewMosquitto(t, "")
	c := harness.Found(t, harness.Small())
	c.Through(broker.Addr)
	c.Run()
	c.Serve()
	c.Connect()
	c.BrokerUp(true)
	c.Tick(harness.Ten)
	c.At(harness.Ten)
	documented(t, "Behind a broker, the broker acknowledges.")
	c.Gateway.Kill()
	out, err := harness.Pub(t, broker.Addr, "-q", "1", "-t", "city/v1/acme/gate-1/up", "-m",
		harness.Gate(1, harness.Ten, 1))
	if err != nil || !strings.Contains(out, "received PUBACK") {
		t.Errorf("while the gateway is away: %v\n%s", err, out)
	}
	c.Run()
	c.Received(1)
	documented(t, "Publish without the retain flag: the listener takes no notice of it, and what a broker has kept "+
		"is refused (E304) unless it has `ts`.")
	c.Gateway.Kill()
	for topic, payload := range map[string]string{"gate-1": `{"fields":{"passed":10}}`,
		"new-2": `{"ts":"2026-03-02T10:00:00Z","fields":{"passed":100}}`} {
		if out, err := harness.Pub(t, broker.Addr, "-r", "-q", "1", "-t", "city/v1/acme/"+topic+"/up", "-m",
			payload); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
	_ = os.RemoveAll(filepath.Join(c.Dir, "state")) // a new gateway, which gets the copies alone
	c.Run()
	c.BrokerUp(true)
	harness.Await(t, time.Minute, "the retained copy to be refused", func() bool { return codesNow(c)["E304"] > 0 })
	open := harness.Found(t, harness.Small())
	open.Begin()
	for range 2 {
		got := outcome(open, 1, func() {
			if out, err := harness.Pub(t, open.Mqtt, "-r", "-q", "1", "-t", "city/v1/acme/gate-1/up", "-m",
				`{"fields":{"passed":1}}`); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
		if strings.TrimSpace(got) != "ok" {
			t.Errorf("with the retain flag at the listener: %s", got)
		}
	}
	if got := sums(open, "gates", "passed"); got[0] != 2 {
		t.Errorf("%v passed; want 2", got)
	}
}

// TestWireSimulator runs docs/wire.md's own command.
func TestWireSimulator(t *testing.T) {
	t.Parallel()
	documented(t, "`firmware-sim run --broker tcp://127.0.0.1:1883 --rate 1000 --duration 10s --truth truth.jsonl` "+
		"plays a street; `--faults all` makes it misbehave; `--user` and `--password-file` get it into a broker "+
		"with passwords.")
	c := harness.Found(t, harness.Small())
	harness.NoError(t, os.RemoveAll(filepath.Join(c.Dir, "policy")))
	harness.Run(t, "cp", "-r", "../../configs/portalba/policy", c.Dir)
	harness.Write(t, filepath.Join(c.Dir, "register.yaml"), harness.Read(t, "../../configs/portalba/register.yaml"))
	c.Edit("gateway.yaml", "time: {topic: city/v1/clock}", "time: wall")
	c.Run()
	truth := filepath.Join(c.Dir, "truth.jsonl")
	street := func(more ...string) {
		t.Helper()
		harness.Run(t, harness.Firmware,
			append([]string{"run", "--rate", "1000", "--duration", "3s", "--truth", truth}, more...)...)
	}
	street("--broker", "tcp://"+c.Mqtt)
	sound := c.Metric("sluice_received_total")
	if !strings.Contains(harness.Read(t, truth), `"readings"`) || sound < 2000 {
		t.Errorf("it has sent %v readings and written %.200s", sound, harness.Read(t, truth))
	}
	codes := len(codesNow(c))
	street("--broker", "tcp://"+c.Mqtt, "--faults", "all")
	harness.Await(t, time.Minute, "misbehaviour to be counted", func() bool { return len(codesNow(c)) > codes+1 })
	harness.Need(t, "mosquitto")
	harness.NoError(t,
		exec.Command(harness.Sluice, "sensor", "acl", "--register", filepath.Join(c.Dir, "register.yaml"), "--dir",
			c.Dir).Run())
	broker := harness.NewMosquitto(t,
		fmt.Sprintf("allow_anonymous false\npassword_file %[1]s/passwords\nacl_file %[1]s/acl\n", c.Dir))
	secret := filepath.Join(c.Dir, "gateway.password")
	street("--broker", "tcp://"+broker.Addr, "--user", "gateway", "--password-file", secret)
	if err := exec.Command(harness.Firmware, "run", "--rate", "10", "--duration", "1s", "--broker",
		"tcp://"+broker.Addr).Run(); err == nil {
		t.Error("without a password it gets in")
	}
}
