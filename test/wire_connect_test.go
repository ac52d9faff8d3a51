package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pub runs mosquitto_pub with a sensor's credentials, and returns what it says.
func pub(t *testing.T, addr string, args ...string) (string, error) {
	t.Helper()
	host, port, _ := strings.Cut(addr, ":")
	out, err := exec.Command("timeout",
		append([]string{limit(10 * time.Second), "mosquitto_pub", "-h", host, "-p", port, "-d"}, args...)...).
		CombinedOutput()
	return string(out), err
}

// TestWireConnection connects as docs/wire.md says, with clients that are not ours.
func TestWireConnection(t *testing.T) {
	t.Parallel()
	need(t, "mosquitto_pub")
	c := found(t, small())
	secrets := c.passwords()
	ca := newAuthority(t, c.dir)
	ca.issue("server", "localhost")
	ca.issue("gate", "gate-1")
	ca.issue("stranger", "nobody")
	c.edit("gateway.yaml", fmt.Sprintf("listen: {mqtt: %q}", c.mqtt),
		fmt.Sprintf(
			"listen: {mqtt: %q, passwords: passwords, tls: {cert: server.crt, key: server.key, client_ca: ca.crt}}",
			c.mqtt))
	c.edit("gateway.yaml", "time: {topic: city/v1/clock}", "time: wall")
	c.run()
	_, port, _ := strings.Cut(c.mqtt, ":")
	addr := "localhost:" + port
	secure := []string{"--cafile", filepath.Join(c.dir, "ca.crt")}
	password := append([]string{"-u", "gate-1", "-P", secrets["gate-1"]}, secure...)
	certificate := func(name string) []string {
		return append([]string{"--cert", filepath.Join(c.dir, name+".crt"), "--key", filepath.Join(c.dir, name+".key")},
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
		before := c.metric("sluice_received_total")
		if out, err := pub(t, addr, append(reading, who.as...)...); (err == nil) != who.comes {
			t.Errorf("with %s: %v\n%s", name, err, out)
		}
		if got := c.metric("sluice_received_total") - before; got != map[bool]float64{true: 1}[who.comes] {
			t.Errorf("with %s %v readings come in", name, got)
		}
	}

	documented(t, "A sensor can write its own `up` and `hb` and read its own `feedback`.",
		"| `city/v1/OWNER/SENSOR/up` (or the register's `topic`) | the sensor | readings |",
		"| `city/v1/OWNER/SENSOR/hb` | the sensor | heartbeats |")
	for topic, want := range map[string]string{"city/v1/acme/gate-1/up": "ok", "city/v1/acme/wifi-1/up": "E003",
		"city/v1/acme/wifi-1/hb": "E003"} {
		got := c.outcome(1, func() {
			if out, err := pub(t, addr,
				append([]string{"-q", "1", "-t", topic, "-m", `{"fields":{"passed":1}}`}, password...)...); err != nil {
				t.Errorf("%s: %v\n%s", topic, err, out)
			}
		})
		if strings.TrimSpace(got) != want {
			t.Errorf("%s as gate-1: %s; want %s", topic, got, want)
		}
	}
	if out, err := pub(t, addr,
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
	c.adds()
}

// TestWireQualities publishes in each version and quality that docs/wire.md names, and
// with what it says that nobody takes notice of.
func TestWireQualities(t *testing.T) {
	t.Parallel()
	need(t, "mosquitto_pub")
	files := small()
	files["register.yaml"] += "  - {id: free, owner: acme, kind: people-gate, zone: square, registered: " +
		"2026-01-01}\n  - {id: boots, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01}\n"
	c := found(t, files)
	c.begin()
	seq := 0
	send := func(want string, more ...string) string {
		t.Helper()
		seq++
		var said string
		got := c.outcome(1, func() {
			out, err := pub(t, c.mqtt,
				append([]string{"-t", "city/v1/acme/gate-1/up", "-m", gate(seq, ten, 1)}, more...)...)
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
	dying := dialWire(t, c.mqtt)
	dying.send(mqttPacket(0x10, mqttText("MQTT"), []byte{4, 0x0e, 0, 60}, mqttText("dying"),
		mqttText("city/v1/acme/gate-1/up"), mqttText(gate(1000, ten, 1))))
	if kind, body := dying.packet(patience); kind != 0x20 || body[1] != 0 {
		t.Fatalf("a CONNECT with a last will is answered %#x %x", kind, body)
	}
	before := c.metric("sluice_received_total")
	fine(t, dying.Close())
	send("ok", "-q", "1") // comes after the will would
	time.Sleep(100 * time.Millisecond)
	if n := c.metric("sluice_received_total") - before; n != 1 {
		t.Errorf("with a last will %v readings came; want the sensor's own", n)
	}

	documented(t, "At the listener, the acknowledgement comes after the reading's effect is on disk; without it, "+
		"send again: redelivery is harmless.")
	send("ok", "-q", "1")
	c.gateway.kill() // at once behind the acknowledgement
	c.run()
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
		"new-2": {35_600, 36_400, func(n int) string { return gate(2*n+5000, ten, 0) }},
		"free": {16_000, 16_400, func(n int) string {
			return fmt.Sprintf(`{"ts":"2026-03-02T10:00:00Z","fields":{"passed":0,"n%d":1}}`, n)
		}},
		"boots": {2_000, 2_060, func(n int) string {
			return fmt.Sprintf(`{"ts":"2026-03-02T10:00:00Z","seq":1,"boot":%d,"fields":{"passed":0}}`, n)
		}},
	} {
		before := c.codesNow()["E305"]
		c.outcome(40_000, func() {
			for from := range 4 {
				list := make([]string, 10_000)
				for n := range list {
					list[n] = shape.reading(10_000*from + n)
				}
				c.send(sensor, "["+strings.Join(list, ",")+"]")
			}
		})
		if taken := 40_000 - (c.codesNow()["E305"] - before); taken < shape.least || taken > shape.most {
			t.Errorf("of 40,000 readings of %s %v are taken; want from %v to %v", sensor, taken, shape.least,
				shape.most)
		}
	}
	send("ok", "-q", "1")
	send("ok", "-q", "1")
	want := float64(3 + 6 + 1 + 1 + 2)
	if got := c.sums("gates", "passed"); got[0] != want {
		t.Errorf("%v passed; want %v", got, want)
	}
}

// TestWireBroker: what docs/wire.md says of a sensor behind the city's broker.
func TestWireBroker(t *testing.T) {
	t.Parallel()
	need(t, "mosquitto_pub")
	broker := newMosquitto(t, "")
	c := found(t, small())
	c.through(broker.addr)
	c.run()
	c.serve()
	c.connect()
	c.brokerUp(true)
	c.tick(ten)
	c.at(ten)
	documented(t, "Behind a broker, the broker acknowledges.")
	c.gateway.kill()
	out, err := pub(t, broker.addr, "-q", "1", "-t", "city/v1/acme/gate-1/up", "-m", gate(1, ten, 1))
	if err != nil || !strings.Contains(out, "received PUBACK") {
		t.Errorf("while the gateway is away: %v\n%s", err, out)
	}
	c.run()
	c.received(1)
	documented(t, "Publish without the retain flag: the listener takes no notice of it, and what a broker has kept "+
		"is refused (E304) unless it has `ts`.")
	c.gateway.kill()
	for topic, payload := range map[string]string{"gate-1": `{"fields":{"passed":10}}`,
		"new-2": `{"ts":"2026-03-02T10:00:00Z","fields":{"passed":100}}`} {
		if out, err := pub(t, broker.addr, "-r", "-q", "1", "-t", "city/v1/acme/"+topic+"/up", "-m", payload); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
	_ = os.RemoveAll(filepath.Join(c.dir, "state")) // a new gateway, which gets the copies alone
	c.run()
	c.brokerUp(true)
	await(t, time.Minute, "the retained copy to be refused", func() bool { return c.codesNow()["E304"] > 0 })
	open := found(t, small())
	open.begin()
	for range 2 {
		got := open.outcome(1, func() {
			if out, err := pub(t, open.mqtt, "-r", "-q", "1", "-t", "city/v1/acme/gate-1/up", "-m",
				`{"fields":{"passed":1}}`); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
		if strings.TrimSpace(got) != "ok" {
			t.Errorf("with the retain flag at the listener: %s", got)
		}
	}
	if got := open.sums("gates", "passed"); got[0] != 2 {
		t.Errorf("%v passed; want 2", got)
	}
}

// TestWireSimulator runs docs/wire.md's own command.
func TestWireSimulator(t *testing.T) {
	t.Parallel()
	documented(t, "`firmware-sim run --broker tcp://127.0.0.1:1883 --rate 1000 --duration 10s --truth truth.jsonl` "+
		"plays a street; `--faults all` makes it misbehave; `--user` and `--password-file` get it into a broker "+
		"with passwords.")
	c := found(t, small())
	fine(t, os.RemoveAll(filepath.Join(c.dir, "policy")))
	run(t, "cp", "-r", "../configs/portalba/policy", c.dir)
	write(t, filepath.Join(c.dir, "register.yaml"), read(t, "../configs/portalba/register.yaml"))
	c.edit("gateway.yaml", "time: {topic: city/v1/clock}", "time: wall")
	c.run()
	truth := filepath.Join(c.dir, "truth.jsonl")
	street := func(more ...string) {
		t.Helper()
		run(t, firmware, append([]string{"run", "--rate", "1000", "--duration", "3s", "--truth", truth}, more...)...)
	}
	street("--broker", "tcp://"+c.mqtt)
	sound := c.metric("sluice_received_total")
	if !strings.Contains(read(t, truth), `"readings"`) || sound < 2000 {
		t.Errorf("it has sent %v readings and written %.200s", sound, read(t, truth))
	}
	codes := len(c.codesNow())
	street("--broker", "tcp://"+c.mqtt, "--faults", "all")
	await(t, time.Minute, "misbehaviour to be counted", func() bool { return len(c.codesNow()) > codes+1 })
	need(t, "mosquitto")
	fine(t,
		exec.Command(sluice, "sensor", "acl", "--register", filepath.Join(c.dir, "register.yaml"), "--dir",
			c.dir).Run())
	broker := newMosquitto(t,
		fmt.Sprintf("allow_anonymous false\npassword_file %[1]s/passwords\nacl_file %[1]s/acl\n", c.dir))
	secret := filepath.Join(c.dir, "gateway.password")
	street("--broker", "tcp://"+broker.addr, "--user", "gateway", "--password-file", secret)
	if err := exec.Command(firmware, "run", "--rate", "10", "--duration", "1s", "--broker", "tcp://"+broker.addr).Run(); err == nil {
		t.Error("without a password it gets in")
	}
}
