package sensors

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"sluice/test/harness"
)

// TestEveryCode makes each mistake that docs/wire.md has a code for, through a
// broker and through a listener with passwords, and finds each code counted once
// for each time.
func TestEveryCode(t *testing.T) {
	t.Parallel()
	broker := harness.NewMosquitto(t, "")
	c := harness.Found(t, oddly(harness.Everything()))
	secrets := c.Passwords()
	listen := harness.FreeAddr(t)
	path := filepath.Join(c.Dir, "gateway.yaml")
	harness.Write(t, path,
		strings.Replace(harness.Read(t, path), fmt.Sprintf("listen: {mqtt: %q}\n", c.Mqtt),
			fmt.Sprintf("mqtt: {broker: \"tcp://%s\"}\nlisten: {mqtt: %q, passwords: passwords}\n", broker.Addr,
				listen), 1))
	// A retained reading, from before the gateway was there.
	c.Mqtt = broker.Addr
	c.Connect()
	c.Link.Publish("city/v1/acme/gate-1/up", []byte(`{"fields":{"passed":1}}`), true)
	if err := c.Link.Flush(); err != nil {
		t.Fatal(err)
	}
	c.Run()
	c.Serve()
	c.BrokerUp(true)
	c.Received(1)
	c.Tick(harness.Ten)
	at := harness.Ten.Format(time.RFC3339)
	want := map[string]float64{"E304": 1}
	wrong := func(code, sensor, payload string) { want[code]++; c.Send(sensor, payload) }
	wrong("E001", "nobody", harness.Gate(1, harness.Ten, 1))
	// expired
	wrong("E002", "old-1", harness.Gate(1, harness.Ten, 1))
	// replaced
	wrong("E002", "old-2", harness.Gate(1, harness.Ten, 1))
	// not yet
	wrong("E002", "new-3", harness.Gate(1, harness.Ten, 1))
	// not JSON
	wrong("E100", "gate-1", `{"ts":`)
	// any depth
	wrong("E100", "gate-1", strings.Repeat("[", 5000))
	// any depth
	wrong("E100", "gate-1", strings.Repeat(`{"a":`, 5000)+strings.Repeat("}", 5000))
	// no text at all
	wrong("E100", "gate-1", "\x00\xff")
	// a number as text
	wrong("E101", "gate-1", fmt.Sprintf(`{"ts":%q,"seq":901,"fields":{"passed":"7"}}`, at))
	// one bad element
	wrong("E101", "gate-1", `[`+harness.Gate(902, harness.Ten, 1)+`,[[]]]`)
	// nothing
	wrong("E102", "gate-1", fmt.Sprintf(`{"ts":%q,"seq":903,"fields":{}}`, at))
	// a key twice
	wrong("E104", "gate-1", fmt.Sprintf(`{"ts":%q,"ts":%[1]q,"fields":{"passed":1}}`, at))
	// too large
	wrong("E105", "gate-1", fmt.Sprintf(`{"ts":%q,"fields":{"passed":1},"x":"%s"}`, at, strings.Repeat("x", 1<<20)))
	// far too large
	wrong("E105", "gate-1", fmt.Sprintf(`{"ts":%q,"fields":{"passed":1},"x":"%s"}`, at, strings.Repeat("x", 3<<20)))
	wrong("E106", "gate-1", `[{"bver":99,"n":"passed","v":1}]`)
	odd := func(code, topic, payload string) { want[code]++; c.Link.Publish(topic, []byte(payload), false) }
	odd("E107", "odd/type", `{"type":"b","passed":1}`)
	odd("E108", "odd/all", `{"type":"a","passed":1}`)
	odd("E307", "odd/counter", `{"type":"a","passed":1}`)
	odd("", "odd/quota", `{"type":"a","passed":1,"n":1}`)
	odd("E408", "odd/quota", `{"type":"a","passed":1,"n":2}`)
	delete(want, "") // which counts
	// huge
	wrong("E200", "gate-1", fmt.Sprintf(`{"ts":%q,"seq":904,"fields":{"passed":1e300}}`, at))
	wrong("E200", "gate-1", fmt.Sprintf(`{"ts":%q,"seq":905,"fields":{"passed":nan}}`, at)) // NaN
	// beyond the pole
	wrong("E202", "track-1", fmt.Sprintf(`{"ts":%q,"seq":921,"fields":{"tag":"t","lat":90.5,"lon":2.5}}`, at))
	wrong("E203", "track-1",
		fmt.Sprintf(`{"ts":%q,"seq":920,"fields":{"tag":"t","lat":41.5,"lon":2.5,"plate":"?!"}}`, at))
	wrong("E201", "wifi-1",
		fmt.Sprintf(`{"ts":%q,"seq":906,"fields":{"device":"%s","rssi":-50}}`, at, strings.Repeat("x", 300)))
	wrong("E300", "gate-1", `{"ts":"02/03/2026","fields":{"passed":1}}`)
	wrong("E301", "gate-1", harness.Gate(907, harness.Ten.Add(2*time.Minute), 1))
	wrong("E401", "idle-1", fmt.Sprintf(`{"ts":%q,"fields":{"x":1}}`, at))
	wrong("E402", "wifi-1", fmt.Sprintf(`{"ts":%q,"seq":908,"fields":{"device":"x","rssi":-90}}`, at))
	wrong("E403", "track-1", fmt.Sprintf(`{"ts":%q,"seq":909,"fields":{"tag":"x","lat":50,"lon":50}}`, at))
	wrong("E404", "road-1", fmt.Sprintf(`{"ts":%q,"seq":910,"fields":{"vehicle":"tank"}}`, at))
	wrong("E407", "odd-1", fmt.Sprintf(`{"ts":%q,"fields":{"x":1}}`, at))
	c.Send("gate-1", fmt.Sprintf(`{"ts":%q,"seq":911,"more":1,"fields":{"passed":1,"other":2}}`, at)) // E103: counts
	c.Send("gate-1", harness.Gate(911, harness.Ten, 1))
	want["E303"]++
	// One megabyte exactly is fine.
	room := 1<<20 - len(fmt.Sprintf(`{"ts":%q,"seq":912,"fields":{"passed":1},"x":""}`, at))
	c.Send("gate-1", fmt.Sprintf(`{"ts":%q,"seq":912,"fields":{"passed":1},"x":"%s"}`, at, strings.Repeat("x", room)))
	// A boot of its own for each reading: so many can be told apart, and no more.
	const boots, apart = 3000, 2046
	var scattered []string
	for n := range boots {
		scattered = append(scattered, fmt.Sprintf(`{"ts":%q,"seq":1,"boot":%d,"fields":{"passed":1}}`, at, n+1))
	}
	c.Send("gate-1", "["+strings.Join(scattered, ",")+"]")
	want["E305"] = boots - apart
	// Who has another's credentials, at the listener.
	other := harness.PublisherAs(t, listen, "wifi-1", secrets["wifi-1"])
	other.Publish("city/v1/acme/gate-1/up", []byte(harness.Gate(913, harness.Ten, 1)), false)
	want["E003"]++
	for _, topic := range []string{"$SYS/broker/uptime", "$SYS/x", "city/v1/acme/clock"} {
		other.Publish(topic, []byte(harness.Gate(914, harness.Ten, 1)), false)
		want["E001"]++
	}
	// nobody's business
	other.Publish(harness.ClockTopic, []byte(harness.Ten.Add(time.Hour).Format(time.RFC3339)), false)
	if err := other.Flush(); err != nil {
		t.Fatal(err)
	}
	// One device in two hours, where one is allowed.
	c.Send("wifi-1", fmt.Sprintf(`{"ts":%q,"seq":915,"fields":{"device":"02:00:5e:70:00:01","rssi":-50}}`, at))
	c.Tick(harness.Ten.Add(time.Hour))
	c.Send("wifi-1",
		fmt.Sprintf(`{"ts":%q,"seq":916,"fields":{"device":"02:00:5e:70:00:01","rssi":-50}}`,
			harness.Ten.Add(time.Hour).Format(time.RFC3339)))
	// More devices in an hour than one sensor can have before it.
	const devices, each, near = 140_000, 10_000, 16<<10 + 3600*32
	for n := 0; n < devices; n += each {
		var list []string
		for d := range each {
			list = append(list,
				fmt.Sprintf(`{"ts":%q,"seq":%d,"fields":{"device":"%x","rssi":-50}}`,
					harness.Ten.Add(time.Hour).Format(time.RFC3339), 1000+n+d, n+d))
		}
		c.Send("wifi-1", "["+strings.Join(list, ",")+"]")
	}
	want["E306"] = devices - near + 1 // the one above counts nowhere, and was brought all the same
	c.Tick(harness.Ten.Add(2 * time.Hour))
	c.At(harness.Ten.Add(2 * time.Hour))
	wrong("E302", "gate-1", harness.Gate(917, harness.Ten, 1))
	all := 5.0 + apart + near // those that count
	for _, n := range want {
		all += n
	}
	c.Received(all)
	c.Codes(want)
	c.Gateway.Kill() // counters are durable
	c.Run()
	c.BrokerUp(true)
	want["E304"]++ // the retained copy comes with each connection
	c.Received(all + 1)
	c.Codes(want)
	c.Gateway.Kill()
	harness.RemoveAll(t, c.Keys) // as a reboot does, which loses what was open, and the account with it
	c.Run()
	c.BrokerUp(true)
	c.Tick(harness.Ten.Add(2*time.Hour + time.Minute))
	c.Send("wifi-1",
		fmt.Sprintf(`{"ts":%q,"seq":918,"fields":{"device":"02:00:5e:70:00:02","rssi":-50}}`,
			harness.Ten.Add(2*time.Hour+time.Minute).Format(time.RFC3339)))
	c.Received(2)
	c.Codes(map[string]float64{"E304": 1, "E406": 1})
	want["E406"] = 1
	want["E103"], want["E409"] = 1, 1 // are no state of a reading (TestWireTold)
	for _, code := range []string{"E107", "E108", "E307", "E408"} {
		want[code] = 1 // of presets and quotas (format.TestEnvelope, format.TestStates, TestQuotas)
	}
	for _, m := range regexp.MustCompile(`(?m)^\| (E\d+) \|`).
		FindAllStringSubmatch(harness.Read(t, "../../docs/wire.md"), -1) {
		if want[m[1]] == 0 {
			t.Errorf("docs/wire.md has %s, and no mistake here makes it", m[1])
		}
		delete(want, m[1])
	}
	for code := range want {
		t.Errorf("%s is not in docs/wire.md", code)
	}
}

