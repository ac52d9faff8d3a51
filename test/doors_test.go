package test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// wire is a hand-written MQTT client, since no library sends what these do.
type wire struct {
	net.Conn
	t *testing.T
}

func dialWire(t *testing.T, addr string) *wire {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &wire{c, t}
}

func mqttPacket(kind byte, body ...[]byte) []byte {
	all := bytes.Join(body, nil)
	return append(binary.AppendUvarint([]byte{kind}, uint64(len(all))), all...)
}

func mqttText(s string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(s))), s...)
}

// hello connects with a version of MQTT and returns the answer's code.
func (w *wire) hello(version byte, id, user, password string) byte {
	w.t.Helper()
	var props []byte
	if version == 5 {
		props = []byte{0}
	}
	w.send(mqttPacket(0x10, mqttText("MQTT"), []byte{version, 0xc0, 0, 0}, props, mqttText(id), mqttText(user),
		mqttText(password)))
	_, body := w.packet(patience)
	if len(body) < 2 {
		w.t.Fatalf("the answer to CONNECT is %x", body)
	}
	return body[1]
}

func (w *wire) send(b []byte) {
	w.t.Helper()
	if _, err := w.Write(b); err != nil {
		w.t.Fatal(err)
	}
}

// packet is the next one, or nothing when the connection ends first, or none comes in
// time.
func (w *wire) packet(within time.Duration) (kind byte, body []byte) {
	w.t.Helper()
	if err := w.SetReadDeadline(time.Now().Add(within)); err != nil {
		w.t.Fatal(err)
	}
	head := make([]byte, 2) // none here is longer than 127 bytes
	if _, err := io.ReadFull(w, head); err != nil {
		return 0, nil
	}
	body = make([]byte, head[1])
	if _, err := io.ReadFull(w, body); err != nil {
		return 0, nil
	}
	return head[0], body
}

// cutOff returns after how long the connection ends, within what a busy machine makes of
// a time.
func (w *wire) cutOff(within time.Duration) time.Duration {
	w.t.Helper()
	within = longer(within)
	begun := time.Now()
	if err := w.SetReadDeadline(begun.Add(within)); err != nil {
		w.t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, w); err != nil && strings.Contains(err.Error(), "timeout") {
		w.t.Errorf("it is not cut off within %s", within)
	}
	return time.Since(begun)
}

func (c *city) resident() int {
	c.t.Helper()
	m := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).
		FindStringSubmatch(read(c.t, fmt.Sprintf("/proc/%d/status", c.gateway.cmd.Process.Pid)))
	kib, err := strconv.Atoi(m[1])
	if err != nil {
		c.t.Fatal(err)
	}
	return kib >> 10
}

// TestTheListenersLimits meets each limit that docs/wire.md and docs/operations.md name,
// at the real binary, with a sensor that works on beside.
func TestTheListenersLimits(t *testing.T) {
	t.Parallel()
	c := found(t, small())
	secrets := c.passwords()
	path := filepath.Join(c.dir, "gateway.yaml")
	write(t, path,
		strings.Replace(read(t, path), fmt.Sprintf("listen: {mqtt: %q}\n", c.mqtt),
			fmt.Sprintf("listen: {mqtt: %q, passwords: passwords}\n", c.mqtt), 1))
	c.run()
	honest := publisherAs(t, c.mqtt, "gate-1", secrets["gate-1"])
	acknowledged := 0
	works := func() {
		t.Helper()
		honest.Publish("city/v1/acme/gate-1/up", []byte(`{"fields":{"passed":1}}`), false)
		if err := honest.Flush(); err != nil {
			t.Fatal(err)
		}
		acknowledged++
	}
	enter := func(version byte, id string) *wire {
		t.Helper()
		w := dialWire(t, c.mqtt)
		if code := w.hello(version, id, "wifi-1", secrets["wifi-1"]); code != 0 {
			t.Fatalf("wifi-1 is refused with %#x", code)
		}
		return w
	}
	works()
	before := c.resident()

	silent := dialWire(t, c.mqtt)
	begun := time.Now()
	for range 300 {
		w := dialWire(t, c.mqtt)
		w.send([]byte{0x10, 0xff, 0xff, 0x7f}) // 2 MiB, it says
		if took := w.cutOff(20 * time.Second); took > longer(5*time.Second) {
			t.Errorf("a CONNECT of 2 MiB is cut off after %s", took)
		}
	}
	asked := time.Now()
	if code := dialWire(t, c.mqtt).hello(4, "x", "wifi-1", "wrong"); code != 5 || time.Since(asked) < time.Second {
		t.Errorf("a wrong password is answered with %#x after %s", code, time.Since(asked))
	}
	works()

	// Four connections of a sensor; the fifth ends the first.
	first := enter(4, "1")
	for n := range 4 {
		enter(4, fmt.Sprint(2+n))
	}
	first.cutOff(20 * time.Second)

	alias := enter(5, "alias")
	alias.send(mqttPacket(0x32, mqttText("t"), []byte{0, 1, 3, 0x23, 0, 1}, []byte("{}")))
	if kind, body := alias.packet(patience); kind != 0xe0 || body[0] != 0x94 {
		t.Errorf("a topic alias is answered with %#x %x", kind, body)
	}
	large := enter(4, "large")
	large.send([]byte{0x32, 0x81, 0x80, 0x80, 1}) // a byte more than 2 MiB
	large.cutOff(20 * time.Second)
	broken := enter(5, "broken")
	broken.send(mqttPacket(0x82, []byte{0, 7, 0}, mqttText("t"))) // a SUBSCRIBE without options
	broken.cutOff(20 * time.Second)
	works()

	if took := silent.cutOff(20*time.Second) + time.Since(begun); took < 9*time.Second {
		t.Errorf("who says nothing is cut off after %s", took)
	}
	if rise := c.resident() - before; rise > 128 {
		t.Errorf("all this cost %d MiB", rise)
	}
	c.received(float64(acknowledged))
}
