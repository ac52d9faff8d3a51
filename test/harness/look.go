package harness

import (
	"bufio"
	"bytes"
	"database/sql"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/store/sqlite"
)

// Deref prints items with their values, for comparing.
func Deref(list []Item) (out []string) {
	for _, i := range list {
		v := "-"
		if i.Value != nil {
			v = fmt.Sprint(*i.Value)
		}
		out = append(out, fmt.Sprint(i.Start, i.Cell, i.Measure, i.Status, v))
	}
	return out
}

// BooksHold waits until the public books hold so many windows, and verifies them.
func (c *City) BooksHold(windows int) {
	c.T.Helper()
	Await(c.T, 30*time.Second, fmt.Sprintf("the books to hold %d windows and add up", windows), func() bool {
		code, out := Verb(c.T, "verify", c.Opendata)
		return code == 0 && strings.Contains(out, fmt.Sprintf(", %d released windows, ", windows))
	})
}

// Counted insists on an exact number in the hour of ten, and on the account.
func (c *City) Counted(want float64) {
	c.T.Helper()
	c.Tick(Ten.Add(2 * time.Hour))
	c.At(Ten.Add(2 * time.Hour))
	c.Stored()
	if got := Value(c.T, c.Items("gates", Ten, Ten.Add(time.Hour)), Ten, "passed"); got != want {
		c.T.Errorf("passed is %v; want %v", got, want)
	}
	c.Adds()
}

// Adds insists that received = counted + duplicate + late + refused + open.
func (c *City) Adds() {
	c.T.Helper()
	var sum, received float64 // of one page: the next is of another moment
	for line := range strings.Lines(c.Metrics()) {
		if strings.HasPrefix(line, "sluice_received_total ") {
			if _, err := fmt.Sscan(line[strings.LastIndexByte(line, ' ')+1:], &received); err != nil {
				c.T.Fatal(err)
			}
		}
		if strings.HasPrefix(line, "sluice_readings_total{") || strings.HasPrefix(line, "sluice_readings_open ") {
			var v float64
			if _, err := fmt.Sscan(line[strings.LastIndexByte(line, ' ')+1:], &v); err != nil {
				c.T.Fatal(err)
			}
			sum += v
		}
	}
	if received != sum {
		c.T.Errorf("%v readings were received and %v accounted for", received, sum)
	}
}

// Metrics is the gateway's page of metrics; for a moment of its start there is none.
func (c *City) Metrics() string {
	c.T.Helper()
	var page []byte
	Await(c.T, 60*time.Second, "a page of metrics", func() bool {
		status, _, body := Get(c.T, c.Admin+"/metrics")
		page = body
		return status == http.StatusOK
	})
	return string(page)
}

// Received waits until the gateway has received so many messages.
func (c *City) Received(n float64) {
	c.T.Helper()
	Await(c.T, 60*time.Second, fmt.Sprintf("%v readings to be received", n), func() bool {
		return c.Metric("sluice_received_total") >= n
	})
}

// BrokerUp waits until the gateway says that the broker is there, or not.
func (c *City) BrokerUp(up bool) {
	c.T.Helper()
	Await(c.T, 60*time.Second, fmt.Sprintf("the broker to be up: %v", up), func() bool {
		said, known := c.readyz().Checks["broker"] // for a moment of its start a gateway says nothing
		return known && said.OK == up
	})
}

// SaysDiskFull waits until the gateway does.
func (c *City) SaysDiskFull() {
	c.T.Helper()
	Await(c.T, 20*time.Second, "the disk to be full", func() bool {
		_, hints := c.Ready()
		return strings.Contains(hints["disk"], "cannot be written")
	})
}

// Item is one observation as the interface shows it.
type Item struct {
	Start, End            time.Time
	Cell, Measure, Status string
	Value, Low, High      *float64
	Scale, Threshold      float64
	Epsilon               float64
	Reason                string
	Simulation            bool
}

// Items reads all pages of a stream between two instants.
func (c *City) Items(stream string, from, to time.Time) []Item {
	c.T.Helper()
	return ReadAll(c.T, c.Opendata, fmt.Sprintf("/api/v1/streams/%s/observations?limit=1000&from=%s&to=%s",
		stream, from.Format(time.RFC3339), to.Format(time.RFC3339)))
}

// Some are items, of which there must be any: for loops that look at each.
func (c *City) Some(stream string, from, to time.Time) []Item {
	c.T.Helper()
	list := c.Items(stream, from, to)
	if len(list) == 0 {
		c.T.Errorf("%s has nothing from %s to %s", stream, from, to)
	}
	return list
}

// ReadAll reads a list, page by page.
func ReadAll(t *testing.T, base, next string) []Item {
	t.Helper()
	var all []Item
	for next != "" {
		var page struct {
			Items []Item
			Next  *string
		}
		var body []byte
		Await(t, Patience, "an answer: the open data may not have read the books yet", func() bool {
			status, _, raw := Get(t, base+next)
			if status >= 400 && status != http.StatusNotFound && status != http.StatusServiceUnavailable {
				t.Fatalf("GET %s: %d %s", base+next, status, raw)
			}
			body = raw
			return status == http.StatusOK
		})
		Unmarshal(t, body, &page)
		all = append(all, page.Items...)
		next = ""
		if page.Next != nil {
			next = *page.Next
		}
	}
	return all
}

// FirstHour is what a stream's first hour, from Ten on, has as a measure.
func (c *City) FirstHour(stream, measure string) float64 {
	c.T.Helper()
	return Value(c.T, c.Items(stream, Ten, Ten.Add(time.Hour)), Ten, measure)
}

