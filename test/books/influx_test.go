package books

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/books"
	"sluice/store"
	"sluice/store/influx"
	"sluice/store/sqlite"
	"sluice/test/fenced"
	"sluice/test/harness"
)

// moody is an InfluxDB behind a proxy with moods.
type moody struct {
	*httptest.Server
	mu   sync.Mutex
	mood string // guarded by mu
	met  map[string]int
}

func newMoody(t *testing.T, db string) *moody {
	t.Helper()
	to, err := url.Parse(db)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.ErrorLog = log.New(io.Discard, "", 0) // it is killed on purpose
	m := &moody{met: map[string]int{}}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mood := ""
		if strings.HasSuffix(r.URL.Path, "/write") {
			mood = m.now()
		}
		switch mood {
		case "refuse":
			http.Error(w, `{"code":"unavailable","message":"busy"}`, http.StatusServiceUnavailable)
		case "slow":
			select {
			case <-r.Context().Done():
			case <-time.After(12 * time.Second):
			}
		case "partial":
			// Half of the lines are written; the answer says that some were refused.
			body, _ := io.ReadAll(r.Body)
			lines := bytes.SplitAfter(body, []byte("\n"))
			half := bytes.Join(lines[:len(lines)/2], nil)
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(half)), int64(len(half))
			proxy.ServeHTTP(httptest.NewRecorder(), r)
			http.Error(w, `{"code":"invalid","message":"partial write: points beyond retention policy dropped=1"}`,
				http.StatusBadRequest)
		case "picky":
			// One point of the hour of eleven is refused, and all that comes with it.
			body, _ := io.ReadAll(r.Body)
			at := fmt.Appendf(nil, " %d\n", harness.Ten.Add(time.Hour).UnixNano())
			for line := range bytes.Lines(body) {
				if bytes.Contains(line, []byte("measure=passed")) && bytes.HasSuffix(line, at) {
					http.Error(w, `{"code":"invalid","message":"field type conflict"}`, http.StatusBadRequest)
					return
				}
			}
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			proxy.ServeHTTP(w, r)
		case "cut":
			// All is written, and the answer is lost.
			proxy.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		default:
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(m.Close)
	return m
}

func (m *moody) now() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.met[m.mood]++
	return m.mood
}

func (m *moody) feel(mood string) { m.mu.Lock(); defer m.mu.Unlock(); m.mood = mood }

func (m *moody) felt(mood string) int { m.mu.Lock(); defer m.mu.Unlock(); return m.met[mood] }

// TestInfluxInEveryMood closes windows while InfluxDB refuses, hangs, writes a
// part, loses its answer and is killed. Each release is there once, as the
// journal has it.
func TestInfluxInEveryMood(t *testing.T) {
	t.Parallel()
	db := harness.NewInflux(t)
	proxy := newMoody(t, db.Url)
	c := harness.Found(t, harness.Small())
	c.KeepIn(proxy.URL)
	c.Begin()
	moods := []string{"", "refuse", "partial", "cut", "slow", "killed", ""}
	for n, mood := range moods {
		if mood == "killed" {
			proxy.feel("")
			db.P.Kill()
		} else {
			proxy.feel(mood)
		}
		at := harness.Ten.Add(time.Duration(n) * time.Hour)
		c.Send("gate-1", harness.Gate(n, at, n+1))
		for i := range 20 {
			c.Send("wifi-1",
				fmt.Sprintf(`{"ts":%q,"seq":%d,"fields":{"device":"02:00:5e:60:%02x:%02x","rssi":-50}}`,
					at.Format(time.RFC3339), 100*n+i, n, i))
		}
		c.Tick(at.Add(time.Hour + 2*time.Minute)) // the window closes although the store is away
		switch mood {
		case "":
		case "killed":
			harness.Await(t, 30*time.Second, "the store to be away", func() bool {
				_, hints := c.Ready()
				return hints["store"] != ""
			})
			harness.Await(t, 30*time.Second, "open data without its store to be unready", func() bool {
				status, _, _ := harness.Get(t, c.Opendata+"/readyz") // what it asked a moment ago it may say again
				return status == http.StatusServiceUnavailable
			})
			if status, _, body := harness.Get(t,
				c.Opendata+"/api/v1/streams/gates/observations"); status != http.StatusServiceUnavailable ||
				!strings.Contains(string(body), "problems/unavailable") {
				t.Errorf("open data without its store says %d %s", status, body)
			}
			db.Start()
		default:
			harness.Await(t, 30*time.Second, "InfluxDB to be "+mood, func() bool { return proxy.felt(mood) > 1 })
			harness.Await(t, 30*time.Second, "readyz to say that the store is "+mood, func() bool {
				_, hints := c.Ready()
				return hints["store"] != ""
			})
			proxy.feel("")
		}
		c.Stored()
	}
	list := c.Items("gates", harness.Ten, harness.Ten.Add(time.Duration(len(moods))*time.Hour))
	if len(list) != 2*len(moods) {
		t.Errorf("%d observations; want %d", len(list), 2*len(moods))
	}
	for n := range moods {
		if got := harness.Value(t, list, harness.Ten.Add(time.Duration(n)*time.Hour), "passed"); got != float64(n+1) {
			t.Errorf("hour %d has %v; want %d", n, got, n+1)
		}
	}
	asTheJournal(c, proxy.URL, "city/autogen", 10)
	c.BecomesReady()
}

