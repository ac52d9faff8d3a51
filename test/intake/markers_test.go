package intake

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/test/harness"
)

// lostQueue reports whether a gap says that the broker has lost something.
func lostQueue(c *harness.City) bool {
	raw, err := os.ReadFile(filepath.Join(c.Dir, "state/public/gaps.jsonl"))
	return err == nil && strings.Contains(string(raw), `"broker_lost_queue"`)
}

// onBroker runs a city's gateway behind a real broker until it has its first reading.
func onBroker(t *testing.T, more string) (*harness.City, *harness.Mosquitto) {
	t.Helper()
	broker := harness.NewMosquitto(t, more)
	c := harness.Found(t, harness.Small())
	c.Through(broker.Addr)
	c.Run()
	c.BrokerUp(true)
	c.Serve()
	c.Connect()
	c.Tick(harness.Ten)
	c.Send("gate-1", harness.Gate(0, harness.Ten, 1))
	c.Received(1)
	return c, broker
}

// thief uses the gateway's client id for a while and acknowledges what it gets.
func thief(t *testing.T, broker string, during func(p *harness.Process)) {
	t.Helper()
	harness.Need(t, "mosquitto_sub")
	host, port, _ := strings.Cut(broker, ":")
	p := harness.Start(t, "mosquitto_sub", "-h", host, "-p", port, "-i", "sluice-test-1", "-c", "-q", "1", "-t",
		"city/v1/#")
	during(p)
	p.Kill()
}

// TestStolenWhileAway: another client takes over the session of a gateway that was
// killed, and reads some of what was kept for it. The windows are gaps.
func TestStolenWhileAway(t *testing.T) {
	t.Parallel()
	c, broker := onBroker(t, "")
	c.Gateway.Kill()
	for i := 1; i <= 50; i++ {
		c.Send("gate-1", harness.Gate(i, harness.Ten, 1))
	}
	if err := c.Link.Flush(); err != nil {
		t.Fatal(err)
	}
	thief(t, broker.Addr, func(p *harness.Process) { p.Find(`"passed"`) })
	c.Run()
	c.BrokerUp(true)
	c.Send("gate-1", harness.Gate(99, harness.Ten, 1))
	c.Received(2)
	c.Tick(harness.Ten.Add(2 * time.Hour))
	harness.Await(t, 20*time.Second, "a gap that says so", func() bool { return lostQueue(c) })
}

// TestStolenWhileThere: another client takes the session from a gateway that is there.
func TestStolenWhileThere(t *testing.T) {
	t.Parallel()
	c, broker := onBroker(t, "")
	if err := c.Gateway.Cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	thief(t, broker.Addr, func(p *harness.Process) {
		for i := 1; i <= 50; i++ {
			c.Send("gate-1", harness.Gate(i, harness.Ten, 1))
		}
		if err := c.Link.Flush(); err != nil {
			t.Fatal(err)
		}
		p.Find(`"passed"`)
	})
	if err := c.Gateway.Cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	c.Send("gate-1", harness.Gate(99, harness.Ten, 1))
	c.Received(2)
	c.Tick(harness.Ten.Add(2 * time.Hour))
	harness.Await(t, 20*time.Second, "a gap that says so", func() bool { return lostQueue(c) })
}

// TestQueueThatOverflows: a broker keeps ten messages for a gateway that is away, and
// drops the rest. The windows are gaps.
func TestQueueThatOverflows(t *testing.T) {
	t.Parallel()
	for name, more := range map[string]string{"": "sys_interval 1\n", "away": "sys_interval 10\n"} {
		t.Run(more, func(t *testing.T) {
			t.Parallel()
			c, broker := onBroker(t, more)
			conf := strings.ReplaceAll(harness.Read(t, broker.Conf), "max_queued_messages 1000000",
				"max_queued_messages 12")
			conf = strings.ReplaceAll(conf, "max_inflight_messages 1000\n", "max_inflight_messages 5\n")
			harness.Write(t, broker.Conf, conf)
			broker.P.Kill()
			broker.Start()
			c.BrokerUp(true)
			c.Send("gate-1", harness.Gate(1, harness.Ten, 1))
			c.Received(2)
			c.Tick(harness.Ten.Add(2 * time.Hour)) // what the broker forgot when it was killed is behind
			harness.Await(t, 30*time.Second, "the gap of the kill", func() bool { return lostQueue(c) })
			if name == "away" {
				c.Gateway.Stop(20 * time.Second)
			} else {
				c.Gateway.Kill()
			}
			for i := 2; i <= 60; i++ {
				c.Send("gate-1", harness.Gate(i, harness.Ten.Add(3*time.Hour), 1))
			}
			if err := c.Link.Flush(); err != nil {
				t.Fatal(err)
			}
			c.Run()
			c.BrokerUp(true)
			var told time.Time
			harness.Await(t, 40*time.Second, "a gap of the hour", func() bool {
				if time.Since(told) > time.Second { // while its queue is full, the broker drops the time as well
					told = time.Now()
					if err := c.Link.Tick(harness.ClockTopic, harness.Ten.Add(6*time.Hour)); err != nil {
						t.Fatal(err)
					}
				}
				raw, err := os.ReadFile(filepath.Join(c.Dir, "state/public/gaps.jsonl"))
				return err == nil &&
					strings.Contains(string(raw),
						fmt.Sprintf("%q,%q:%q", "gates", "start",
							harness.Ten.Add(3*time.Hour).UTC().Format(time.RFC3339)))
			})
		})
	}
}

// TestTwoGatewaysOfOneID: a copy of a gateway beside it is said.
func TestTwoGatewaysOfOneID(t *testing.T) {
	t.Parallel()
	c, broker := onBroker(t, "")
	twin := harness.Found(t, harness.Small())
	twin.Through(broker.Addr)
	twin.Run()
	harness.Await(t, 60*time.Second, "one of them to say it", func() bool {
		for _, g := range []*harness.City{c, twin} {
			if _, hints := g.Ready(); strings.Contains(hints["broker"], "somebody else uses the gateway's client id") {
				return true
			}
		}
		return false
	})
}

// TestNoMarker: an access list that does not let the gateway's markers through is said.
func TestNoMarker(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	list := filepath.Join(dir, "acl")
	harness.Write(t, list, "topic read city/v1/#\n")
	if err := os.Chmod(list, 0o644); err != nil {
		t.Fatal(err)
	}
	broker := harness.NewMosquitto(t, "acl_file "+list+"\n")
	c := harness.Found(t, harness.Small())
	c.Through(broker.Addr)
	c.Run()
	harness.Await(t, 90*time.Second, "it to be said", func() bool {
		_, hints := c.Ready()
		return strings.Contains(hints["broker"], "does not come back")
	})
}
