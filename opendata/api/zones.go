package api

import (
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"sluice/opendata/httpcache"
	"sluice/opendata/query"
	"sluice/store"
)

// zones answers with the zones as voted, each with the values of its newest windows.
func (a *API) zones(r *http.Request, v url.Values) (*httpcache.Reply, error) {
	as, err := formOf(r, v, "geojson")
	if err != nil {
		return nil, err
	}
	newest, err := a.newest(r, v)
	if err != nil {
		return nil, err
	}
	raw, err := a.source.Zones()
	if err != nil {
		return nil, err
	}
	all := collection{Type: "FeatureCollection", Features: []feature{}}
	if raw != nil {
		if err := json.Unmarshal(raw, &all); err != nil {
			return nil, err
		}
	}
	by := map[string][]shown{}
	for _, l := range newest {
		by[l.zone] = append(by[l.zone], l.shown)
	}
	var rows []zoneRow
	for i := range all.Features {
		f := &all.Features[i]
		if f.Properties == nil {
			f.Properties = map[string]any{}
		}
		id := f.zone()
		say(f.Properties, by[id], v)
		name, _ := f.Properties["name"].(string)
		for _, l := range by[id] {
			rows = append(rows, zoneRow{id, name, l})
		}
	}
	if as != asDocument {
		return zoneTable.file(as, rows, "zones", "")
	}
	// Programs that open files look for the type at the beginning.
	out, err := asListBehind(`"type":"FeatureCollection",`, "features", all.Features, "")
	if err != nil {
		return nil, err
	}
	out.Type = geoType
	return out, nil
}

// zone is the zone's name in the register: the feature's id, or a property id.
func (f *feature) zone() string {
	if id, ok := f.ID.(string); ok {
		return id
	}
	id, _ := f.Properties["id"].(string)
	return id
}

// say adds values to a zone's properties: the one that was asked for as plain properties,
// by which map programs can colour, or all as a list.
func say(p map[string]any, list []shown, v url.Values) {
	if !v.Has("stream") {
		p["latest"] = append([]shown{}, list...)
		return
	}
	if len(list) == 0 {
		return
	}
	l := list[0]
	p["start"], p["end"], p["status"], p["unit"], p["decision"] = l.Start, l.End, l.Status, l.Unit, l.Decision
	p["value"], p["low"], p["high"], p["measure"], p["category"] = l.Value, l.Low, l.High, l.Measure, l.Category
}

// placed is a newest value and its zone.
type placed struct {
	zone string
	shown
}

func (a *API) newest(r *http.Request, v url.Values) ([]placed, error) {
	streams, err := a.source.Streams(r.Context())
	if err != nil {
		return nil, err
	}
	if v.Has("stream") {
		st, err := a.source.Stream(r.Context(), v.Get("stream"))
		if err != nil {
			return nil, &query.Invalid{Parameter: "stream", Hint: "names no stream; see /api/v1/streams"}
		}
		streams = []query.Stream{st}
	} else if v.Has("measure") || v.Has("category") {
		return nil, &query.Invalid{Parameter: "stream", Hint: "is missing, and measure and category need it"}
	}
	var out []placed
	for _, st := range streams {
		list, err := a.source.Newest(r.Context(), st)
		if err != nil {
			return nil, err
		}
		for i := range list {
			if o := &list[i]; (!v.Has("measure") || o.Measure == v.Get("measure")) &&
				(!v.Has("category") || o.Category == v.Get("category")) {
				out = append(out, placed{o.Zone, shownOf(o)})
			}
		}
	}
	if len(out) == 0 && (v.Has("measure") || v.Has("category")) {
		return nil, &query.Invalid{Parameter: "measure",
			Hint: "or category names nothing that this stream has released"}
	}
	return out, nil
}

func shownOf(o *store.Observation) shown {
	return shown{o.Stream, o.Measure, o.Category, o.Start, o.End, o.Status, o.Value, o.Low, o.High, o.Unit, o.Decision,
		o.Simulation}
}

type zoneRow struct {
	id, name string
	shown
}

var zoneTable = table[zoneRow]{
	[]string{"id", "name", "stream", "measure", "category", "start_utc", "end_utc", "status", "value", "low", "high",
		"unit", "decision"},
	func(z zoneRow) [][]string {
		return [][]string{{
			text(z.id), text(z.name), text(z.Stream), text(z.Measure), text(z.Category), z.Start.Format(time.RFC3339),
			z.End.Format(time.RFC3339),
			text(string(z.Status)), number(z.Value), number(z.Low), number(z.High), text(z.Unit), text(z.Decision),
		}}
	},
}