// TestTheStoreRefusesOne: one number that the store refuses for good holds up no other.
// It is set aside, which is said everywhere, and sent again when the store is mended.
func TestTheStoreRefusesOne(t *testing.T) {
	t.Parallel()
	db, bucket := harness.SharedInflux(t)
	proxy := newMoody(t, db)
	c := harness.Found(t, harness.Small())
	c.KeepAt(proxy.URL, bucket)
	c.Begin()
	proxy.feel("picky")
	const hours = 4
	for n := range hours {
		at := harness.Ten.Add(time.Duration(n) * time.Hour)
		c.Send("gate-1", harness.Gate(n, at, n+1))
		c.Tick(at.Add(time.Hour + 2*time.Minute))
	}
	c.Stored()
	c.Gateway.Find(`the store refuses released numbers for good; they are set aside.*numbers=1 windows=1`)
	harness.Await(t, 20*time.Second, "readiness to say so", func() bool {
		_, hints := c.Ready()
		return strings.Contains(hints["store"], "the store has refused 1 released number of 1 window for good") &&
			strings.Contains(hints["store"], "ledger aside")
	})
	if got := c.Metric("sluice_store_refused_rows"); got != 1 {
		t.Errorf("the metrics have %v", got)
	}
	config := filepath.Join(c.Dir, "gateway.yaml")
	if code, out := harness.Verb(t, "ledger", "aside", "-c", config); code != 0 ||
		!strings.Contains(out, "gates   "+harness.Ten.Add(time.Hour).Format(time.RFC3339)+"  1") ||
		!strings.Contains(out, "influx answers 400") {
		t.Errorf("ledger aside: %d\n%s", code, out)
	}
	list := c.Items("gates", harness.Ten, harness.Ten.Add(hours*time.Hour))
	for n := range hours {
		if n == 1 {
			continue
		}
		if got := harness.Value(t, list, harness.Ten.Add(time.Duration(n)*time.Hour), "passed"); got != float64(n+1) {
			t.Errorf("hour %d has %v; want %d", n, got, n+1)
		}
	}
	c.Gateway.Kill() // it is known over a restart
	c.Run()
	c.Link.Close()
	c.Connect()
	proxy.feel("")
	if code, out := harness.Verb(t, "ledger", "aside", "-c", config, "--send"); code != 0 ||
		!strings.Contains(out, "1 number is sent again") {
		t.Errorf("ledger aside --send: %d\n%s", code, out)
	}
	c.Stored()
	if got := harness.Value(t, c.Items("gates", harness.Ten, harness.Ten.Add(hours*time.Hour)),
		harness.Ten.Add(time.Hour), "passed"); got != 2 {
		t.Errorf("when it was sent again the hour has %v; want 2", got)
	}
	asTheJournal(c, proxy.URL, bucket, 2*hours)
	if code, out := harness.Verb(t, "ledger", "aside", "-c", config); code != 0 ||
		!strings.Contains(out, "refused nothing") {
		t.Errorf("ledger aside: %d\n%s", code, out)
	}
	harness.Await(t, 20*time.Second, "readiness", func() bool { ok, _ := c.Ready(); return ok })
}

