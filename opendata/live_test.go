package opendata

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/test/raced"

	"sluice/store"
)

// TestLiveResumes: whoever comes again with the last id gets every window once, and its
// items as the API has them, however often listener and server begin anew.
func TestLiveResumes(t *testing.T) {
	raced.Also(t)
	for _, gateways := range []int{1, 3} {
		random := rand.New(rand.NewPCG(7, uint64(gateways)))
		q := newSquare(t, gateways)
		released := func() (n int) {
			for _, h := range q.hours {
				n += h
			}
			return n
		}
		const all = 60 // of each gateway fewer than a day has, so that none is missed
		q.open(Config{})
		last := "0"
		var got []string
		for len(got) < all && released() <= all {
			l := q.listen("?after=0", last) // the header counts
			for range 1 + random.IntN(6) {
				if n := random.IntN(gateways); released() < all {
					q.release(n)
				}
				if len(got) == released() {
					break
				}
				e := l.must()
				for _, item := range e.told(t).Items {
					got = append(got, string(item))
				}
			}
			last = l.last
			l.end()
			if random.IntN(4) == 0 {
				q.stop()
				if random.IntN(2) == 0 && released() < all {
					q.release(random.IntN(gateways))
				}
				q.open(Config{})
			}
		}
		want := items(t, q.base, "/api/v1/streams/noise/observations?from=2026-01-01&to=2027-01-01")
		if slices.Sort(got); len(want) != all || !slices.Equal(got, slices.Sorted(slices.Values(want))) {
			t.Errorf("%d gateways: it got %d windows of %d, or other items", gateways, len(got), len(want))
		}
		q.stop()
	}
}

// TestLiveBegins: without an id there is only what closes from now on; a comment says where
// that is.
func TestLiveBegins(t *testing.T) {
	q := newSquare(t, 1)
	q.release(0)
	q.open(Config{})
	defer q.stop()
	if e := q.listen("?after=0", "").must(); e.id != "1" { // it has been read by now
		t.Errorf("the first is %q", e)
	}
	l := q.listen("", "")
	if !l.lines.Scan() || l.lines.Text() != "retry: 2000" || !l.lines.Scan() || l.lines.Text() != "id: 1" {
		t.Errorf("it begins with %q", l.lines.Text())
	}
	q.release(0)
	if e := l.must(); e.id != "2" || e.told(t).Stream != "noise" {
		t.Errorf("then comes %q", e)
	}
}

// TestLiveOnlyWhatIsInTheBooks: a window comes when both its line and its rows are there,
// and one that somebody else has written never; what was withdrawn comes without its number.
func TestLiveOnlyWhatIsInTheBooks(t *testing.T) {
	q := newSquare(t, 1)
	q.open(Config{})
	defer q.stop()
	l := q.listen("?after=0", "") // the book may be read for the first time after the first release
	q.release(0)
	if e := l.must(); e.id != "1" {
		t.Fatalf("the first is %q", e)
	}
	line := q.rows(0)
	q.enter(0, line)
	time.AfterFunc(400*time.Millisecond, func() { q.write(line) }) // the store is later than the books
	if e := l.must(); e.id != "2" || len(e.told(t).Items) != 1 {
		t.Errorf("what came before its rows is %q", e)
	}
	q.write(q.rows(0)) // no line
	q.release(0)
	if e := l.must(); e.id != "3" || !e.told(t).Start.Equal(noon.Add(3*time.Hour)) {
		t.Errorf("after what has no line comes %q", e)
	}
	hidden := line[0].Withdraw("a sensor was broken")
	q.write([]store.Observation{hidden})
	time.Sleep(2100 * time.Millisecond) // an event is kept for two seconds
	if e := q.listen("", "1").must(); !strings.Contains(e.data, `"status":"withdrawn"`) ||
		!strings.Contains(e.data, `"value":null`) {
		t.Errorf("what was withdrawn comes as %q", e)
	}
}

