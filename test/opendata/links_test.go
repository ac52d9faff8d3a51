package opendata

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
)

// crawl reads a site from / on, as a visitor and a harvester would.
type crawl struct {
	t     *testing.T
	base  string
	pages map[string]bool
	files map[string]string // address of data, and which page offers it
}

var (
	linked   = regexp.MustCompile(`href="([^"]+)"`)
	written  = regexp.MustCompile(`"(?:contentUrl|accessURL|@id)": ?"([^"]+)"`)
	inRecipe = regexp.MustCompile(`https?://[^\s'"&]+/api/[^\s'"]+`)
)

// offer notes an address that a page has, under its path and query.
func (c *crawl) offer(page, address string) {
	address, _, _ = strings.Cut(html.UnescapeString(address), "#")
	address = strings.TrimPrefix(address, c.base)
	if !strings.HasPrefix(address, "/") || strings.HasPrefix(address, "//") {
		return
	}
	u, err := url.Parse(address)
	if err != nil {
		c.t.Errorf("%s offers %q", page, address)
		return
	}
	switch q := u.Query(); {
	case strings.HasPrefix(u.Path, "/api/v1/") && u.Path != "/api/v1/":
		if _, known := c.files[address]; !known {
			c.files[address] = page
		}
	case q.Has("lang") || q.Has("to") || q.Has("page"): // the same once more
	case strings.HasPrefix(u.Path, "/books/"), len(c.pages) > 200:
	default:
		if _, known := c.pages[address]; !known {
			c.pages[address] = false
		}
	}
}

func (c *crawl) run() {
	for page, more := "/", true; more; page, more = c.next() {
		c.pages[page] = true
		status, header, body := harness.Answer(c.t, c.base+page)
		if status != http.StatusOK {
			c.t.Errorf("%s is %d", page, status)
		}
		if mime := header.Get("Content-Type"); !strings.HasPrefix(mime, "text/html") &&
			!strings.Contains(mime, "ld+json") {
			continue
		}
		for _, re := range []*regexp.Regexp{linked, written} {
			for _, m := range re.FindAllStringSubmatch(string(body), -1) {
				c.offer(page, m[1])
			}
		}
		for _, address := range inRecipe.FindAllString(html.UnescapeString(string(body)), -1) {
			c.offer(page, address)
		}
	}
}

func (c *crawl) next() (string, bool) {
	for page, done := range c.pages {
		if !done {
			return page, true
		}
	}
	return "", false
}

// windows are the starts of a file's rows, whichever form it has.
func windows(t *testing.T, address string, header http.Header, body []byte) (starts []time.Time) {
	t.Helper()
	add := func(text string) {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatalf("%s: %v", address, err)
		}
		starts = append(starts, at)
	}
	if strings.HasPrefix(header.Get("Content-Type"), "text/csv") {
		rows, err := csv.NewReader(strings.NewReader(string(body))).ReadAll()
		if err != nil {
			t.Fatalf("%s: %v", address, err)
		}
		for _, row := range rows[1:] {
			add(row[0])
		}
		return starts
	}
	var all struct{ Items []struct{ Start string } }
	if err := json.Unmarshal(body, &all); err != nil {
		t.Fatalf("%s: %v", address, err)
	}
	for _, i := range all.Items {
		add(i.Start)
	}
	return starts
}

// everyFileIsWhole follows every link of every page of the demo, of its catalogue and
// of its blocks for search engines: whatever is offered as data is complete, and what is
// said to be the last day has the newest window.
func everyFileIsWhole(t *testing.T, d harness.Demo) {
	c := &crawl{t, d.OpenData, map[string]bool{"/": false, "/problems": false}, map[string]string{}}
	c.run()
	seen, always := 0, 0
	for address, page := range c.files {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if u.Query().Has("limit") {
			continue // it is an example of a page
		}
		if !strings.HasSuffix(u.Path, "/observations") {
			if status, header, _ := harness.Answer(t, c.base+address); status != http.StatusOK ||
				strings.Contains(header.Get("Link"), "next") {
				t.Errorf("%s, on %s, is %d and not whole", address, page, status)
			}
			continue
		}
		seen++
		closed := c.closed(strings.Split(u.Path, "/")[4])
		status, header, body := harness.Answer(t, c.base+address)
		if status != http.StatusOK || header.Get("Link") != "" {
			t.Errorf("%s, on %s, is %d and has the next page %q", address, page, status, header.Get("Link"))
			continue
		}
		starts := windows(t, address, header, body)
		if len(starts) == 0 {
			t.Errorf("%s, on %s, is empty", address, page)
			continue
		}
		q := u.Query()
		first, last := starts[0], starts[len(starts)-1]
		if !q.Has("from") && !q.Has("to") {
			always++
			if last.Before(closed.Add(-time.Hour)) {
				t.Errorf("%s, on %s, ends with %s, and %s is final", address, page, last, closed)
			}
			q.Set("from", first.Format(time.RFC3339))
			q.Set("to", last.Add(time.Second).Format(time.RFC3339))
		}
		q.Del("format")
		q.Set("limit", "97")
		q.Set("to", last.Add(time.Second).Format(time.RFC3339)) // the demo goes on, and answers are some seconds old
		harness.Await(t, 10*time.Second, fmt.Sprintf("the pages of %s, on %s, to have its %d rows", address, page,
			len(starts)), func() bool { return len(harness.ReadAll(t, c.base, u.Path+"?"+q.Encode())) == len(starts) })
		if last.Sub(first) < 20*time.Hour && !q.Has("cell") {
			t.Errorf("%s, on %s, is of %s only", address, page, last.Sub(first))
		}
	}
	pages := 0
	for page := range c.pages {
		if strings.HasPrefix(page, "/streams/") {
			pages++
		}
	}
	if len(c.pages) < 20 || pages < 4 || seen < 16 || always < 8 || !c.pages["/data"] || !c.pages["/catalog.jsonld"] {
		t.Errorf(
			"only %d pages, %d of streams, %d files of numbers and %d of the last day were found; the search is broken",
			len(c.pages), pages, seen, always)
	}
}

// closed is until when a stream was final.
func (c *crawl) closed(stream string) time.Time {
	var all struct {
		Streams []struct {
			ID          string    `json:"id"`
			ClosedUntil time.Time `json:"closed_until"`
		}
	}
	harness.GetJSON(c.t, c.base+"/api/v1/streams", &all)
	for _, s := range all.Streams {
		if s.ID == stream {
			return s.ClosedUntil
		}
	}
	return time.Time{}
}
