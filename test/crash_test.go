package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestKill kills the gateway again and again while readings come and windows
// close. What was acknowledged counts exactly once, and no window ever has two
// values.
func TestKill(t *testing.T) {
	t.Parallel()
	c := found(t, small())
	c.run()
	c.serve()
	link := c.connect()
	const hours, perHour = 4, 300
	c.tick(ten)
	kills := make(chan struct{})
	go func() {
		defer close(kills)
		for range 6 {
			time.Sleep(250 * time.Millisecond)
			c.gateway.kill()
			c.run()
		}
	}()
	for n := range hours * perHour {
		at := ten.Add(time.Duration(n) * time.Hour / perHour)
		if n%5 == 0 {
			if err := link.Tick(clockTopic, at); err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Millisecond)
		}
		link.Publish("city/v1/acme/gate-1/up", []byte(gate(n, at, 1)), false)
	}
	if err := link.Flush(); err != nil {
		t.Fatal(err)
	}
	<-kills
	c.tick(ten.Add((hours + 1) * time.Hour))
	c.stored()
	first := c.items("gates", ten, ten.Add(hours*time.Hour))
	if len(first) != 2*hours {
		t.Fatalf("%d observations; want %d", len(first), 2*hours)
	}
	for h := range hours {
		if got := value(t, first, ten.Add(time.Duration(h)*time.Hour), "passed"); got != perHour {
			t.Errorf("hour %d has %v; want %d", h, got, perHour)
		}
	}
	if n := c.metric(`sluice_readings_total{code="",state="counted"}`); n != hours*perHour {
		t.Errorf("%v readings were counted; want %d", n, hours*perHour)
	}
	c.gateway.kill()
	c.run()
	c.stored()
	again := c.items("gates", ten, ten.Add(hours*time.Hour))
	if fmt.Sprint(deref(first)) != fmt.Sprint(deref(again)) {
		t.Error("a value changed after it was published")
	}
}

func deref(list []item) (out []string) {
	for _, i := range list {
		v := "-"
		if i.Value != nil {
			v = fmt.Sprint(*i.Value)
		}
		out = append(out, fmt.Sprint(i.Start, i.Cell, i.Measure, i.Status, v))
	}
	return out
}

func TestStopAndContinue(t *testing.T) {
	t.Parallel()
	c := found(t, small())
	c.begin()
	c.send("gate-1", gate(1, ten, 3))
	if code := c.gateway.stop(5 * time.Second); code != 0 {
		t.Errorf("SIGINT gave exit code %d; want 0", code)
	}
	c.run()
	c.send("gate-1", gate(2, ten, 4))
	c.tick(ten.Add(2 * time.Hour))
	c.stored()
	if got := value(t, c.items("gates", ten, ten.Add(time.Hour)), ten, "passed"); got != 7 {
		t.Errorf("passed is %v; want 7", got)
	}
}

// TestLostKeys loses the keys, as a reboot does: what was open becomes a gap and
// nobody counts twice in the epoch.
func TestLostKeys(t *testing.T) {
	t.Parallel()
	c := found(t, small())
	c.begin()
	c.send("gate-1", gate(1, ten, 3))
	c.send("wifi-1",
		fmt.Sprintf(`{"ts":%q,"seq":1,"fields":{"device":"02:00:5e:30:00:01","rssi":-50}}`, ten.Format(time.RFC3339)))
	c.gateway.kill()
	removeAll(t, c.keys)
	c.run()
	c.tick(ten.Add(time.Minute))
	for i := range 40 {
		c.send("wifi-1",
			fmt.Sprintf(`{"ts":%q,"seq":%d,"fields":{"device":"02:00:5e:30:01:%02x","rssi":-50}}`,
				ten.Add(time.Minute).Format(time.RFC3339), 10+i, i))
	}
	c.tick(ten.Add(2 * time.Hour))
	c.send("gate-1", gate(2, ten.Add(time.Hour+30*time.Minute), 4))
	c.tick(ten.Add(3 * time.Hour))
	c.stored()
	for _, i := range append(c.some("gates", ten, ten.Add(time.Hour)),
		c.some("devices", ten, ten.Add(2*time.Hour))...) {
		if i.Status != "no_data" {
			t.Errorf("%s at %s is %s; want no_data", i.Measure, i.Start, i.Status)
		}
	}
	if got := value(t, c.items("gates", ten, ten.Add(2*time.Hour)), ten.Add(time.Hour), "passed"); got != 4 {
		t.Errorf("the hour after has %v; want 4", got)
	}
	await(t, 10*time.Second, "gaps.jsonl to speak of the lost keys", func() bool {
		raw, err := os.ReadFile(filepath.Join(c.dir, "state/public/gaps.jsonl"))
		return err == nil && strings.Contains(string(raw), `"keys_lost"`)
	})
}
