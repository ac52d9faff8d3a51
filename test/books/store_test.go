package books

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
	"sluice/test/harness"
)

// TestLostStore: a store that was removed gets again what was delivered lately. Where
// that is not kept any more it is said, and with ledger recover for good: then the
// books and what is shown agree again.
func TestLostStore(t *testing.T) {
	t.Parallel()
	for what, empty := range map[string]bool{"removed": false, "an empty file in its place": true} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			c, state := harness.Lived(t)
			loseStore(c, empty)
			c.Run()
			c.Gateway.Find(`they are sent again`)
			c.Serve()
			c.BooksHold(8)
			c.Gateway.Stop(20 * time.Second)

			loseStore(c, empty)
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
			c.Run()
			c.Gateway.Find(`the store is not as it was left.*8 windows of 2 streams`)
			harness.Await(t, 10*time.Second, "readiness to say so", func() bool {
				_, hints := c.Ready()
				return strings.Contains(hints["store"], "missing in the store") && len(hints) == 1
			})
			c.Gateway.Stop(20 * time.Second)
			if code, out := harness.Verb(t, "ledger", "recover", "-c",
				filepath.Join(c.Dir, "gateway.yaml")); code != 0 ||
				!strings.Contains(out, "8 windows that were released are not in the store any more") {
				t.Fatalf("recover: %d\n%s", code, out)
			}
			c.Run()
			c.Serve()
			c.Link.Close()
			c.Connect()
			c.Crowd(4, 40)
			c.Tick(harness.Ten.Add(6 * time.Hour)) // it goes on
			c.Stored()
			harness.Await(t, 20*time.Second, "everything to add up", func() bool {
				code, out := harness.Verb(t, "verify", c.Opendata)
				return code == 0 && strings.Contains(out, "8 released windows are not shown: the store has lost them")
			})
			if code, out := harness.Stranger(t, c.Opendata); code != 0 || !strings.Contains(out, "everything adds up") {
				t.Errorf("a stranger's program: %d\n%s", code, out)
			}
			c.BecomesReady()
		})
	}
}

func loseStore(c *harness.City, empty bool) {
	c.T.Helper()
	path := filepath.Join(c.Dir, "state", "store.db")
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !os.IsNotExist(err) {
			c.T.Fatal(err)
		}
	}
	if empty {
		harness.Write(c.T, path, "")
	}
}