// TestLiveRemoved: windows that were removed on time are not waited for.
func TestLiveRemoved(t *testing.T) {
	q := newSquare(t, 1)
	for range 5 {
		q.enter(0, q.rows(0))
	}
	line := fmt.Sprintf(`{"n":1,"at":"2026-07-03T00:00:00Z","gateway":"g","stream":"noise","retain":"P1D","until":%q}`+"\n",
		noon.Add(5*time.Hour).Format(time.RFC3339))
	if err := os.WriteFile(filepath.Join(string(q.dirs[0]), "removals.jsonl"), []byte(line), 0o644); err != nil {
		t.Fatal(err)
	}
	q.release(0)
	q.open(Config{})
	defer q.stop()
	begun := time.Now()
	if e := q.listen("?after=0", "").must(); e.id != "6" {
		t.Errorf("the first is %q", e)
	}
	if took := time.Since(begun); took > 25*time.Second { // ten for each would be fifty
		t.Errorf("it came after %s", took)
	}
}

// TestLiveGap: what ended more than a day ago does not come, but an event says where it is;
// the two together are everything.
func TestLiveGap(t *testing.T) {
	for _, gateways := range []int{1, 2} {
		q := newSquare(t, gateways)
		for h := range 40 {
			q.release(h % gateways)
			q.release(h % gateways)
		}
		q.open(Config{})
		l := q.listen("?stream=noise&after=0", "")
		got := make(map[string]bool)
		for len(got) < 80 {
			e := l.must()
			if e.kind != "gap" {
				for _, item := range e.told(t).Items {
					got[string(item)] = true
				}
				continue
			}
			var gap struct{ Rest []string }
			if err := json.Unmarshal([]byte(e.data), &gap); err != nil || len(gap.Rest) != 1 {
				t.Fatalf("%q: %v", e, err)
			}
			for _, item := range items(t, q.base, gap.Rest[0]) {
				got[item] = true
			}
		}
		q.stop()
	}
}

// TestLiveAnotherBook: where a book was replaced, listeners go, and their ids lead to a gap
// and to what comes then.
func TestLiveAnotherBook(t *testing.T) {
	q := newSquare(t, 1)
	q.open(Config{})
	defer q.stop()
	l := q.listen("?after=0", "") // the book may be read for the first time after the first release
	q.release(0)
	l.must()
	if err := q.dirs[0].Put("releases.jsonl", nil); err != nil {
		t.Fatal(err)
	}
	q.release(0)
	if e, ok := l.next(); ok {
		t.Fatalf("it stays, and gets %q", e)
	}
	l = q.listen("", "5000")
	if e := l.must(); e.kind != "gap" {
		t.Errorf("of another book it gets %q", e)
	}
	q.release(0)
	if e := l.must(); e.id != "2" {
		t.Errorf("then it gets %q", e)
	}
}

// TestLiveFilters: only what was asked for comes, and what is unknown is refused by its
// name.
func TestLiveFilters(t *testing.T) {
	q := newSquare(t, 2)
	q.release(0)
	q.release(1)
	q.open(Config{})
	defer q.stop()
	for query, want := range map[string][]string{
		"?stream=noise": {"a", "b"}, "?cell=b": {"b"}, "?cell=a&cell=b": {"a", "b"}, "?measure=level&cell=a": {"a"},
		"?stream=noise&measure=level&cell=b": {"b"},
	} {
		l := q.listen(query+"&after=0", "")
		var got []string
		for range want {
			var item struct{ Cell string }
			if err := json.Unmarshal(l.must().told(t).Items[0], &item); err != nil {
				t.Fatal(err)
			}
			got = append(got, item.Cell)
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("%s: it got %v", query, got)
		}
		l.end()
	}
	long := strings.Repeat("edge-1:1,", 400)
	for query, name := range map[string]string{
		"?stream=x9": "stream", "?cell=x9": "cell", "?measure=x9": "measure", "?bogus=1": "query", "?after=": "after",
		"?after=-1": "after", "?after=01": "after", "?after=1,2": "after", "?after=a:1,a:2": "after",
		"?after=x9": "after", "?after=a:": "after", "?after=9999999999999999999": "after",
		"?after=" + url.QueryEscape(long[:len(long)-1]): "after", "?stream=noise&stream=noise": "stream",
		"?stream=noise&cell=x9": "cell", "?after=1;2": "query",
	} {
		resp, body := fetch(t, q.base+"/api/v1/live"+query)
		if resp.StatusCode != http.StatusBadRequest || !strings.Contains(string(body), `"detail":"`+name+":") ||
			strings.Contains(string(body), "x9") {
			t.Errorf("%.80s: %d %s", query, resp.StatusCode, body)
		}
	}
	resp, err := http.Head(q.base + "/api/v1/live")
	if err != nil || resp.StatusCode != http.StatusOK || resp.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("HEAD is %v, %v", resp, err)
	}
	resp.Body.Close()
}

