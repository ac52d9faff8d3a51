package web

import (
	"net/http"

	"sluice/opendata/api"
	"sluice/opendata/query"
	"sluice/opendata/words"
)

type dataPage struct {
	Streams []query.Stream
	// Licences are those of the streams, each once.
	Licences []string
}

func (w *Web) data(r *http.Request, _ *words.Speaker) (any, error) {
	streams, err := w.source.Streams(r.Context())
	p := dataPage{Streams: streams}
	for _, st := range streams {
		known := st.Licence == ""
		for _, l := range p.Licences {
			known = known || l == st.Licence
		}
		if !known {
			p.Licences = append(p.Licences, st.Licence)
		}
	}
	return p, err
}

// docs is the API for people, from the same words as /openapi.json.
func (w *Web) docs(*http.Request, *words.Speaker) (any, error) { return api.Guide(), nil }

// problems are what the API says when it cannot answer, by code.
var problems = map[string]string{
	"parameter":   "A parameter of the request is unknown, there twice, or has a value that cannot be used. The detail names it and says what it should be; it never repeats what was sent.",
	"unknown":     "There is nothing under this address. All addresses are in the API's description.",
	"method":      "This interface is for reading: only GET and HEAD are answered.",
	"body":        "A request that only reads has no body. Its connection was closed, since what stands between may have seen another end of the request.",
	"rate":        "This client asked too often. Retry-After says how many seconds to wait; RateLimit says what is left.",
	"unavailable": "The store or the public books cannot be read just now. Nothing is lost; try again in a minute.",
}

type problemPage struct{ Code, Text string }

func (w *Web) problem(r *http.Request, s *words.Speaker) (any, error) {
	text, ok := problems[r.PathValue("code")]
	if !ok {
		return nil, query.ErrUnknown
	}
	return problemPage{r.PathValue("code"), s.Say(text)}, nil
}
