package harness

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/test/samples"
)

// Mosquitto is a real broker, as configs/mosquitto.conf sets it up.
type Mosquitto struct {
	t    *testing.T
	Addr string
	Conf string
	P    *Process
}

// NewMosquitto starts a broker with more lines of configuration.
func NewMosquitto(t *testing.T, more string) *Mosquitto {
	t.Helper()
	Need(t, "mosquitto")
	m := &Mosquitto{t: t, Addr: FreeAddr(t), Conf: filepath.Join(t.TempDir(), "mosquitto.conf")}
	_, port, _ := strings.Cut(m.Addr, ":")
	if !strings.Contains(more, "allow_anonymous") {
		more += "\nallow_anonymous true\n"
	}
	Write(t, m.Conf,
		"listener "+port+
			" 127.0.0.1\npersistence false\nmax_inflight_messages 1000\nmax_queued_messages 1000000\nuser root\n"+more)
	m.Start()
	return m
}

// Start starts the broker, again after it was ended.
func (m *Mosquitto) Start() {
	m.t.Helper()
	m.P = Start(m.t, "mosquitto", "-c", m.Conf)
	Await(m.t, 10*time.Second, "mosquitto to listen", func() bool { return Listens(m.Addr) })
}

// Listens reports whether somebody accepts connections at an address.
func Listens(addr string) bool {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return false
	}
	return c.Close() == nil
}

// Influxd is a real InfluxDB 1.8.
type Influxd struct {
	t         *testing.T
	Url, Conf string
	P         *Process
}

// NewInflux starts InfluxDB with an empty database named city.
func NewInflux(t *testing.T) *Influxd {
	t.Helper()
	i := InfluxAway(t)
	i.Start()
	return i
}

// InfluxAway is an InfluxDB that is not started yet.
func InfluxAway(t *testing.T) *Influxd {
	t.Helper()
	Need(t, "influxd")
	return newInflux(t, t.TempDir())
}

func newInflux(t *testing.T, dir string) *Influxd {
	t.Helper()
	addr := FreeAddr(t)
	i := &Influxd{t: t, Url: "http://" + addr, Conf: filepath.Join(dir, "influxdb.conf")}
	Write(t, i.Conf, samples.Influx(dir, FreeAddr(t), addr))
	return i
}

// shared is the InfluxDB of all tests of a package that only write and read: it works for nearly three
// seconds before it answers.
var shared struct {
	mu        sync.Mutex
	db        *Influxd
	databases int
}

// SharedInflux is an empty database in an InfluxDB that lasts as long as the package's tests: its
// server's URL and its bucket.
func SharedInflux(t *testing.T) (url, bucket string) {
	t.Helper()
	Need(t, "influxd")
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.db == nil {
		i := newInflux(t, scratch)
		cmd := exec.Command("influxd", "-config", i.Conf)
		cmd.Env = append(os.Environ(), influxEnv...)
		i.P = launch(t, cmd, nil)
		i.answers(t)
		shared.db = i
	}
	shared.databases++
	name := fmt.Sprintf("city%d", shared.databases)
	shared.db.Query(t, "CREATE DATABASE "+name)
	return shared.db.Url, name + "/autogen"
}

// endShared ends what tests shared.
func endShared() {
	if shared.db != nil {
		shared.db.P.Kill()
	}
}

// influxEnv spares it a quarter of its work: each question makes garbage that is many times what it keeps.
var influxEnv = []string{"GOGC=800"}

// Start starts InfluxDB, again after it was ended.
func (i *Influxd) Start() {
	i.t.Helper()
	i.P = StartWith(i.t, influxEnv, "influxd", "-config", i.Conf)
	i.answers(i.t)
	i.Query(i.t, "CREATE DATABASE city")
}

// answers waits until it does.
func (i *Influxd) answers(t *testing.T) {
	t.Helper()
	Await(t, 60*time.Second, "influxd to answer", func() bool {
		resp, err := http.Get(i.Url + "/ping")
		if err != nil {
			return false
		}
		return resp.Body.Close() == nil
	})
}

// Query asks InfluxQL, and returns the answer.
func (i *Influxd) Query(t *testing.T, q string) string {
	t.Helper()
	return QueryInflux(t, i.Url, q)
}

// QueryInflux asks the InfluxDB at a URL.
func QueryInflux(t *testing.T, at, q string) string {
	t.Helper()
	resp, err := http.PostForm(at+"/query", url.Values{"q": {q}})
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
