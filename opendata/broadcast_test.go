package opendata

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/test/raced"

	"sluice/test/fenced"
)

// subscribe runs mosquitto_sub, and returns so many lines of what it says.
func (q *square) subscribe(lines int, then func(n int), args ...string) (out []string) {
	q.t.Helper()
	path, err := exec.LookPath("mosquitto_sub")
	if err != nil && os.Getenv("CI") != "" {
		q.t.Fatal("mosquitto_sub is not installed")
	} else if err != nil {
		q.t.Skip("mosquitto_sub is not installed")
	}
	host, port, err := net.SplitHostPort(q.mqtt)
	if err != nil {
		q.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(q.t.Context(), 30*time.Second)
	defer cancel()
	c := exec.CommandContext(ctx, path, append([]string{"-h", host, "-p", port, "-v"}, args...)...)
	from, err := c.StdoutPipe()
	if err != nil {
		q.t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		q.t.Fatal(err)
	}
	for s := bufio.NewScanner(from); len(out) < lines && s.Scan(); {
		out = append(out, s.Text())
		if then != nil {
			then(len(out))
		}
	}
	cancel()
	_ = c.Wait() // it was ended
	if len(out) != lines {
		q.t.Fatalf("%v says %q", args, out)
	}
	return out
}

// TestBroadcast: whoever subscribes has the newest window of each cell, then each that
// closes, in the form of the API; and Home Assistant what it needs to show it.
func TestBroadcast(t *testing.T) {
	q := newSquare(t, 2)
	q.release(0)
	q.release(1)
	q.open(configured(t, "mqtt: {listen: \"127.0.0.1:0\"}"))
	defer q.stop()
	asDocumented(t, q)
	for _, version := range []string{"mqttv311", "mqttv5"} {
		got := q.subscribe(2, nil, "-V", version, "-t", "open/v1/noise/+", "-q", "2")
		if !strings.HasPrefix(min(got[0], got[1]), `open/v1/noise/a {"stream":"noise","cell":"a","start":"`) {
			t.Errorf("%s: what is retained is %q", version, got)
		}
		got = q.subscribe(2, func(n int) {
			if n == 1 {
				q.release(0)
			}
		}, "-V", version, "-t", "open/v1/noise/a")
		item := items(t, q.base, "/api/v1/streams/noise/latest?cell=a")[0]
		if got[0] == got[1] || !strings.HasSuffix(got[1], `"items":[`+item+"]}") {
			t.Errorf("%s: after the window has closed it is %q, and %q in the API", version, got, item)
		}
	}
	got := q.subscribe(2, nil, "-t", "homeassistant/#")
	for _, line := range got {
		topic, text, _ := strings.Cut(line, " ")
		var e struct {
			StateTopic string `json:"state_topic"`
			Template   string `json:"value_template"`
			UniqueID   string `json:"unique_id"`
			Device     struct{ Name string }
		}
		if err := json.Unmarshal([]byte(text), &e); err != nil || e.Device.Name != "portalba" ||
			topic != "homeassistant/sensor/"+strings.TrimPrefix(e.UniqueID, "sluice_")+"/config" ||
			!strings.HasPrefix(e.StateTopic, "open/v1/noise/") ||
			e.Template != "{{ value_json.numbers['level'] }}" {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// asDocumented runs the command that residents are told.
func asDocumented(t *testing.T, q *square) {
	t.Helper()
	b := fenced.Take(t, "docs/residents.md", "mosquitto_sub -h mqtt.city.example")
	b.Change("mqtt.city.example -p 1884", strings.Replace(q.mqtt, ":", " -p ", 1))
	b.Change("open/v1/footfall/#' -v", "open/v1/noise/#' -v -C 2")
	said, err := b.Bash(t.TempDir(), filepath.SplitList(os.Getenv("PATH")))
	if err != nil || strings.Count(said, "open/v1/noise/") < 2 {
		t.Errorf("the command says %s (%v)", said, err)
	}
}

// TestBroadcastRefuses: who publishes, says too much or nothing at all is sent away, and
// the broker serves others all the same.
func TestBroadcastRefuses(t *testing.T) {
	raced.Also(t)
	q := newSquare(t, 1)
	q.release(0)
	q.open(configured(t, "mqtt: {listen: \"127.0.0.1:0\"}"))
	defer q.stop()
	five := []byte{0x10, 0x0e, 0, 4, 'M', 'Q', 'T', 'T', 5, 2, 0, 60, 0, 0, 1, 'x'}
	four := []byte{0x10, 0x0d, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60, 0, 1, 'x'}
	publish := []byte{0x30, 6, 0, 1, 'a', 0, 'h', 'i'}
	deep := []byte("\x82\x1a\x00\x01\x00\x00\x14a/a/a/a/a/a/a/a/a/a/\x00")
	deep[1] = byte(len(deep) - 2)
	for name, x := range map[string]struct {
		say  []byte
		want []byte // somewhere in what comes; nil for nothing in particular
		ends bool
	}{
		"publishes, 5":    {append(bytes.Clone(five), publish...), []byte{0xe0}, true},
		"publishes, 4":    {append(bytes.Clone(four), 0x30, 5, 0, 1, 'a', 'h', 'i'), nil, true},
		"no MQTT":         {[]byte("GET / HTTP/1.1\r\n\r\n"), nil, true},
		"huge":            {[]byte{0x10, 0xff, 0xff, 0xff, 0x7f}, nil, true},
		"huge later":      {append(bytes.Clone(four), 0x30, 0xff, 0xff, 0x7f), nil, true},
		"a deep filter":   {append(bytes.Clone(five), deep...), []byte{0x90, 4, 0, 1, 0, 0x8f}, false},
		"too many":        {append(bytes.Clone(four), bytes.Repeat([]byte{0xc0, 0}, 200)...), nil, true},
		"a second time":   {append(bytes.Clone(four), four...), nil, true},
		"reserved packet": {append(bytes.Clone(four), 0, 0), nil, true},
	} {
		conn, err := net.Dial("tcp", q.mqtt)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = conn.Write(x.say) // it may be over already
		wait := 20 * time.Second
		if !x.ends {
			wait = 2 * time.Second
		}
		_ = conn.SetReadDeadline(time.Now().Add(wait))
		said, err := io.ReadAll(conn)
		timeout, _ := err.(net.Error) //nolint:errorlint // of the connection itself
		if stays := timeout != nil && timeout.Timeout(); stays == x.ends || !bytes.Contains(said, x.want) {
			t.Errorf("%s: it says %x, and then %v", name, said, err)
		}
		if name == "publishes, 5" && !bytes.Contains(said[bytes.LastIndexByte(said, 0xe0):], []byte{0x87}) {
			t.Errorf("%s: it says %x without 0x87", name, said)
		}
		conn.Close()
	}
	q.subscribe(1, nil, "-t", "open/v1/#")
}
