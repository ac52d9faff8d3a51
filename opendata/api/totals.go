package api

import (
	"net/http"
	"time"

	"sluice/opendata/query"
)

// totals are sums of what is published, over zones or over time.
func (a *API) totals(r *http.Request) (*answer, error) {
	ctx := r.Context()
	st, err := a.source.Stream(ctx, r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	v, err := query.Values(r.URL.RawQuery, query.TotalParameters...)
	if err != nil {
		return nil, err
	}
	var latest time.Time
	if !v.Has("from") && !v.Has("to") {
		if latest, err = a.source.Latest(ctx); err != nil {
			return nil, err
		}
	}
	list, err := a.source.Totals(ctx, v, st, latest)
	if err != nil {
		return nil, err
	}
	return asJSON(map[string]any{"stream": st.ID, "over": v.Get("over"), "items": list, "simulation": st.Simulation})
}
