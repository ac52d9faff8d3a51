// Package web serves the HTML pages for residents, in Catalan, Spanish and English. They
// show released observations and the public books only, set no cookies and load nothing
// from elsewhere. They work without JavaScript; one small script adds comfort.
//
// Every view is a permalink: a page depends on its address only, and on Accept-Language if
// the address has no lang.
package web

import (
	"bytes"
	"cmp"
	"embed"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"sluice/books"
	"sluice/opendata/archive"
	"sluice/opendata/httpcache"
	"sluice/opendata/i18n"
	"sluice/opendata/news"
	"sluice/opendata/query"
)

//go:embed page
var files embed.FS

// Place holds the addresses of the pages: the public one, and the local one while only this
// machine can connect. Either may be unknown, and empty.
type Place struct{ Public, Here string }

// Base is where the pages are, as far as is known.
func (p Place) Base() string { return cmp.Or(p.Public, p.Here, "http://127.0.0.1:8080") }

// Web serves the pages of one source.
type Web struct {
	source *query.Source
	cache  *httpcache.Cache
	place  Place
	log    *slog.Logger
	speak  map[string]*i18n.Localizer
	pages  templates
	zones  mapCache
	ground ground
	search searcher
	desk   *news.Desk
	files  Files
}

// locale is a language, and whether the address asks for it: then links do, too.
type locale struct {
	lang  string
	asked bool
}

var names = []string{
	"home", "stream", "sensors", "sensor", "notice", "decisions", "decision", "privacy", "data", "archive", "docs",
	"problem", "problems", "missing", "map", "news", "search", "zone", "imprint", "accessibility",
}

// New parses the pages. The desk knows what is new.
func New(
	source *query.Source, cache *httpcache.Cache, desk *news.Desk, place Place, log *slog.Logger,
) (*Web, error) {
	place.Public = strings.TrimSuffix(place.Public, "/")
	w := &Web{
		source: source, cache: cache, desk: desk, place: place, log: log,
		speak: i18n.Localizers(),
	}
	var err error
	w.pages, err = w.parse()
	return w, err
}

// Files are whole files of what was released.
type Files interface {
	Manifest() (archive.Manifest, error)
}

// Offer gives the pages the archive's files, before Routes.
func (w *Web) Offer(f Files) { w.files = f }

// Routes adds the pages to a mux.
func (w *Web) Routes(mux *http.ServeMux) {
	Assets(mux, w.cache, w.fail)
	for path, p := range map[string]struct {
		name    string
		content content
	}{
		"/{$}": {"home", w.home}, "/streams/{id}": {"stream", w.stream},
		"/sensors": {"sensors", w.sensors}, "/sensors/{id}": {"sensor", w.sensor},
		"/sensors/{id}/notice": {"notice", w.notice},
		"/search":              {"search", w.find},
		"/news":                {"news", w.news},
		"/zones/{id}":          {"zone", w.zonePage},
		"/decisions":           {"decisions", w.decisions}, "/decisions/{id}": {"decision", w.decision},
		"/privacy": {"privacy", w.privacy}, "/data": {"data", w.data}, "/archive": {"archive", w.archive},
		"/docs": {"docs", w.docs}, "/imprint": {"imprint", bare}, "/accessibility": {"accessibility", bare},
	} {
		mux.HandleFunc(path, w.handle(func(r *http.Request) (*httpcache.Reply, error) {
			return w.page(r, p.name, p.content)
		}))
	}
	mux.HandleFunc("/map", w.handle(w.theMap))
	for path, make := range map[string]httpcache.Maker{"/problems": w.listProblems, "/problems/{$}": w.listProblems,
		"/problems/{code}": w.oneProblem} {
		mux.HandleFunc(path, w.handle(make))
	}
	for path, make := range map[string]httpcache.Maker{"/streams/{id}/chart.svg": w.pictureSVG,
		"/streams/{id}/chart.png": w.picturePNG,
		"/embed/streams/{id}":     w.embed, "/card.png": w.cityCard, "/decisions/{id}/card.png": w.decisionCard,
		"/sitemap.xml": w.sitemap, "/robots.txt": w.robots} {
		mux.HandleFunc(path, w.handle(make))
	}
	mux.HandleFunc("/streams", toStreams)
	mux.HandleFunc("/streams/{$}", toStreams)
	mux.HandleFunc("/decisions/{id}/{file...}", w.handle(w.file))
	mux.HandleFunc("/", w.cache.Handle(func(*http.Request) (*httpcache.Reply, error) {
		return nil, query.ErrUnknown
	}, w.fail))
}

// handle serves what may be asked for in one of the languages, and in no other.
func (w *Web) handle(make httpcache.Maker) http.HandlerFunc {
	return w.cache.Handle(func(r *http.Request) (*httpcache.Reply, error) {
		if v := r.URL.Query(); v.Has("lang") && !i18n.Known(v.Get("lang")) {
			return nil, &query.Invalid{Parameter: "lang", Hint: "is " + strings.Join(i18n.Codes, ", ")}
		}
		return make(r)
	}, w.fail)
}

