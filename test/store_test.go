package test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/store"
	"sluice/store/influx"
	"sluice/store/sqlite"
)

// TestLostStore: a store that was removed gets again what was delivered lately. Where
// that is not kept any more it is said, and with ledger recover for good: then the
// books and what is shown agree again.
func TestLostStore(t *testing.T) {
	t.Parallel()
	for what, empty := range map[string]bool{"removed": false, "an empty file in its place": true} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			c, state := lived(t)
			c.loseStore(empty)
			c.run()
			c.gateway.find(`they are sent again`)
			c.serve()
			c.booksHold(8)
			c.gateway.stop(20 * time.Second)

			c.loseStore(empty)
			db, err := sql.Open("sqlite", sqlite.DSN(filepath.Join(state, "ledger.db"), false))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := db.Exec("DELETE FROM sent"); err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			c.run()
			c.gateway.find(`the store is not as it was left.*8 windows of 2 streams`)
			await(t, 10*time.Second, "readiness to say so", func() bool {
				_, hints := c.ready()
				return strings.Contains(hints["store"], "missing in the store") && len(hints) == 1
			})
			c.gateway.stop(20 * time.Second)
			if code, out := verb(t, "ledger", "recover", "-c", filepath.Join(c.dir, "gateway.yaml")); code != 0 ||
				!strings.Contains(out, "8 windows that were released are not in the store any more") {
				t.Fatalf("recover: %d\n%s", code, out)
			}
			c.run()
			c.serve()
			c.link.Close()
			c.connect()
			c.crowd(4, 40)
			c.tick(ten.Add(6 * time.Hour)) // it goes on
			c.stored()
			await(t, 20*time.Second, "everything to add up", func() bool {
				code, out := verb(t, "verify", c.opendata)
				return code == 0 && strings.Contains(out, "8 released windows are not shown: the store has lost them")
			})
			if code, out := stranger(t, c.opendata); code != 0 || !strings.Contains(out, "everything adds up") {
				t.Errorf("a stranger's program: %d\n%s", code, out)
			}
			if ok, hints := c.ready(); !ok {
				t.Errorf("it is not ready: %v", hints)
			}
		})
	}
}

func (c *city) loseStore(empty bool) {
	c.t.Helper()
	path := filepath.Join(c.dir, "state", "store.db")
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !os.IsNotExist(err) {
			c.t.Fatal(err)
		}
	}
	if empty {
		write(c.t, path, "")
	}
}

// TestNoStore: what is no database is refused with 3 and its name.
func TestNoStore(t *testing.T) {
	t.Parallel()
	c, state := lived(t)
	path := filepath.Join(state, "store.db")
	alter(t, path, func([]byte) []byte { return []byte(strings.Repeat("no database ", 1000)) })
	for _, suffix := range []string{"-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil {
			t.Fatal(err)
		}
	}
	if code, out := verb(t, "gateway", "-c", filepath.Join(c.dir, "gateway.yaml")); code != 3 ||
		!strings.Contains(out, path) {
		t.Errorf("%d\n%s", code, out)
	}
}

// TestOpenDataFollowsTheStore: while its store is missing, cut short or no database, the
// open data goes on, answers 503, and its log names the file and the way back; when
// the store is whole again, or another one is there, that is shown. The gateway beside
// it goes on, too, and says so.
func TestOpenDataFollowsTheStore(t *testing.T) {
	t.Parallel()
	for what, harm := range map[string]func(t *testing.T, path string){
		"removed": func(t *testing.T, path string) {
			remove(t, path)
			remove(t, path+"-wal")
			remove(t, path+"-shm")
		},
		"cut":         func(t *testing.T, path string) { truncate(t, path, 0); truncate(t, path+"-wal", 0) },
		"cut to half": func(t *testing.T, path string) { truncate(t, path, 2); truncate(t, path+"-wal", 0) },
		"no database": func(t *testing.T, path string) {
			alter(t, path, func(b []byte) []byte { clear(b); return b })
			truncate(t, path+"-wal", 0)
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			c, state := lived(t)
			path := filepath.Join(state, "store.db")
			open := start(t, sluice, "opendata", "-c", filepath.Join(c.dir, "opendata.yaml"))
			c.opendata = open.find(`http=(http://\S+)`)[1]
			if n := len(c.items("gates", ten, ten.Add(4*time.Hour))); n != 8 {
				t.Fatalf("%d numbers are shown; want 8", n)
			}
			backup := t.TempDir()
			for _, suffix := range []string{"", "-wal"} {
				write(t, filepath.Join(backup, "store.db"+suffix), read(t, path+suffix))
			}
			c.run() // the gateway has it open, too
			harm(t, path)
			ask := func() (int, string) {
				status, _, body := get(t,
					fmt.Sprintf("%s/api/v1/streams/gates/observations?from=%s&limit=%d", c.opendata,
						ten.Format(time.RFC3339), 1+time.Now().UnixNano()%900))
				return status, string(body)
			}
			await(t, 30*time.Second, "an answer that says so", func() bool {
				status, body := ask()
				return status == http.StatusServiceUnavailable && strings.Contains(body, "problems/unavailable") &&
					strings.Contains(body, "in its log")
			})
			open.find(`the store cannot be read: ` + path + `; put a backup`)
			if status, _, body := get(t, c.opendata+"/readyz"); status != http.StatusServiceUnavailable ||
				strings.Contains(string(body), path) {
				t.Errorf("readiness is %d %s", status, body)
			}
			c.link.Close()
			c.connect()
			c.crowd(4, 40)
			c.tick(ten.Add(5*time.Hour + 3*time.Minute)) // the gateway goes on
			if _, hints := c.ready(); what == "removed" &&
				!strings.Contains(hints["store"], "was removed, or another one has its name") {
				t.Errorf("the gateway says nothing of its store: %v", hints)
			}
			if c.gateway.ended() {
				t.Error("the gateway has ended")
			} else if code := c.gateway.stop(20 * time.Second); code != 0 {
				t.Errorf("the gateway ends with %d", code)
			}
			for _, suffix := range []string{"", "-wal", "-shm"} {
				removeAll(t, path+suffix)
			}
			for _, suffix := range []string{"", "-wal"} {
				write(t, path+suffix, read(t, filepath.Join(backup, "store.db"+suffix)))
			}
			c.run()
			c.stored()
			await(t, 30*time.Second, "all of it to be shown again", func() bool {
				return len(c.items("gates", ten, ten.Add(5*time.Hour))) == 10
			})
			c.booksHold(10)
			if open.ended() {
				t.Error("the open data has ended")
			}
		})
	}
}

