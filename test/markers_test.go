package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// lostQueue reports whether a gap says that the broker has lost something.
func (c *city) lostQueue() bool {
	raw, err := os.ReadFile(filepath.Join(c.dir, "state/public/gaps.jsonl"))
	return err == nil && strings.Contains(string(raw), `"broker_lost_queue"`)
}

// onBroker runs a city's gateway behind a real broker until it has its first reading.
func onBroker(t *testing.T, more string) (*city, *mosquitto) {
	t.Helper()
	broker := newMosquitto(t, more)
	c := found(t, small())
	c.through(broker.addr)
	c.run()
	c.brokerUp(true)
	c.serve()
	c.connect()
	c.tick(ten)
	c.send("gate-1", gate(0, ten, 1))
	c.received(1)
	return c, broker
}

// thief uses the gateway's client id for a while and acknowledges what it gets.
func thief(t *testing.T, broker string, during func(p *process)) {
	t.Helper()
	need(t, "mosquitto_sub")
	host, port, _ := strings.Cut(broker, ":")
	p := start(t, "mosquitto_sub", "-h", host, "-p", port, "-i", "sluice-test-1", "-c", "-q", "1", "-t", "city/v1/#")
	during(p)
	p.kill()
}

// TestStolenWhileAway: another client takes over the session of a gateway that was
// killed, and reads some of what was kept for it. The windows are gaps.
func TestStolenWhileAway(t *testing.T) {
	t.Parallel()
	c, broker := onBroker(t, "")
	c.gateway.kill()
	for i := 1; i <= 50; i++ {
		c.send("gate-1", gate(i, ten, 1))
	}
	if err := c.link.Flush(); err != nil {
		t.Fatal(err)
	}
	thief(t, broker.addr, func(p *process) { p.find(`"passed"`) })
	c.run()
	c.brokerUp(true)
	c.send("gate-1", gate(99, ten, 1))
	c.received(2)
	c.tick(ten.Add(2 * time.Hour))
	await(t, 20*time.Second, "a gap that says so", c.lostQueue)
}

// TestStolenWhileThere: another client takes the session from a gateway that is there.
func TestStolenWhileThere(t *testing.T) {
	t.Parallel()
	c, broker := onBroker(t, "")
	if err := c.gateway.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	thief(t, broker.addr, func(p *process) {
		for i := 1; i <= 50; i++ {
			c.send("gate-1", gate(i, ten, 1))
		}
		if err := c.link.Flush(); err != nil {
			t.Fatal(err)
		}
		p.find(`"passed"`)
	})
	if err := c.gateway.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	c.send("gate-1", gate(99, ten, 1))
	c.received(2)
	c.tick(ten.Add(2 * time.Hour))
	await(t, 20*time.Second, "a gap that says so", c.lostQueue)
}

// TestQueueThatOverflows: a broker keeps ten messages for a gateway that is away, and
// drops the rest. The windows are gaps.
func TestQueueThatOverflows(t *testing.T) {
	t.Parallel()
	for name, more := range map[string]string{"": "sys_interval 1\n", "away": "sys_interval 10\n"} {
		t.Run(more, func(t *testing.T) {
			t.Parallel()
			c, broker := onBroker(t, more)
			conf := strings.ReplaceAll(read(t, broker.conf), "max_queued_messages 1000000", "max_queued_messages 12")
			conf = strings.ReplaceAll(conf, "max_inflight_messages 1000\n", "max_inflight_messages 5\n")
			write(t, broker.conf, conf)
			broker.p.kill()
			broker.start()
			c.brokerUp(true)
			c.send("gate-1", gate(1, ten, 1))
			c.received(2)
			c.tick(ten.Add(2 * time.Hour)) // what the broker forgot when it was killed is behind
			await(t, 30*time.Second, "the gap of the kill", c.lostQueue)
			if name == "away" {
				c.gateway.stop(20 * time.Second)
			} else {
				c.gateway.kill()
			}
			for i := 2; i <= 60; i++ {
				c.send("gate-1", gate(i, ten.Add(3*time.Hour), 1))
			}
			if err := c.link.Flush(); err != nil {
				t.Fatal(err)
			}
			c.run()
			c.brokerUp(true)
			var told time.Time
			await(t, 40*time.Second, "a gap of the hour", func() bool {
				if time.Since(told) > time.Second { // while its queue is full, the broker drops the time as well
					told = time.Now()
					if err := c.link.Tick(clockTopic, ten.Add(6*time.Hour)); err != nil {
						t.Fatal(err)
					}
				}
				raw, err := os.ReadFile(filepath.Join(c.dir, "state/public/gaps.jsonl"))
				return err == nil &&
					strings.Contains(string(raw),
						fmt.Sprintf("%q,%q:%q", "gates", "start", ten.Add(3*time.Hour).UTC().Format(time.RFC3339)))
			})
		})
	}
}

// TestTwoGatewaysOfOneID: a copy of a gateway beside it is said.
func TestTwoGatewaysOfOneID(t *testing.T) {
	t.Parallel()
	c, broker := onBroker(t, "")
	twin := found(t, small())
	twin.through(broker.addr)
	twin.run()
	await(t, 60*time.Second, "one of them to say it", func() bool {
		for _, g := range []*city{c, twin} {
			if _, hints := g.ready(); strings.Contains(hints["broker"], "somebody else uses the gateway's client id") {
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
	write(t, list, "topic read city/v1/#\n")
	if err := os.Chmod(list, 0o644); err != nil {
		t.Fatal(err)
	}
	broker := newMosquitto(t, "acl_file "+list+"\n")
	c := found(t, small())
	c.through(broker.addr)
	c.run()
	await(t, 90*time.Second, "it to be said", func() bool {
		_, hints := c.ready()
		return strings.Contains(hints["broker"], "does not come back")
	})
}
