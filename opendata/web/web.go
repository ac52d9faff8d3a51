// Package web is the square: pages that residents read, made on the server,
// without JavaScript and with nothing from elsewhere. It shows released
// observations and the public books, and no more.
package web

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"sluice/books"
	"sluice/opendata/query"
	"sluice/store"
)

//go:embed page
var files embed.FS

// Web serves one source.
type Web struct {
	source *query.Source
	base   string
	log    *slog.Logger
	pages  map[string]*template.Template
	style  []byte
}

var names = []string{"home", "stream", "sensors", "sensor", "decisions", "decision", "privacy", "missing"}

// New parses the pages. The base is where the public finds them, if known.
func New(source *query.Source, base string, log *slog.Logger) (*Web, error) {
	w := &Web{source: source, base: strings.TrimSuffix(base, "/"), log: log, pages: make(map[string]*template.Template)}
	funcs := template.FuncMap{
		"title": title, "number": number, "interval": interval, "clock": clock, "day": day, "unit": unit,
		"every": every, "status": statusText, "chart": chart, "what": what, "state": state, "language": language, "silence": silence,
	}
	for _, name := range names {
		t, err := template.New("layout.html").Funcs(funcs).ParseFS(files, "page/layout.html", "page/"+name+".html")
		if err != nil {
			return nil, err
		}
		w.pages[name] = t
	}
	var err error
	w.style, err = files.ReadFile("page/style.css")
	return w, err
}

// Routes adds the pages to a mux.
func (w *Web) Routes(mux *http.ServeMux) {
	mux.HandleFunc("/style.css", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/css; charset=utf-8")
		rw.Header().Set("Cache-Control", "public, max-age=300")
		_, _ = rw.Write(w.style) // the client may be gone
	})
	mux.HandleFunc("/{$}", w.page("home", w.home))
	mux.HandleFunc("/streams/{id}", w.page("stream", w.stream))
	mux.HandleFunc("/sensors", w.page("sensors", w.sensors))
	mux.HandleFunc("/sensors/{id}", w.page("sensor", w.sensor))
	mux.HandleFunc("/decisions", w.page("decisions", w.decisions))
	mux.HandleFunc("/decisions/{id}", w.page("decision", w.decision))
	mux.HandleFunc("/decisions/{id}/{file...}", w.file)
	mux.HandleFunc("/privacy", w.page("privacy", w.privacy))
	mux.HandleFunc("/", w.page("missing", func(*http.Request) (any, error) { return nil, query.ErrUnknown }))
}

// frame is what every page has around its content.
type frame struct {
	City books.City
	// Canonical is the page's public address; empty where it is not known.
	Canonical string
	Page      any
}

func (w *Web) page(name string, content func(*http.Request) (any, error)) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		status := http.StatusOK
		data, err := content(r)
		var city books.City
		if err == nil || errors.Is(err, query.ErrUnknown) {
			var cityErr error
			city, cityErr = w.source.Books.City()
			err = errors.Join(err, cityErr)
		}
		use := name
		switch {
		case errors.Is(err, query.ErrUnknown):
			use, status = "missing", http.StatusNotFound
		case err != nil:
			w.log.Error("a page cannot be made", "error", err)
			http.Error(rw, "The data cannot be read just now. Please try again in a minute.", http.StatusServiceUnavailable)
			return
		}
		var b bytes.Buffer
		if err := w.pages[use].Execute(&b, frame{city, w.canonical(r), data}); err != nil {
			w.log.Error("a page cannot be made", "error", err)
			http.Error(rw, "This page cannot be shown.", http.StatusInternalServerError)
			return
		}
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		rw.Header().Set("Cache-Control", "public, max-age=5")
		rw.WriteHeader(status)
		_, _ = rw.Write(b.Bytes()) // the client may be gone
	}
}

func (w *Web) canonical(r *http.Request) string {
	if w.base == "" {
		return ""
	}
	return w.base + r.URL.EscapedPath()
}

// series is one cell and measure over time.
type series struct {
	Stream  query.Stream
	Measure books.Measure
	Cell    string
	Items   []store.Observation
}

// Latest is the newest observation, or nil.
func (s series) Latest() *store.Observation {
	if len(s.Items) == 0 {
		return nil
	}
	return &s.Items[len(s.Items)-1]
}

// Rows are the observations, newest first, for a table.
func (s series) Rows() []*store.Observation {
	out := make([]*store.Observation, 0, len(s.Items))
	for i := len(s.Items) - 1; i >= 0; i-- {
		out = append(out, &s.Items[i])
	}
	return out
}

// recent reads the last day of a stream, cut into series.
func (w *Web) recent(ctx context.Context, st query.Stream, span time.Duration) ([]series, error) {
	q := store.Query{Stream: st.ID, From: st.ClosedUntil.Add(-span), To: st.ClosedUntil, Limit: 20 * query.MaxLimit}
	if st.ClosedUntil.IsZero() {
		q.From, q.To = time.Unix(0, 0), time.Unix(0, 0)
	}
	list, err := w.source.Store.Observations(ctx, q)
	if err != nil {
		return nil, err
	}
	by := map[[2]string][]store.Observation{}
	for _, o := range list {
		key := [2]string{o.Cell, o.Measure}
		by[key] = append(by[key], o)
	}
	var out []series
	for _, c := range st.Cells {
		for _, m := range st.Measures {
			out = append(out, series{st, m, c.ID, by[[2]string{c.ID, m.Name}]})
		}
	}
	return out, nil
}