// oddly adds sensors of a preset that has all mistakes of presets.
func oddly(files map[string]string) map[string]string {
	files["presets/odd.yaml"] = `preset: odd
topics:
  - {pattern: "odd/all", type: reading}
format: json
device: /id
type: {pointer: /type, reading: [a]}
seq: /n
`
	files["presets/grows.yaml"] = "profile: grows\nfields:\n  passed: {pointer: /passed, counter: {}}\n"
	for i, more := range []string{"topic: odd/type", "device: one", "topic: odd/counter, profile: grows",
		"topic: odd/quota, quota: 1"} {
		files["register.yaml"] += fmt.Sprintf("  - {id: odd-%d, owner: acme, kind: people-gate, zone: square, "+
			"registered: 2026-01-01, preset: odd, %s}\n", i+2, more)
	}
	return files
}

// TestAFlood: one sensor sends as fast as it can, at least 50,000 messages in a
// second's worth; others lose nothing, and neither does it.
func TestAFlood(t *testing.T) {
	t.Parallel()
	for name, through := range map[string]bool{"listener": false, "mosquitto": true} {
		t.Run(name, func(t *testing.T) {
			c := harness.Found(t, harness.Everything())
			if through {
				c.Through(harness.NewMosquitto(t, "max_queued_bytes 1000000000\n").Addr)
			}
			c.Run()
			c.Serve()
			c.BrokerUp(true)
			c.Connect()
			c.Tick(harness.Ten)
			const flood, others = 50_000, 40
			done := make(chan bool)
			go func() { defer close(done); sendFlood(c, "road-1", flood) }()
			for i := range others {
				c.Send("gate-1", harness.Gate(i, harness.Ten, 1))
				time.Sleep(10 * time.Millisecond)
			}
			<-done
			c.Received(flood + others)
			c.Counted(others)
			for _, i := range c.Items("traffic", harness.Ten, harness.Ten.Add(time.Hour)) {
				if i.Cell == "square/car" && (i.Value == nil || *i.Value != flood) {
					t.Errorf("the flood is %s, %v; want %d", i.Status, harness.Deref([]harness.Item{i}), flood)
				}
			}
		})
	}
}

