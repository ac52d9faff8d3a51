package opendata

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sluice/test/harness"
	"sluice/test/plaza"
)

// copies are several `sluice opendata` of one city behind a proxy that asks them in turn.
type copies struct {
	q     *plaza.Plaza
	bases []string
	mqtt  []string
	proxy string
}

// newCopies starts a proxy before servers that are to come.
func newCopies(q *plaza.Plaza) *copies {
	c := &copies{q: q}
	var turn atomic.Uint64
	p := httptest.NewServer(&httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
		to, err := url.Parse(c.bases[turn.Add(1)%uint64(len(c.bases))])
		if err != nil {
			panic(err)
		}
		r.SetURL(to)
	}})
	q.T.Cleanup(p.Close)
	c.proxy = p.URL
	return c
}

// start starts one more. The second one reads the books as copies of two machines: over there, and here.
func (c *copies) start() {
	t := c.q.T
	t.Helper()
	file, addr := filepath.Join(t.TempDir(), "opendata.yaml"), harness.FreeAddr(t)
	books := string(c.q.Books)
	if len(c.bases) == 1 {
		books = fmt.Sprintf("[{books: %q}, {books: %q}]", c.bases[0]+"/books", c.q.Books)
	}
	harness.Write(t, file, fmt.Sprintf("http: 127.0.0.1:0\nurl: https://data.portalba.example\nbooks: %s\nstore: %s\n"+
		"mqtt: {listen: %q}\n", books, c.q.Store, addr))
	p := harness.Start(t, harness.Sluice, "opendata", "-c", file)
	c.bases, c.mqtt = append(c.bases, p.Find(`http=(http://\S+)`)[1]), append(c.mqtt, addr)
}

// answer is what a copy says, with all headers that caches and clients go by.
func (c *copies) answer(n int, path, match string) (status int, etag, whole string) {
	c.q.T.Helper()
	header := http.Header{}
	if match != "" {
		header.Set("If-None-Match", match)
	}
	at := &plaza.Plaza{T: c.q.T, Base: c.bases[n]}
	resp, body := ask(at, http.MethodGet, path, header)
	h := resp.Header
	return resp.StatusCode, h.Get("ETag"), fmt.Sprint(resp.StatusCode, h["Link"], h["Cache-Control"], h["Content-Type"],
		h["Content-Language"], h["Content-Disposition"], h["Vary"], "\n", string(body), h["Etag"])
}

// differing returns what two copies say of a path, where it is not the same.
func (c *copies) differing(path string) (text string) {
	_, etag, first := c.answer(0, path, "")
	for n := 1; n < len(c.bases); n++ {
		if _, _, other := c.answer(n, path, ""); other != first {
			return fmt.Sprintf("copy %d differs at %s", n, firstDifference(first, other))
		}
		if status, _, _ := c.answer(n, path, etag); etag != "" && status != http.StatusNotModified {
			return fmt.Sprintf("copy %d does not know the first one's ETag", n)
		}
	}
	return ""
}

// TestCopies: several servers over the same books and store answer the same bytes, whenever
// each was started, and whoever goes from one to the next misses nothing.
func TestCopies(t *testing.T) {
	t.Parallel()
	plaza.InStores(t, func(t *testing.T, q *plaza.Plaza) {
		q.Stop()
		c := newCopies(q)
		q.Release(plaza.Dusk, plaza.Dusk.Add(2*time.Hour))
		for n := range 3 { // each has lived through another part of it
			c.start()
			for _, path := range append([]string{"/map", "/news"}, c.answers()...) {
				c.answer(n, path, "")
			}
			at := plaza.Dusk.Add(time.Duration(2+n) * time.Hour)
			q.Release(at, at.Add(time.Hour))
		}
		closeMarch(t, q)
		harness.Await(t, time.Minute, "all archives to be whole", func() bool {
			_, _, manifest := c.answer(0, "/archive/manifest.json", "")
			return strings.Contains(manifest, "2026.db") && c.differing("/archive/manifest.json") == ""
		})
		c.everything()
		c.pages()
		c.live()
		c.broadcast()
	})
}

// slow reports whether the store is InfluxDB, of which each page takes long.
func (c *copies) slow() bool { return strings.Contains(c.q.Store, "influx") }

// answers are those that all copies are asked for: of InfluxDB files and lists, since TestSameBytes holds
// each page over it against the one over SQLite.
func (c *copies) answers() []string {
	if !c.slow() {
		return everyAnswer
	}
	return slices.DeleteFunc(slices.Clone(everyAnswer), func(path string) bool {
		return !strings.HasPrefix(path, "/api/") && !strings.HasPrefix(path, "/v1.1") &&
			!strings.HasPrefix(path, "/books/") && !strings.Contains(path, "json")
	})
}

