package api

import (
	"net/http"
	"net/url"
	"slices"

	"sluice/opendata/httpcache"
	"sluice/opendata/query"
	"sluice/store"
)

// latest answers with what a stream's last released window says of each cell and measure,
// in the form of observations.
func (a *API) latest(r *http.Request, v url.Values) (*httpcache.Reply, error) {
	st, err := a.source.Stream(r.Context(), r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	as, err := formOf(r, v, "json")
	if err != nil {
		return nil, err
	}
	all, err := a.source.LatestOf(r.Context(), v, st)
	if err != nil {
		return nil, err
	}
	return a.written(r, st, all, "", as)
}

// allLatest answers with what the last released window of every stream says.
func (a *API) allLatest(r *http.Request, v url.Values) (*httpcache.Reply, error) {
	as, err := formOf(r, v, "json")
	if err != nil {
		return nil, err
	}
	all, err := a.source.LatestOfAll(r.Context(), v)
	if err != nil {
		return nil, err
	}
	if as != asDocument {
		return a.latestTable(r, all, as)
	}
	b := []byte(`{"items":[`)
	for _, l := range all {
		for i := range l.Items {
			if b[len(b)-1] == '}' {
				b = append(b, ',')
			}
			b = appendText(append(b, `{"stream":`...), l.Stream.ID)
			at := len(b)
			b = appendItem(b, &l.Items[i])
			b[at] = ',' // what was the item's brace
		}
	}
	return &httpcache.Reply{Type: jsonType, Body: append(b, `],"next":null}`+"\n"...)}, nil
}

func latestHeader() []string {
	return append([]string{"stream"}, observationTable(query.Stream{}, nil).header...)
}

// latestTable has the columns of observations behind the stream's id.
func (a *API) latestTable(r *http.Request, all []query.Last, as form) (*httpcache.Reply, error) {
	head := table[store.Observation]{header: latestHeader()}
	body := head.head(as)
	for _, l := range all {
		epochs, err := a.epochsOf(r, l.Stream, l.Items)
		if err != nil {
			return nil, err
		}
		of := observationTable(l.Stream, epochs)
		if body, err = (table[store.Observation]{head.header, func(o store.Observation) [][]string {
			rows := of.rows(o)
			for i := range rows {
				rows[i] = slices.Insert(rows[i], 0, text(l.Stream.ID))
			}
			return rows
		}}).append(as, body, l.Items); err != nil {
			return nil, err
		}
	}
	return &httpcache.Reply{Type: csvType, Body: body, File: "latest.csv"}, nil
}
