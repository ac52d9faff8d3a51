package test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// counted insists on an exact number in the hour of ten, and on the account.
func (c *city) counted(want float64) {
	c.t.Helper()
	c.tick(ten.Add(2 * time.Hour))
	c.at(ten.Add(2 * time.Hour))
	c.stored()
	if got := value(c.t, c.items("gates", ten, ten.Add(time.Hour)), ten, "passed"); got != want {
		c.t.Errorf("passed is %v; want %v", got, want)
	}
	c.adds()
}

// adds insists that received = counted + duplicate + late + refused + open.
func (c *city) adds() {
	c.t.Helper()
	sum := c.metric("sluice_readings_open")
	for line := range strings.Lines(c.metrics()) {
		if strings.HasPrefix(line, "sluice_readings_total{") {
			var v float64
			if _, err := fmt.Sscan(line[strings.LastIndexByte(line, ' ')+1:], &v); err != nil {
				c.t.Fatal(err)
			}
			sum += v
		}
	}
	if received := c.metric("sluice_received_total"); received != sum {
		c.t.Errorf("%v readings were received and %v accounted for", received, sum)
	}
}

// metrics is the gateway's page of metrics; for a moment of its start there is none.
func (c *city) metrics() string {
	c.t.Helper()
	var page []byte
	await(c.t, 60*time.Second, "a page of metrics", func() bool {
		status, _, body := get(c.t, c.admin+"/metrics")
		page = body
		return status == http.StatusOK
	})
	return string(page)
}

func (c *city) received(n float64) {
	c.t.Helper()
	await(c.t, 60*time.Second, fmt.Sprintf("%v readings to be received", n), func() bool {
		return c.metric("sluice_received_total") >= n
	})
}

// brokerUp waits until the gateway says that the broker is there, or not.
func (c *city) brokerUp(up bool) {
	c.t.Helper()
	await(c.t, 60*time.Second, fmt.Sprintf("the broker to be up: %v", up), func() bool {
		_, hints := c.ready()
		return (hints["broker"] == "") == up
	})
}

// behind is a small city behind a broker, with a cable between them.
func behind(t *testing.T) (*city, *mosquitto, *cable) {
	t.Helper()
	broker := newMosquitto(t, "")
	wire := newCable(t, broker.addr)
	c := found(t, small())
	c.through(wire.addr())
	c.run()
	c.serve()
	c.brokerUp(true)
	c.mqtt = broker.addr // sensors have their own way
	c.connect()
	c.tick(ten)
	return c, broker, wire
}

// TestBrokerAway starts a gateway before its broker, kills the broker in between
// and starts it again. What the broker had forgotten is a gap, and said.
func TestBrokerAway(t *testing.T) {
	t.Parallel()
	broker := newMosquitto(t, "")
	broker.p.kill()
	c := found(t, small())
	c.through(broker.addr)
	c.run()
	c.serve()
	c.brokerUp(false)
	broker.start()
	c.brokerUp(true)
	c.connect()
	c.tick(ten)
	for i := range 50 {
		c.send("gate-1", gate(i, ten, 1))
	}
	c.received(50)
	broker.p.kill()
	c.brokerUp(false)
	broker.start()
	for i := range 50 {
		c.send("gate-1", gate(25+i, ten, 1)) // the first half is sent again, with new packet ids
	}
	c.received(100)
	c.counted(75)
	if n := c.metric(`sluice_readings_total{code="E303",state="duplicate"}`); n != 25 {
		t.Errorf("%v readings were duplicates; want 25", n)
	}
	await(t, 10*time.Second, "gaps.jsonl to speak of the broker", func() bool {
		raw, err := os.ReadFile(filepath.Join(c.dir, "state/public/gaps.jsonl"))
		return err == nil && strings.Contains(string(raw), `"broker_lost_queue"`)
	})
}