// beside is what no page leads to, or the search takes for no page.
var beside = []string{"/nothing", "/api/v1/nothing", "/sitemap.xml", "/archive/manifest.json",
	"/archive/datapackage.json", "/favicon.ico", "/decisions/1/decision.yaml", "/card.png", "/decisions/1/card.png",
	"/feed/city.atom",
	"/feed/streams/noise.json", "/feed/zones/a.atom", "/embed/streams/steps", "/embed/streams/noise?lang=ca&span=week",
	"/search?q=noise", "/api/v1/live?colour=red", "/books/gateways.json", "/books/releases.jsonl", "/archive/2026.db",
	"/api/v1/streams/noise/totals?over=P1D"}

// everything asks each copy for every page and file.
func (c *copies) everything() {
	t := c.q.T
	t.Helper()
	site := &crawl{t, c.proxy, map[string]bool{"/": false, "/problems": false}, make(map[string]string)}
	for _, path := range beside {
		site.pages[path] = true
	}
	for _, path := range c.answers() {
		site.pages[path] = true
	}
	crawled := !c.slow()
	if crawled {
		site.run()
	}
	for path := range site.files {
		site.pages[path] = true
	}
	for path := range site.pages {
		if text := c.differing(path); text != "" {
			t.Errorf("%s: %s", path, text)
		}
	}
	if crawled && len(site.pages) < 150 {
		t.Errorf("only %d addresses were found; the search is broken", len(site.pages))
	}
}

// pages follows links that lead from one copy's page to the next one's.
func (c *copies) pages() {
	t := c.q.T
	t.Helper()
	at := "/api/v1/streams/steps/observations?from=2026-03-01&to=2026-04-01"
	var whole struct{ Items []harness.Item }
	harness.GetJSON(t, c.bases[0]+at, &whole)
	for _, more := range []string{"&limit=7", "&limit=7&order=desc"} {
		list := harness.ReadAll(t, c.proxy, at+more)
		if strings.Contains(more, "desc") {
			slices.Reverse(list)
		}
		if got := harness.Deref(list); len(got) < 100 || !slices.Equal(got, harness.Deref(whole.Items)) {
			t.Errorf("%s: the pages have %d of %d, or others", more, len(got), len(whole.Items))
		}
	}
	counted := 0
	for next := "/v1.1/Observations?$top=40"; next != ""; {
		var page struct {
			Value []struct {
				ID string `json:"@iot.id"`
			}
			Next string `json:"@iot.nextLink"`
		}
		harness.GetJSON(t, c.proxy+next, &page)
		counted, next = counted+len(page.Value), strings.TrimPrefix(page.Next, "https://data.portalba.example")
	}
	var all struct {
		Count int `json:"@iot.count"`
	}
	harness.GetJSON(t, c.bases[1]+"/v1.1/Observations?$top=1&$count=true", &all)
	if counted < 100 || counted != all.Count {
		t.Errorf("SensorThings' pages have %d of %d", counted, all.Count)
	}
}

// live resumes at the next copy after every few windows: each comes once, and as all copies
// have it.
func (c *copies) live() {
	t := c.q.T
	t.Helper()
	var want []string
	for n := range c.bases {
		got, _ := listen(t, c.bases[n], "0", 100)
		if want == nil {
			want = got
		} else if !slices.Equal(got, want) {
			t.Errorf("copy %d sends other events: %s", n, firstDifference(strings.Join(want, "\n"),
				strings.Join(got, "\n")))
		}
	}
	var got []string
	for last := "0"; len(got) < len(want); {
		var list []string
		list, last = listen(t, c.proxy, last, min(13, len(want)-len(got)))
		got = append(got, list...)
	}
	if !slices.Equal(got, want) {
		t.Errorf("from copy to copy it is %s", firstDifference(strings.Join(want, "\n"), strings.Join(got, "\n")))
	}
}

// listen takes so many events behind an id, and returns the last one's.
func listen(t *testing.T, base, last string, number int) (events []string, id string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/api/v1/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Last-Event-ID", last)
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	event := ""
	lines := bufio.NewReader(resp.Body)
	for id = last; len(events) < number; {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("after %d events: %v", len(events), err)
		}
		if text, ok := strings.CutPrefix(line, "id: "); ok {
			id, event = strings.TrimSpace(text), "" // at the beginning comes the listener's own
		}
		if event += line; line == "\n" && strings.Contains(event, "data: ") {
			events, event = append(events, event), ""
		}
	}
	return events, id
}

// broadcast compares what is retained by each copy's broker.
func (c *copies) broadcast() {
	t := c.q.T
	t.Helper()
	path, err := exec.LookPath("mosquitto_sub")
	if err != nil {
		t.Log("mosquitto_sub is not here, so what is retained is not compared")
		return
	}
	var first []string
	for n, addr := range c.mqtt {
		host, port, _ := strings.Cut(addr, ":")
		var list []string
		harness.Await(t, 30*time.Second, "everything to be retained", func() bool {
			out, _ := exec.CommandContext(t.Context(), path, "-h", host, "-p", port, "-v", "-W", "2", "-t", "open/#",
				"-t", "homeassistant/#").Output() // it ends with a code of its own
			list = strings.Split(strings.TrimSpace(string(out)), "\n")
			slices.Sort(list)
			return len(list) >= 4 && (n == 0 || slices.Equal(list, first))
		})
		if n == 0 {
			first = list
		}
	}
}
