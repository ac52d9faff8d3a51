package front

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"net/url"
	"strings"

	"sluice/opendata/catalog"
	"sluice/opendata/httpcache"
	"sluice/opendata/i18n"
	"sluice/opendata/query"
	"sluice/opendata/search"
	"sluice/opendata/web"
)

// mostFound is how many names of a city are shown; its own search has the others.
const mostFound = 5

// frame is what the page shows: the cities, or what was found in them.
type frame struct {
	Public string
	Lang   string // what links say; empty where the address does not
	Langs  []langLink
	Asked  string
	Cities []answer[web.Glance]
	Found  []answer[found] // nil where nothing was asked
}

type langLink struct{ Code, Name, Href string }

// found is what a city has of a name.
type found struct {
	Name string // the city's
	Hits []web.Hit
	All  int
}

// To is a city's address with the page's language.
func (f frame) To(path string) string {
	if f.Lang == "" {
		return path
	}
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	return path + separator + url.Values{"lang": {f.Lang}}.Encode()
}

// asked is the language of an address, else the browser's.
func asked(r *http.Request) (code, said string) {
	if said = r.URL.Query().Get("lang"); i18n.Known(said) {
		return said, said
	}
	return i18n.Choose(r.Header.Get("Accept-Language")), ""
}

func (f *Front) home(r *http.Request) (*httpcache.Reply, error) {
	code, _ := asked(r)
	return f.render(r, frame{Cities: all(r.Context(), f, func(ctx context.Context, p Pages) (web.Glance, error) {
		return p.Glance(ctx, code)
	})})
}

func (f *Front) search(r *http.Request) (*httpcache.Reply, error) {
	code, _ := asked(r)
	question := strings.TrimSpace(r.URL.Query().Get("q"))
	page := frame{Asked: question}
	if question == "" || len(question) > search.MaxQuery {
		return f.home(r)
	}
	page.Found = all(r.Context(), f, func(ctx context.Context, p Pages) (out found, err error) {
		glance, err := p.Glance(ctx, code)
		if err != nil {
			return out, err
		}
		out.Name = glance.City.Name
		out.Hits, out.All, err = p.Look(ctx, code, question, mostFound)
		return out, err
	})
	return f.render(r, page)
}

func (f *Front) render(r *http.Request, page frame) (*httpcache.Reply, error) {
	code, said := asked(r)
	page.Public, page.Lang = f.public, said
	for _, c := range i18n.Codes {
		q := url.Values{"lang": {c}}
		if page.Asked != "" {
			q.Set("q", page.Asked)
		}
		page.Langs = append(page.Langs, langLink{c, i18n.Names[c], r.URL.EscapedPath() + "?" + q.Encode()})
	}
	var b bytes.Buffer
	err := f.pages[code].Execute(&b, page)
	return &httpcache.Reply{Type: "text/html; charset=utf-8", Body: b.Bytes(), Lang: code}, err
}

// when is the window of a number.
func when(s *i18n.Localizer, n *web.Number) string {
	place := query.Place(n.Timezone)
	start, end := n.Observation.Start.In(place), n.Observation.End.In(place)
	return s.ShortDay(start) + ", " + s.Clock(start) + "–" + s.Clock(end)
}

// catalog has the catalogues of all cities that answer.
func (f *Front) catalog(r *http.Request) (*httpcache.Reply, error) {
	var list []map[string]any
	for _, c := range all(r.Context(), f, func(ctx context.Context, p Pages) (map[string]any, error) {
		return p.Document(ctx)
	}) {
		if !c.Away() {
			list = append(list, c.Is)
		}
	}
	return catalog.Reply(catalog.All(f.public, list))
}

// list is the cities for programs.
func (f *Front) list(r *http.Request) (*httpcache.Reply, error) {
	type city struct {
		ID    string `json:"id"`
		Name  string `json:"name"` // empty while it does not answer
		Path  string `json:"path"`
		Ready bool   `json:"ready"`
	}
	cities := make([]city, 0, len(f.towns))
	for _, c := range all(r.Context(), f, func(ctx context.Context, p Pages) (web.Glance, error) {
		return p.Glance(ctx, i18n.Codes[0])
	}) {
		cities = append(cities, city{c.ID, c.Is.City.Name, c.Path, !c.Away()})
	}
	raw, err := json.Marshal(map[string]any{"cities": cities, "items": cities, "next": nil})
	return &httpcache.Reply{Type: "application/json", Body: append(raw, '\n')}, err
}

// sitemap is an index of the cities' (sitemaps.org).
func (f *Front) sitemap(*http.Request) (*httpcache.Reply, error) {
	type place struct {
		Loc string `xml:"loc"`
	}
	out := struct {
		XMLName xml.Name `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 sitemapindex"`
		Places  []place  `xml:"sitemap"`
	}{}
	for _, t := range f.towns {
		out.Places = append(out.Places, place{f.public + t.Path + "/sitemap.xml"})
	}
	raw, err := xml.Marshal(out)
	raw = append(append([]byte(xml.Header), raw...), '\n')
	return &httpcache.Reply{Type: "application/xml; charset=utf-8", Body: raw}, err
}

// robots lets everybody in (RFC 9309).
func (f *Front) robots(*http.Request) (*httpcache.Reply, error) {
	text := "User-agent: *\nAllow: /\n"
	if f.public != "" {
		text += "Sitemap: " + f.public + "/sitemap.xml\n"
	}
	return &httpcache.Reply{Type: "text/plain; charset=utf-8", Body: []byte(text)}, nil
}