// TestLiveSeats: listeners are bounded, in all and of one address, and do not count among
// other connections.
func TestLiveSeats(t *testing.T) {
	q := newSquare(t, 1)
	q.release(0)
	for _, text := range []string{"live: {listeners: 2}", "connections: {per_address: 2}"} {
		q.open(configured(t, text))
		q.listen("", "")
		q.listen("", "")
		if resp, body := fetch(t, q.base+"/api/v1/live"); resp.StatusCode != http.StatusServiceUnavailable ||
			resp.Header.Get("Retry-After") == "" || !strings.Contains(string(body), "busy") {
			t.Errorf("%s: a third is %d %s", text, resp.StatusCode, body)
		}
		q.stop()
	}
	q.open(configured(t, "live: {listeners: 1}\nconnections: {per_address: 1}"))
	defer q.stop()
	first := q.listen("", "")
	for range 5 { // its connections are free for other questions
		if resp, _ := fetch(t, q.base+"/api/v1/latest"); resp.StatusCode != http.StatusOK {
			t.Errorf("beside listeners it is %d", resp.StatusCode)
		}
	}
	first.end()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		resp, err := http.Get(q.base + "/api/v1/live") //nolint:noctx // its headers are enough
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("who has left keeps its seat")
		}
	}
}

// configured reads opendata.yaml.
func configured(t *testing.T, text string) Config {
	t.Helper()
	path := filepath.Join(t.TempDir(), "opendata.yaml")
	if err := os.WriteFile(path, []byte("books: public\nstore: {sqlite: {path: p}}\n"+text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := ReadConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// TestLiveCrowd: a closed window reaches hundreds at once although others do not read, and
// the end of the server sends them away. The bound is ten times what make bench-http aims
// at.
func TestLiveCrowd(t *testing.T) {
	q := newSquare(t, 1)
	q.release(0)
	q.open(Config{})
	const crowd = 300
	var list []*listener
	for range crowd {
		list = append(list, q.listen("?after=1", ""))
	}
	begun := time.Now()
	q.release(0)
	for _, l := range list {
		if e := l.must(); e.id != "2" {
			t.Fatalf("one got %q", e)
		}
	}
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("a window took %s", took)
	}
	begun = time.Now()
	q.stop()
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("the end took %s", took)
	}
	for _, l := range list {
		if e, ok := l.next(); ok {
			t.Fatalf("after the end one got %q", e)
		}
	}
}

// TestLiveConfig: the bound on listeners is one that can be.
func TestLiveConfig(t *testing.T) {
	for n, ok := range map[int]bool{0: false, -1: false, 1: true, 100_000: true, 100_001: false} {
		cfg := Config{Books: Books{Places: Places{"x"}}, Store: Store{SQLite: &SQLite{"x"}}}
		cfg.Live.Listeners = &n
		if err := cfg.check(); (err == nil) != ok || err != nil && !strings.Contains(err.Error(), "live: listeners") {
			t.Errorf("%d: %v", n, err)
		}
	}
	if n := (&Config{}).listeners(); !reflect.DeepEqual(n, 5000) {
		t.Errorf("by default they are %d", n)
	}
}