func truncate(t *testing.T, path string, share int64) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	size := int64(0)
	if share > 0 {
		size = info.Size() / share
	}
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
}

// TestBothStoresGiveTheSameBytes asks the interface the same questions over both
// stores, and over the books' directory and a mirror.
func TestBothStoresGiveTheSameBytes(t *testing.T) {
	t.Parallel()
	db := newInflux(t)
	c := found(t, small())
	c.begin()
	for h := range 5 {
		at := ten.Add(time.Duration(h) * time.Hour)
		c.send("gate-1", gate(h, at, h))
		c.tick(at.Add(time.Hour + 2*time.Minute))
	}
	c.stored()
	// What is in SQLite goes into InfluxDB as the forwarder would bring it.
	from, err := sqlite.OpenReader(filepath.Join(c.dir, "state/store.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := influx.Open(influx.Config{URL: db.url, Org: "city", Bucket: "city/autogen"})
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	for _, stream := range []string{"gates", "devices"} {
		list, err := from.Observations(context.Background(),
			store.Query{Stream: stream, From: ten.Add(-time.Hour), To: ten.Add(24 * time.Hour), Limit: 1000})
		if err != nil || len(list) == 0 {
			t.Fatalf("%d observations, %v", len(list), err)
		}
		if err := to.Write(context.Background(), list); err != nil {
			t.Fatal(err)
		}
	}
	await(t, 20*time.Second, "the books to be written", func() bool {
		_, err := os.Stat(filepath.Join(c.dir, "state/public/streams.json"))
		return err == nil
	})
	mirror := httptest.NewServer(http.FileServer(http.Dir(filepath.Join(c.dir, "state/public"))))
	defer mirror.Close()
	write(t, filepath.Join(c.dir, "other.yaml"),
		fmt.Sprintf("http: 127.0.0.1:0\nbooks: %s\nstore: {influx: {url: %q, org: city, bucket: city/autogen}}\n",
			mirror.URL, db.url))
	other := start(t, sluice, "opendata", "-c", filepath.Join(c.dir, "other.yaml")).find(`http=(http://\S+)`)[1]
	for _, path := range []string{
		"/api/v1/streams", "/api/v1/streams/gates/observations",
		"/api/v1/streams/gates/observations?from=2026-03-02T10:00:00Z&limit=3",
		"/api/v1/streams/gates/observations?from=2026-03-02&to=2026-03-03&measure=turns&format=csv",
		"/api/v1/streams/devices/observations",
		"/api/v1/streams/gates/observations?cell=square&measure=passed&measure=turns", "/api/v1/sensors",
		"/api/v1/decisions", "/api/v1/ledger",
		"/streams/gates", "/streams/devices?cell=square", "/", "/api/v1/streams/none/observations",
		"/api/v1/streams/gates/observations?cell=x",
	} {
		for next := path; next != ""; {
			s1, h1, b1 := get(t, c.opendata+next)
			s2, h2, b2 := get(t, other+next)
			if s1 != s2 || !bytes.Equal(b1, b2) || h1.Get("ETag") != h2.Get("ETag") {
				t.Errorf("GET %s: %d and %d\n%s\n%s", next, s1, s2, b1, b2)
			}
			var page struct{ Next *string }
			if next = ""; json.Unmarshal(b1, &page) == nil && page.Next != nil {
				next = *page.Next
			}
		}
	}
}
