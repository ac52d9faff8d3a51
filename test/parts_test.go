package test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/firmware-sim/device"
	"sluice/test/samples"
)

// mosquitto is a real broker, as configs/mosquitto.conf sets it up.
type mosquitto struct {
	t    *testing.T
	addr string
	conf string
	p    *process
}

// newMosquitto starts a broker with more lines of configuration.
func newMosquitto(t *testing.T, more string) *mosquitto {
	t.Helper()
	need(t, "mosquitto")
	m := &mosquitto{t: t, addr: freeAddr(t), conf: filepath.Join(t.TempDir(), "mosquitto.conf")}
	_, port, _ := strings.Cut(m.addr, ":")
	if !strings.Contains(more, "allow_anonymous") {
		more += "\nallow_anonymous true\n"
	}
	write(t, m.conf,
		"listener "+port+
			" 127.0.0.1\npersistence false\nmax_inflight_messages 1000\nmax_queued_messages 1000000\nuser root\n"+more)
	m.start()
	return m
}

func (m *mosquitto) start() {
	m.t.Helper()
	m.p = start(m.t, "mosquitto", "-c", m.conf)
	await(m.t, 10*time.Second, "mosquitto to listen", func() bool { return listens(m.addr) })
}

func listens(addr string) bool {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return false
	}
	return c.Close() == nil
}

// through makes a city's gateway a client of a broker instead of listening.
func (c *city) through(broker string) {
	c.t.Helper()
	path := filepath.Join(c.dir, "gateway.yaml")
	text := strings.Replace(read(c.t, path), fmt.Sprintf("listen: {mqtt: %q}\n", c.mqtt),
		fmt.Sprintf("mqtt: {broker: \"tcp://%s\"}\n", broker), 1)
	write(c.t, path, text)
	c.mqtt = broker
}

// caughtUp waits until the gateway has acknowledged everything and its clock
// has come to an instant.
func (c *city) at(now time.Time) {
	c.t.Helper()
	await(c.t, 60*time.Second, "the gateway's clock to be "+now.Format(time.TimeOnly), func() bool {
		var health struct {
			ReleasedThrough *time.Time `json:"released_through"`
		}
		getJSON(c.t, c.admin+"/healthz", &health)
		return health.ReleasedThrough != nil && !health.ReleasedThrough.Before(now)
	})
}

// ready reads /readyz.
func (c *city) ready() (ok bool, hints map[string]string) {
	c.t.Helper()
	_, _, body := get(c.t, c.admin+"/readyz")
	var r struct {
		Ready  bool
		Checks map[string]struct {
			OK   bool
			Hint string
		}
	}
	unmarshal(c.t, body, &r)
	hints = map[string]string{}
	for name, check := range r.Checks {
		if !check.OK {
			hints[name] = check.Hint
		}
	}
	return r.Ready, hints
}

// influxd is a real InfluxDB 1.8.
type influxd struct {
	t         *testing.T
	url, conf string
	p         *process
}

func newInflux(t *testing.T) *influxd {
	t.Helper()
	need(t, "influxd")
	dir := t.TempDir()
	addr := freeAddr(t)
	i := &influxd{t: t, url: "http://" + addr, conf: filepath.Join(dir, "influxdb.conf")}
	write(t, i.conf, samples.Influx(dir, freeAddr(t), addr))
	i.start()
	return i
}

func (i *influxd) start() {
	i.t.Helper()
	i.p = start(i.t, "influxd", "-config", i.conf)
	await(i.t, 60*time.Second, "influxd to answer", func() bool {
		resp, err := http.Get(i.url + "/ping")
		if err != nil {
			return false
		}
		return resp.Body.Close() == nil
	})
	i.query(i.t, "CREATE DATABASE city")
}

// query asks InfluxQL, and returns the answer.
func (i *influxd) query(t *testing.T, q string) string {
	t.Helper()
	resp, err := http.PostForm(i.url+"/query", url.Values{"q": {q}})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// keepIn makes a city's gateway and open data use InfluxDB at a URL.
func (c *city) keepIn(url string) {
	c.t.Helper()
	text := fmt.Sprintf("store: {influx: {url: %q, org: city, bucket: city/autogen}}\n", url)
	appendTo(c.t, filepath.Join(c.dir, "gateway.yaml"), text)
	path := filepath.Join(c.dir, "opendata.yaml")
	write(c.t, path, strings.Replace(read(c.t, path), "store: {sqlite: {path: state/store.db}}\n", text, 1))
}

// link is a network path that can be cut, held and slowed.
type cable struct {
	t      *testing.T
	l      net.Listener
	to     string
	mu     sync.Mutex
	conns  []net.Conn    // guarded by mu
	held   bool          // nothing passes, and nobody is told; guarded by mu
	most   int           // bytes until the next connection is cut; 0: no bound; guarded by mu
	pause  time.Duration // between two pieces; guarded by mu
	passed int64         // connections so far; guarded by mu
}

func newCable(t *testing.T, to string) *cable {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{t: t, l: l, to: to}
	t.Cleanup(func() { l.Close(); c.cut() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			go c.join(in)
		}
	}()
	return c
}

func (c *cable) addr() string { return c.l.Addr().String() }

func (c *cable) join(in net.Conn) {
	defer in.Close()
	out, err := net.Dial("tcp", c.to)
	if err != nil {
		return
	}
	defer out.Close()
	c.mu.Lock()
	c.conns = append(c.conns, out, in) // the broker is told first, and so publishes the will
	c.passed++
	left := &budget{n: c.most}
	c.mu.Unlock()
	done := make(chan bool, 2)
	for _, pair := range [][2]net.Conn{{in, out}, {out, in}} {
		go func() { c.copy(pair[1], pair[0], left); done <- true }()
	}
	<-done
}

// budget is how many bytes a connection may still carry; n 0 at first: any.
type budget struct {
	mu sync.Mutex
	n  int
}

func (b *budget) take(want int) (int, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.n == 0 {
		return want, true
	}
	got := min(want, b.n)
	if b.n -= got; b.n == 0 {
		b.n = -1
	}
	return got, b.n > 0
}

func (c *cable) copy(to, from net.Conn, left *budget) {
	buf := make([]byte, 16<<10)
	for {
		n, err := from.Read(buf)
		for pause, held := c.state(); pause > 0 || held; _, held = c.state() {
			time.Sleep(max(pause, 10*time.Millisecond))
			pause = 0
		}
		got, more := left.take(n)
		if got > 0 {
			if _, err := to.Write(buf[:got]); err != nil {
				return
			}
		}
		if err != nil || !more {
			return
		}
	}
}

func (c *cable) state() (time.Duration, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pause, c.held
}

// slow makes a pause before each piece of at most 16 KiB.
func (c *cable) slow(pause time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.pause = pause }

// hold makes the cable a half-open link: what is sent is neither carried nor
// refused.
func (c *cable) hold(on bool) { c.mu.Lock(); defer c.mu.Unlock(); c.held = on }

// allow bounds the bytes of connections made from now on; 0 takes the bound away.
func (c *cable) allow(bytes int) { c.mu.Lock(); defer c.mu.Unlock(); c.most = bytes }

func (c *cable) connections() int64 { c.mu.Lock(); defer c.mu.Unlock(); return c.passed }

// cut breaks all connections.
func (c *cable) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		conn.Close()
	}
	c.conns, c.held = nil, false
}

// publish uses a connection of its own, which stays.
func publisher(t *testing.T, addr, id string) *device.Link {
	t.Helper()
	link, err := device.Connect("tcp://"+addr, id)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(link.Close)
	return link
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}
