package privacy

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/test/harness"
)

// dump reads all memory of a process that it may write, as gcore would.
func dump(t *testing.T, pid int, each func([]byte)) {
	t.Helper()
	maps := harness.Read(t, fmt.Sprintf("/proc/%d/maps", pid))
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer mem.Close()
	for line := range strings.Lines(maps) {
		var from, to int64
		var mode string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &from, &to, &mode); err != nil || mode[1] != 'w' {
			continue
		}
		region := make([]byte, to-from)
		if n, err := mem.ReadAt(region, from); err == nil || n > 0 {
			each(region[:n])
		}
	}
}

// keysNow are the keys of windows and epochs as they are in the directory now, and
// what is made of them.
func keysNow(c *harness.City) map[string][]byte {
	c.T.Helper()
	files, err := filepath.Glob(filepath.Join(c.Keys, "*", "[we]-*.key"))
	if err != nil {
		c.T.Fatal(err)
	}
	out := make(map[string][]byte)
	for _, f := range files {
		key := []byte(harness.Read(c.T, f))
		out[filepath.Base(f)] = key
		for _, use := range []string{"sluice message tags", "sluice unit tags"} {
			sum := sha256.Sum256(append([]byte(use), key...))
			out[use+" of "+filepath.Base(f)] = sum[:16]
		}
	}
	return out
}

// TestForgotten: when an epoch is over, the process holds none of 10,000 identifiers of
// that epoch, no key of a closed window and no epoch key, whichever way they came in, over
// connections that go on and over such as say nothing any more; nor what clients said of
// themselves in CONNECT. So no copy of the state directory that was taken on the way can be
// opened either.
func TestForgotten(t *testing.T) {
	for _, way := range []string{"listener", "listener with TLS", "listener by WebSocket", "broker",
		"broker with TLS"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			files := harness.Small()
			files["policy/decisions/devices.yaml"] = strings.Replace(files["policy/decisions/devices.yaml"],
				"forget_after: P1D", "forget_after: PT1H", 1)
			files["policy/charter.yaml"] = strings.NewReplacer("device: 20", "device: 480", "delta_per_day: 0.01",
				"delta_per_day: 0.1").Replace(files["policy/charter.yaml"])
			c := harness.Found(t, files)
			secure := forgetsBy(c, way)
			c.Run()
			c.Serve()
			clock := harness.Speak(t, c.Mqtt, secure, "clock", "clock", "clock")
			tick := func(at time.Time) { publish(clock, harness.ClockTopic, at.Format(time.RFC3339)) }
			tick(harness.Ten)
			tell(c, secure, plantedAs)
			c.Received(planted)
			keys := keysNow(c)
			if len(keys) < 6 {
				t.Fatalf("there are %d keys", len(keys))
			}
			present := 0
			dump(t, c.Gateway.Cmd.Process.Pid, func(b []byte) { present += bytes.Count(b, keys[firstOf(keys)]) })
			if present == 0 {
				t.Error("a living key is not found: this test sees nothing")
			}
			tick(harness.Ten.Add(time.Hour + 3*time.Minute))
			c.At(harness.Ten.Add(time.Hour + 3*time.Minute))
			c.Stored()
			var left []string
			for deadline := time.Now().Add(harness.Patience); ; time.Sleep(2 * time.Second) {
				left = leftIn(c, keys, plantedAs)
				if len(left) == 0 || time.Now().After(deadline) {
					break
				}
			}
			if len(left) > 0 {
				t.Errorf("a minute after the epoch's end the process holds %v", left)
			}
		})
	}
}

// What stands for somebody in these tests.
const planted, plantedAs = 10_000, "zQ7canary"

