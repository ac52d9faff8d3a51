package sensors

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"

	"sluice/test/harness"
)

// five is a client of MQTT 5, of a library that the product has not.
type five struct {
	t  *testing.T
	cl *paho.Client
}

func newFive(t *testing.T, addr string, c *paho.Connect) *five {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return fiveOver(t, conn, c)
}

func fiveOver(t *testing.T, conn net.Conn, c *paho.Connect) *five {
	t.Helper()
	cl := paho.NewClient(paho.ClientConfig{Conn: packets.NewThreadSafeConn(conn)}) // it pings from elsewhere
	ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
	defer cancel()
	c.ClientID, c.CleanStart, c.KeepAlive = t.Name(), true, 60
	c.UsernameFlag, c.PasswordFlag = c.Username != "", c.Password != nil
	if _, err := cl.Connect(ctx, c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cl.Disconnect(&paho.Disconnect{}) }) // it may be cut off already
	return &five{t, cl}
}

// told publishes and returns what the acknowledgement says.
func (f *five) told(topic, payload string) (byte, string) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), harness.Patience)
	defer cancel()
	r, err := f.cl.Publish(ctx, &paho.Publish{QoS: 1, Topic: topic, Payload: []byte(payload)})
	if r == nil {
		f.t.Fatal(err)
	}
	return r.ReasonCode, r.Properties.ReasonString
}

