package feed

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/books"
	"sluice/opendata/httpcache"
	"sluice/opendata/news"
	"sluice/opendata/query"
	"sluice/store"
)

// shelf are books in memory, and a store without anything.
type shelf map[string]any

func (s shelf) Get(name string) ([]byte, error) {
	if s[name] == nil {
		return nil, fs.ErrNotExist
	}
	return json.Marshal(s[name])
}

type nothing struct{ query.Store }

func (nothing) ClosedUntil(context.Context, string) (time.Time, error) { return time.Time{}, nil }

func (nothing) Observations(context.Context, store.Query) ([]store.Observation, error) {
	return nil, nil
}

var told = time.Date(2026, 2, 1, 9, 0, 0, 0, time.UTC)

// serve answers from a city with two decisions, one of which has a stream in the zone port.
func serve(t *testing.T, base string) http.Handler {
	t.Helper()
	s := shelf{
		"city.json": books.City{ID: "c", Name: "Port <alba> & co", Timezone: "Europe/Madrid"},
		"decisions.json": []books.Decision{
			{ID: "1", Motion: "m1", Title: map[string]string{"en": "Air", "ca": "Aire"},
				State: books.InForce, From: "2026-01-01",
				Until: "2026-12-31", Published: told},
			{ID: "2", Motion: "m1", Title: map[string]string{"en": "Steps"}, State: books.InForce, From: "2026-01-01",
				Until: "2026-12-31", Published: told.Add(time.Hour)},
		},
		"streams.json": []books.Stream{{ID: "air", Title: map[string]string{"en": "Air", "ca": "Aire"}, Every: "PT1H",
			Timezone: "Europe/Madrid", Unit: "none", Decision: "1",
			Measures: []books.Measure{{Name: "no2", Of: "mean(x)"}},
			Cells:    []books.Cell{{ID: "port", Zone: "port"}}}},
		"register.json": books.Register{},
	}
	source := &query.Source{Store: nothing{}, Books: books.Reader{Source: s}}
	mux := http.NewServeMux()
	New(source, httpcache.New(), news.New(source), base, func(id, lang string) (string, bool) {
		return map[string]string{"es": "El Puerto"}[lang] + map[bool]string{true: "El Port"}[lang != "es"], id == "port"
	}, func(w http.ResponseWriter, r *http.Request, err error) {
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write([]byte(err.Error()))
	}).Routes(mux)
	return mux
}

func get(t *testing.T, h http.Handler, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

// TestFeeds: each subject has its events in both forms, with the same ids and links.
func TestFeeds(t *testing.T) {
	h := serve(t, "https://data.example")
	for path, want := range map[string]struct {
		title   string
		entries int
	}{
		"/feed/city":        {"What is new in Port <alba> & co", 2},
		"/feed/streams/air": {"Air · Port <alba> & co", 1},
		"/feed/decisions/2": {"Steps · Port <alba> & co", 1},
		"/feed/zones/port":  {"El Port · Port <alba> & co", 1},
	} {
		a, j := get(t, h, path+".atom"), get(t, h, path+".json")
		var af struct {
			Lang    string `xml:"lang,attr"`
			ID      string `xml:"id"`
			Title   string `xml:"title"`
			Updated string `xml:"updated"`
			Links   []struct {
				Rel  string `xml:"rel,attr"`
				Href string `xml:"href,attr"`
			} `xml:"link"`
			Entries []struct {
				ID      string `xml:"id"`
				Updated string `xml:"updated"`
				Link    struct {
					Href string `xml:"href,attr"`
				} `xml:"link"`
			} `xml:"entry"`
		}
		if err := xml.Unmarshal(a.Body.Bytes(), &af); err != nil {
			t.Fatal(err)
		}
		var jf jsonFeed
		if err := json.Unmarshal(j.Body.Bytes(), &jf); err != nil {
			t.Fatal(err)
		}
		if af.Title != want.title || jf.Title != want.title || len(af.Entries) != want.entries ||
			len(jf.Items) != want.entries || af.Updated != af.Entries[0].Updated ||
			a.Header().Get("Content-Type") != "application/atom+xml; charset=utf-8" ||
			j.Header().Get("Content-Type") != "application/feed+json" {
			t.Errorf("%s: %+v, %+v", path, af, jf)
		}
		if af.Links[1].Href != "https://data.example"+path+".atom" || jf.Self != "https://data.example"+path+".json" {
			t.Errorf("%s calls itself %s and %s", path, af.Links[1].Href, jf.Self)
		}
		uuid := regexp.MustCompile(`^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
		for i, e := range af.Entries {
			x := jf.Items[i]
			if e.ID != x.ID || e.Updated != x.Published || e.Link.Href != x.URL || !uuid.MatchString(e.ID) ||
				!strings.HasPrefix(x.URL, "https://data.example/decisions/") {
				t.Errorf("%s: %+v and %+v", path, e, x)
			}
		}
	}
}

// TestZonesByLanguage: a zone is called in the feed's language.
func TestZonesByLanguage(t *testing.T) {
	h := serve(t, "https://data.example")
	for lang, want := range map[string]string{"es": "El Puerto ·", "ca": "El Port ·", "en": "El Port ·"} {
		if body := get(t, h, "/feed/zones/port.json?lang="+lang).Body.String(); !strings.Contains(body, want) {
			t.Errorf("%s: it has no %q", lang, want)
		}
	}
}

// TestIdentified: an entry is the same one in each language and at each server.
func TestIdentified(t *testing.T) {
	ids := func(base, path string) (out string) {
		var f jsonFeed
		if err := json.Unmarshal(get(t, serve(t, base), path).Body.Bytes(), &f); err != nil {
			t.Fatal(err)
		}
		for _, x := range f.Items {
			out += x.ID + " "
		}
		return out
	}
	first := ids("https://a.example", "/feed/city.json")
	if first == "" || first != ids("http://b.example", "/feed/city.json?lang=ca") {
		t.Error("the ids differ")
	}
	if got := get(t, serve(t, "https://a.example"),
		"/feed/streams/air.json?lang=ca").Body.String(); !strings.Contains(got,
		`"Decidit: Aire"`) || !strings.Contains(got, `/decisions/1?lang=ca"`) {
		t.Error(got)
	}
	if a, b := identify("c", "x"), identify("c", "y"); a == b {
		t.Error("two events have one id")
	}
}

// TestNoFeed: what there is none of is unknown, and other parameters are refused.
func TestNoFeed(t *testing.T) {
	h := serve(t, "")
	for path, want := range map[string]string{
		"/feed/city":              "unknown",
		"/feed/city.rss":          "unknown",
		"/feed/town.atom":         "unknown",
		"/feed/streams/none.atom": "unknown",
		"/feed/decisions/9.json":  "unknown",
		"/feed/zones/raval.json":  "unknown",
		"/feed/city.atom?lang=xx": "lang: is ca, en, es",
		"/feed/city.atom?q=1":     "query: holds an unknown parameter, q; known are lang",
	} {
		if w := get(t, h, path); w.Code != http.StatusTeapot || w.Body.String() != want {
			t.Errorf("%s: %d %s; want %s", path, w.Code, w.Body, want)
		}
	}
}