// way sets up one way in, and returns how clients take it.
func forgetsBy(c *harness.City, way string) *tls.Config {
	path := filepath.Join(c.Dir, "gateway.yaml")
	listen := fmt.Sprintf("listen: {mqtt: %q}\n", c.Mqtt)
	switch way {
	case "broker":
		c.Through(harness.NewMosquitto(c.T, "").Addr)
		return nil
	case "listener":
		return nil
	case "listener by WebSocket":
		web := harness.FreeAddr(c.T)
		harness.Write(c.T, path, strings.Replace(harness.Read(c.T, path), listen,
			fmt.Sprintf("listen: {websocket: %q}\n", web), 1))
		c.Mqtt = "ws://" + web
		return nil
	}
	ca := harness.NewAuthority(c.T, c.Dir)
	ca.Issue("server", "localhost")
	if way == "listener with TLS" {
		harness.Write(c.T, path,
			strings.Replace(harness.Read(c.T, path), listen,
				fmt.Sprintf("listen: {mqtt: %q, tls: {cert: server.crt, key: server.key}}\n", c.Mqtt), 1))
	} else {
		c.Mqtt = harness.NewMosquitto(c.T,
			fmt.Sprintf("cafile %[1]s/ca.crt\ncertfile %[1]s/server.crt\nkeyfile %[1]s/server.key\n", c.Dir)).Addr
		_, port, _ := strings.Cut(c.Mqtt, ":")
		harness.Write(c.T, path,
			strings.Replace(harness.Read(c.T, path), listen,
				fmt.Sprintf("mqtt: {broker: \"tls://localhost:%s\", ca: ca.crt}\n", port), 1))
	}
	return &tls.Config{InsecureSkipVerify: true}
}

// tell has fifty clients tell of identifiers, in all that a client can write: forty are
// silent from then on, the others go on until the test is over.
func tell(c *harness.City, secure *tls.Config, mark string) {
	const clients, each = 50, planted / 50
	at := harness.Ten.Add(time.Minute).Format(time.RFC3339)
	over := make(chan struct{})
	var going sync.WaitGroup
	defer c.T.Cleanup(func() { close(over); going.Wait() }) // before their connections are closed
	for n := range clients {
		s := harness.Speak(c.T, c.Mqtt, secure, fmt.Sprint(mark, "-client-", n), fmt.Sprint(mark, "-user-", n),
			fmt.Sprint(mark, "-password-", n))
		var list []string
		for i := range each {
			list = append(list,
				fmt.Sprintf(
					`{"ts":%q,"seq":%d,"boot":"%s-boot-%d","fields":{"device":"%s-%05d","rssi":-50,"note":"x"}}`, at, i,
					mark, n, mark, n*each+i))
		}
		publish(s, "city/v1/acme/wifi-1/up", "["+strings.Join(list[1:], ",")+"]")
		publish(s, fmt.Sprintf("city/v1/%s/t-%d/up", mark, n), "{}")
		publish(s, "city/v1/acme/wifi-1/up", fmt.Sprintf(`{"fields":{"note":"%s-broken-%d`, mark, n))
		publish(s, "city/v1/acme/wifi-1/up",
			fmt.Sprintf(`[{"n":"device","vs":"%s-senml-%d"},{"n":"rssi","v":-61},{"n":"note","vs":"%[1]s"}]`, mark, n))
		publish(s, "city/v1/acme/wifi-1/up", list[0]) // the last that idle ones say
		if n%5 > 0 {
			continue
		}
		going.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-over:
					return
				case <-time.After(50 * time.Millisecond):
					publish(s, "city/v1/acme/gate-1/up",
						harness.Gate(n*100_000+i, harness.Ten.Add(time.Hour+time.Minute), 1))
				}
			}
		})
	}
}

func firstOf(keys map[string][]byte) string {
	for name := range keys {
		if strings.HasPrefix(name, "e-") {
			return name
		}
	}
	return ""
}

// left is what of an epoch that is over is still in memory.
func leftIn(c *harness.City, keys map[string][]byte, mark string) (out []string) {
	canaries, found := 0, make(map[string]int)
	around := ""
	dump(c.T, c.Gateway.Cmd.Process.Pid, func(b []byte) {
		canaries += bytes.Count(b, []byte(mark))
		if at := bytes.Index(b, []byte(mark)); at >= 0 {
			around = fmt.Sprintf("%q", b[max(0, at-160):min(len(b), at+160)])
		}
		for name, key := range keys {
			if n := bytes.Count(b, key); n > 0 {
				found[name] += n
			}
		}
	})
	if canaries > 0 {
		out = append(out, fmt.Sprintf("%d identifiers, the last within %s", canaries, around))
	}
	for name, n := range found {
		out = append(out, fmt.Sprintf("%s %d times", name, n))
	}
	return out
}

// publish sends at QoS 1 and waits for the acknowledgement.
func publish(s *harness.Speaker, topic, payload string) {
	s.Say(harness.MQTTPacket(0x32, harness.MQTTText(topic), []byte{0, 1}, []byte(payload)))
	if got := s.Hear(); got != [4]byte{0x40, 2, 0, 1} {
		s.T.Errorf("PUBACK is % x", got)
	}
}