// TestWireAnswers: what MQTT 5 is told with each acknowledgement, at a running gateway.
func TestWireAnswers(t *testing.T) {
	t.Parallel()
	harness.Need(t, "mosquitto_pub")
	files := harness.Everything()
	files["policy/kinds.yaml"] += "  float: {fields: [{name: f, type: float, class: measurement, valid: [0, 20]}]}\n"
	files["policy/decisions/f.yaml"] = strings.NewReplacer(`"6"`, `"16"`, "traffic", "float", "road-counter", "float",
		"[vehicle]", "[f]", "by: [zone, {field: vehicle, values: [car, bike]}], ", "").
		Replace(files["policy/decisions/traffic.yaml"])
	files["register.yaml"] += "  - {id: float-1, owner: acme, kind: float, zone: square, registered: 2026-01-01}\n"
	c := harness.Found(t, files)
	c.Begin()
	f := newFive(t, c.Mqtt, &paho.Connect{})
	documented(t, "With MQTT 5 whoever sends to the listener knows at once: PUBACK, or PUBREC, has a reason code "+
		"where nothing of a message counts, and a reason string, which is a code of the table below, the pointer and "+
		"the fix, as in `E101 /seq: send seq as a whole number from 0`.",
		"| 0x00 | a reading of the message counts, or did before (E303), or is a counter's first (E307); or the "+
			"sensor has E305 or E306, or is a home's, of which feedback says what may be said |",
		"| 0x10 | no decision wants it: E401 to E404 |",
		"| 0x83 | it came at a time or to a gateway that cannot take it: E301, E302, E304, E406, E407, E409 |",
		"| 0x87 | the sensor may not send this: E001 to E003 |",
		"| 0x90 | a topic that begins with `$`, or has a wildcard |",
		"| 0x97 | it has sent more than its quota: E408 |",
		"| 0x99 | the payload's form: E100 to E108, E200 to E203, E300 |",
		"Of several readings the first tells whose sender can mend it.",
		"From 0x80 on, the same message sent again ends the same way.")
	const at = `"ts":"2026-03-02T10:00:00Z"`
	for _, x := range []struct {
		sensor, payload string
		code            byte
		why             string
	}{
		{"gate-1", `{` + at + `,"seq":1,"fields":{"passed":1}}`, 0, ""},
		{"gate-1", `{` + at + `,"seq":1,"fields":{"passed":1}}`, 0, ""},
		{"gate-1", `{` + at + `,"seq":2,"fields":{"passed":1,"zq":2}}`, 0, ""},
		{"gate-1", `[{` + at + `,"fields":{"passed":"zq"}},{` + at + `,"seq":3,"fields":{"passed":1}}]`, 0, ""},
		{"gate-1", `[{` + at + `,"fields":{}},{` + at + `,"fields":{"passed":"zq"}}]`, 0x99, "E102 /fields/passed: "},
		{"wifi-1", `{"fields":{"device":"x","rssi":"zq"}}`, 0x99,
			"E101 /fields/rssi: send the type that the kind names: numbers as numbers, not as text"},
		{"wifi-1", `{"fields":{"device":"x","rssi":"zq"}}`, 0x99, "E101 /fields/rssi: "},
		{"gate-1", `zq`, 0x99, "E100 /*: "},
		{"gate-1", `{"seq":"zq","fields":{"passed":1}}`, 0x99, "E101 /seq: send seq as a whole number from 0"},
		{"gate-1", `{` + at + `,` + at + `,"fields":{"passed":1}}`, 0x99, "E104 /*: "},
		{"gate-1", `[{"bver":99,"n":"zq","v":1}]`, 0x99, "E106 /*: "},
		{"gate-1", `{"fields":{"passed":1e300}}`, 0x99, "E200 /fields/passed: "},
		{"wifi-1", `{"fields":{"device":"` + strings.Repeat("zq", 200) + `","rssi":-50}}`, 0x99, "E201 /fields/device: "},
		{"float-1", `{"fields":{"f":20.75}}`, 0x99, "E202 /fields/f: send values from 0 to 20; look after the sensor"},
		{"track-1", `{"fields":{"tag":"t","lat":41.5,"lon":2.5,"plate":"?!"}}`, 0x99, "E203 /fields/plate: "},
		{"gate-1", `{"ts":"zq","fields":{"passed":1}}`, 0x99, "E300 /ts: "},
		{"gate-1", `{"ts":"2026-03-02T10:02:00Z","fields":{"passed":1}}`, 0x83, "E301 /*: "},
		{"gate-1", `{"ts":"2026-03-02T07:00:00Z","fields":{"passed":1}}`, 0x83, "E302 /*: "},
		{"old-1", `{` + at + `,"fields":{"passed":1}}`, 0x87, "E002 /*: "},
		{"zq", `{` + at + `,"fields":{"passed":1}}`, 0x87, "E001 /*: "},
		{"idle-1", `{` + at + `,"fields":{"x":1}}`, 0x10, "E401 /*: "},
		{"wifi-1", `{` + at + `,"fields":{"device":"zq","rssi":-90}}`, 0x10, "E402 /*: "},
		{"track-1", `{` + at + `,"fields":{"tag":"zq","lat":50,"lon":50}}`, 0x10, "E403 /*: "},
		{"road-1", `{` + at + `,"fields":{"vehicle":"zq"}}`, 0x10, "E404 /fields/vehicle: "},
		{"odd-1", `{"fields":{"x":1}}`, 0, ""}, // it might be a home's
	} {
		code, why := f.told("city/v1/acme/"+x.sensor+"/up", x.payload)
		if code != x.code || !strings.HasPrefix(why, x.why) || x.why == "" && why != "" || strings.Contains(why, "zq") {
			t.Errorf("%s %.60s: told %#x %q; want %#x %q", x.sensor, x.payload, code, why, x.code, x.why)
		}
	}
	for _, topic := range []string{"$SYS/zq", "$share/g/city/v1/acme/gate-1/up"} {
		if code, why := f.told(topic, `{}`); code != 0x90 || !strings.HasPrefix(why, "E001 /*: ") {
			t.Errorf("%s: told %#x %q", topic, code, why)
		}
	}
	if code, why := f.told("city/v1/acme/gate-1/hb", `{"every":"zq"}`); code != 0x99 ||
		!strings.HasPrefix(why, "E101 /every: ") {
		t.Errorf("a heartbeat: told %#x %q", code, why)
	}
	documented(t, "`mosquitto_pub -V mqttv5 -q 1 …`, at the listener, prints the reason string of what does not count.")
	for version, says := range map[string]string{"mqttv5": "(Mid: 1, RC:153)", "mqttv311": "(Mid: 1, RC:0)"} {
		out, err := harness.Pub(t, c.Mqtt, "-V", version, "-q", "1", "-t", "city/v1/acme/gate-1/up", "-m", "zq", "-d")
		if !strings.Contains(out, says) || strings.Contains(out, "E100 /*: send one JSON object") !=
			(version == "mqttv5") {
			t.Errorf("%s: %v\n%s", version, err, out)
		}
	}
	documented(t, "A client that has Request Problem Information off, takes no packet of that size, or has left "+
		"16 KiB unread gets no reason string.")
	for name, p := range map[string]*paho.ConnectProperties{"it wants none": {RequestProblemInfo: false},
		"its packets are small": {RequestProblemInfo: true, MaximumPacketSize: paho.Uint32(90)}} {
		if code, why := newFive(t, c.Mqtt, &paho.Connect{Properties: p}).told("city/v1/acme/gate-1/up",
			`{"fields":{"passed":"1"}}`); code != 0x99 || why != "" {
			t.Errorf("%s: told %#x %q", name, code, why)
		}
	}
	documented(t, "| publications of an MQTT 5 client that wait for theirs | 1,024 (Receive Maximum); with one more "+
		"it is told DISCONNECT 0x93 |",
		"| silence of an MQTT 5 client | an hour and a half, if it asks for a keep-alive of more than an hour "+
			"(Server Keep Alive) |")
	w := harness.DialWire(t, c.Mqtt)
	w.Send(harness.MQTTPacket(0x10, harness.MQTTText("MQTT"), []byte{5, 2, 0xff, 0xff, 0}, harness.MQTTText("x")))
	if _, body := w.Packet(harness.Patience); !strings.Contains(string(body), "\x21\x04\x00") ||
		!strings.Contains(string(body), "\x13\x0e\x10") {
		t.Errorf("CONNACK is %x", body)
	}
}

