package sensors

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"sluice/test/harness"
)

// letters are what came in on feedback topics, by topic.
type letters struct {
	mu  sync.Mutex
	got map[string][]mqtt.Message
}

func (l *letters) of(topic string) []mqtt.Message {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.got[topic]
}

func (l *letters) keep(_ mqtt.Client, m mqtt.Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.got[m.Topic()] = append(l.got[m.Topic()], m)
}

// feedbackOf listens to all feedback at an address.
func feedbackOf(t *testing.T, broker string) *letters {
	t.Helper()
	l := &letters{got: make(map[string][]mqtt.Message)}
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(broker).SetClientID("reader"))
	if token := client.Connect(); !token.WaitTimeout(harness.Patience) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	t.Cleanup(func() { client.Disconnect(100) })
	token := client.Subscribe("city/v1/+/+/feedback", 1, l.keep)
	if !token.WaitTimeout(harness.Patience) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	return l
}

// advice is what feedback says.
type advice struct {
	Since, Until time.Time
	Codes        []struct {
		Code, Pointer, Rule, Fix string
		Count                    int64
		Seq                      *uint64
	}
}

// TestWireFeedback waits for the full five minutes of docs/wire.md.
func TestWireFeedback(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it waits for five minutes")
	}
	files := harness.HomesTown()
	files["policy/decisions/devices.yaml"] = harness.Small()["policy/decisions/devices.yaml"]
	files["register.yaml"] += "  - {id: wifi-1, owner: acme, kind: wifi-counter, zone: square, registered: " +
		"2026-01-01}\n  - {id: quiet-1, owner: acme, kind: wifi-counter, zone: square, registered: 2026-01-01}\n"
	c := harness.Found(t, files)
	c.Begin()
	// Not across one of the instants that feedback is sent at.
	if left := time.Until(time.Now().Truncate(5 * time.Minute).Add(5 * time.Minute)); left < 20*time.Second {
		time.Sleep(left + time.Second)
	}
	post := feedbackOf(t, "tcp://"+c.Mqtt)
	c.Tick(harness.Ten.Add(time.Minute))
	for n := range 12 {
		c.Send("wifi-1",
			fmt.Sprintf(`{"seq":%d,"fields":{"device":"02:00:5e:00:00:01","rssi":"secret-%d"}}`, 4711+n, n))
	}
	c.Send("wifi-1", `{"fields":{"device":"02:00:5e:00:00:01","rssi":-50,"secret-name":1}}`)
	publish(c, "unknown/secret/topic", `{}`)
	publish(c, "flats/zq0/power", `{"fields":{"power":"on"}}`)
	c.Send("quiet-1", `{"seq":1,"fields":{"device":"02:00:5e:00:00:02","rssi":-50}}`)
	const topic = "city/v1/acme/wifi-1/feedback"
	harness.Await(t, 5*time.Minute+20*time.Second, "feedback", func() bool { return len(post.of(topic)) > 0 })
	came := time.Now()
	time.Sleep(time.Second)

	documented(t, "| `city/v1/OWNER/SENSOR/feedback` | the gateway | what was dropped, and why |",
		"Every full five minutes (demo: ten seconds), for a registered sensor that had something dropped, at QoS 1, "+
			"not retained:")
	m := post.of(topic)[0]
	if late := came.Sub(came.Truncate(5 * time.Minute)); late > harness.Longer(20*time.Second) || m.Qos() != 1 ||
		m.Retained() {
		t.Errorf("feedback comes %s after the full five minutes, at QoS %d, retained: %v", late, m.Qos(), m.Retained())
	}
	if len(post.got) != 1 {
		t.Errorf("feedback came for %d sensors; want one", len(post.got))
	}
	var body advice
	if err := json.Unmarshal(m.Payload(), &body); err != nil || len(body.Codes) != 2 {
		t.Fatalf("%v: %s", err, m.Payload())
	}
	documented(t,
		`{"since":"…","until":"…","codes":[{"code":"E101","pointer":"/fields/rssi","rule":"kind wifi-counter","count":10,"fix":"send the type that the kind names: numbers as numbers, not as text","seq":4711}]}`)
	want := strings.TrimSuffix(strings.SplitAfterN(sentenceThat(t, `{"since"`), `"codes":[`, 2)[1], "]}")
	if !strings.Contains(string(m.Payload()), `"codes":[`+want) {
		t.Errorf("it says %s; want %s", m.Payload(), want)
	}
	documented(t, "`since` and `until` are of the gateway's clock.",
		"`count` is an order of magnitude; `seq` is that of the first such reading, where it had one (and no epoch "+
			"has ended since): a counter, so let it name nobody.")
	if !body.Since.Equal(harness.Ten) || !body.Until.Equal(harness.Ten.Add(time.Minute)) {
		t.Errorf("it is about %s to %s; want the minute after %s", body.Since, body.Until, harness.Ten)
	}
	if e := body.Codes[0]; e.Count != 10 || e.Seq == nil || *e.Seq != 4711 {
		t.Errorf("of twelve that begin with 4711 it says %+v", e)
	}
	documented(t, "Names that the kind does not know are `/*`; values and unknown topics never appear.")
	if e := body.Codes[1]; e.Code != "E103" || e.Pointer != "/*" || e.Seq != nil ||
		strings.Contains(string(m.Payload()), "secret") {
		t.Errorf("of a name that the kind does not know it says %s", m.Payload())
	}
	documented(t, "A sensor whose kind can stand for a home gets none: what went wrong in one home, and when, would "+
		"be told to whoever listens.",
		"Its codes are counted in the gateway's metrics with all others.")
	if n := codesNow(c)["E101"]; n != 13 {
		t.Errorf("E101 is counted %v times; want twelve of the counter and one of a home", n)
	}
}

