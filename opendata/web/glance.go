package web

import (
	"context"
	"net/http"
	"net/url"

	"sluice/books"
	"sluice/opendata/httpcache"
	"sluice/opendata/search"
	"sluice/store"
)

// Glance is a city in a few words, in a language: what a list of cities shows of it. Paths are
// the city's own.
type Glance struct {
	City    books.City
	Streams int
	Number  *Number // the newest one, as on the city's first page; nil for none
}

// Number is a published number with what must be said with it.
type Number struct {
	Observation                        *store.Observation
	Title, Where, Value, Unit, Between string
	Reached                            string // how many reached their bound; empty where that is not known
	Timezone                           string
	Path, Decision                     string // of the stream's page, and the decision's id
}

// Glance looks at the city. It implements front.Pages, as Look does.
func (w *Web) Glance(ctx context.Context, lang string) (out Glance, err error) {
	s := w.speak[lang]
	if out.City, err = w.source.Books.City(); err != nil {
		return out, err
	}
	streams, err := w.source.Streams(ctx)
	if err != nil {
		return out, err
	}
	out.Streams = len(streams)
	var p homePage
	for n, st := range streams {
		list, err := w.source.Newest(ctx, st)
		if err != nil {
			return out, err
		}
		card, err := w.card(ctx, s, st, list, n)
		if err != nil {
			return out, err
		}
		p.leads(card)
	}
	if l := p.Lead; l != nil {
		reached, err := w.reached(s, l.Stream, l.Stream.EpochsOf(l.Gateway))
		if err != nil {
			return out, err
		}
		title, _ := s.Title(l.Stream.Title)
		out.Number = &Number{Observation: l.Observation, Title: title, Where: l.Where,
			Value: s.Amount(*l.Value, l.Unit),
			Unit:  w.words(s).Unit(l.Unit, *l.Value), Between: between(s, l.Stream, l.Observation),
			Timezone: l.Stream.Timezone, Decision: l.Decision, Reached: reached,
			Path: link("/streams/"+url.PathEscape(l.Stream.ID), "measure", l.Measure, "cell", l.Cell)}
	}
	return out, nil
}

// Hit is something that was found by its name.
type Hit struct{ Name, What, Path string }

// Look finds what a question names: the best so many, and how many there are in all.
func (w *Web) Look(ctx context.Context, lang, question string, most int) (list []Hit, all int, err error) {
	if err := ctx.Err(); err != nil {
		return nil, 0, err
	}
	s := w.speak[lang]
	m, err := w.zoneMap("") // of every language, as its index is
	if err != nil {
		return nil, 0, err
	}
	register, err := w.source.Books.Register()
	if err != nil || len(question) > search.MaxQuery {
		return nil, 0, err
	}
	index, subjects, err := w.searcher(m, register.Sensors)
	if err != nil {
		return nil, 0, err
	}
	hits, all := index.Find(question, most)
	for _, at := range hits {
		var h Hit
		switch x := subjects[at]; {
		case x.place != nil:
			h = Hit{x.place.Name(s.Code), what(s, x.place.Kind), link("/search", "q", x.place.Name(s.Code))}
		case x.zone != nil:
			h = Hit{x.zone.Name, s.Say("zone"), link("/sensors", "zone", x.zone.ID)}
		case x.stream != nil:
			title, _ := s.Title(x.stream.Title)
			h = Hit{title, s.Say("stream"), "/streams/" + url.PathEscape(x.stream.ID)}
		case x.decision != nil:
			title, _ := s.Title(x.decision.Title)
			h = Hit{title, s.Say("Decision %s", x.decision.ID), "/decisions/" + url.PathEscape(x.decision.ID)}
		default:
			h = Hit{x.sensor.ID, s.Say("Sensor"), "/sensors/" + url.PathEscape(x.sensor.ID)}
		}
		list = append(list, h)
	}
	return list, all, nil
}

// Assets adds the files that pages are shown with.
func Assets(mux *http.ServeMux, cache *httpcache.Cache, fail httpcache.Failer) {
	for path, mime := range map[string]string{"/style.css": "text/css; charset=utf-8",
		"/notice.css": "text/css; charset=utf-8",
		"/page.js":    "text/javascript; charset=utf-8", "/icon.svg": "image/svg+xml"} {
		mux.HandleFunc(path, cache.Handle(func(*http.Request) (*httpcache.Reply, error) {
			raw, err := files.ReadFile("page" + path)
			return &httpcache.Reply{Type: mime, Body: raw}, err
		}, fail))
	}
	mux.HandleFunc("/favicon.ico", cache.Handle(favicon, fail))
}