// TestWireAnswersToKnown: a sensor with credentials is told of itself, and a home's is not.
func TestWireAnswersToKnown(t *testing.T) {
	t.Parallel()
	files := harness.HomesTown()
	files["register.yaml"] += "  - {id: gate-2, owner: acme, kind: people-gate, zone: square, registered: 2026-01-01}\n"
	c := harness.Found(t, files)
	c.Edit("gateway.yaml", "time: {topic: city/v1/clock}", "time: wall")
	secrets, home := c.Passwords(), ""
	for user := range secrets {
		if strings.HasPrefix(user, "meter-") && user > home {
			home = user
		}
	}
	c.Edit("gateway.yaml", fmt.Sprintf("listen: {mqtt: %q}", c.Mqtt),
		fmt.Sprintf("listen: {mqtt: %q, passwords: passwords}", c.Mqtt))
	c.Run()
	for _, x := range []struct {
		as, topic string
		code      byte
		why       string
	}{
		{"gate-2", "city/v1/acme/gate-2/up", 0x99, "E100 /*: "},
		{"gate-2", "city/v1/acme/gate-1/up", 0x87, "E003 /*: connect with the sensor's own credentials"},
		{"gate-2", "city/v1/acme/zq/up", 0x87, "E001 /*: "},
		{"gate-2", "city/v1/acme/" + home + "/up", 0x87, "E001 /*: "}, // nobody learns where homes are
		{"gate-2", "city/v1/acme/" + home + "/hb", 0x87, "E001 /*: "},
		{home, "city/v1/acme/" + home + "/up", 0, ""},
		{home, "city/v1/acme/gate-2/up", 0, ""},
		{home, "city/v1/acme/zq/up", 0, ""},
	} {
		f := newFive(t, c.Mqtt, &paho.Connect{Username: x.as, Password: []byte(secrets[x.as])})
		if code, why := f.told(x.topic, "{"); code != x.code || !strings.HasPrefix(why, x.why) ||
			x.why == "" && why != "" {
			t.Errorf("%s at %s: told %#x %q; want %#x %q", x.as, x.topic, code, why, x.code, x.why)
		}
	}
}

// TestAnswersToOtherSystems: who sends a preset's messages is told the same, of the device that it
// is about; and a quota is said to be one.
func TestAnswersToOtherSystems(t *testing.T) {
	t.Parallel()
	files := lora()
	files["policy/kinds.yaml"] = strings.Replace(files["policy/kinds.yaml"], "  lab:\n", "  lab:\n    quota: 1\n", 1)
	c := harness.Found(t, files)
	c.Begin()
	f := newFive(t, c.Mqtt, &paho.Connect{})
	at := harness.Ten.Add(time.Second)
	for _, x := range []struct {
		topic, payload string
		code           byte
		why            string
	}{
		{"v3/app/devices/node-1/up", ttn(1, at, `{"people":"zq"}`), 0x99, "E101 "},
		{"v3/app/devices/node-1/up", ttn(2, at, `{"people":1}`), 0, ""},
		{"v3/app/devices/node-1/up", ttn(3, at, `{"people":1}`), 0x97, "E408 /*: send less often"},
		{"v3/app/devices/node-1/join", `{}`, 0, ""},
		{"v3/app/devices/node-9/up", ttn(1, at, `{"people":1}`), 0x87, "E001 /*: "},
		{"v3/app/devices/node-1/up", `zq`, 0x99, "E100 /*: "},
	} {
		code, why := f.told(x.topic, x.payload)
		t.Log(why)
		if code != x.code || !strings.HasPrefix(why, x.why) || x.why == "" && why != "" || strings.Contains(why, "zq") {
			t.Errorf("%s %.60s: told %#x %q; want %#x %q", x.topic, x.payload, code, why, x.code, x.why)
		}
	}
}