// TestWireDemo runs the two commands that docs/wire.md begins with.
func TestWireDemo(t *testing.T) {
	t.Parallel()
	harness.Need(t, "mosquitto_pub")
	documented(t, "Against a running demo (`go run ./cmd/sluice up --demo`):",
		"mosquitto_pub -h 127.0.0.1 -p 1883 -q 1 -t city/v1/demo/yours-noise/up -m "+
			"'{\"fields\":{\"laeq\":71.5}}'\nmosquitto_sub -h 127.0.0.1 -p 1883 -t 'city/v1/demo/+/feedback'")
	d := harness.StartDemo(t, t.TempDir())
	d.Find(`"event":"replayed"`)
	_, port, _ := strings.Cut(strings.TrimPrefix(d.MQTT, "tcp://"), ":")
	publish, subscribe, _ := strings.Cut(strings.ReplaceAll(sentenceThat(t, "mosquitto_pub -h"), "-p 1883", "-p "+port),
		"\n")
	p := harness.Start(t, "sh", "-c", "exec "+subscribe)
	harness.Run(t, "sh", "-c", publish)
	loud := time.Time{}
	harness.Await(t, time.Minute, "the second command to say what is wrong with the first", func() bool {
		if time.Since(loud) > 5*time.Second { // feedback that comes before it has subscribed is not kept for it
			loud = time.Now()
			harness.Run(t, "sh", "-c", strings.Replace(publish, "71.5", `"loud"`, 1))
		}
		return strings.Contains(p.Out.String(), `"code":"E101","pointer":"/fields/laeq"`)
	})
	harness.Await(t, time.Minute, "the number to appear", func() bool {
		for _, i := range harness.ReadAll(t, d.OpenData,
			"/api/v1/streams/noise/observations?cell=carrer-nou&limit=1000") {
			if i.Value != nil && *i.Value == 71.5 {
				return true
			}
		}
		return false
	})
}

// TestWireManyUnits: how many readings of units, and how many units, one sensor may
// bring into a window of a minute.
func TestWireManyUnits(t *testing.T) {
	t.Parallel()
	files := harness.Small()
	files["policy/decisions/devices.yaml"] = strings.NewReplacer("every: PT1H", "every: PT1M",
		"- {name: devices, of: distinct(unit)}",
		"- {name: devices, of: distinct(unit)}\n    - {name: level, of: sum(rssi), between: [-100, 0]}").
		Replace(files["policy/decisions/devices.yaml"])
	files["register.yaml"] += "  - {id: wifi-2, owner: acme, kind: wifi-counter, zone: square, registered: " +
		"2026-01-01}\n"
	c := harness.Found(t, files)
	c.Begin()
	send := func(sensor string, units, readings int) (taken float64, refused string) {
		before := codesNow(c)
		outcome(c, float64(readings), func() {
			for from := 0; from < readings; from += 10_000 {
				list := make([]string, min(10_000, readings-from))
				for n := range list {
					list[n] = fmt.Sprintf(`{"ts":"2026-03-02T10:00:00Z","seq":%d,"fields":{"device":"%x","rssi":-50}}`,
						from+n, (from+n)%units)
				}
				c.Send(sensor, "["+strings.Join(list, ",")+"]")
			}
		})
		after := codesNow(c)
		for _, code := range []string{"E305", "E306"} {
			if n := after[code] - before[code]; n > 0 {
				taken, refused = float64(readings)-n, refused+code
			}
		}
		return taken, refused
	}
	documented(t, "It may bring 16,384 different units into a window, and 32 more for each second of the window, "+
		"but no more than 1,048,576, and 2,097,152 in an epoch; more are refused (E306).")
	if taken, code := send("wifi-1", 20_000, 20_000); taken != 16_384+60*32 || code != "E306" {
		t.Errorf("of 20,000 units %v are taken, and then %s", taken, code)
	}
	documented(t, "Where readings of units are counted or added up, it may send 131,072 in a window, and 256 more "+
		"for each second of it, but no more than 4,194,304; more are refused (E305).")
	if taken, code := send("wifi-2", 100, 150_000); taken != 131_072+60*256 || code != "E305" {
		t.Errorf("of 150,000 readings of units %v are taken, and then %s", taken, code)
	}
	c.Adds()
}
