// Package feed serves what is new in a city as Atom (RFC 4287) and JSON Feed 1.1
// (jsonfeed.org/version/1.1): of the whole city, a stream, a decision or a zone.
//
//	/feed/city.atom             /feed/city.json
//	/feed/streams/ID.atom       /feed/streams/ID.json
//	/feed/decisions/ID.atom     /feed/decisions/ID.json
//	/feed/zones/ID.atom         /feed/zones/ID.json
//
// An entry's id is a UUID of version 5 (RFC 9562, section 5.5) of the city and the event, so it
// is the same at every server that shows these books, and in every language.
package feed

import (
	"bytes"
	"cmp"
	"crypto/sha1" //nolint:gosec // what RFC 9562 has it for is no secret
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"slices"
	"strings"
	"time"

	"sluice/books"
	"sluice/opendata/httpcache"
	"sluice/opendata/i18n"
	"sluice/opendata/news"
	"sluice/opendata/query"
)

// Feeds serves the feeds of one source.
type Feeds struct {
	source *query.Source
	cache  *httpcache.Cache
	desk   *news.Desk
	base   string
	zones  func(id, lang string) (name string, known bool)
	fail   httpcache.Failer
}

// New makes the handler. The base is the address at which pages are; zones says what a zone
// is called in a language.
func New(
	source *query.Source, cache *httpcache.Cache, desk *news.Desk, base string,
	zones func(id, lang string) (string, bool),
	fail httpcache.Failer,
) *Feeds {
	return &Feeds{source, cache, desk, base, zones, fail}
}

// Routes adds the feeds to a mux.
func (f *Feeds) Routes(mux *http.ServeMux) {
	for path, about := range map[string]func(*http.Request, string) (*subject, error){
		"/feed/{file}": f.city, "/feed/streams/{file}": f.stream, "/feed/decisions/{file}": f.decision,
		"/feed/zones/{file}": f.zone,
	} {
		mux.HandleFunc(path, f.cache.Handle(func(r *http.Request) (*httpcache.Reply, error) {
			return f.serve(r, about)
		}, f.fail))
	}
}

// subject is what a feed is about.
type subject struct {
	title  map[string]string // by language; nil for the city
	path   string            // of its page
	wanted func(*news.Event) bool
}

func (f *Feeds) city(_ *http.Request, name string) (*subject, error) {
	if name != "city" {
		return nil, query.ErrUnknown
	}
	return &subject{nil, "/", func(*news.Event) bool { return true }}, nil
}

func (f *Feeds) stream(r *http.Request, id string) (*subject, error) {
	st, err := f.source.Stream(r.Context(), id)
	return &subject{st.Title, "/streams/" + id, func(e *news.Event) bool { return e.Stream == id }}, err
}

func (f *Feeds) decision(_ *http.Request, id string) (*subject, error) {
	list, err := f.source.Books.Decisions()
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(list, func(d books.Decision) bool { return d.ID == id })
	if at < 0 {
		return nil, query.ErrUnknown
	}
	return &subject{list[at].Title, "/decisions/" + id, func(e *news.Event) bool { return e.Decision == id }}, nil
}

func (f *Feeds) zone(_ *http.Request, id string) (*subject, error) {
	title := make(map[string]string)
	for _, lang := range i18n.Codes {
		name, known := f.zones(id, lang)
		if !known {
			return nil, query.ErrUnknown
		}
		title[lang] = name
	}
	return &subject{title, "/zones/" + id, func(e *news.Event) bool {
		return slices.Contains(e.Zones, id)
	}}, nil
}

// document is a feed before it is written in one of the two forms.
type document struct {
	id, title, author, home, self, lang string
	updated                             time.Time
	entries                             []entry
}

type entry struct {
	id, title, text, url string
	at                   time.Time
	kind                 news.Kind
}

func (f *Feeds) serve(
	r *http.Request, about func(*http.Request, string) (*subject, error),
) (*httpcache.Reply, error) {
	name, form, ok := cutLast(r.PathValue("file"), ".")
	write := map[string]func(*document) (*httpcache.Reply, error){"atom": atom, "json": asJSON}[form]
	if !ok || write == nil {
		return nil, query.ErrUnknown
	}
	v, err := query.Values(r.URL.RawQuery, "lang")
	if err != nil {
		return nil, err
	}
	lang, asked := v.Get("lang"), v.Has("lang")
	if asked && !i18n.Known(lang) {
		return nil, &query.Invalid{Parameter: "lang", Hint: "is " + strings.Join(i18n.Codes, ", ")}
	}
	if !asked {
		lang = i18n.Choose(r.Header.Get("Accept-Language"))
	}
	s, err := about(r, name)
	if err != nil {
		return nil, err
	}
	city, err := f.source.Books.City()
	if err != nil {
		return nil, err
	}
	list, err := f.desk.About(r.Context(), s.wanted)
	if err != nil {
		return nil, err
	}
	speak := i18n.In(lang)
	d := &document{lang: lang, author: city.Name,
		id: identify(city.ID, "feed "+r.URL.Path[:len(r.URL.Path)-len(form)-1])}
	d.title = speak.Say("What is new in %s", city.Name)
	if title, _ := speak.Title(s.title); title != "" {
		d.title = title + " · " + city.Name
	}
	query := ""
	if asked {
		query = "?lang=" + lang
	}
	d.home, d.self = f.base+s.path+query, f.base+r.URL.EscapedPath()+query
	names := news.Names{Words: speak, Vocabulary: city.Names, Place: func(zone string) string {
		name, _ := f.zones(zone, lang)
		return cmp.Or(name, zone)
	}}
	for _, e := range list {
		told := e.Tell(names)
		d.entries = append(d.entries, entry{id: identify(city.ID, e.ID), title: told.Title, text: told.Text, at: e.At,
			url: f.base + with(told.Path, query), kind: e.Kind})
		if e.At.After(d.updated) {
			d.updated = e.At
		}
	}
	if d.updated.IsZero() { // RFC 4287 wants one, and nothing has happened
		d.updated = time.Unix(0, 0).UTC()
	}
	return write(d)
}