// content returns the data of a page, given the localizer of its language.
type content func(*http.Request, *i18n.Localizer) (any, error)

// frame is the data of the layout around a page.
type frame struct {
	City books.City
	Path string
	// Up is the page of all cities, where there are several; empty where there are not.
	Up string
	// Langs are the same page in the other languages.
	Langs []langLink
	// Canonical is the page's public address; empty where it is not known.
	Canonical string
	// Public is where the public finds this server, if known.
	Public string
	// Promise is under what the numbers were released.
	Promise string
	// Base is where commands can reach this server.
	Base string
	// Feeds are what to follow, of the page's subject and of the city.
	Feeds []feedLink
	// Share is what the page looks like where its address is sent.
	Share share
	// About is the page's subject for search engines, as schema.org has it.
	About any
	Page  any
}

// views are the parameters of pages besides lang.
var views = []string{"layer", "measure", "cell", "span", "day", "to", "compare", "page", "at", "q", "zone", "kind",
	"silent", "size"}

type langLink struct{ Code, Name, Href string }

func (w *Web) page(r *http.Request, name string, make content) (*httpcache.Reply, error) {
	v := ask(r)
	data, err := make(r, w.speak[v.lang])
	if err != nil {
		return nil, err
	}
	return w.render(r, v, name, data)
}

// ask returns the language of the address, else the browser's.
func ask(r *http.Request) locale {
	if lang := r.URL.Query().Get("lang"); i18n.Known(lang) {
		return locale{lang, true}
	}
	return locale{i18n.Choose(r.Header.Get("Accept-Language")), false}
}

func (w *Web) render(r *http.Request, v locale, name string, data any) (*httpcache.Reply, error) {
	city, err := w.source.Books.City()
	if err != nil {
		return nil, err
	}
	below := httpcache.At(r.Context(), "")
	f := frame{Base: w.place.Base(), Public: w.place.Public, City: city, Path: r.URL.Path,
		Feeds: w.feeds(v, city, data), Promise: w.promise(w.speak[v.lang]), Share: w.shared(v, city, data),
		About: w.about(v, cmp.Or(w.place.Public, below), city, data), Page: data}
	if below != "" {
		f.Up = v.href("/")
		if w.place.Public == "" {
			f.Share.Image = below + f.Share.Image
		}
	}
	for _, code := range i18n.Codes {
		q := url.Values{"lang": {code}}
		for _, name := range views {
			if asked := r.URL.Query()[name]; asked != nil {
				q[name] = asked
			}
		}
		f.Langs = append(f.Langs, langLink{code, i18n.Names[code], r.URL.EscapedPath() + "?" + q.Encode()})
	}
	if w.place.Public != "" {
		f.Canonical = w.place.Public + r.URL.EscapedPath()
	}
	var b bytes.Buffer
	if err := w.pages[v][name]().Execute(&b, f); err != nil {
		return nil, err
	}
	return &httpcache.Reply{Type: "text/html; charset=utf-8", Body: httpcache.Links(r.Context(), b.Bytes()),
		Lang: v.lang}, nil
}

// missing is the data of an error page.
type missing struct{ Title, Text, Hint string }

// fail shows an error page that says what is wrong and what to do next.
func (w *Web) fail(rw http.ResponseWriter, r *http.Request, err error) {
	v := ask(r)
	say := w.speak[v.lang].Say
	status, m := http.StatusServiceUnavailable,
		missing{say("The data cannot be read just now"), say("Please try again in a minute."), ""}
	var invalid *query.Invalid
	switch {
	case errors.Is(err, query.ErrUnknown):
		status, m = http.StatusNotFound,
			missing{say("There is no such page"), say("It may have moved, or the address may be mistyped."), ""}
	case errors.As(err, &invalid):
		status, m = http.StatusBadRequest,
			missing{say("The address has a part that cannot be used"), unusable(w.speak[v.lang], invalid),
				invalid.Parameter}
	default:
		w.log.Error("a page cannot be made", "error", err)
	}
	out, err := w.render(r, v, "missing", m)
	if err != nil {
		out = &httpcache.Reply{Type: "text/plain; charset=utf-8", Body: []byte(m.Title + ". " + m.Text + "\n")}
	}
	rw.Header().Set("Content-Type", out.Type)
	rw.Header().Set("Content-Language", v.lang)
	rw.Header().Set("Cache-Control", "no-store")
	rw.Header().Set("Content-Length", strconv.Itoa(len(out.Body)))
	rw.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = rw.Write(out.Body) // the client may be gone
	}
}

// link adds parameters to a path, leaving out empty ones.
func link(path string, pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Add(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return path
	}
	path, fragment, some := strings.Cut(path, "#")
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	path += separator + q.Encode()
	if some {
		path += "#" + fragment
	}
	return path
}