type homePage struct {
	// Lead is the newest published number under a voted decision.
	Lead    *series
	Streams []homeStream
}

type homeStream struct {
	query.Stream
	Series []series
}

func (w *Web) home(r *http.Request) (any, error) {
	list, err := w.source.Streams(r.Context())
	if err != nil {
		return nil, err
	}
	var p homePage
	for _, st := range list {
		all, err := w.recent(r.Context(), st, 2*time.Hour)
		if err != nil {
			return nil, err
		}
		for i := range all {
			o := all[i].Latest()
			if o != nil && o.Status == store.Published && (p.Lead == nil || p.Lead.Stream.Unit == "none" && st.Unit != "none") {
				p.Lead = &all[i]
			}
		}
		p.Streams = append(p.Streams, homeStream{st, all})
	}
	return p, nil
}

type streamPage struct {
	query.Stream
	Series []series
	Cell   string
}

func (w *Web) stream(r *http.Request) (any, error) {
	st, err := w.source.Stream(r.Context(), r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	all, err := w.recent(r.Context(), st, 24*time.Hour)
	if err != nil {
		return nil, err
	}
	p := streamPage{Stream: st, Cell: r.URL.Query().Get("cell")}
	for _, s := range all {
		if p.Cell == "" || s.Cell == p.Cell {
			p.Series = append(p.Series, s)
		}
	}
	if len(p.Series) == 0 {
		return nil, query.ErrUnknown
	}
	return p, nil
}

func (w *Web) sensors(*http.Request) (any, error) { return w.source.Books.Register() }

func (w *Web) sensor(r *http.Request) (any, error) {
	reg, err := w.source.Books.Register()
	for _, s := range reg.Sensors {
		if s.ID == r.PathValue("id") {
			return s, err
		}
	}
	return nil, errors.Join(err, query.ErrUnknown)
}

func (w *Web) decisions(*http.Request) (any, error) { return w.source.Books.Decisions() }

type privacyPage struct {
	Days []books.Entry
	All  int
}

// privacy shows the newest lines of the ledger, newest first.
func (w *Web) privacy(*http.Request) (any, error) {
	list, err := w.source.Books.Ledger()
	p := privacyPage{All: len(list)}
	for i := len(list) - 1; i >= 0 && len(p.Days) < 50; i-- {
		p.Days = append(p.Days, list[i])
	}
	return p, err
}

// title picks the English title, or the first in order of language.
func title(t map[string]string) string {
	if t["en"] != "" {
		return t["en"]
	}
	best := ""
	for lang := range t {
		if best == "" || lang < best {
			best = lang
		}
	}
	return t[best]
}

// number shows a value with at most one decimal.
func number(v *float64) string {
	if v == nil {
		return ""
	}
	return strings.TrimSuffix(strconv.FormatFloat(*v, 'f', 1, 64), ".0")
}

func interval(o *store.Observation) string {
	if o == nil || o.Low == nil || *o.Low == *o.High {
		return ""
	}
	return number(o.Low) + " to " + number(o.High)
}

func clock(t time.Time, zone string) string { return local(t, zone).Format("15:04") }

func day(t time.Time, zone string) string {
	if t.IsZero() {
		return "not yet"
	}
	return local(t, zone).Format("Monday, 2 January 2006, 15:04")
}

func local(t time.Time, zone string) time.Time {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return t.UTC()
	}
	return t.In(loc)
}

// unit says a unit of measurement in words; counts of units of privacy get the
// plural.
func unit(u string) string {
	switch u {
	case "ug/m3":
		return "µg/m³"
	case "device", "vehicle", "card", "home", "reading":
		return u + "s"
	case "person":
		return "people"
	}
	return u
}

// what names a measure and, where that says more, its unit.
func what(m books.Measure) string {
	if u := unit(m.Unit); u != "" && u != m.Name {
		return m.Name + ", " + u
	}
	return m.Name
}

func every(p string) string {
	switch p {
	case "PT15M":
		return "every quarter of an hour"
	case "PT30M":
		return "every half hour"
	case "PT1H":
		return "every hour"
	case "P1D":
		return "every day"
	}
	return "every " + strings.ToLower(strings.TrimPrefix(strings.TrimPrefix(p, "P"), "T"))
}

func statusText(o *store.Observation) string {
	if o == nil {
		return "nothing yet"
	}
	switch o.Status {
	case store.Withheld:
		if o.Reason != "" && o.Reason != "few" {
			return "withheld (" + o.Reason + ")"
		}
		return "withheld"
	case store.NoData:
		return "no data"
	case store.Withdrawn:
		return "withdrawn"
	}
	return number(o.Value)
}

// state says a decision's state in words.
func state(s string) string { return strings.ReplaceAll(s, "_", " ") }

// language is a language's own name.
func language(code string) string {
	switch code {
	case "ca":
		return "Català"
	case "es":
		return "Español"
	}
	return "English"
}

// silence says why nothing flows.
func silence(code string) string {
	switch code {
	case "":
		return ""
	case "no_policy":
		return "Nothing is measured: the council has not put any policy in force yet."
	case "policy_taken_away":
		return "Nothing is measured: the policy was taken away."
	case "sunset":
		return "Nothing is measured: every decision of the council has reached its last day."
	case "suspended":
		return "Nothing is measured: the council has suspended its decisions."
	case "not_yet":
		return "Nothing is measured yet: the council's decisions begin later."
	}
	return "Nothing is measured: the council has decided nothing."
}