// with adds a query to a path that may have one.
func with(path, query string) string {
	if strings.Contains(path, "?") {
		return path + strings.Replace(query, "?", "&", 1)
	}
	return path + query
}

func cutLast(s, sep string) (before, after string, found bool) {
	at := strings.LastIndex(s, sep)
	if at < 0 {
		return s, "", false
	}
	return s[:at], s[at+len(sep):], true
}

// space is the name space of URLs (RFC 9562, section 6.6).
const space = "\x6b\xa7\xb8\x11\x9d\xad\x11\xd1\x80\xb4\x00\xc0\x4f\xd4\x30\xc8"

// identify is the UUID of something of a city.
func identify(city, what string) string {
	sum := sha1.Sum([]byte(space + "https://sluice.invalid/" + city + "/" + what)) //nolint:gosec // see above
	u := sum[:16]
	u[6], u[8] = u[6]&0x0f|0x50, u[8]&0x3f|0x80
	x := hex.EncodeToString(u)
	return "urn:uuid:" + x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}

type (
	atomFeed struct {
		XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
		Lang    string      `xml:"xml:lang,attr"`
		ID      string      `xml:"id"`
		Title   string      `xml:"title"`
		Updated string      `xml:"updated"`
		Author  string      `xml:"author>name"`
		Links   []atomLink  `xml:"link"`
		Entries []atomEntry `xml:"entry"`
	}
	atomLink struct {
		Rel  string `xml:"rel,attr"`
		Type string `xml:"type,attr,omitempty"`
		Href string `xml:"href,attr"`
	}
	atomEntry struct {
		ID       string       `xml:"id"`
		Title    string       `xml:"title"`
		Updated  string       `xml:"updated"`
		Link     atomLink     `xml:"link"`
		Category atomCategory `xml:"category"`
		Summary  string       `xml:"summary"`
	}
	atomCategory struct {
		Term string `xml:"term,attr"`
	}
)

const atomType, jsonType = "application/atom+xml", "application/feed+json"

func atom(d *document) (*httpcache.Reply, error) {
	out := atomFeed{Lang: d.lang, ID: d.id, Title: d.title, Updated: d.updated.Format(time.RFC3339), Author: d.author,
		Links: []atomLink{{"alternate", "text/html", d.home}, {"self", atomType, d.self}}}
	for _, e := range d.entries {
		out.Entries = append(out.Entries, atomEntry{ID: e.id, Title: e.title, Updated: e.at.Format(time.RFC3339),
			Link: atomLink{"alternate", "text/html", e.url}, Category: atomCategory{string(e.kind)}, Summary: e.text})
	}
	var b bytes.Buffer
	b.WriteString(xml.Header)
	enc := xml.NewEncoder(&b)
	enc.Indent("", " ")
	err := enc.Encode(out)
	return &httpcache.Reply{Type: atomType + "; charset=utf-8", Body: append(b.Bytes(), '\n'), Lang: d.lang}, err
}

type (
	jsonFeed struct {
		Version  string     `json:"version"`
		Title    string     `json:"title"`
		Home     string     `json:"home_page_url"`
		Self     string     `json:"feed_url"`
		Language string     `json:"language"`
		Items    []jsonItem `json:"items"`
	}
	jsonItem struct {
		ID        string   `json:"id"`
		URL       string   `json:"url"`
		Title     string   `json:"title"`
		Text      string   `json:"content_text"`
		Published string   `json:"date_published"`
		Tags      []string `json:"tags"`
	}
)

func asJSON(d *document) (*httpcache.Reply, error) {
	out := jsonFeed{Version: "https://jsonfeed.org/version/1.1", Title: d.title, Home: d.home, Self: d.self,
		Language: d.lang, Items: []jsonItem{}}
	for _, e := range d.entries {
		out.Items = append(out.Items,
			jsonItem{e.id, e.url, e.title, e.text, e.at.Format(time.RFC3339), []string{string(e.kind)}})
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(out)
	return &httpcache.Reply{Type: jsonType, Body: b.Bytes(), Lang: d.lang}, err
}
