package intake

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"sluice/test/harness"
)

// misuses are what a rogue sensor sends as fast as it can, by number.
var misuses = map[string]func(n int) string{
	"random seq": func(n int) string { return vehicle(uint64(n)*0x9e3779b97f4a7c15>>12, 0) },
	"new boots":  func(n int) string { return vehicle(1, n+1) },
	"without seq": func(n int) string {
		return fmt.Sprintf(`{"ts":"2026-03-02T10:%02d:%02d.%09dZ","fields":{"vehicle":"car"}}`, n/60%60, n%60, n)
	},
	"one by one": func(n int) string { return vehicle(uint64(n), 0) },
	"arrays": func(n int) string {
		list := make([]string, 10_000)
		for i := range list {
			list[i] = fmt.Sprintf(`{"seq":%d,"fields":{"vehicle":"car"}}`, 10_000*n+i)
		}
		return "[" + strings.Join(list, ",") + "]"
	},
}

func vehicle(seq uint64, boot int) string {
	return fmt.Sprintf(`{"ts":"2026-03-02T10:00:00Z","seq":%d,"boot":%d,"fields":{"vehicle":"car"}}`, seq, boot)
}

// TestQuietBesideRogues: whatever one sensor sends, and whether it reads its PUBACKs or
// not, a quiet one gets its own within a second, nine times in ten, and all count.
func TestQuietBesideRogues(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, harness.Everything())
	c.Run()
	c.Serve()
	c.Connect()
	c.Tick(harness.Ten)
	seq := 0
	for name, next := range misuses {
		for _, deaf := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", deaf ", deaf), func(t *testing.T) {
				stop, ended := make(chan bool), make(chan bool)
				go func() { defer close(ended); misuse(c, next, deaf, stop) }()
				waits := make([]time.Duration, 40)
				for i := range waits {
					begun := time.Now()
					c.Send("gate-1", harness.Gate(seq, harness.Ten, 1))
					waits[i] = time.Since(begun)
					seq++
					time.Sleep(20 * time.Millisecond)
				}
				close(stop)
				<-ended
				slices.Sort(waits)
				t.Logf("a quiet sensor waits %s, at most %s", waits[len(waits)/2], waits[len(waits)-1])
				if w := waits[len(waits)*9/10]; w > harness.Longer(time.Second) {
					t.Errorf("a quiet sensor waits %s", w)
				}
			})
		}
	}
	for was := -1.0; was != c.Metric("sluice_received_total"); time.Sleep(500 * time.Millisecond) {
		was = c.Metric("sluice_received_total") // what rogues have left in the queue
	}
	c.Counted(float64(seq))
}

// misuse publishes until stop is closed, and comes again where it is cut off.
func misuse(c *harness.City, next func(int) string, deaf bool, stop chan bool) {
	conn := harness.DialRaw(c.T, c.Mqtt, "rogue")
	defer conn.Close()
	if !deaf {
		go func() { _, _ = io.Copy(io.Discard, conn) }()
	}
	p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	p.TopicName, p.Qos = "city/v1/acme/road-1/up", 1
	for n := range 200_000 {
		select {
		case <-stop:
			return
		default:
		}
		p.MessageID, p.Payload = uint16(n%65535)+1, []byte(next(n))
		_ = conn.SetWriteDeadline(time.Now().Add(time.Second))
		if p.Write(conn) != nil {
			break // it was cut off, or nothing more is read from it
		}
	}
	<-stop
}
