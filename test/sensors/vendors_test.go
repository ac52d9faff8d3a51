package sensors

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
	"sluice/test/vendors"
)

// TestVendors sends what other systems send, through the listener and, by mosquitto_pub, through a broker: of each
// message there becomes what the golden tables say.
func TestVendors(t *testing.T) {
	t.Parallel()
	harness.Need(t, "mosquitto_pub")
	folders := vendors.Folders(t)
	for _, way := range []string{"listener", "broker"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			files := harness.Small()
			vendors.Settle(files, folders)
			c := harness.Found(t, files)
			send := func(m vendors.Message) { c.Link.Publish(m.Topic, m.Body, false) }
			if way == "broker" {
				c.Through(harness.NewMosquitto(t, "").Addr)
				send = func(m vendors.Message) { pub(t, c.Mqtt, m) }
			}
			c.Begin()
			now := harness.Ten.Add(10 * time.Minute)
			for _, f := range folders {
				want, before := f.Foretold(t), tally(c)
				for _, m := range f.Messages {
					now = now.Add(time.Second)
					c.Tick(now) // what has no time of its own has that of receipt
					send(m)
				}
				harness.NoError(t, c.Link.Flush())
				if got := settled(c, before, want, way == "broker"); got != "" {
					t.Errorf("of %s there became %s; the table foretells %v", f.Name, got, want)
				}
			}
		})
	}
}

// tally is how many readings there were of each code, and how many are ok or ignored.
func tally(c *harness.City) map[string]float64 {
	c.T.Helper()
	out := map[string]float64{}
	for _, m := range stateMetric.FindAllStringSubmatch(c.Metrics(), -1) { // all of one moment
		n, err := strconv.ParseFloat(m[3], 64)
		harness.NoError(c.T, err)
		switch code, state := m[1], m[2]; {
		case state == "": // received
			out["ok"] += n
		case state == "ignored":
			out[state] += n
			out["ok"] -= n
		case code != "":
			out[code] += n
			out["ok"] -= n
		}
	}
	return out
}

var stateMetric = regexp.MustCompile(`(?m)^sluice_(?:readings_total\{code="(\w*)",state="(\w+)"\}|received_total) (\d+)`)

// settled waits until there has become what is wanted, and else says what has. Behind a broker the gateway does not ask
// for all messages that it would ignore.
func settled(c *harness.City, before, want map[string]float64, fewerIgnored bool) string {
	c.T.Helper()
	got := map[string]float64{}
	until := time.Now().Add(harness.Longer(5 * time.Second))
	for ; time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		clear(got)
		for name, n := range tally(c) {
			if n -= before[name]; n != 0 && (name != "ignored" || !fewerIgnored) {
				got[name] = n
			}
		}
		if fewerIgnored {
			delete(want, "ignored")
		}
		if maps.Equal(got, want) {
			return ""
		}
	}
	return fmt.Sprint(got)
}

// pub publishes as vendors do who try things out.
func pub(t *testing.T, broker string, m vendors.Message) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "message")
	harness.NoError(t, os.WriteFile(file, m.Body, 0o600))
	host, port, _ := strings.Cut(broker, ":")
	out, err := exec.Command("mosquitto_pub", "-h", host, "-p", port, "-q", "1", "-t", m.Topic,
		"-f", file).CombinedOutput()
	if err != nil {
		t.Fatalf("mosquitto_pub: %v\n%s", err, out)
	}
}
