package web

import (
	"net/http"

	"sluice/opendata/api"
	"sluice/opendata/i18n"
	"sluice/opendata/query"
)

type dataPage struct {
	Streams []query.Stream
	// Licences are those of the streams, each once.
	Licences []string
	// Sizes are those of the files of the last 24 hours, by stream; empty where they are long.
	Sizes map[string]api.Size
}

func (w *Web) data(r *http.Request, _ *i18n.Localizer) (any, error) {
	streams, err := w.source.Streams(r.Context())
	p := dataPage{Streams: streams, Sizes: make(map[string]api.Size)}
	for _, st := range streams {
		if p.Sizes[st.ID], err = w.lastSize(r, st); err != nil {
			return nil, err
		}
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
func (w *Web) docs(r *http.Request, _ *i18n.Localizer) (any, error) {
	return api.Guide(r.Context(), w.source), nil
}
