// Package api is /api/v1: the released observations, streams, sensors, zones,
// decisions and the ledger as JSON and CSV. GET and HEAD only, the same query
// always gives the same bytes, and an error is a problem document (RFC 9457)
// that names the parameter, never its value.
package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"sluice/books"
	"sluice/opendata/query"
	"sluice/store"
)

// API serves one source.
type API struct {
	source *query.Source
	log    *slog.Logger
}

// New makes the handlers.
func New(source *query.Source, log *slog.Logger) *API { return &API{source, log} }

// Routes adds the API to a mux.
func (a *API) Routes(mux *http.ServeMux) {
	mux.HandleFunc("/api/v1/streams", a.get(a.streams))
	mux.HandleFunc("/api/v1/streams/{id}/observations", a.get(a.observations))
	mux.HandleFunc("/api/v1/streams/{id}/totals", a.get(a.totals))
	mux.HandleFunc("/api/v1/sensors", a.get(a.sensors))
	mux.HandleFunc("/api/v1/zones", a.get(a.zones))
	mux.HandleFunc("/api/v1/decisions", a.get(a.decisions))
	mux.HandleFunc("/api/v1/decisions/{id}", a.get(a.decision))
	mux.HandleFunc("/api/v1/ledger", a.get(a.ledger))
	mux.HandleFunc("/books/{name...}", a.get(a.book))
	mux.HandleFunc("/api/", a.get(func(*http.Request) (*answer, error) { return nil, query.ErrUnknown }))
}

// answer is a whole response.
type answer struct {
	mime string
	body []byte
	next string
}

func asJSON(v any) (*answer, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return &answer{mime: "application/json", body: b.Bytes()}, err
}

// ReadOnly refuses every method but GET and HEAD.
func ReadOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			problem(w, r, http.StatusMethodNotAllowed, "method", "Only GET and HEAD", "this interface is for reading")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// get wraps a handler: errors and caching.
func (a *API) get(h func(*http.Request) (*answer, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Expose-Headers", "ETag, Link")
		out, err := h(r)
		var invalid *query.Invalid
		switch {
		case errors.As(err, &invalid):
			problem(w, r, http.StatusBadRequest, "parameter", "A parameter cannot be used", invalid.Error())
		case errors.Is(err, query.ErrUnknown):
			problem(w, r, http.StatusNotFound, "unknown", "There is no such thing here", "see /api/v1/streams for what there is")
		case err != nil:
			a.log.Error("a query failed", "error", err)
			problem(w, r, http.StatusServiceUnavailable, "unavailable", "The store cannot be read just now", "try again in a minute")
		default:
			send(w, r, out)
		}
	}
}

func send(w http.ResponseWriter, r *http.Request, out *answer) {
	sum := sha256.Sum256(out.body)
	etag := `"` + hex.EncodeToString(sum[:16]) + `"`
	h := w.Header()
	h.Set("Content-Type", out.mime)
	h.Set("ETag", etag)
	h.Set("Cache-Control", "public, max-age=5")
	h.Set("Vary", "Accept")
	if out.next != "" {
		h.Set("Link", "<"+out.next+`>; rel="next"`)
	}
	if match := r.Header.Get("If-None-Match"); match == "*" || strings.Contains(match, etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(out.body)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(out.body) // the client may be gone
	}
}

func problem(w http.ResponseWriter, r *http.Request, status int, code, title, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"type": "/problems/" + code, "title": title, "status": status, "detail": detail, "instance": r.URL.EscapedPath(),
	})
}

// stream is STREAM of the interface, field by field.
type stream struct {
	ID          string            `json:"id"`
	Title       map[string]string `json:"title"`
	Every       string            `json:"every"`
	Timezone    string            `json:"timezone"`
	Unit        string            `json:"unit"`
	Measures    []books.Measure   `json:"measures"`
	Cells       []books.Cell      `json:"cells"`
	Decision    string            `json:"decision"`
	From        string            `json:"from"`
	Until       string            `json:"until"`
	Licence     string            `json:"licence"`
	ClosedUntil *time.Time        `json:"closed_until"`
	Simulation  bool              `json:"simulation"`
}

func (a *API) streams(r *http.Request) (*answer, error) {
	if _, err := query.Values(r.URL.RawQuery); err != nil {
		return nil, err
	}
	list, err := a.source.Streams(r.Context())
	if err != nil {
		return nil, err
	}
	out := []stream{}
	for _, s := range list {
		x := stream{s.ID, s.Title, s.Every, s.Timezone, s.Unit, s.Measures, s.Cells, s.Decision, s.From, s.Until, s.Licence, nil, s.Simulation}
		if !s.ClosedUntil.IsZero() {
			x.ClosedUntil = &s.ClosedUntil
		}
		out = append(out, x)
	}
	return asJSON(map[string]any{"streams": out})
}

// item is one observation of the interface, field by field.
type item struct {
	Start      time.Time    `json:"start"`
	End        time.Time    `json:"end"`
	Cell       string       `json:"cell"`
	Zone       string       `json:"zone"`
	Category   string       `json:"category"`
	Measure    string       `json:"measure"`
	Status     store.Status `json:"status"`
	Reason     string       `json:"reason"`
	Value      *float64     `json:"value"`
	Low        *float64     `json:"low"`
	High       *float64     `json:"high"`
	Unit       string       `json:"unit"`
	Decision   string       `json:"decision"`
	Policy     string       `json:"policy"`
	Mechanism  string       `json:"mechanism"`
	Epsilon    float64      `json:"epsilon"`
	Scale      float64      `json:"scale"`
	Threshold  float64      `json:"threshold"`
	Simulation bool         `json:"simulation"`
}

