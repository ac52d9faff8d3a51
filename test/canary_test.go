package test

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// canaries are planted identifiers that occur nowhere else.
func canaries() (out []string) {
	for i := range 200 {
		out = append(out, fmt.Sprintf("02:c4:9a:7e:%02x:%02x", i/16+160, i*7%256))
	}
	return append(out, "CANARY-4711-XYZ", "maria.canary@city.example", "canarytoken8fd3a1")
}

// forms are the ways in which an identifier could be written down.
func forms(s string) [][]byte {
	plain := strings.ReplaceAll(s, ":", "")
	raw, err := hex.DecodeString(plain)
	var out [][]byte
	for _, v := range []string{s, strings.ToUpper(s), plain, strings.ToUpper(plain), strings.ReplaceAll(s, ":", "-")} {
		b := []byte(v)
		m, h1, h2 := md5.Sum(b), sha1.Sum(b), sha256.Sum256(b)
		for _, h := range [][]byte{m[:], h1[:], h2[:]} {
			out = append(out, []byte(hex.EncodeToString(h)[:16]), h[:8])
		}
		out = append(out, b, []byte(hex.EncodeToString(b)), []byte(base64.StdEncoding.EncodeToString(b)[:len(b)]))
	}
	if err == nil {
		out = append(out, raw)
	}
	return out
}

// TestCanaries plants identifiers in values, unknown fields, keys, topics,
// client ids and broken messages, stops the gateway in the middle of things, and
// looks for them in every byte that was written or said.
func TestCanaries(t *testing.T) {
	t.Parallel()
	c := found(t, small())
	appendTo(t, filepath.Join(c.dir, "gateway.yaml"), "log: {level: debug}\n")
	c.run()
	c.serve()
	c.connect()
	c.tick(ten)
	list := canaries()
	for i, x := range list {
		c.link.Publish("city/v1/acme/wifi-1/up", fmt.Appendf(nil, `{"ts":%q,"seq":%d,"fields":{"device":%q,"rssi":-50,"note":%[3]q,%[3]q:1},%[3]q:{}}`, ten.Format(time.RFC3339), i, x), false)
		switch i % 5 {
		case 0:
			c.link.Publish("city/v1/acme/"+x+"/up", []byte(`{"fields":{"passed":1}}`), false)
		case 1:
			c.link.Publish("city/v1/acme/gate-1/up", fmt.Appendf(nil, `{"fields":{"passed":%q`, x), false)
		case 2:
			c.link.Publish("city/v1/acme/gate-1/up", fmt.Appendf(nil, `{"ts":%q,"fields":{"passed":%[1]q}}`, x), false)
		case 3:
			c.link.Publish("city/v1/acme/gate-1/hb", fmt.Appendf(nil, `{"ts":%q}`, x), false)
		case 4:
			c.link.Publish("city/v1/acme/wifi-1/up", fmt.Appendf(nil, `[{"bn":%q,"n":"device","vs":%[1]q,%[1]q:1}]`, x), false)
		}
	}
	c.tick(ten.Add(time.Minute)) // everything is acknowledged
	var said bytes.Buffer
	gather := func() {
		for _, url := range []string{
			c.admin + "/metrics", c.admin + "/healthz", c.admin + "/readyz", c.opendata + "/", c.opendata + "/sensors",
			c.opendata + "/api/v1/streams", c.opendata + "/api/v1/sensors", c.opendata + "/api/v1/streams/devices/observations?limit=1000", c.opendata + "/streams/devices",
		} {
			_, _, body := get(t, url)
			said.Write(body)
		}
		files(t, c.dir, &said)
		said.WriteString(c.gateway.out.String() + c.gateway.err.String())
	}
	gather()
	c.gateway.kill()
	c.run()
	c.tick(ten.Add(2 * time.Hour))
	c.stored()
	gather()
	if !bytes.Contains(said.Bytes(), []byte("published")) {
		t.Fatal("nothing was published, so nothing could show")
	}
	for _, x := range list {
		for _, form := range forms(x) {
			if bytes.Contains(said.Bytes(), form) {
				t.Errorf("%s is there as %q", x, form)
			}
		}
	}
	// The search is itself tried: a name that may be there is found.
	if !bytes.Contains(said.Bytes(), []byte("wifi-1")) {
		t.Error("the search does not even find a sensor's id")
	}
}

func files(t *testing.T, dir string, into *bytes.Buffer) {
	t.Helper()
	if err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		into.WriteString(path)
		into.Write(raw)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}
