package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
)

// TestKill kills the gateway again and again while readings come and windows
// close. What was acknowledged counts exactly once, and no window ever has two
// values.
func TestKill(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, harness.Small())
	c.Run()
	c.Serve()
	link := c.Connect()
	const hours, perHour = 4, 300
	c.Tick(harness.Ten)
	kills := make(chan struct{})
	go func() {
		defer close(kills)
		for range 6 {
			time.Sleep(250 * time.Millisecond)
			c.Gateway.Kill()
			c.Run()
		}
	}()
	for n := range hours * perHour {
		at := harness.Ten.Add(time.Duration(n) * time.Hour / perHour)
		if n%5 == 0 {
			if err := link.Tick(harness.ClockTopic, at); err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Millisecond)
		}
		link.Publish("city/v1/acme/gate-1/up", []byte(harness.Gate(n, at, 1)), false)
	}
	if err := link.Flush(); err != nil {
		t.Fatal(err)
	}
	<-kills
	c.Tick(harness.Ten.Add((hours + 1) * time.Hour))
	c.Stored()
	first := c.Items("gates", harness.Ten, harness.Ten.Add(hours*time.Hour))
	if len(first) != 2*hours {
		t.Fatalf("%d observations; want %d", len(first), 2*hours)
	}
	for h := range hours {
		if got := harness.Value(t, first, harness.Ten.Add(time.Duration(h)*time.Hour), "passed"); got != perHour {
			t.Errorf("hour %d has %v; want %d", h, got, perHour)
		}
	}
	if n := c.Metric(`sluice_readings_total{code="",state="counted"}`); n != hours*perHour {
		t.Errorf("%v readings were counted; want %d", n, hours*perHour)
	}
	c.Gateway.Kill()
	c.Run()
	c.Stored()
	again := c.Items("gates", harness.Ten, harness.Ten.Add(hours*time.Hour))
	if fmt.Sprint(harness.Deref(first)) != fmt.Sprint(harness.Deref(again)) {
		t.Error("a value changed after it was published")
	}
}

func TestStopAndContinue(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, harness.Small())
	c.Begin()
	c.Send("gate-1", harness.Gate(1, harness.Ten, 3))
	if code := c.Gateway.Stop(5 * time.Second); code != 0 {
		t.Errorf("SIGINT gave exit code %d; want 0", code)
	}
	c.Run()
	c.Send("gate-1", harness.Gate(2, harness.Ten, 4))
	c.Tick(harness.Ten.Add(2 * time.Hour))
	c.Stored()
	if got := c.FirstHour("gates", "passed"); got != 7 {
		t.Errorf("passed is %v; want 7", got)
	}
}

// TestLostKeys loses the keys, as a reboot does: what was open becomes a gap and
// nobody counts twice in the epoch.
func TestLostKeys(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, harness.Small())
	c.Begin()
	c.Send("gate-1", harness.Gate(1, harness.Ten, 3))
	c.Send("wifi-1",
		fmt.Sprintf(`{"ts":%q,"seq":1,"fields":{"device":"02:00:5e:30:00:01","rssi":-50}}`,
			harness.Ten.Format(time.RFC3339)))
	c.Gateway.Kill()
	harness.RemoveAll(t, c.Keys)
	c.Run()
	c.Tick(harness.Ten.Add(time.Minute))
	for i := range 40 {
		c.Send("wifi-1",
			fmt.Sprintf(`{"ts":%q,"seq":%d,"fields":{"device":"02:00:5e:30:01:%02x","rssi":-50}}`,
				harness.Ten.Add(time.Minute).Format(time.RFC3339), 10+i, i))
	}
	c.Tick(harness.Ten.Add(2 * time.Hour))
	c.Send("gate-1", harness.Gate(2, harness.Ten.Add(time.Hour+30*time.Minute), 4))
	c.Tick(harness.Ten.Add(3 * time.Hour))
	c.Stored()
	for _, i := range append(c.Some("gates", harness.Ten, harness.Ten.Add(time.Hour)),
		c.Some("devices", harness.Ten, harness.Ten.Add(2*time.Hour))...) {
		if i.Status != "no_data" {
			t.Errorf("%s at %s is %s; want no_data", i.Measure, i.Start, i.Status)
		}
	}
	if got := harness.Value(t, c.Items("gates", harness.Ten, harness.Ten.Add(2*time.Hour)), harness.Ten.Add(time.Hour),
		"passed"); got != 4 {
		t.Errorf("the hour after has %v; want 4", got)
	}
	harness.Await(t, 10*time.Second, "gaps.jsonl to speak of the lost keys", func() bool {
		raw, err := os.ReadFile(filepath.Join(c.Dir, "state/public/gaps.jsonl"))
		return err == nil && strings.Contains(string(raw), `"keys_lost"`)
	})
}