// TestCutAtAnyByte cuts the gateway's connection after so many bytes, again and
// again, and kills the gateway after every third time: a new process does not wait
// longer and longer for its broker. Everything counts exactly once, and nobody else is
// said to have used the gateway's client id.
func TestCutAtAnyByte(t *testing.T) {
	t.Parallel()
	c, _, wire := behind(t)
	rnd := rand.New(rand.NewPCG(1, 2))
	alone := func() {
		if said := c.gateway.err.String() + c.gateway.out.String(); strings.Contains(said, "client id") {
			t.Errorf("there is no other client, and the gateway says\n%s", said)
		}
	}
	const rounds, each = 18, 50
	for n := range rounds {
		most := []int{40, 700, 5000}[n%3]
		wire.allow(1 + rnd.IntN(most))
		before := wire.connections()
		wire.cut()
		for i := range each {
			c.link.Publish("city/v1/acme/gate-1/up",
				[]byte(gate(n*each+i, ten.Add(time.Duration(n*each+i)*time.Millisecond), 1)), false)
		}
		await(t, 60*time.Second, "another connection", func() bool { return wire.connections() > before })
		wire.allow(1 + rnd.IntN(20000))
		if n%3 == 2 {
			wire.allow(0)
			wire.cut()
			c.brokerUp(true)
			alone()
			c.gateway.kill()
			c.run()
		}
	}
	wire.allow(0)
	wire.cut()
	if err := c.link.Flush(); err != nil {
		t.Fatal(err)
	}
	c.counted(rounds * each)
	alone()
}

// TestKillBehindABroker kills the gateway while readings come: what the broker
// sends again is known.
func TestKillBehindABroker(t *testing.T) {
	t.Parallel()
	c, _, _ := behind(t)
	kills := make(chan struct{})
	go func() {
		defer close(kills)
		for range 5 {
			time.Sleep(300 * time.Millisecond)
			c.gateway.kill()
			c.run()
		}
	}()
	const n = 3000
	for i := range n {
		c.link.Publish("city/v1/acme/gate-1/up", []byte(gate(i, ten.Add(time.Duration(i)*time.Millisecond), 1)), false)
		if i%10 == 0 {
			time.Sleep(5 * time.Millisecond)
		}
	}
	if err := c.link.Flush(); err != nil {
		t.Fatal(err)
	}
	<-kills
	c.counted(n)
}

// TestHalfOpenLink holds everything between gateway and broker without breaking
// the connection. The gateway notices, and loses nothing.
func TestHalfOpenLink(t *testing.T) {
	t.Parallel()
	c, _, wire := behind(t)
	wire.hold(true)
	for i := range 20 {
		c.send("gate-1", gate(i, ten, 1))
	}
	c.brokerUp(false)
	wire.cut()
	c.brokerUp(true)
	c.received(20)
	c.counted(20)
}

// TestBacklogIsNotLate lets a gateway be away for longer than windows wait, in
// real time. Its broker keeps 20,000 readings of an hour's worth of windows, over
// a slow link: all of them count, since nothing closes before they are through.
func TestBacklogIsNotLate(t *testing.T) {
	t.Parallel()
	files := small()
	files["policy/decisions/gates.yaml"] = wallClock(files["policy/decisions/gates.yaml"])
	files["policy/decisions/devices.yaml"] = wallClock(files["policy/decisions/devices.yaml"])
	broker := newMosquitto(t, "")
	wire := newCable(t, broker.addr)
	c := found(t, files)
	c.through(wire.addr())
	config := filepath.Join(c.dir, "gateway.yaml")
	write(t, config, strings.Replace(read(t, config), "time: {topic: city/v1/clock}", "time: wall", 1))
	c.run()
	c.serve()
	c.brokerUp(true)
	link := publisher(t, broker.addr, "sensor")
	c.link = link
	c.send("gate-1",
		fmt.Sprintf(`{"ts":%q,"seq":999999,"fields":{"passed":1}}`, time.Now().UTC().Format(time.RFC3339Nano)))
	c.received(1)
	c.gateway.kill()
	const n = 20_000
	begun := time.Now()
	for i := range n {
		at := begun.Add(time.Duration(i) * 6 * time.Second / n)
		time.Sleep(time.Until(at))
		link.Publish("city/v1/acme/gate-1/up", []byte(gate(i, at.UTC(), 1)), false)
	}
	if err := link.Flush(); err != nil {
		t.Fatal(err)
	}
	wire.slow(20 * time.Millisecond)
	c.run()
	total := func() (sum float64) {
		for _, i := range readAll(t, c.opendata, "/api/v1/streams/gates/observations?limit=1000&measure=passed") {
			if i.Value != nil {
				sum += *i.Value
			}
		}
		return sum
	}
	await(t, 90*time.Second, "the backlog to be published", func() bool { return total() == n+1 })
	if late := c.metric(`sluice_readings_total{code="E302",state="late"}`); late != 0 {
		t.Errorf("%v readings were late; want none", late)
	}
	c.adds()
}

