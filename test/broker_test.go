package test

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"sluice/test/fenced"
)

// TestThroughMosquittoIntoInflux is the main job on real parts: readings through
// a real broker, releases into a real database, read by a stranger.
func TestThroughMosquittoIntoInflux(t *testing.T) {
	t.Parallel()
	broker, db := newMosquitto(t, ""), newInflux(t)
	c := found(t, small())
	c.through(broker.addr)
	if _, err := exec.LookPath("curl"); err == nil {
		made := fenced.Take(t, "docs/operations.md", "curl -XPOST").Change("http://127.0.0.1:8086",
			db.url).Change("DATABASE sluice", "DATABASE shown")
		want(t, made.Run(c.dir, nil), `"statement_id":0`)
	}
	c.keepIn(db.url)
	c.run()
	c.brokerUp(true) // what is sent before would be nobody's
	c.serve()
	c.connect()
	c.tick(ten)
	for i := range 10 {
		c.send("gate-1", gate(i, ten.Add(time.Duration(i)*time.Second), 2))
	}
	for i := range 30 {
		c.send("wifi-1",
			fmt.Sprintf(`{"ts":%q,"seq":%d,"fields":{"device":"02:00:5e:10:00:%02x","rssi":-50}}`,
				ten.Format(time.RFC3339), i, i))
	}
	c.tick(ten.Add(3 * time.Hour))
	c.at(ten.Add(3 * time.Hour))
	c.stored()
	list := c.items("gates", ten, ten.Add(2*time.Hour))
	if got := value(t, list, ten, "passed"); got != 20 {
		t.Errorf("passed is %v; want 20", got)
	}
	if len(list) != 4 || list[2].Status != "no_data" || list[2].Value != nil {
		t.Errorf("the hour in which nobody came is %v; want no_data without a number", list)
	}
	if devices := value(t, c.items("devices", ten, ten.Add(time.Hour)), ten, "devices"); devices < 24 || devices > 36 {
		t.Errorf("devices is %v; want 30 give or take noise of scale 0.05", devices)
	}
	limits := strings.Join(strings.Fields(read(t, fmt.Sprintf("/proc/%d/limits", c.gateway.cmd.Process.Pid))), " ")
	if !strings.Contains(limits, "Max core file size 0 0") {
		t.Errorf("the gateway could leave a core file: %s", limits)
	}
	if ok, hints := c.ready(); !ok {
		t.Errorf("the gateway is not ready: %v", hints)
	}
}

// TestRetainedClockIsOld: a broker's copy of the clock counts while the gateway
// has no time, and never after.
func TestRetainedClockIsOld(t *testing.T) {
	t.Parallel()
	broker := newMosquitto(t, "")
	c := found(t, small())
	c.through(broker.addr)
	c.connect()
	c.tick(ten) // nobody is there yet; the copy is kept
	c.run()
	c.at(ten)
	c.gateway.kill()
	broker.p.kill()
	broker.start() // and has forgotten the gateway's session
	c.tick(ten.Add(5 * time.Hour))
	c.run()
	c.brokerUp(true)
	c.send("gate-1", gate(1, ten, 1))
	c.received(1) // the copy came before it
	if n := c.metric(`sluice_readings_total{code="E302",state="late"}`); n != 0 {
		t.Error("an old copy of the clock has closed windows")
	}
	c.tick(ten.Add(6 * time.Hour))
	c.at(ten.Add(6 * time.Hour))
}
