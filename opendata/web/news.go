package web

import (
	"net/http"
	"slices"
	"time"

	"sluice/opendata/i18n"
	"sluice/opendata/news"
	"sluice/opendata/query"
)

// newest are the events that the first page shows.
const newestEvents = 5

// told is an event in words, with its local day.
type told struct {
	news.Told
	Day time.Time
}

// newsPage is what is new.
type newsPage struct{ Events []told }

// newsOf lists what is new in the city, or in one zone, the newest first; all that is known where most is 0.
func (w *Web) newsOf(r *http.Request, s *i18n.Localizer, zone string, most int) (out []told, err error) {
	list, err := w.desk.Events(r.Context())
	if err != nil {
		return nil, err
	}
	zoneMap, err := w.zoneMap(s.Code)
	if err != nil {
		return nil, err
	}
	names := news.Names{Words: s, Vocabulary: w.source.Names(),
		Place: func(zone string) string { return zoneName(zoneMap, zone) }}
	for _, e := range list {
		if zone != "" && !slices.Contains(e.Zones, zone) {
			continue
		}
		if most > 0 && len(out) == most {
			break
		}
		out = append(out, told{e.Tell(names), e.At.In(query.Place(e.Timezone))})
	}
	return out, nil
}

func (w *Web) news(r *http.Request, s *i18n.Localizer) (any, error) {
	list, err := w.newsOf(r, s, "", 0)
	return newsPage{list}, err
}