// flood publishes readings without waiting for each, and waits for all PUBACKs.
func sendFlood(c *harness.City, sensor string, n int) {
	conn := harness.DialRaw(c.T, c.Mqtt, "flood")
	acked := make(chan bool)
	go func() {
		defer close(acked)
		for range n {
			if p, err := packets.ReadPacket(conn); err != nil {
				c.T.Error(err)
				return
			} else if _, ok := p.(*packets.PubackPacket); !ok {
				c.T.Errorf("got %T; want a PUBACK", p)
				return
			}
		}
	}()
	p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	p.TopicName, p.Qos = "city/v1/acme/"+sensor+"/up", 1
	for i := range n {
		p.MessageID = uint16(i%65535) + 1
		p.Payload = fmt.Appendf(nil, `{"ts":"2026-03-02T10:00:00Z","seq":%d,"fields":{"vehicle":"car"}}`, i)
		conn.Put(p)
	}
	<-acked
}

// TestManyTopics: ten thousand topics that nobody knows cost a number each.
func TestManyTopics(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, harness.Small())
	c.Run()
	c.Connect()
	c.Tick(harness.Ten)
	for i := range 10_000 {
		c.Link.Publish(fmt.Sprintf("city/v1/acme/unknown-%d/up", i), []byte(harness.Gate(i, harness.Ten, 1)), false)
	}
	if err := c.Link.Flush(); err != nil {
		t.Fatal(err)
	}
	if n := c.Metric(`sluice_readings_total{code="E001",state="refused"}`); n != 10_000 {
		t.Errorf("%v readings on unknown topics; want 10,000", n)
	}
	if n := strings.Count(c.Metrics(), "\n"); n > 250 {
		t.Errorf("there are %d lines of metrics; topics must not make any", n)
	}
}

