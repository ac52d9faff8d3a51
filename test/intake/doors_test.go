package intake

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
)

func resident(c *harness.City) int {
	c.T.Helper()
	m := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).
		FindStringSubmatch(harness.Read(c.T, fmt.Sprintf("/proc/%d/status", c.Gateway.Cmd.Process.Pid)))
	kib, err := strconv.Atoi(m[1])
	if err != nil {
		c.T.Fatal(err)
	}
	return kib >> 10
}

// TestTheListenersLimits meets each limit that docs/wire.md and docs/operations.md name,
// at the real binary, with a sensor that works on beside.
func TestTheListenersLimits(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, harness.Small())
	secrets := c.Passwords()
	path := filepath.Join(c.Dir, "gateway.yaml")
	harness.Write(t, path,
		strings.Replace(harness.Read(t, path), fmt.Sprintf("listen: {mqtt: %q}\n", c.Mqtt),
			fmt.Sprintf("listen: {mqtt: %q, passwords: passwords}\n", c.Mqtt), 1))
	c.Run()
	honest := harness.PublisherAs(t, c.Mqtt, "gate-1", secrets["gate-1"])
	acknowledged := 0
	works := func() {
		t.Helper()
		honest.Publish("city/v1/acme/gate-1/up", []byte(`{"fields":{"passed":1}}`), false)
		if err := honest.Flush(); err != nil {
			t.Fatal(err)
		}
		acknowledged++
	}
	enter := func(version byte, id string) *harness.Wire {
		t.Helper()
		w := harness.DialWire(t, c.Mqtt)
		if code := w.Hello(version, id, "wifi-1", secrets["wifi-1"]); code != 0 {
			t.Fatalf("wifi-1 is refused with %#x", code)
		}
		return w
	}
	works()
	before := resident(c)

	silent := harness.DialWire(t, c.Mqtt)
	begun := time.Now()
	for range 300 {
		w := harness.DialWire(t, c.Mqtt)
		w.Send([]byte{0x10, 0xff, 0xff, 0x7f}) // 2 MiB, it says
		if took := w.CutOff(20 * time.Second); took > harness.Longer(5*time.Second) {
			t.Errorf("a CONNECT of 2 MiB is cut off after %s", took)
		}
	}
	asked := time.Now()
	if code := harness.DialWire(t, c.Mqtt).Hello(4, "x", "wifi-1", "wrong"); code != 5 ||
		time.Since(asked) < time.Second {
		t.Errorf("a wrong password is answered with %#x after %s", code, time.Since(asked))
	}
	works()

	// Four connections of a sensor; the fifth ends the first.
	first := enter(4, "1")
	for n := range 4 {
		enter(4, fmt.Sprint(2+n))
	}
	first.CutOff(20 * time.Second)

	alias := enter(5, "alias")
	alias.Send(harness.MQTTPacket(0x32, harness.MQTTText("t"), []byte{0, 1, 3, 0x23, 0, 1}, []byte("{}")))
	if kind, body := alias.Packet(harness.Patience); kind != 0xe0 || body[0] != 0x94 {
		t.Errorf("a topic alias is answered with %#x %x", kind, body)
	}
	large := enter(4, "large")
	large.Send([]byte{0x32, 0x81, 0x80, 0x80, 1}) // a byte more than 2 MiB
	large.CutOff(20 * time.Second)
	broken := enter(5, "broken")
	broken.Send(harness.MQTTPacket(0x82, []byte{0, 7, 0}, harness.MQTTText("t"))) // a SUBSCRIBE without options
	broken.CutOff(20 * time.Second)
	works()

	if took := silent.CutOff(20*time.Second) + time.Since(begun); took < 9*time.Second {
		t.Errorf("who says nothing is cut off after %s", took)
	}
	if rise := resident(c) - before; rise > 128 {
		t.Errorf("all this cost %d MiB", rise)
	}
	c.Received(float64(acknowledged))
}
