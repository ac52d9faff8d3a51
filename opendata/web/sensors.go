package web

import (
	"net/http"

	"sluice/books"
	"sluice/opendata/i18n"
	"sluice/opendata/query"
)

// sensorPage is a sensor with the name of its place.
type sensorPage struct {
	books.Sensor
	Place string
	// Mapped says that the place has a page of its own.
	Mapped bool
	// Titles are those of the decisions that its fields name, by id; Standings their states.
	Titles    map[string]map[string]string
	Standings map[string]books.Standing
	// Idle says that it measures nothing, although there are decisions about it; empty where
	// that is not so.
	Idle string
}

// idle says why a sensor of which something was decided measures nothing: the council
// stopped it, it begins later, or it has ended.
func idle(s *i18n.Localizer, fields []books.Field) string {
	states := map[string]bool{}
	for _, f := range fields {
		if f.Fate != "dropped" {
			return ""
		}
		states[f.State] = true
	}
	switch {
	case states[books.Suspended]:
		return s.Say("It measures nothing at present.")
	case states[books.Coming]:
		return s.Say("It measures nothing yet.")
	case states[books.Past]:
		return s.Say("It measures nothing any more.")
	}
	return ""
}

func (w *Web) sensor(r *http.Request, s *i18n.Localizer) (any, error) {
	return w.theSensor(r, s)
}

func (w *Web) theSensor(r *http.Request, speak *i18n.Localizer) (p sensorPage, err error) {
	reg, err := w.source.Books.Register()
	if err != nil {
		return p, err
	}
	zoneMap, err := w.zoneMap(speak.Code)
	if err != nil {
		return p, err
	}
	decisions, err := w.source.Books.Decisions()
	if err != nil {
		return p, err
	}
	for _, s := range reg.Sensors {
		if s.ID != r.PathValue("id") {
			continue
		}
		_, mapped := w.Zone(s.Zone, "")
		p = sensorPage{s, zoneName(zoneMap, s.Zone), mapped, map[string]map[string]string{},
			map[string]books.Standing{}, idle(speak, s.Fields)}
		for _, d := range decisions {
			p.Titles[d.ID], p.Standings[d.ID] = d.Title, d.Standing()
		}
		return p, nil
	}
	return p, query.ErrUnknown
}
