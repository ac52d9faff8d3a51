package intake

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"sluice/test/fenced"
	"sluice/test/harness"
)

// TestThroughMosquittoIntoInflux is the main job on real parts: readings through
// a real broker, releases into a real database, read by a stranger.
func TestThroughMosquittoIntoInflux(t *testing.T) {
	t.Parallel()
	broker, db := harness.NewMosquitto(t, ""), harness.NewInflux(t)
	c := harness.Found(t, harness.Small())
	c.Through(broker.Addr)
	if _, err := exec.LookPath("curl"); err == nil {
		made := fenced.Take(t, "docs/operations.md", "curl -XPOST").Change("http://127.0.0.1:8086",
			db.Url).Change("DATABASE sluice", "DATABASE shown")
		harness.Want(t, made.Run(c.Dir, nil), `"statement_id":0`)
	}
	c.KeepIn(db.Url)
	c.Run()
	c.BrokerUp(true) // what is sent before would be nobody's
	c.Serve()
	c.Connect()
	c.Tick(harness.Ten)
	for i := range 10 {
		c.Send("gate-1", harness.Gate(i, harness.Ten.Add(time.Duration(i)*time.Second), 2))
	}
	for i := range 30 {
		c.Send("wifi-1",
			fmt.Sprintf(`{"ts":%q,"seq":%d,"fields":{"device":"02:00:5e:10:00:%02x","rssi":-50}}`,
				harness.Ten.Format(time.RFC3339), i, i))
	}
	c.Tick(harness.Ten.Add(3 * time.Hour))
	c.At(harness.Ten.Add(3 * time.Hour))
	c.Stored()
	list := c.Items("gates", harness.Ten, harness.Ten.Add(2*time.Hour))
	if got := harness.Value(t, list, harness.Ten, "passed"); got != 20 {
		t.Errorf("passed is %v; want 20", got)
	}
	if len(list) != 4 || list[2].Status != "no_data" || list[2].Value != nil {
		t.Errorf("the hour in which nobody came is %v; want no_data without a number", list)
	}
	if devices := c.FirstHour("devices", "devices"); devices < 24 || devices > 36 {
		t.Errorf("devices is %v; want 30 give or take noise of scale 0.05", devices)
	}
	limits := strings.Join(strings.Fields(harness.Read(t, fmt.Sprintf("/proc/%d/limits", c.Gateway.Cmd.Process.Pid))),
		" ")
	if !strings.Contains(limits, "Max core file size 0 0") {
		t.Errorf("the gateway could leave a core file: %s", limits)
	}
	c.BecomesReady()
}

// TestRetainedClockIsOld: a broker's copy of the clock counts while the gateway
// has no time, and never after.
func TestRetainedClockIsOld(t *testing.T) {
	t.Parallel()
	broker := harness.NewMosquitto(t, "")
	c := harness.Found(t, harness.Small())
	c.Through(broker.Addr)
	c.Connect()
	c.Tick(harness.Ten) // nobody is there yet; the copy is kept
	c.Run()
	c.At(harness.Ten)
	c.Gateway.Kill()
	broker.P.Kill()
	broker.Start() // and has forgotten the gateway's session
	c.Tick(harness.Ten.Add(5 * time.Hour))
	c.Run()
	c.BrokerUp(true)
	c.Send("gate-1", harness.Gate(1, harness.Ten, 1))
	c.Received(1) // the copy came before it
	if n := c.Metric(`sluice_readings_total{code="E302",state="late"}`); n != 0 {
		t.Error("an old copy of the clock has closed windows")
	}
	c.Tick(harness.Ten.Add(6 * time.Hour))
	c.At(harness.Ten.Add(6 * time.Hour))
}
