package front

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sluice/books"
	"sluice/opendata/web"
)

// pages are a city's that answers after a time.
type pages struct {
	name  string
	after time.Duration
	err   error
	asked atomic.Int64
}

func (p *pages) Glance(context.Context, string) (web.Glance, error) {
	p.asked.Add(1)
	time.Sleep(p.after) // whatever the context says
	return web.Glance{City: books.City{Name: p.name}}, p.err
}

func (p *pages) Look(_ context.Context, _, question string, _ int) ([]web.Hit, int, error) {
	return []web.Hit{{Name: question, What: "street", Path: "/search?q=" + question}}, 7, p.err
}

func (p *pages) Document(context.Context) (map[string]any, error) {
	return map[string]any{"@context": "x", "@id": "/c/" + p.name}, p.err
}

// front serves cities of these pages.
func front(t *testing.T, list ...*pages) http.Handler {
	t.Helper()
	var cities []City
	for _, p := range list {
		cities = append(cities, City{p.name, "/c/" + p.name, func() Pages { return p }})
	}
	f, err := New(cities, "https://x.example", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	f.Routes(mux)
	return mux
}

func get(h http.Handler, path string) (int, string) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}

// TestNobodyWaitsForOneCity: a page comes within patience, names who does not answer, and does
// not ask them again for a while; one that hangs is asked by a few at a time.
func TestNobodyWaitsForOneCity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good, bad, hangs := &pages{name: "good"}, &pages{name: "bad", err: errors.New("down")},
			&pages{name: "hangs", after: time.Hour}
		h := front(t, good, bad, hangs)
		for n := range 2 * together {
			begun := time.Now()
			status, body := get(h, fmt.Sprint("/?n=", n))
			if took := time.Since(begun); status != http.StatusOK || took > patience ||
				strings.Count(body, "cannot be read just now") != 2 || !strings.Contains(body, `<a href="/c/good/">`) {
				t.Fatalf("after %s it is %d %s", took, status, body)
			}
		}
		asked := [3]int64{good.asked.Load(), bad.asked.Load(), hangs.asked.Load()}
		if asked[0] != 2*together || asked[1] > 6 || asked[2] != together {
			t.Errorf("they were asked %d times", asked)
		}
		bad.err = nil
		time.Sleep(rest)
		_, body := get(h, "/api/v1/cities")
		if !strings.Contains(body, `{"id":"bad","name":"bad","path":"/c/bad","ready":true}`) {
			t.Errorf("when it is back it is %s", body)
		}
		time.Sleep(time.Hour) // so that all are through
	})
}

// TestBusyIsNotAway: of more who ask at once than a city is asked for, each has its answer.
func TestBusyIsNotAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := front(t, &pages{name: "good", after: 50 * time.Millisecond})
		var all sync.WaitGroup
		for n := range together + 2 {
			all.Go(func() {
				if _, body := get(h, fmt.Sprint("/?n=", n)); strings.Contains(body, "cannot be read just now") {
					t.Error("a city that answers is said not to")
				}
			})
		}
		all.Wait()
	})
}

// TestFrontSays: languages, names, catalogues, and where there is nothing.
func TestFrontSays(t *testing.T) {
	h := front(t, &pages{name: "a"}, &pages{name: "b"})
	for path, wants := range map[string][]string{
		"/?lang=ca":             {"Què mesuren els nostres municipis", `href="/c/a/?lang=ca"`, `href="https://x.example/"`},
		"/search?q=mar&lang=es": {`href="/c/b/search?q=mar&amp;lang=es"`, "Hay 7 en total"},
		"/search?q=%3Cb%3E":     {"&lt;b&gt;"},
		"/search":               {"What our towns measure"},
		"/catalog.jsonld":       {`"@id": "/c/a"`, `"@id": "/c/b"`, `"@id": "https://x.example/catalog.jsonld#catalog"`},
		"/sitemap.xml":          {"<loc>https://x.example/c/b/sitemap.xml</loc>"},
		"/robots.txt":           {"Sitemap: https://x.example/sitemap.xml"},
		"/api/v1/streams":       {"/problems/unknown", "/c/a", "/api/v1/cities"},
		"/problems/unknown":     {"/c/a/problems/unknown"},
		"/style.css":            {"body"},
	} {
		_, body := get(h, path)
		for _, want := range wants {
			if !strings.Contains(body, want) {
				t.Errorf("%s has no %q:\n%s", path, want, body)
			}
		}
	}
}
