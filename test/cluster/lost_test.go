package cluster

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/books"
	"sluice/test/harness"
)

// shows starts open data over the copies of some of those that release, and returns its address.
func (w *town) shows(halls ...string) string {
	w.t.Helper()
	text := "http: 127.0.0.1:0\nurl: https://data.town.example\n"
	at := func(name string) (string, string) {
		dir := filepath.Join(w.machines[name].Dir, "state")
		return filepath.Join(dir, "public"), fmt.Sprintf("store: {sqlite: {path: %q}}", filepath.Join(dir, "store.db"))
	}
	if len(halls) == 1 {
		books, store := at(halls[0])
		text += fmt.Sprintf("books: %q\n%s\n", books, store)
	} else {
		text += "books:\n"
		for _, name := range halls {
			books, store := at(name)
			text += fmt.Sprintf("  - {books: %q, %s}\n", books, store)
		}
	}
	file := filepath.Join(w.t.TempDir(), "opendata.yaml")
	harness.Write(w.t, file, text)
	return harness.Start(w.t, harness.Sluice, "opendata", "-c", file).Find(`http=(http://\S+)`)[1]
}

// residents ask again and again for what is newest, and listen, until they leave.
type residents struct {
	t    *testing.T
	base string
	stop context.CancelFunc
	all  sync.WaitGroup

	mu      sync.Mutex
	closed  time.Time     // as far as they have seen it; guarded by mu
	items   int           // numbers that they have seen at once; guarded by mu
	older   []string      // what they were told after something newer; guarded by mu
	without time.Duration // the longest time in which they got no answer; guarded by mu
	ids     []string      // of the events; guarded by mu
}

func come(t *testing.T, base string) *residents {
	ctx, stop := context.WithCancel(t.Context())
	r := &residents{t: t, base: base, stop: stop}
	r.all.Go(func() { r.ask(ctx) })
	r.all.Go(func() { r.listen(ctx) })
	t.Cleanup(r.leave)
	return r
}

func (r *residents) leave() {
	r.stop()
	r.all.Wait()
}

func get(ctx context.Context, url string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	return http.DefaultClient.Do(req)
}

func (r *residents) ask(ctx context.Context) {
	path := fmt.Sprintf("/api/v1/streams/gates/observations?limit=1000&from=%s&to=%s", ten.Format(time.RFC3339),
		ten.Add(24*time.Hour).Format(time.RFC3339))
	answered := time.Now()
	for ctx.Err() == nil {
		var streams struct {
			Streams []struct {
				ID    string
				Until time.Time `json:"closed_until"`
			}
		}
		var rows struct{ Items []harness.Item }
		ok := r.read(ctx, "/api/v1/streams", &streams) && r.read(ctx, path, &rows)
		r.mu.Lock()
		if !ok {
			r.without = max(r.without, time.Since(answered))
		} else {
			answered = time.Now()
			for _, s := range streams.Streams {
				if s.ID != "gates" {
					continue
				}
				if s.Until.Before(r.closed) {
					r.older = append(r.older, fmt.Sprintf("closed until %s after %s", s.Until, r.closed))
				}
				r.closed = s.Until
			}
			if len(rows.Items) < r.items {
				r.older = append(r.older, fmt.Sprintf("%d numbers after %d", len(rows.Items), r.items))
			}
			r.items = len(rows.Items)
		}
		r.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (r *residents) read(ctx context.Context, path string, v any) bool {
	resp, err := get(ctx, r.base+path)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	return err == nil && resp.StatusCode == http.StatusOK && json.Unmarshal(raw, v) == nil
}

func (r *residents) listen(ctx context.Context) {
	resp, err := get(ctx, r.base+"/api/v1/live?after=0")
	if err != nil {
		return // no id is missed by the story then
	}
	defer resp.Body.Close()
	id := ""
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if text, ok := strings.CutPrefix(lines.Text(), "id: "); ok {
			id = text
		}
		if lines.Text() == "event: window" {
			r.mu.Lock()
			r.ids = append(r.ids, id)
			r.mu.Unlock()
		}
	}
}

// heard waits until so many windows came as events, each once and in order.
func (r *residents) heard(windows int) {
	r.t.Helper()
	var ids string
	harness.Await(r.t, time.Minute, fmt.Sprintf("events of %d windows", windows), func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		ids = strings.Join(r.ids, " ")
		return len(r.ids) >= windows
	})
	want := ""
	for n := range windows {
		want = strings.TrimSpace(fmt.Sprint(want, " ", n+1))
	}
	if ids != want {
		r.t.Errorf("the events' ids are %s", ids)
	}
}

// routes are what residents and programs ask for.
var routes = []string{"/", "/streams/gates", "/streams/devices", "/sensors", "/privacy", "/search?q=gates",
	"/decisions/1", "/streams/gates?span=week&lang=ca", "/api/v1/streams", "/api/v1/sensors",
	"/api/v1/zones", "/api/v1/ledger",
	"/api/v1/latest", "/v1.1/Datastreams", "/v1.1/Observations?$top=100&$count=true", "/archive/manifest.json",
	"/catalog.jsonld", "/openapi.json", "/feed/streams/gates.atom", "/feed/streams/devices.json",
	"/embed/streams/gates", "/books/city.json", "/books/ledger.jsonl", "/books/releases.jsonl", "/books/gateways.json",
	"/books/streams.json", "/books/zones.geojson", "/books/gaps.jsonl"}