// TestBrokerAwayForTooLong: windows wait for a broker that is away, but not for
// ever. Then they close as no_data, with a gap that says why.
func TestBrokerAwayForTooLong(t *testing.T) {
	t.Parallel()
	files := small()
	for _, name := range []string{"policy/decisions/gates.yaml", "policy/decisions/devices.yaml"} {
		files[name] = wallClock(files[name])
	}
	broker := newMosquitto(t, "")
	c := found(t, files)
	c.through(broker.addr)
	config := filepath.Join(c.dir, "gateway.yaml")
	write(t, config,
		strings.Replace(read(t, config), "time: {topic: city/v1/clock}", "time: wall\nwindows: {catch_up: PT10S}", 1))
	c.run()
	c.serve()
	c.brokerUp(true)
	c.connect()
	c.send("gate-1", `{"seq":1,"fields":{"passed":1}}`)
	published := func() (n int, last time.Time) {
		for _, i := range readAll(t, c.opendata, "/api/v1/streams/gates/observations?limit=1000&measure=passed") {
			if i.End.After(last) {
				last = i.End
			}
			if i.Status == "published" {
				n++
			}
		}
		return n, last
	}
	await(t, 20*time.Second, "the reading to be published", func() bool { n, _ := published(); return n == 1 })
	broker.p.kill()
	c.brokerUp(false)
	away := time.Now()
	time.Sleep(5 * time.Second)
	if _, last := published(); last.After(away.Add(2 * time.Second)) {
		t.Errorf("a window that ends at %s is closed although the broker is away since %s", last, away)
	}
	await(t, 30*time.Second, "windows to close without the broker", func() bool {
		_, last := published()
		return last.After(away.Add(5 * time.Second))
	})
	await(t, 10*time.Second, "gaps.jsonl to speak of the broker", func() bool {
		raw, err := os.ReadFile(filepath.Join(c.dir, "state/public/gaps.jsonl"))
		return err == nil && strings.Contains(string(raw), `"broker_away"`)
	})
	for _, i := range readAll(t, c.opendata,
		fmt.Sprintf("/api/v1/streams/devices/observations?limit=1000&from=%s",
			away.Add(2*time.Second).UTC().Format(time.RFC3339))) {
		if i.Status != "no_data" {
			t.Errorf("a window about devices that nothing could reach is %s; want no_data", i.Status)
		}
	}
}

// wallClock makes a decision of windows of two seconds that are in force now.
func wallClock(text string) string {
	return strings.NewReplacer("lateness: PT2M", "lateness: PT1S", "every: PT1H", "every: PT2S",
		"2026-01-01", time.Now().AddDate(0, 0, -2).Format(time.DateOnly), "2026-12-31",
		time.Now().AddDate(0, 1, 0).Format(time.DateOnly)).Replace(text)
}

// onSmallDisk is a small city whose state directory is a disk of 80 MB.
func onSmallDisk(t *testing.T) (c *city, state string) {
	t.Helper()
	c = found(t, small())
	state = filepath.Join(c.dir, "state")
	if err := os.Mkdir(state, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", state, "tmpfs", 0, "size=80m,mode=0755"); err != nil {
		t.Skipf("a small disk cannot be mounted here: %v", err)
	}
	t.Cleanup(func() { c.gateway.kill(); _ = syscall.Unmount(state, syscall.MNT_DETACH) })
	return c, state
}

// saysDiskFull waits until the gateway does.
func (c *city) saysDiskFull() {
	c.t.Helper()
	await(c.t, 20*time.Second, "the disk to be full", func() bool {
		_, hints := c.ready()
		return strings.Contains(hints["disk"], "cannot be written")
	})
}

// TestFullDisk fills the state directory's disk: nothing is acknowledged, the
// gateway says so, and goes on by itself.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	c, state := onSmallDisk(t)
	c.begin()
	for i := range 10 {
		c.send("gate-1", gate(i, ten, 1))
	}
	ballast := filepath.Join(state, "ballast")
	fill(t, ballast)
	for i := range 10 {
		c.link.Publish("city/v1/acme/gate-1/up", []byte(gate(10+i, ten, 1)), false)
	}
	c.saysDiskFull()
	if n := c.metric("sluice_received_total"); n != 10 {
		t.Errorf("%v readings are received although nothing can be written; want 10", n)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := c.link.Flush(); err != nil {
		t.Fatal(err)
	}
	c.counted(20)
}

// fill writes a file until the disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size >= 1; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
}
