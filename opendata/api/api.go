// Package api serves /api/v1: released observations, streams, sensors, zones, decisions and
// the ledger as JSON, CSV and GeoJSON. It answers GET and HEAD only; the same query always
// gives the same bytes; an error is a problem document (RFC 9457) that names the parameter,
// never its value. /openapi.json describes it.
package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"sluice/opendata/httpcache"
	"sluice/opendata/query"
)

// API serves one source.
type API struct {
	source *query.Source
	cache  *httpcache.Cache
	base   string
	log    *slog.Logger
}

// New returns an API. The base is its public address, if known.
func New(source *query.Source, cache *httpcache.Cache, base string, log *slog.Logger) *API {
	return &API{source, cache, strings.TrimSuffix(base, "/"), log}
}

// endpoint is one route with its parameters.
type endpoint struct {
	path       string
	parameters []string
	// make answers; nil where somebody else does, and it is only described here.
	make func(*http.Request, url.Values) (*httpcache.Reply, error)
}

// live is the path of events.
const live = "/api/v1/live"

// endpoints lists the routes of /api/v1.
func (a *API) endpoints() []endpoint {
	return []endpoint{
		{"/api/v1/streams", []string{"limit", "cursor", "format"}, a.streams},
		{"/api/v1/streams/{id}/observations", query.Parameters, a.observations},
		{"/api/v1/streams/{id}/latest", query.LatestParameters, a.latest},
		{"/api/v1/latest", query.LatestParameters, a.allLatest},
		{"/api/v1/streams/{id}/totals", query.TotalParameters, a.totals},
		{live, []string{"stream", "cell", "measure", "after"}, nil},
		{"/api/v1/sensors", []string{"limit", "cursor", "format"}, a.sensors},
		{"/api/v1/zones", []string{"stream", "measure", "category", "format"}, a.zones},
		{"/api/v1/decisions", []string{"limit", "cursor", "format"}, a.decisions},
		{"/api/v1/decisions/{id}", []string{"format"}, a.decision},
		{"/api/v1/ledger", []string{"day", "limit", "cursor", "format"}, a.ledger},
	}
}

// Routes adds the API to a mux.
func (a *API) Routes(mux *http.ServeMux) {
	for _, e := range a.endpoints() {
		if e.make == nil {
			continue
		}
		mux.HandleFunc(e.path, a.get(func(r *http.Request) (*httpcache.Reply, error) {
			v, err := query.Values(r.URL.RawQuery, e.parameters...)
			if err != nil {
				return nil, err
			}
			return e.make(r, v)
		}))
	}
	mux.HandleFunc("/openapi.json", a.get(a.openAPI))
	mux.HandleFunc("/books/gateways.json", a.get(a.gateways))
	mux.HandleFunc("/books/gateways/{gateway}/{name...}", a.book(a.get(a.small)))
	mux.HandleFunc("/books/{name...}", a.book(a.get(a.small)))
	for _, path := range []string{"/api/v1", "/api/v1/{$}"} { // catalogues name it
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, httpcache.At(r.Context(), "/openapi.json"), http.StatusFound)
		})
	}
	mux.HandleFunc("/api/", a.get(func(*http.Request) (*httpcache.Reply, error) { return nil, query.ErrUnknown }))
}

func (a *API) get(h httpcache.Maker) http.HandlerFunc { return a.cache.Handle(h, a.Fail) }

// Fail answers with a problem document.
func (a *API) Fail(w http.ResponseWriter, r *http.Request, err error) {
	var invalid *query.Invalid
	switch {
	case errors.As(err, &invalid):
		httpcache.Problem(w, r, http.StatusBadRequest, "parameter", "A parameter cannot be used", invalid.Error())
	case errors.Is(err, query.ErrUnknown):
		httpcache.Problem(w, r, http.StatusNotFound, "unknown", "There is no such thing here",
			"see /api/v1/streams for what there is, and /openapi.json for all paths")
	default:
		a.log.Error("a query failed", "error", err)
		httpcache.Problem(w, r, http.StatusServiceUnavailable, "unavailable", "The store cannot be read just now",
			"try again in a minute; if it lasts, whoever runs this server finds in its log what cannot be read, and "+
				"what to do")
	}
}

func asJSON(v any) (*httpcache.Reply, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return &httpcache.Reply{Type: "application/json", Body: b.Bytes()}, err
}

func number(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'f', -1, 64)
}
