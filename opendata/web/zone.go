package web

import (
	"net/http"
	"slices"

	"sluice/books"
	"sluice/opendata/i18n"
	"sluice/opendata/query"
	"sluice/opendata/zonemap"
)

// zonePage is a place: what is measured there, under which decisions, and what is new about it.
type zonePage struct {
	There     there
	Decisions []decisionRow
	News      []told
	Map       *sensorMap // nil where there is no map
}

func (w *Web) zonePage(r *http.Request, s *i18n.Localizer) (any, error) {
	m, err := w.zoneMap(s.Code)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(m.Zones, func(z zonemap.Zone) bool { return z.ID == r.PathValue("id") })
	if at < 0 {
		return nil, query.ErrUnknown
	}
	register, err := w.source.Books.Register()
	if err != nil {
		return nil, err
	}
	var p zonePage
	if p.There, err = w.there(r.Context(), s, m, m.Zones[at], register.Sensors); err != nil {
		return nil, err
	}
	id := p.There.Zone.ID
	if p.Decisions, err = w.decided(id); err != nil {
		return nil, err
	}
	if p.News, err = w.newsOf(r, s, id, newestEvents); err != nil {
		return nil, err
	}
	p.Map, err = w.sensorMap(s, slices.DeleteFunc(slices.Clone(register.Sensors), func(x books.Sensor) bool {
		return x.Zone != id
	}))
	return p, err
}

// decided are the decisions with a stream that says something of a zone.
func (w *Web) decided(zone string) (out []decisionRow, err error) {
	streams, err := w.source.Books.Streams()
	if err != nil {
		return nil, err
	}
	list, err := w.source.Books.Decisions()
	for _, d := range list {
		if slices.ContainsFunc(streams, func(st books.Stream) bool {
			return st.Decision == d.ID &&
				slices.ContainsFunc(st.Cells, func(c books.Cell) bool { return c.Zone == zone })
		}) {
			out = append(out, decisionRow{d, d.Standing()})
		}
	}
	return out, err
}