func (a *API) observations(r *http.Request) (*answer, error) {
	ctx := r.Context()
	st, err := a.source.Stream(ctx, r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	v, err := query.Values(r.URL.RawQuery, query.Parameters...)
	if err != nil {
		return nil, err
	}
	var latest time.Time
	if !v.Has("from") && !v.Has("to") { // nobody else needs it
		if latest, err = a.source.Latest(ctx); err != nil {
			return nil, err
		}
	}
	q, err := query.Parse(v, st, latest)
	if err != nil {
		return nil, err
	}
	csv, err := wantsCSV(r, v)
	if err != nil {
		return nil, err
	}
	q.Limit++ // one more shows whether there is a next page
	list, err := a.source.Store.Observations(ctx, q)
	if err != nil {
		return nil, err
	}
	next := ""
	if len(list) == q.Limit {
		list = list[:q.Limit-1]
		next = nextPage(r.URL, v, q, list[len(list)-1])
	}
	if csv {
		return observationsCSV(list, st, next)
	}
	items := []item{}
	for _, o := range list {
		items = append(items, item{
			o.Start, o.End, o.Cell, o.Zone, o.Category, o.Measure, o.Status, o.Reason, o.Value, o.Low, o.High, o.Unit,
			o.Decision, o.Policy, o.Mechanism, o.Epsilon, o.Scale, o.Threshold, o.Simulation,
		})
	}
	body := struct {
		Stream string  `json:"stream"`
		Items  []item  `json:"items"`
		Next   *string `json:"next"`
	}{st.ID, items, nil}
	if next != "" {
		body.Next = &next
	}
	out, err := asJSON(body)
	out.next = next
	return out, err
}

// nextPage fixes from and to, so that the following pages do not move.
func nextPage(u *url.URL, v url.Values, q store.Query, last store.Observation) string {
	v.Set("from", q.From.Format(time.RFC3339))
	v.Set("to", q.To.UTC().Format(time.RFC3339))
	v.Set("cursor", query.Cursor(last))
	return u.Path + "?" + v.Encode()
}

func wantsCSV(r *http.Request, v url.Values) (bool, error) {
	switch v.Get("format") {
	case "csv":
		return true, nil
	case "json":
		return false, nil
	case "":
		accept := r.Header.Get("Accept")
		return strings.Contains(accept, "text/csv") && !strings.Contains(accept, "application/json"), nil
	}
	return false, &query.Invalid{Parameter: "format", Hint: "is json or csv"}
}

func (a *API) sensors(r *http.Request) (*answer, error) {
	if _, err := query.Values(r.URL.RawQuery); err != nil {
		return nil, err
	}
	reg, err := a.source.Books.Register()
	if err != nil {
		return nil, err
	}
	if reg.Sensors == nil {
		reg.Sensors = []books.Sensor{}
	}
	if reg.Homes == nil {
		reg.Homes = []books.Homes{}
	}
	return asJSON(reg)
}

// book is one file of the public books, as it is, for mirrors and for whoever
// checks them.
func (a *API) book(r *http.Request) (*answer, error) {
	name := r.PathValue("name")
	raw, err := a.source.Books.Source.Get(name)
	var at *fs.PathError // no such file, or a directory
	if errors.Is(err, fs.ErrNotExist) || errors.As(err, &at) {
		return nil, query.ErrUnknown
	}
	mime := "text/plain; charset=utf-8"
	switch path.Ext(name) {
	case ".json":
		mime = "application/json"
	case ".jsonl":
		mime = "application/jsonl"
	case ".geojson":
		mime = "application/geo+json"
	case ".gz", ".sig", "":
		mime = "application/octet-stream"
	}
	return &answer{mime: mime, body: raw}, err
}

func (a *API) zones(r *http.Request) (*answer, error) {
	if _, err := query.Values(r.URL.RawQuery); err != nil {
		return nil, err
	}
	raw, err := a.source.Books.Zones()
	return &answer{mime: "application/geo+json", body: raw}, err
}

func (a *API) decisions(r *http.Request) (*answer, error) {
	if _, err := query.Values(r.URL.RawQuery); err != nil {
		return nil, err
	}
	list, err := a.source.Books.Decisions()
	if list == nil {
		list = []books.Decision{}
	}
	if err != nil {
		return nil, err
	}
	return asJSON(map[string]any{"decisions": list})
}

func (a *API) decision(r *http.Request) (*answer, error) {
	if _, err := query.Values(r.URL.RawQuery); err != nil {
		return nil, err
	}
	list, err := a.source.Books.Decisions()
	if err != nil {
		return nil, err
	}
	for _, d := range list {
		if d.ID == r.PathValue("id") {
			return asJSON(map[string]any{"decisions": []books.Decision{d}})
		}
	}
	return nil, query.ErrUnknown
}

func (a *API) ledger(r *http.Request) (*answer, error) {
	v, err := query.Values(r.URL.RawQuery, "day")
	if err != nil {
		return nil, err
	}
	day := v.Get("day")
	if _, err := time.Parse(time.DateOnly, day); day != "" && err != nil {
		return nil, &query.Invalid{Parameter: "day", Hint: "is a day such as 2026-11-23"}
	}
	list, err := a.source.Books.Ledger()
	if err != nil {
		return nil, err
	}
	out := []books.Entry{}
	for _, e := range list {
		if day == "" || e.Day == day {
			out = append(out, e)
		}
	}
	return asJSON(map[string]any{"entries": out})
}