// TestNoStore: what is no database is refused with 3 and its name.
func TestNoStore(t *testing.T) {
	t.Parallel()
	c, state := harness.Lived(t)
	path := filepath.Join(state, "store.db")
	harness.Alter(t, path, func([]byte) []byte { return []byte(strings.Repeat("no database ", 1000)) })
	for _, suffix := range []string{"-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil {
			t.Fatal(err)
		}
	}
	if code, out := harness.Verb(t, "gateway", "-c", filepath.Join(c.Dir, "gateway.yaml")); code != 3 ||
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
			harness.Remove(t, path)
			harness.Remove(t, path+"-wal")
			harness.Remove(t, path+"-shm")
		},
		"cut":         func(t *testing.T, path string) { truncate(t, path, 0); truncate(t, path+"-wal", 0) },
		"cut to half": func(t *testing.T, path string) { truncate(t, path, 2); truncate(t, path+"-wal", 0) },
		"no database": func(t *testing.T, path string) {
			harness.Alter(t, path, func(b []byte) []byte { clear(b); return b })
			truncate(t, path+"-wal", 0)
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			c, state := harness.Lived(t)
			path := filepath.Join(state, "store.db")
			open := harness.Start(t, harness.Sluice, "opendata", "-c", filepath.Join(c.Dir, "opendata.yaml"))
			c.Opendata = open.Find(`http=(http://\S+)`)[1]
			if n := len(c.Items("gates", harness.Ten, harness.Ten.Add(4*time.Hour))); n != 8 {
				t.Fatalf("%d numbers are shown; want 8", n)
			}
			backup := t.TempDir()
			for _, suffix := range []string{"", "-wal"} {
				harness.Write(t, filepath.Join(backup, "store.db"+suffix), harness.Read(t, path+suffix))
			}
			c.Run() // the gateway has it open, too
			harm(t, path)
			ask := func() (int, string) {
				status, _, body := harness.Get(t,
					fmt.Sprintf("%s/api/v1/streams/gates/observations?from=%s&limit=%d", c.Opendata,
						harness.Ten.Format(time.RFC3339), 1+time.Now().UnixNano()%900))
				return status, string(body)
			}
			harness.Await(t, 30*time.Second, "an answer that says so", func() bool {
				status, body := ask()
				return status == http.StatusServiceUnavailable && strings.Contains(body, "problems/unavailable") &&
					strings.Contains(body, "in its log")
			})
			open.Find(`the store cannot be read: ` + path + `; put a backup`)
			harness.Await(t, 10*time.Second, "readiness to say so", func() bool {
				status, _, body := harness.Get(t, c.Opendata+"/readyz") // what it asked a moment ago it may say again
				if strings.Contains(string(body), path) {
					t.Errorf("readiness is %d %s", status, body)
				}
				return status == http.StatusServiceUnavailable
			})
			c.Link.Close()
			c.Connect()
			c.Crowd(4, 40)
			c.Tick(harness.Ten.Add(5*time.Hour + 3*time.Minute)) // the gateway goes on
			if _, hints := c.Ready(); what == "removed" &&
				!strings.Contains(hints["store"], "was removed, or another one has its name") {
				t.Errorf("the gateway says nothing of its store: %v", hints)
			}
			if c.Gateway.Ended() {
				t.Error("the gateway has ended")
			} else if code := c.Gateway.Stop(20 * time.Second); code != 0 {
				t.Errorf("the gateway ends with %d", code)
			}
			for _, suffix := range []string{"", "-wal", "-shm"} {
				harness.RemoveAll(t, path+suffix)
			}
			for _, suffix := range []string{"", "-wal"} {
				harness.Write(t, path+suffix, harness.Read(t, filepath.Join(backup, "store.db"+suffix)))
			}
			c.Run()
			c.Stored()
			harness.Await(t, 30*time.Second, "all of it to be shown again", func() bool {
				return len(c.Items("gates", harness.Ten, harness.Ten.Add(5*time.Hour))) == 10
			})
			c.BooksHold(10)
			if open.Ended() {
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
	db, bucket := harness.SharedInflux(t)
	c := harness.Found(t, harness.Small())
	c.Begin()
	for h := range 5 {
		at := harness.Ten.Add(time.Duration(h) * time.Hour)
		c.Send("gate-1", harness.Gate(h, at, h))
		c.Tick(at.Add(time.Hour + 2*time.Minute))
	}
	c.Stored()
	// What is in SQLite goes into InfluxDB as the forwarder would bring it.
	from, err := sqlite.OpenReader(filepath.Join(c.Dir, "state/store.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := influx.Open(influx.Config{URL: db, Org: "city", Bucket: bucket})
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	for _, stream := range []string{"gates", "devices"} {
		list, err := from.Observations(context.Background(),
			store.Query{Stream: stream, From: harness.Ten.Add(-time.Hour), To: harness.Ten.Add(24 * time.Hour),
				Limit: 1000})
		if err != nil || len(list) == 0 {
			t.Fatalf("%d observations, %v", len(list), err)
		}
		if err := to.Write(context.Background(), list); err != nil {
			t.Fatal(err)
		}
	}
	harness.Await(t, 20*time.Second, "the books to be written", func() bool {
		_, err := os.Stat(filepath.Join(c.Dir, "state/public/streams.json"))
		return err == nil
	})
	mirror := httptest.NewServer(http.FileServer(http.Dir(filepath.Join(c.Dir, "state/public"))))
	defer mirror.Close()
	harness.Write(t, filepath.Join(c.Dir, "other.yaml"),
		fmt.Sprintf("http: 127.0.0.1:0\nbooks: %s\nstore: {influx: {url: %q, org: city, bucket: %s}}\n",
			mirror.URL, db, bucket))
	other := harness.Start(t, harness.Sluice, "opendata", "-c",
		filepath.Join(c.Dir, "other.yaml")).Find(`http=(http://\S+)`)[1]
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
			s1, h1, b1 := harness.Get(t, c.Opendata+next)
			s2, h2, b2 := harness.Get(t, other+next)
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
