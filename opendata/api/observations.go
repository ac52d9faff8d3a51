package api

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"sluice/opendata/httpcache"
	"sluice/opendata/query"
	"sluice/store"
)

// asked reads a request's stream and format; latest is the gateway's time if the request
// names no span.
func (a *API) asked(r *http.Request, v url.Values) (st query.Stream, as form, latest time.Time, err error) {
	if st, err = a.source.Stream(r.Context(), r.PathValue("id")); err != nil {
		return st, 0, latest, err
	}
	if as, err = formOf(r, v, "json"); err != nil {
		return st, 0, latest, err
	}
	if !v.Has("from") && !v.Has("to") { // nobody else needs it
		latest, err = a.source.Latest(r.Context())
	}
	return st, as, latest, err
}

// observations answers with all observations of a query, or with a page if it has a limit
// or a cursor.
func (a *API) observations(r *http.Request, v url.Values) (*httpcache.Reply, error) {
	st, as, latest, err := a.asked(r, v)
	if err != nil {
		return nil, err
	}
	q, err := query.Parse(v, st, latest)
	if err != nil {
		return nil, err
	}
	if q.Limit == 0 {
		all, few, err := a.source.Whole(r.Context(), q)
		if err != nil {
			return nil, err
		}
		if !few {
			return a.long(st, q, as), nil
		}
		return a.written(r, st, all, "", as)
	}
	q.Limit++ // one more shows whether there is a next page
	all, err := a.source.Store.Observations(r.Context(), q)
	if err != nil {
		return nil, err
	}
	next := ""
	if len(all) == q.Limit {
		all = all[:q.Limit-1]
		next = nextPage(httpcache.At(r.Context(), r.URL.Path), v, q, all[len(all)-1])
	}
	return a.written(r, st, all, next, as)
}

// written encodes observations as one answer.
func (a *API) written(
	r *http.Request, st query.Stream, all []store.Observation, next string, as form,
) (*httpcache.Reply, error) {
	epochs, err := a.epochsOf(r, st, all)
	if err != nil {
		return nil, err
	}
	if as != asDocument {
		return observationTable(st, epochs).file(as, all, st.ID, next)
	}
	return &httpcache.Reply{Type: jsonType, Body: appendObservations(nil, st.ID, all, next, epochs), Next: next}, nil
}

// epochsOf returns the epochs that a list is of.
func (a *API) epochsOf(r *http.Request, st query.Stream, list []store.Observation) ([]query.Epoch, error) {
	if len(list) == 0 {
		return nil, nil
	}
	first, last := bounds(list)
	return a.source.Epochs(r.Context(), st, first, last)
}

// bounds returns the start of the first window and the end of the last one, in any order.
func bounds(list []store.Observation) (first, last time.Time) {
	first, last = list[0].Start, list[0].End
	for i := range list {
		if o := &list[i]; o.Start.Before(first) {
			first = o.Start
		} else if o.End.After(last) {
			last = o.End
		}
	}
	return first, last
}

// nextPage fixes from and to, so that the pages that follow do not shift.
func nextPage(path string, v url.Values, q store.Query, last store.Observation) string {
	v.Set("from", q.From.Format(time.RFC3339))
	v.Set("to", q.To.UTC().Format(time.RFC3339))
	v.Set("cursor", query.Cursor(last))
	return path + "?" + v.Encode()
}

// share formats a share for CSV; empty if unknown.
func share(s *query.Share) []string {
	if s == nil {
		return []string{"", "", ""}
	}
	return []string{number(&s.Value), number(&s.Low), number(&s.High)}
}

// observationTable has times in UTC and in the stream's time zone, and beside each row the
// share of its epoch.
func observationTable(st query.Stream, epochs []query.Epoch) table[store.Observation] {
	loc := query.Place(st.Timezone)
	return table[store.Observation]{
		[]string{"start_utc", "start_local", "every", "cell", "measure", "value", "status", "low", "high", "unit",
			"decision", "simulation", "bounded_share", "bounded_share_low", "bounded_share_high", "gateway"},
		func(o store.Observation) [][]string {
			return [][]string{slices.Concat([]string{
				o.Start.Format(time.RFC3339), o.Start.In(loc).Format(time.RFC3339), text(o.Every), text(o.Cell),
				text(o.Measure),
				number(o.Value), text(string(o.Status)), number(o.Low), number(o.High), text(o.Unit), text(o.Decision),
				strconv.FormatBool(o.Simulation),
			}, share(query.Covering(epochs, o.Gateway, o.Start).Share()), []string{text(o.Gateway)})}
		},
	}
}

// totals answers with sums of published numbers, over zones or over time.
func (a *API) totals(r *http.Request, v url.Values) (*httpcache.Reply, error) {
	st, as, latest, err := a.asked(r, v)
	if err != nil {
		return nil, err
	}
	all, err := a.source.Totals(r.Context(), v, st, latest)
	if err != nil {
		return nil, err
	}
	if as != asDocument {
		return totalTable.file(as, all, st.ID+"-totals", "")
	}
	return asJSON(totalPage{st.ID, v.Get("over"), all, st.Simulation, nil})
}

type totalPage struct {
	Stream     string         `json:"stream"`
	Over       string         `json:"over" enum:"zones,time"`
	Items      []*query.Total `json:"items"`
	Simulation bool           `json:"simulation"`
	Next       *string        `json:"next" doc:"Null: there is no other page"`
}

var totalTable = table[*query.Total]{
	[]string{"start_utc", "end_utc", "cell", "category", "measure", "parts", "published", "withheld", "no_data",
		"withdrawn", "value", "low", "high", "unit"},
	func(t *query.Total) [][]string {
		return [][]string{{
			t.Start.Format(time.RFC3339), t.End.Format(time.RFC3339), text(t.Cell), text(t.Category), text(t.Measure),
			strconv.Itoa(t.Parts), strconv.Itoa(t.Published), strconv.Itoa(t.Withheld), strconv.Itoa(t.NoData),
			strconv.Itoa(t.Withdrawn),
			number(t.Value), number(t.Low), number(t.High), text(t.Unit),
		}}
	},
}

// Size is the length of a stream's file.
type Size struct {
	Known       bool
	Rows, Bytes int // as CSV, without what compressing saves
}

// SizeOf computes the size of a file of observations, without the shares of their epochs.
func SizeOf(st query.Stream, list []store.Observation) Size {
	t := observationTable(st, nil)
	body, err := t.append(asTable, t.head(asTable), list)
	return Size{err == nil, len(list), len(body)}
}
