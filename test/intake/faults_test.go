package intake

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
)

// TestBrokerAway starts a gateway before its broker, kills the broker in between
// and starts it again. What the broker had forgotten is a gap, and said.
func TestBrokerAway(t *testing.T) {
	t.Parallel()
	broker := harness.NewMosquitto(t, "")
	broker.P.Kill()
	c := harness.Found(t, harness.Small())
	c.Through(broker.Addr)
	c.Run()
	c.Serve()
	c.BrokerUp(false)
	broker.Start()
	c.BrokerUp(true)
	c.Connect()
	c.Tick(harness.Ten)
	for i := range 50 {
		c.Send("gate-1", harness.Gate(i, harness.Ten, 1))
	}
	c.Received(50)
	broker.P.Kill()
	c.BrokerUp(false)
	broker.Start()
	c.BrokerUp(true) // what is sent before it subscribes again is for nobody
	for i := range 50 {
		c.Send("gate-1", harness.Gate(25+i, harness.Ten, 1)) // the first half is sent again, with new packet ids
	}
	c.Received(100)
	c.Counted(75)
	if n := c.Metric(`sluice_readings_total{code="E303",state="duplicate"}`); n != 25 {
		t.Errorf("%v readings were duplicates; want 25", n)
	}
	harness.Await(t, 10*time.Second, "gaps.jsonl to speak of the broker", func() bool {
		raw, err := os.ReadFile(filepath.Join(c.Dir, "state/public/gaps.jsonl"))
		return err == nil && strings.Contains(string(raw), `"broker_lost_queue"`)
	})
}

// TestCutAtAnyByte cuts the gateway's connection after so many bytes, again and
// again, and kills the gateway after every third time: a new process does not wait
// longer and longer for its broker. Everything counts exactly once, and nobody else is
// said to have used the gateway's client id.
func TestCutAtAnyByte(t *testing.T) {
	t.Parallel()
	c, _, wire := harness.Behind(t)
	rnd := rand.New(rand.NewPCG(1, 2))
	alone := func() {
		if said := c.Gateway.Err.String() + c.Gateway.Out.String(); strings.Contains(said, "client id") {
			t.Errorf("there is no other client, and the gateway says\n%s", said)
		}
	}
	const rounds, each = 18, 50
	for n := range rounds {
		most := []int{40, 700, 5000}[n%3]
		allow(wire, 1+rnd.IntN(most))
		before := connections(wire)
		wire.Cut()
		for i := range each {
			c.Link.Publish("city/v1/acme/gate-1/up",
				[]byte(harness.Gate(n*each+i, harness.Ten.Add(time.Duration(n*each+i)*time.Millisecond), 1)), false)
		}
		harness.Await(t, 60*time.Second, "another connection", func() bool { return connections(wire) > before })
		allow(wire, 1+rnd.IntN(20000))
		if n%3 == 2 {
			allow(wire, 0)
			wire.Cut()
			c.BrokerUp(true)
			alone()
			c.Gateway.Kill()
			c.Run()
		}
	}
	allow(wire, 0)
	wire.Cut()
	if err := c.Link.Flush(); err != nil {
		t.Fatal(err)
	}
	c.Counted(rounds * each)
	alone()
}

// TestKillBehindABroker kills the gateway while readings come: what the broker
// sends again is known.
func TestKillBehindABroker(t *testing.T) {
	t.Parallel()
	c, _, _ := harness.Behind(t)
	kills := make(chan struct{})
	go func() {
		defer close(kills)
		for range 5 {
			time.Sleep(300 * time.Millisecond)
			c.Gateway.Kill()
			c.Run()
		}
	}()
	const n = 3000
	for i := range n {
		c.Link.Publish("city/v1/acme/gate-1/up",
			[]byte(harness.Gate(i, harness.Ten.Add(time.Duration(i)*time.Millisecond), 1)), false)
		if i%10 == 0 {
			time.Sleep(5 * time.Millisecond)
		}
	}
	if err := c.Link.Flush(); err != nil {
		t.Fatal(err)
	}
	<-kills
	c.Counted(n)
}

// TestHalfOpenLink holds everything between gateway and broker without breaking
// the connection. The gateway notices, and loses nothing.
func TestHalfOpenLink(t *testing.T) {
	t.Parallel()
	c, _, wire := harness.Behind(t)
	wire.Hold(true)
	for i := range 20 {
		c.Send("gate-1", harness.Gate(i, harness.Ten, 1))
	}
	c.BrokerUp(false)
	wire.Cut()
	c.BrokerUp(true)
	c.Received(20)
	c.Counted(20)
}

