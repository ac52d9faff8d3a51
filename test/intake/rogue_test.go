package intake

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"sluice/test/harness"
)

// rogue is a broker that behaves until the gateway's marker has come, and then does
// something else on each connection.
type rogue struct {
	addr  string
	tries atomic.Int32 // connections of the gateway
	deeds []deed
}

// deed is what it does, in place of the answer to SUBSCRIBE where early.
type deed struct {
	name  string
	early bool
	do    func(c net.Conn, id uint16, filters int)
}

func (r *rogue) serve(c net.Conn) {
	defer c.Close()
	var mine deed
	for {
		p, err := packets.ReadPacket(c)
		if err != nil {
			return
		}
		id := p.Details().MessageID
		answer := []byte(nil)
		switch p := p.(type) {
		case *packets.ConnectPacket:
			answer = []byte{0x20, 2, 0, 0}
			if p.ClientIdentifier == "sluice-test-1" {
				mine = r.deeds[(int(r.tries.Add(1))-1)%len(r.deeds)]
			} else {
				mine = r.deeds[0] // doctor
			}
		case *packets.SubscribePacket:
			answer = append([]byte{0x90, byte(2 + len(p.Topics)), byte(id >> 8), byte(id)},
				make([]byte, len(p.Topics))...)
			if mine.early {
				mine.do(c, id, len(p.Topics))
				answer = nil
			}
		case *packets.PublishPacket:
			answer = []byte{0x40, 2, byte(id >> 8), byte(id)}
		case *packets.PingreqPacket:
			answer = []byte{0xd0, 0}
		}
		if _, err := c.Write(answer); err != nil {
			return
		}
		if _, marker := p.(*packets.PublishPacket); marker && !mine.early {
			mine.do(c, id, 1)
		}
	}
}

func newRogue(t *testing.T, deeds ...deed) *rogue {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	r := &rogue{addr: l.Addr().String(), deeds: deeds}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go r.serve(c)
		}
	}()
	return r
}

// says is a deed of some bytes.
func says(name string, raw ...byte) deed {
	return deed{name: name, do: func(c net.Conn, _ uint16, _ int) { _, _ = c.Write(raw) }}
}

// badDeeds are a lie, floods, and silence.
func badDeeds() []deed {
	return []deed{
		{"SUBACK with codes too many", true, func(c net.Conn, id uint16, n int) {
			_, _ = c.Write(append([]byte{0x90, byte(12 + n), byte(id >> 8), byte(id)}, make([]byte, n+10)...))
		}},
		says("SUBACK for nothing", 0x90, 3, 0, 1, 1),
		says("256 MiB", 0x40, 0xff, 0xff, 0xff, 0x7f),
		{"a million empty publications", false, func(c net.Conn, _ uint16, _ int) {
			lot := bytes.Repeat([]byte{0x31, 3, 0, 1, 'a'}, 10_000)
			for range 100 {
				if _, err := c.Write(lot); err != nil {
					return
				}
			}
			_ = c.Close()
		}},
		{"publications whose acknowledgements it does not read", false, func(c net.Conn, _ uint16, _ int) {
			_ = c.(*net.TCPConn).SetReadBuffer(4 << 10)
			lot := bytes.Repeat([]byte{0x32, 5, 0, 1, 'a', 0, 7}, 10_000)
			for range 300 {
				if _, err := c.Write(lot); err != nil {
					return
				}
			}
			_ = c.Close()
		}},
		{"nothing, not even to a ping", false, func(c net.Conn, _ uint16, _ int) { _, _ = io.Copy(io.Discard, c) }},
		{"a byte a second", false, func(c net.Conn, _ uint16, _ int) {
			for _, b := range append([]byte{0x30, 0x7f, 0, 1, 'a'}, make([]byte, 100)...) {
				if _, err := c.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}},
	}
}

// TestRogueBroker: both ways in are open, and the broker lies, floods, reads nothing,
// says nothing, or a byte a second. The process goes on, its memory is bounded, the
// broker is tried again, and the sensors at the listener are acknowledged meanwhile.
func TestRogueBroker(t *testing.T) {
	t.Parallel()
	r := newRogue(t, badDeeds()...)
	c := harness.Found(t, harness.Small())
	path := filepath.Join(c.Dir, "gateway.yaml")
	harness.Write(t, path, harness.Read(t, path)+fmt.Sprintf("mqtt: {broker: \"tcp://%s\"}\n", r.addr))
	c.Run()
	c.Connect()
	c.Tick(harness.Ten)
	sent, slowest := 0, time.Duration(0)
	for begun := time.Now(); r.tries.Load() <= int32(len(r.deeds)); {
		if time.Since(begun) > harness.Longer(3*time.Minute) {
			t.Fatalf("the broker was tried %d times", r.tries.Load())
		}
		if c.Gateway.Ended() {
			t.Fatalf("the gateway ended after %q", r.deeds[max(0, int(r.tries.Load())-1)].name)
		}
		at := time.Now()
		c.Send("gate-1", harness.Gate(sent, harness.Ten.Add(time.Duration(sent)*time.Millisecond), 1))
		slowest = max(slowest, time.Since(at))
		sent++
		time.Sleep(20 * time.Millisecond)
	}
	t.Logf("the slowest of %d readings was acknowledged after %s", sent, slowest)
	if slowest > harness.Longer(3*time.Second) {
		t.Errorf("a sensor at the listener waited %s", slowest)
	}
	if kib := peakMemory(t, c.Gateway.Cmd.Process.Pid); kib > 400<<10 {
		t.Errorf("the gateway needed %d MiB", kib>>10)
	}
	_, hints := c.Ready()
	if hints["broker"] == "" {
		t.Error("the gateway takes it for a broker")
	}
	if out, err := exec.Command(harness.Sluice, "doctor", "-c", path).CombinedOutput(); err == nil ||
		!strings.Contains(string(out), "what no broker sends") {
		t.Errorf("doctor says %s (%v)", out, err)
	}
	if code := c.Gateway.Stop(20 * time.Second); code != 0 {
		t.Errorf("the gateway ended with %d", code)
	}
}

// peakMemory is the most that a process ever had resident, in KiB.
func peakMemory(t *testing.T, pid int) (kib int) {
	t.Helper()
	_, rest, _ := strings.Cut(harness.Read(t, fmt.Sprintf("/proc/%d/status", pid)), "VmHWM:")
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		t.Fatal(err)
	}
	return kib
}