// Stored waits until every released window is in the store and has its line in the
// books: then it is shown.
func (c *City) Stored() {
	c.T.Helper()
	Await(c.T, 60*time.Second, "the outbox to be empty", func() bool { return c.Metric("sluice_outbox_rows") == 0 })
	db, err := sql.Open("sqlite", sqlite.DSN(filepath.Join(c.Dir, "state/ledger.db"), true))
	if err != nil {
		c.T.Fatal(err)
	}
	defer db.Close()
	Await(c.T, 60*time.Second, "the books to have every line", func() bool {
		var lines int
		raw, err := os.ReadFile(filepath.Join(c.Dir, "state/public/releases.jsonl"))
		return db.QueryRow("SELECT count(*) FROM released").Scan(&lines) == nil &&
			bytes.Count(raw, []byte("\n")) >= lines && (err == nil || lines == 0)
	})
	time.Sleep(50 * time.Millisecond) // what the open data knows of the books may be older
}

// Metric reads one number from the gateway's metrics.
func (c *City) Metric(name string) float64 {
	c.T.Helper()
	for s := bufio.NewScanner(strings.NewReader(c.Metrics())); s.Scan(); {
		if rest, ok := strings.CutPrefix(s.Text(), name+" "); ok {
			var v float64
			if _, err := fmt.Sscan(rest, &v); err != nil {
				c.T.Fatal(err)
			}
			return v
		}
	}
	return 0
}

// NamesNoHome looks through every file of the public books and every page and answer.
func (c *City) NamesNoHome(when string) {
	t := c.T
	t.Helper()
	look := func(where, text string) {
		for _, m := range marks {
			if i := strings.Index(text, m); i >= 0 {
				t.Errorf("%s: %s says %s", when, where, text[max(0, i-60):min(len(text), i+60)])
			}
		}
	}
	public := filepath.Join(c.Dir, "state", "public")
	paths := []string{"/", "/sensors", "/sensors?lang=ca", "/streams/power", "/streams/gates", "/privacy", "/decisions",
		"/decisions/4", "/about", "/catalog.jsonld", "/openapi.json", "/readyz", "/healthz",
		"/api/v1/sensors", "/api/v1/sensors?format=csv", "/api/v1/sensors?limit=1", "/api/v1/zones",
		"/api/v1/zones?format=csv", "/api/v1/streams", "/api/v1/decisions", "/api/v1/gaps", "/api/v1/ledger"}
	err := filepath.WalkDir(public, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		rel, _ := filepath.Rel(public, path)
		look(rel, string(raw))
		paths = append(paths, "/books/"+filepath.ToSlash(rel))
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		t.Error(err)
	}
	for _, path := range paths {
		_, _, body := Get(t, c.Opendata+path)
		look(path, string(body))
	}
	for i := range 5 {
		for _, path := range []string{"/sensors/meter-zq%d", "/sensors/meter-zq%d/notice",
			"/api/v1/sensors/meter-zq%d"} {
			if status, _, _ := Get(t, c.Opendata+fmt.Sprintf(path, i)); status != 404 {
				t.Errorf("%s: %s answers %d", when, fmt.Sprintf(path, i), status)
			}
		}
	}
	look("metrics", c.Metrics())
	text := strings.ReplaceAll(c.Gateway.Err.String()+c.Gateway.Out.String(), "home-metre", "") // a log may name a kind
	look("the gateway's log", text)
}

// Body is what the open data answer at a path.
func (c *City) Body(path string) []byte {
	c.T.Helper()
	_, _, body := Answer(c.T, c.Opendata+path)
	return body
}

// Ready reads /readyz.
func (c *City) Ready() (ok bool, hints map[string]string) {
	c.T.Helper()
	r := c.readyz()
	hints = map[string]string{}
	for name, check := range r.Checks {
		if !check.OK {
			hints[name] = check.Hint
		}
	}
	return r.Ready, hints
}

// readyz is what a gateway says of its parts.
type readyz struct {
	Ready  bool
	Checks map[string]struct {
		OK   bool
		Hint string
	}
}

func (c *City) readyz() (r readyz) {
	c.T.Helper()
	_, _, body := Get(c.T, c.Admin+"/readyz")
	Unmarshal(c.T, body, &r)
	return r
}

// BecomesReady waits until the gateway is ready: a start takes its time on a busy machine.
func (c *City) BecomesReady() {
	c.T.Helper()
	Await(c.T, 20*time.Second, "the gateway to be ready", func() bool { ok, _ := c.Ready(); return ok })
}

// Codes insists on how often each code was counted, and on the account.
func (c *City) Codes(want map[string]float64) {
	c.T.Helper()
	got := map[string]float64{}
	for _, m := range regexp.MustCompile(`sluice_readings_total\{code="(E\d+)",state="\w+"\} (\d+)`).
		FindAllStringSubmatch(c.Metrics(), -1) {
		var n float64
		if _, err := fmt.Sscan(m[2], &n); err != nil {
			c.T.Fatal(err)
		}
		got[m[1]] = n
	}
	for code, n := range got {
		if n != want[code] {
			c.T.Errorf("%s was counted %v times; want %v", code, n, want[code])
		}
	}
	for code, n := range want {
		if _, there := got[code]; !there {
			c.T.Errorf("%s was not counted; want %v times", code, n)
		}
	}
	c.Adds()
}

// Value finds one published value of an hour.
func Value(t *testing.T, list []Item, start time.Time, measure string) float64 {
	t.Helper()
	for _, i := range list {
		if i.Start.Equal(start) && i.Measure == measure {
			if i.Value == nil {
				t.Fatalf("%s at %s is %s", measure, start, i.Status)
			}
			return *i.Value
		}
	}
	t.Fatalf("%s at %s is not there", measure, start)
	return 0
}

// Version is the number of the policy version in force.
func (c *City) Version() float64 { return c.Metric("sluice_policy_version") }