// TestBacklogIsNotLate lets a gateway be away for longer than windows wait, in
// real time. Its broker keeps 20,000 readings of an hour's worth of windows, over
// a slow link: all of them count, since nothing closes before they are through.
func TestBacklogIsNotLate(t *testing.T) {
	t.Parallel()
	files := harness.Small()
	files["policy/decisions/gates.yaml"] = harness.WallClock(files["policy/decisions/gates.yaml"])
	files["policy/decisions/devices.yaml"] = harness.WallClock(files["policy/decisions/devices.yaml"])
	broker := harness.NewMosquitto(t, "")
	wire := harness.NewCable(t, broker.Addr)
	c := harness.Found(t, files)
	c.Through(wire.Addr())
	config := filepath.Join(c.Dir, "gateway.yaml")
	harness.Write(t, config, strings.Replace(harness.Read(t, config), "time: {topic: city/v1/clock}", "time: wall", 1))
	c.Run()
	c.Serve()
	c.BrokerUp(true)
	link := harness.Publisher(t, broker.Addr, "sensor")
	c.Link = link
	c.Send("gate-1",
		fmt.Sprintf(`{"ts":%q,"seq":999999,"fields":{"passed":1}}`, time.Now().UTC().Format(time.RFC3339Nano)))
	c.Received(1)
	c.Gateway.Kill()
	const n = 20_000
	begun := time.Now()
	for i := range n {
		at := begun.Add(time.Duration(i) * 6 * time.Second / n)
		time.Sleep(time.Until(at))
		link.Publish("city/v1/acme/gate-1/up", []byte(harness.Gate(i, at.UTC(), 1)), false)
	}
	if err := link.Flush(); err != nil {
		t.Fatal(err)
	}
	slow(wire, 20*time.Millisecond)
	c.Run()
	total := func() (sum float64) {
		for _, i := range harness.ReadAll(t, c.Opendata,
			"/api/v1/streams/gates/observations?limit=1000&measure=passed") {
			if i.Value != nil {
				sum += *i.Value
			}
		}
		return sum
	}
	harness.Await(t, 90*time.Second, "the backlog to be published", func() bool { return total() == n+1 })
	if late := c.Metric(`sluice_readings_total{code="E302",state="late"}`); late != 0 {
		t.Errorf("%v readings were late; want none", late)
	}
	c.Adds()
}

// TestBrokerAwayForTooLong: windows wait for a broker that is away, but not for
// ever. Then they close as no_data, with a gap that says why.
func TestBrokerAwayForTooLong(t *testing.T) {
	t.Parallel()
	files := harness.Small()
	for _, name := range []string{"policy/decisions/gates.yaml", "policy/decisions/devices.yaml"} {
		files[name] = harness.WallClock(files[name])
	}
	broker := harness.NewMosquitto(t, "")
	c := harness.Found(t, files)
	c.Through(broker.Addr)
	config := filepath.Join(c.Dir, "gateway.yaml")
	harness.Write(t, config,
		strings.Replace(harness.Read(t, config), "time: {topic: city/v1/clock}",
			"time: wall\nwindows: {catch_up: PT10S}", 1))
	c.Run()
	c.Serve()
	c.BrokerUp(true)
	c.Connect()
	c.Send("gate-1", `{"seq":1,"fields":{"passed":1}}`)
	published := func() (n int, last time.Time) {
		for _, i := range harness.ReadAll(t, c.Opendata,
			"/api/v1/streams/gates/observations?limit=1000&measure=passed") {
			if i.End.After(last) {
				last = i.End
			}
			if i.Status == "published" {
				n++
			}
		}
		return n, last
	}
	harness.Await(t, 20*time.Second, "the stream", func() bool {
		status, _, _ := harness.Get(t, c.Opendata+"/api/v1/streams/gates/observations")
		return status == http.StatusOK
	})
	harness.Await(t, 20*time.Second, "the reading to be published", func() bool { n, _ := published(); return n == 1 })
	broker.P.Kill()
	c.BrokerUp(false)
	away := time.Now()
	time.Sleep(5 * time.Second)
	if _, last := published(); last.After(away.Add(2*time.Second)) && time.Since(away) < 10*time.Second { // catch_up
		t.Errorf("a window that ends at %s is closed although the broker is away since %s", last, away)
	}
	harness.Await(t, 30*time.Second, "windows to close without the broker", func() bool {
		_, last := published()
		return last.After(away.Add(5 * time.Second))
	})
	harness.Await(t, 10*time.Second, "gaps.jsonl to speak of the broker", func() bool {
		raw, err := os.ReadFile(filepath.Join(c.Dir, "state/public/gaps.jsonl"))
		return err == nil && strings.Contains(string(raw), `"broker_away"`)
	})
	for _, i := range harness.ReadAll(t, c.Opendata,
		fmt.Sprintf("/api/v1/streams/devices/observations?limit=1000&from=%s",
			away.Add(2*time.Second).UTC().Format(time.RFC3339))) {
		if i.Status != "no_data" {
			t.Errorf("a window about devices that nothing could reach is %s; want no_data", i.Status)
		}
	}
}

// TestFullDisk fills the state directory's disk: nothing is acknowledged, the
// gateway says so, and goes on by itself.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	c, state := harness.OnSmallDisk(t)
	c.Begin()
	for i := range 10 {
		c.Send("gate-1", harness.Gate(i, harness.Ten, 1))
	}
	ballast := filepath.Join(state, "ballast")
	harness.Fill(t, ballast)
	for i := range 10 {
		c.Link.Publish("city/v1/acme/gate-1/up", []byte(harness.Gate(10+i, harness.Ten, 1)), false)
	}
	c.SaysDiskFull()
	if n := c.Metric("sluice_received_total"); n != 10 {
		t.Errorf("%v readings are received although nothing can be written; want 10", n)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := c.Link.Flush(); err != nil {
		t.Fatal(err)
	}
	c.Counted(20)
}

// slow makes a pause before each piece of at most 16 KiB.
func slow(c *harness.Cable, pause time.Duration) { c.Mu.Lock(); defer c.Mu.Unlock(); c.Pause = pause }

// allow bounds the bytes of connections made from now on; 0 takes the bound away.
func allow(c *harness.Cable, bytes int) { c.Mu.Lock(); defer c.Mu.Unlock(); c.Most = bytes }

func connections(c *harness.Cable) int64 { c.Mu.Lock(); defer c.Mu.Unlock(); return c.Passed }
