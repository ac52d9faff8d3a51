// Package front is the first page of a server of several cities: it lists them, each with its
// newest number, finds names in all of them, and is a catalogue of their catalogues. All else
// is each city's own, below its path:
//
//	/                  the cities, as cards
//	/search?q=         what is called so, by city
//	/catalog.jsonld    DCAT-AP: a catalogue of the cities' catalogues
//	/api/v1/cities     {"cities": [{"id", "name", "path", "ready"}], "items": the same, "next": null}
//	/sitemap.xml       an index of the cities' sitemaps
//
// A city that does not answer within a moment is named as such, and keeps nobody from the
// others.
package front

import (
	"context"
	"embed"
	"html/template"
	"log/slog"
	"net/http"

	"sluice/opendata/httpcache"
	"sluice/opendata/i18n"
	"sluice/opendata/web"
)

//go:embed page
var files embed.FS

// Pages is what a city says of itself.
type Pages interface {
	Glance(ctx context.Context, lang string) (web.Glance, error)
	Look(ctx context.Context, lang, question string, most int) ([]web.Hit, int, error)
	Document(ctx context.Context) (map[string]any, error)
}

// City is one of the cities.
type City struct {
	ID, Path string
	// Pages are the city's; nil while it cannot be shown.
	Pages func() Pages
}

// Front serves the first page.
type Front struct {
	towns  []*town
	public string // where the public finds the server, if known
	cache  *httpcache.Cache
	log    *slog.Logger
	speak  map[string]*i18n.Localizer
	pages  map[string]*template.Template
}

// New parses the pages. Public is where the public finds the server; empty where that is not
// known.
func New(cities []City, public string, log *slog.Logger) (*Front, error) {
	f := &Front{public: public, cache: httpcache.New(), log: log, speak: i18n.Localizers(),
		pages: make(map[string]*template.Template)}
	for _, c := range cities {
		f.towns = append(f.towns, &town{City: c, turns: make(chan struct{}, together)})
	}
	for _, code := range i18n.Codes {
		s := f.speak[code]
		t, err := template.New("front.html").Funcs(template.FuncMap{"t": s.Say, "lang": func() string { return code },
			"when": func(n *web.Number) string { return when(s, n) }}).ParseFS(files, "page/front.html")
		if err != nil {
			return nil, err
		}
		f.pages[code] = t
	}
	return f, nil
}

// Routes adds the pages to a mux.
func (f *Front) Routes(mux *http.ServeMux) {
	for path, make := range map[string]httpcache.Maker{
		"/{$}": f.home, "/search": f.search, "/catalog.jsonld": f.catalog, "/api/v1/cities": f.list,
		"/sitemap.xml": f.sitemap, "/robots.txt": f.robots,
	} {
		mux.HandleFunc(path, f.cache.Handle(make, f.fail))
	}
	web.Assets(mux, f.cache, f.fail)
	mux.HandleFunc("/problems/{code...}", func(w http.ResponseWriter, r *http.Request) { // each city explains them
		http.Redirect(w, r, f.towns[0].Path+r.URL.EscapedPath(), http.StatusFound)
	})
	mux.HandleFunc("/", f.missing)
}

// fail answers where a page cannot be made.
func (f *Front) fail(w http.ResponseWriter, r *http.Request, err error) {
	f.log.Error("a page cannot be made", "error", err)
	httpcache.Problem(w, r, http.StatusServiceUnavailable, "unavailable", "The page cannot be made just now",
		"try again in a minute; each city's own pages are below its path")
}

// missing says where things are: below a city's path.
func (f *Front) missing(w http.ResponseWriter, r *http.Request) {
	httpcache.Problem(w, r, http.StatusNotFound, "unknown", "There is no such thing here",
		"this server shows several cities, each with all of its own below a path such as "+f.towns[0].Path+
			"; /api/v1/cities lists them")
}