// TestNobodyLearnsWhatDevicesThereAre: what a device is called in another system may be a meter's
// number or a kit's credential. Whoever may not send for it is told the same of one that is
// registered as of one that is not, in the acknowledgement, in feedback and to technicians.
func TestNobodyLearnsWhatDevicesThereAre(t *testing.T) {
	t.Parallel()
	files := lora()
	files["register.yaml"] += `  - {id: n-4, owner: lorawan, kind: lab, zone: square, registered: 2026-01-01, preset: sparkplug-b, device: plant/pump/one, map: {i: /i}}
  - {id: n-5, owner: lorawan, kind: lab, zone: square, registered: 2026-01-01, preset: dsmr, topic: "homes/18/{field}", map: {i: /value}}
  - {id: n-6, owner: lorawan, kind: lab, zone: square, registered: 2026-01-01, topic: secret/18}
  - {id: n-7, owner: lorawan, kind: lab, zone: square, registered: 2026-01-01, preset: sentilo-provider, device: S-18, map: {i: /value}}
`
	c := harness.Found(t, files)
	c.Edit("gateway.yaml", "time: {topic: city/v1/clock}", "time: wall")
	secrets := c.Passwords()
	c.Edit("gateway.yaml", fmt.Sprintf("listen: {mqtt: %q}", c.Mqtt),
		fmt.Sprintf("listen: {mqtt: %q, passwords: passwords}", c.Mqtt))
	c.Run()
	f := newFive(t, c.Mqtt, &paho.Connect{Username: "others", Password: []byte(secrets["others"])})
	at, told := time.Now().UTC(), 0
	for name, x := range map[string]struct {
		topic   func(which string) string
		payload func(which string) string
		there   string
		none    string
	}{
		"a device in the topic": {func(w string) string { return "v3/app/devices/node-" + w + "/up" },
			func(string) string { return ttn(1, at, `{"people":1}`) }, "1", "9"},
		"its joining": {func(w string) string { return "v3/app/devices/node-" + w + "/join" },
			func(string) string { return "{}" }, "1", "9"},
		"of another system": {func(w string) string { return "application/app/device/" + w + "/event/up" },
			func(string) string { return `{"object":{"people":1}}` }, "0011223344556677", "0011223344556678"},
		"its heartbeat": {func(w string) string { return "application/app/device/" + w + "/event/status" },
			func(string) string { return `{}` }, "0011223344556677", "0011223344556678"},
		"an edge node's": {func(w string) string { return "spBv1.0/plant/DDATA/" + w },
			func(string) string { return "" }, "pump/one", "pump2/one"},
		"another device of an edge node": {func(w string) string { return "spBv1.0/plant/DDATA/" + w },
			func(string) string { return "" }, "pump/two", "pump2/two"},
		"an edge node's birth": {func(w string) string { return "spBv1.0/plant/NBIRTH/" + w },
			func(string) string { return "" }, "pump", "pump2"},
		"a topic with the name of a field": {func(w string) string { return "homes/" + w + "/i" },
			func(string) string { return "7" }, "18", "19"},
		"a topic of its own": {func(w string) string { return "secret/" + w },
			func(string) string { return `{"fields":{"i":1}}` }, "18", "19"},
		"a device in the message": {func(string) string { return "data/provider" }, func(w string) string {
			return `{"observations":[{"sensor":"S-` + w + `","value":"7"}]}`
		}, "18", "19"},
	} {
		code, why := f.told(x.topic(x.there), x.payload(x.there))
		otherCode, otherWhy := f.told(x.topic(x.none), x.payload(x.none))
		if code != otherCode || why != otherWhy {
			t.Errorf("%s: told %#x %q of one that is registered, %#x %q of one that is not", name, code, why, otherCode,
				otherWhy)
		}
		if code == 0x87 {
			told++
		}
	}
	if told < 7 {
		t.Errorf("only %d were refused; the test does not look where it should", told)
	}
}
