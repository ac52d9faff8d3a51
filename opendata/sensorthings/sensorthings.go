// Package sensorthings serves what was released as OGC SensorThings 1.1 (18-088) at /v1.1, for
// reading:
//
//	Thing, Location, FeatureOfInterest   a zone of the register
//	Datastream                           one measure of one cell of a stream, by the length of its windows
//	Observation                          one published window: phenomenonTime is the window, resultTime its
//	                                     end, resultQuality the interval and the status
//	ObservedProperty                     a measure of a stream
//	Sensor                               the kinds of sensors under a decision, which is their procedure
//	HistoricalLocation                   none: zones do not move
//
// What is withheld, withdrawn or without data is no Observation, and nothing here tells that
// it could be one: counts, pages, orders and filters see published numbers alone.
//
// Ids are texts, made of the names in the public books, and so the same for ever:
//
//	Things('rambla')
//	Datastreams('footfall:devices:PT1H:rambla')
//	Observations('footfall:devices:PT1H:rambla@2026-11-23T10:00:00Z@edge-1')
//	ObservedProperties('footfall:devices')
//	Sensors('2026-14')
//
// A byte that is none of A-Z a-z 0-9 . _ - is ~ and two hexadecimal digits. Behind the last @
// is the gateway that released it, where rows name one.
//
// now() is the end of the last window that was released: the same question has the same
// answer whoever asks it when.
package sensorthings

import (
	"context"
	"log/slog"
	"net/http"

	"sluice/opendata/httpcache"
	"sluice/opendata/query"
	"sluice/opendata/sensorthings/engine"
)

// requirements are the classes of 18-088 that hold, and the extension for CSV.
var requirements = []string{
	"http://www.opengis.net/spec/iot_sensing/1.1/req/datamodel",
	"http://www.opengis.net/spec/iot_sensing/1.1/req/resource-path/resource-path-to-entities",
	"http://www.opengis.net/spec/iot_sensing/1.1/req/request-data",
	"http://www.opengis.net/spec/iot_sensing/1.1/req/data-array/data-array",
	"https://github.com/INSIDE-information-systems/SensorThingsAPI/blob/master/CSV-ResultFormat/CSV-ResultFormat.md",
}

// Path is where the service is.
const Path = "/v1.1"

// API serves one source.
type API struct {
	service *engine.Service
	cache   *httpcache.Cache
	log     *slog.Logger
}

// New returns an API. The base is the public address of the server, if known: without it,
// links are paths.
func New(source *query.Source, cache *httpcache.Cache, base string, log *slog.Logger) *API {
	return &API{&engine.Service{
		Store: &city{source: source, base: base}, Base: base + Path, Conformance: requirements, ByResult: true,
		Parts: map[string][]string{
			"unitOfMeasurement": {"name", "symbol", "definition"}, "resultQuality": {"low", "high", "status"},
			"parameters": {"decision", "policy", "mechanism", "epsilon", "gateway", "simulation"},
		},
	}, cache, log}
}

// Routes adds the API to a mux.
func (a *API) Routes(mux *http.ServeMux) {
	h := a.cache.Handle(func(r *http.Request) (*httpcache.Reply, error) {
		return a.get(r.Context(), r.PathValue("path"), r.URL.RawQuery)
	}, a.fail)
	mux.HandleFunc(Path, h)
	mux.HandleFunc(Path+"/{path...}", h)
}

func (a *API) get(ctx context.Context, path, rawQuery string) (*httpcache.Reply, error) {
	out, err := a.service.Get(ctx, path, rawQuery)
	if err != nil {
		return nil, err
	}
	reply := &httpcache.Reply{Type: out.Type, Body: out.Body, File: out.File}
	if out.File != "" { // JSON says it itself
		reply.Next = out.Next
	}
	return reply, nil
}

func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, detail := engine.Problem(err)
	switch status {
	case http.StatusBadRequest:
		httpcache.Problem(w, r, status, "parameter", "A parameter cannot be used", detail)
	case http.StatusNotImplemented:
		httpcache.Problem(w, r, status, "unsupported", "This is not supported", detail)
	case http.StatusNotFound:
		httpcache.Problem(w, r, status, "unknown", "There is no such thing here", detail)
	default:
		a.log.Error("a query failed", "error", err)
		httpcache.Problem(w, r, http.StatusServiceUnavailable, "unavailable", "The store cannot be read just now",
			"try again in a minute, or ask for less; if it lasts, whoever runs this server finds in its log what "+
				"cannot be read, and what to do")
	}
}
