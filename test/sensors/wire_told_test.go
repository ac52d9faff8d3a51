package sensors

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"sluice/firmware-sim/device"
	"sluice/test/harness"
)

// TestWireTold: whom the gateway tells what, where each sensor has credentials of its own
// and reads its own feedback; and what operators find otherwise. It waits for a full five
// minutes.
func TestWireTold(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it waits for five minutes")
	}
	files := lab()
	files["policy/kinds.yaml"] = strings.Replace(files["policy/kinds.yaml"],
		"{name: f, type: float, class: measurement}", "{name: f, type: float, class: measurement, valid: [0, 20]}", 1)
	files["register.yaml"] += "  - {id: odd-1, owner: acme, kind: unheard-of, zone: square, registered: 2026-01-01}\n"
	c := harness.Found(t, files)
	secrets := c.Passwords()
	c.Edit("gateway.yaml", fmt.Sprintf("listen: {mqtt: %q}", c.Mqtt),
		fmt.Sprintf("listen: {mqtt: %q, passwords: passwords}", c.Mqtt))
	c.Edit("gateway.yaml", "time: {topic: city/v1/clock}", "time: wall")
	c.Run()
	// Not across one of the instants that feedback is sent at.
	if left := time.Until(time.Now().Truncate(5 * time.Minute).Add(5 * time.Minute)); left < 20*time.Second {
		time.Sleep(left + time.Second)
	}
	post := &letters{got: make(map[string][]mqtt.Message)}
	link := make(map[string]*device.Link)
	for _, sensor := range []string{"gate-1", "wifi-1", "lab-1", "lab-4", "odd-1"} {
		link[sensor] = harness.PublisherAs(t, c.Mqtt, sensor, secrets[sensor])
		post.readAs(t, c.Mqtt, sensor, secrets[sensor])
	}
	for _, m := range [][3]string{
		{"wifi-1", "gate-1", `{"fields":{"passed":1}}`}, // in another's name
		{"lab-1", "lab-1", `{"fields":{"i":1,"f":20.75}}`},
		{"lab-4", "lab-4", `{"x":1,"y":2}`},
		{"odd-1", "odd-1", `{"fields":{"x":1}}`},
	} {
		link[m[0]].Publish("city/v1/acme/"+m[1]+"/up", []byte(m[2]), false)
		if err := link[m[0]].Flush(); err != nil {
			t.Fatal(err)
		}
	}
	c.Received(4)
	c.Codes(map[string]float64{"E003": 1, "E202": 1, "E407": 1})
	const last = "city/v1/acme/lab-4/feedback"
	harness.Await(t, 5*time.Minute+20*time.Second, "feedback", func() bool { return len(post.of(last)) > 0 })
	harness.Await(t, 20*time.Second, "everybody's feedback", func() bool {
		return len(post.of("city/v1/acme/wifi-1/feedback")) > 0 && len(post.of("city/v1/acme/lab-1/feedback")) > 0
	})
	time.Sleep(time.Second) // all of it is sent at once: what is not for others would have come

	documented(t, "| E003 | refused | sent with another sensor's credentials (who sent it is told). Where the public "+
		"register does not say what the topic is, or the sensor stands for a home, it is E001: nobody learns there "+
		"which devices are registered |",
		"| E202 | refused | a number outside the `valid` range of its kind; the sensor is told the range, never the "+
			"value |",
		"| E407 | refused | the sensor's kind is not in the `kinds.yaml` in force; it is told nothing, since it "+
			"might be a home's. `sluice doctor` names it |",
		"| E409 | | the sensor's register entry maps a field that its kind has not: what it maps is dropped. "+
			"Refused only where no plan fits the entry. `sluice register check` names it |")
	post.told(t, map[string]string{"gate-1": "", "wifi-1": "E003", "lab-1": "E202", "lab-4": "E409", "odd-1": ""})
	if _, out := harness.ExitOf(t, "doctor", "-c", filepath.Join(c.Dir, "gateway.yaml")); !strings.Contains(out,
		"odd-1") ||
		!strings.Contains(out, "unheard-of") {
		t.Errorf("doctor does not name the sensor or its kind\n%s", out)
	}
	if code, out := harness.ExitOf(t, "register", "check", filepath.Join(c.Dir, "register.yaml"), "--policy",
		filepath.Join(c.Dir, "policy")); code != 1 || !strings.Contains(out, "lab-4") ||
		!strings.Contains(out, "nothing") {
		t.Errorf("register check does not name the entry: %d\n%s", code, out)
	}
}

// told insists on the codes that each sensor was told, and on a range without its value.
func (l *letters) told(t *testing.T, want map[string]string) {
	t.Helper()
	for sensor, want := range want {
		var codes []string
		for _, m := range l.of("city/v1/acme/" + sensor + "/feedback") {
			var body advice
			if err := json.Unmarshal(m.Payload(), &body); err != nil {
				t.Errorf("%s: %v", sensor, err)
			}
			for _, e := range body.Codes {
				codes = append(codes, e.Code)
				if e.Code == "E202" &&
					(!strings.Contains(e.Fix, "from 0 to 20;") || strings.Contains(string(m.Payload()), "20.75")) {
					t.Errorf("of a number outside of its range it says %s", m.Payload())
				}
			}
		}
		if got := strings.Join(codes, " "); got != want {
			t.Errorf("%s is told %q; want %q", sensor, got, want)
		}
	}
}

// readAs listens to a sensor's own feedback with its credentials.
func (l *letters) readAs(t *testing.T, addr, sensor, password string) {
	t.Helper()
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + addr).SetClientID("reads-" +
		sensor).SetUsername(sensor).SetPassword(password))
	if token := client.Connect(); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	t.Cleanup(func() { client.Disconnect(100) })
	token := client.Subscribe("city/v1/acme/"+sensor+"/feedback", 1, l.keep)
	if !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		t.Fatal(token.Error())
	}
}