// TestTopicsThatAreNone: what no broker would deliver is counted and acknowledged
// like any other topic that nobody knows.
func TestTopicsThatAreNone(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, harness.Small())
	c.Run()
	c.Connect()
	c.Tick(harness.Ten)
	conn := harness.DialRaw(t, c.Mqtt, "odd")
	p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	p.Qos, p.Payload = 1, []byte(harness.Gate(1, harness.Ten, 1))
	topics := []string{"city/v1/+/gate-1/up", "city/v1/acme/#", "#", "$SYS/broker/version",
		"$share/g/city/v1/acme/gate-1/up", "city/v1/acme/gate-1/up/", "/city/v1/acme/gate-1/up",
		"City/v1/acme/gate-1/up", "city/v1/acme/gate-1/feedback", strings.Repeat("x/", 30_000)}
	for i, topic := range topics {
		p.MessageID, p.TopicName = uint16(i+1), topic
		conn.Put(p)
		if answer, err := packets.ReadPacket(conn); err != nil {
			t.Fatalf("%.40q: %v", topic, err)
		} else if ack, ok := answer.(*packets.PubackPacket); !ok || ack.MessageID != uint16(i+1) {
			t.Errorf("%.40q: got %T", topic, answer)
		}
	}
	c.Codes(map[string]float64{"E001": float64(len(topics)), "E302": 0, "E303": 0})
}

// TestWindowsInOneMessage: a batch over several windows and streams, with the
// gateway killed while it is taken, again and again, counts exactly once.
func TestWindowsInOneMessage(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, harness.Small())
	c.Begin()
	c.Tick(harness.Ten.Add(time.Hour)) // the hour of ten stays open for two minutes
	const readings = 4000
	var b strings.Builder
	for i := range readings {
		if b.WriteString(map[bool]string{true: "[", false: ","}[i == 0]); i%2 == 0 {
			b.WriteString(harness.Gate(i, harness.Ten.Add(59*time.Minute), 1))
		} else {
			b.WriteString(harness.Gate(i, harness.Ten.Add(time.Hour), 1))
		}
	}
	b.WriteString("]")
	for round := range 5 {
		c.Link.Publish("city/v1/acme/gate-1/up", []byte(b.String()), false)
		time.Sleep(time.Duration(round) * 3 * time.Millisecond)
		c.Gateway.Kill()
		c.Run()
	}
	if err := c.Link.Flush(); err != nil {
		t.Fatal(err)
	}
	c.Tick(harness.Ten.Add(3 * time.Hour))
	c.Stored()
	list := c.Items("gates", harness.Ten, harness.Ten.Add(2*time.Hour))
	for h := range 2 {
		if got := harness.Value(t, list, harness.Ten.Add(time.Duration(h)*time.Hour), "passed"); got != readings/2 {
			t.Errorf("hour %d has %v; want %d", h, got, readings/2)
		}
	}
	c.Adds()
}