// taken are those that have the moment at which a machine took the motion.
var taken = []string{"/decisions", "/decisions/2", "/api/v1/decisions", "/books/decisions.json", "/feed/city.atom",
	"/news"}

// alike compares what two servers answer, with the headers that caches go by.
func alike(t *testing.T, one, other string, paths []string) {
	t.Helper()
	answer := func(base, path string) string {
		status, h, body := harness.Get(t, base+path)
		return fmt.Sprint(status, h["Etag"], h["Link"], h["Cache-Control"], h["Content-Type"], "\n", string(body))
	}
	for _, path := range paths {
		var a, b string
		for range 20 { // either may be told of the last hour a moment later
			if a, b = answer(one, path), answer(other, path); a == b {
				break
			}
			time.Sleep(250 * time.Millisecond)
		}
		if a != b {
			t.Errorf("%s: one has\n%.1500s\nand the other\n%.1500s", path, a, b)
		}
	}
}

// TestTheHallIsLost: two machines release, and residents read what either has. One is killed and its
// directory is gone: the numbers go on from the other, residents are never told less than before, and
// whoever listens misses nothing and hears nothing twice.
func TestTheHallIsLost(t *testing.T) {
	t.Parallel()
	w := newTown(t, "street: front", "count: worker", "hall-1: releaser", "hall-2: releaser")
	w.begin()
	w.versions(1)
	harness.NoError(t, w.links[0].Tick(harness.ClockTopic, ten))
	for h := range 3 {
		hour(t, w.links, h)
	}
	w.holds(6)
	both := w.shows("hall-1", "hall-2")
	second := w.shows("hall-2")
	alike(t, both, w.shows("hall-1"), routes)
	alike(t, both, second, routes)
	first := make(map[string]string)
	for _, path := range taken {
		_, _, body := harness.Get(t, both+path)
		first[path] = string(body)
	}
	r := come(t, both)
	r.heard(6)
	lost := w.machines["hall-1"]
	lost.Gateway.Kill()
	harness.RemoveAll(t, filepath.Join(lost.Dir, "state"))
	harness.Await(t, time.Minute, "the server to say what is lost", func() bool {
		_, _, body := harness.Get(t, both+"/readyz")
		return strings.Contains(string(body), "cannot be read: there is no city.json")
	})
	for _, path := range taken {
		if _, _, body := harness.Get(t, both+path); string(body) != first[path] {
			t.Errorf("%s was\n%.1500s\nand is\n%.1500s", path, first[path], body)
		}
	}
	for h := 3; h < 6; h++ {
		hour(t, w.links, h)
	}
	w.halls = []string{"hall-2"}
	w.holds(windows)
	r.heard(windows)
	harness.Await(t, time.Minute, "residents to have all", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.closed.Equal(ten.Add(6 * time.Hour))
	})
	r.leave()
	if len(r.older) > 0 || r.without > 5*time.Second {
		t.Errorf("without an answer for %s; older were %q", r.without, r.older)
	}
	alike(t, both, second, slices.DeleteFunc(slices.Clone(routes), func(path string) bool {
		return strings.HasPrefix(path, "/archive/") // each makes the latest files again in its own time
	}))
}

// TestHallsThatContradict: where two copies of the books have different lines of one number, no number
// from there on is shown, and the server says so.
func TestHallsThatContradict(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, harness.Small())
	c.Begin()
	c.Hours(0, 2)
	w := &town{t: t, machines: map[string]*harness.City{"hall-1": c, "hall-2": {Dir: t.TempDir()}}}
	other := filepath.Join(w.machines["hall-2"].Dir, "state")
	harness.NoError(t, os.CopyFS(other, os.DirFS(filepath.Join(c.Dir, "state"))))
	base := w.shows("hall-1", "hall-2")
	name := filepath.Join(other, "public/releases.jsonl")
	lines := strings.SplitAfter(strings.TrimSpace(harness.Read(t, name)), "\n")
	last := len(lines) - 1
	var of books.Released
	harness.Unmarshal(t, []byte(lines[last]), &of)
	numbers := func() int {
		var now struct{ Items []harness.Item }
		harness.GetJSON(t, fmt.Sprintf("%s/api/v1/streams/%s/observations?limit=1000&from=%s&to=%s", base, of.Stream,
			of.Start.Add(-time.Hour).Format(time.RFC3339), of.End.Format(time.RFC3339)), &now)
		return len(now.Items)
	}
	before := numbers()
	lines[last] = strings.Replace(lines[last], `"rows":`, `"rows":1`, 1) + "\n"
	harness.Write(t, name, strings.Join(lines, ""))
	said := fmt.Sprintf("contradict each other in line %d of releases.jsonl", last+1)
	harness.Await(t, time.Minute, "the server to say "+said, func() bool {
		_, _, body := harness.Get(t, base+"/readyz")
		return strings.Contains(string(body), said)
	})
	harness.Await(t, time.Minute, "the hour in doubt to be hidden, and no other", func() bool {
		return numbers() == before/2
	})
}
