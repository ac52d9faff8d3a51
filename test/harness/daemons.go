package harness

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
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
	Need(t, "influxd")
	dir := t.TempDir()
	addr := FreeAddr(t)
	i := &Influxd{t: t, Url: "http://" + addr, Conf: filepath.Join(dir, "influxdb.conf")}
	Write(t, i.Conf, samples.Influx(dir, FreeAddr(t), addr))
	i.Start()
	return i
}

// Start starts InfluxDB, again after it was ended.
func (i *Influxd) Start() {
	i.t.Helper()
	// Each question makes garbage that is many times what it keeps: to collect it is a quarter of its work.
	i.P = StartWith(i.t, []string{"GOGC=800"}, "influxd", "-config", i.Conf)
	Await(i.t, 60*time.Second, "influxd to answer", func() bool {
		resp, err := http.Get(i.Url + "/ping")
		if err != nil {
			return false
		}
		return resp.Body.Close() == nil
	})
	i.Query(i.t, "CREATE DATABASE city")
}

// Query asks InfluxQL, and returns the answer.
func (i *Influxd) Query(t *testing.T, q string) string {
	t.Helper()
	resp, err := http.PostForm(i.Url+"/query", url.Values{"q": {q}})
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