// asTheJournal reads every window back from InfluxDB and compares its bytes with
// the digest in the journal, of so many at least.
func asTheJournal(c *harness.City, influxURL, bucket string, least int) {
	t := c.T
	db, err := sql.Open("sqlite", sqlite.DSN(filepath.Join(c.Dir, "state/ledger.db"), true))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	reader, err := influx.Open(influx.Config{URL: influxURL, Org: "city", Bucket: bucket})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	streams, err := books.Reader{Source: books.Dir(filepath.Join(c.Dir, "state/public"))}.Streams()
	if err != nil {
		t.Fatal(err)
	}
	rows, err := db.Query("SELECT stream, start, digest FROM journal")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	windows := 0
	for rows.Next() {
		var stream, digest string
		var start int64
		if err := rows.Scan(&stream, &start, &digest); err != nil {
			t.Fatal(err)
		}
		at := time.Unix(0, start)
		list, err := reader.Observations(context.Background(),
			store.Query{Stream: stream, From: at, To: at.Add(1), Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(asReleased(streams, stream, list))
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != digest {
			t.Errorf("%s at %s is not as the journal has it: %s", stream, at, raw)
		}
		windows++
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if windows < least {
		t.Errorf("%d windows are in the journal; want %d at least", windows, least)
	}
}

// asReleased sorts a window's observations as they were released: by the
// stream's cells, then its measures.
func asReleased(streams []books.Stream, id string, list []store.Observation) []store.Observation {
	var s books.Stream
	for _, x := range streams {
		if x.ID == id {
			s = x
		}
	}
	rank := func(o store.Observation) int {
		cell := slices.IndexFunc(s.Cells, func(c books.Cell) bool { return c.ID == o.Cell })
		return 100*cell + slices.IndexFunc(s.Measures, func(m books.Measure) bool { return m.Name == o.Measure })
	}
	slices.SortFunc(list, func(a, b store.Observation) int { return rank(a) - rank(b) })
	return list
}

// TestOutboxIsBounded keeps the store away until the outbox is full: then windows
// stay open, intake acknowledges nothing, and all of it goes on when the store is
// back.
func TestOutboxIsBounded(t *testing.T) {
	t.Parallel()
	db := harness.InfluxAway(t)
	c := harness.Found(t, harness.Small())
	c.KeepIn(db.Url)
	harness.AppendTo(t, filepath.Join(c.Dir, "gateway.yaml"), "outbox: {max_bytes: 8KiB}\n")
	c.Begin()
	const hours = 10
	go func() {
		for n := range hours {
			at := harness.Ten.Add(time.Duration(n) * time.Hour)
			c.Link.Publish("city/v1/acme/gate-1/up", []byte(harness.Gate(n, at, 1)), false)
			_ = c.Link.Tick(harness.ClockTopic, at.Add(time.Hour+2*time.Minute))
		}
	}()
	harness.Await(t, 30*time.Second, "the outbox to be full", func() bool {
		_, hints := c.Ready()
		return strings.Contains(hints["ledger"], "outbox is full")
	})
	if n := c.Metric("sluice_outbox_bytes"); n > 8<<10 {
		t.Errorf("%v bytes wait; want at most 8 KiB", n)
	}
	before := c.Metric("sluice_received_total")
	time.Sleep(time.Second)
	if after := c.Metric("sluice_received_total"); after != before || after == hours {
		t.Errorf("intake goes on: %v readings, then %v", before, after)
	}
	db.Start()
	c.At(harness.Ten.Add(hours*time.Hour + 2*time.Minute))
	c.Stored()
	list := c.Items("gates", harness.Ten, harness.Ten.Add(hours*time.Hour))
	for n := range hours {
		if got := harness.Value(t, list, harness.Ten.Add(time.Duration(n)*time.Hour), "passed"); got != 1 {
			t.Errorf("hour %d has %v; want 1", n, got)
		}
	}
	asTheJournal(c, db.Url, "city/autogen", 10)
}

// TestInfluxKept: how long a real InfluxDB keeps a bucket is asked of it.
func TestInfluxKept(t *testing.T) {
	db, bucket := harness.SharedInflux(t)
	city, _, _ := strings.Cut(bucket, "/")
	harness.QueryInflux(t, db,
		fenced.Take(t, "docs/operations.md", "CREATE RETENTION").Change(" ON sluice ", " ON "+city+" ").Read())
	for bucket, want := range map[string]time.Duration{city + "/autogen": 0, city + "/two_years": 17592 * time.Hour} {
		s, err := influx.Open(influx.Config{URL: db, Bucket: bucket})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if got, err := s.Kept(t.Context()); err != nil || got != want {
			t.Errorf("%s keeps for %s (%v); want %s", bucket, got, err, want)
		}
	}
	s, err := influx.Open(influx.Config{URL: db, Bucket: city + "/none"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Kept(t.Context()); err == nil {
		t.Error("of a bucket that is not there it says for how long")
	}
}
