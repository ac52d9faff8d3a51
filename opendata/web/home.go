package web

import (
	"net/http"
	"slices"
	"strings"

	"sluice/books"
	"sluice/opendata/i18n"
	"sluice/opendata/query"
	"sluice/opendata/zonemap"
	"sluice/store"
)

type homePage struct {
	// Lead is the newest published number, about somebody where there is one.
	Lead    *lead
	Layers  []layer
	Map     *choropleth // nil before the first release
	Streams []homeStream
}

type lead struct {
	*store.Observation
	Stream query.Stream
	Where  string // the name of its place
}

func newLead(o *store.Observation, st query.Stream, zoneMap zonemap.Map, words i18n.Words) *lead {
	where := cellName(books.Cell{Zone: o.Zone, Category: o.Category}, zoneMap, func(value string) string {
		return words.Category(st.CategoryField, value)
	})
	return &lead{o, st, where}
}

// Counted reports whether the number is a count rather than a measurement.
func (l lead) Counted() bool { return counted(l.Stream, l.Measure) }

// Verb says how the number came about: counted or measured.
func (l lead) Verb() string {
	if l.Counted() {
		return "counted"
	}
	return "measured"
}

// Next is the first day of a coming decision; empty if there is none.
func (p *homePage) Next() (day string) {
	for _, st := range p.Streams {
		if since := st.Standing.Since; st.Standing.State == books.Coming && (day == "" || since < day) {
			day = since
		}
	}
	return day
}

type homeStream struct {
	query.Stream
	Published, Withheld, NoData int // of the newest window
}

// layer is something that the map can show: a measure of a stream, for one category.
type layer struct {
	Stream       query.Stream
	Measure      books.Measure
	Category, ID string
	Chosen       bool
	newest       []store.Observation
}

// numbers reports whether any zone of the layer has a number.
func (l layer) numbers() bool {
	return slices.ContainsFunc(l.newest, func(o store.Observation) bool {
		return published(&o) && o.Measure == l.Measure.Name && o.Category == l.Category
	})
}

func (w *Web) home(r *http.Request, s *i18n.Localizer) (any, error) {
	streams, err := w.source.Streams(r.Context())
	if err != nil {
		return nil, err
	}
	zoneMap, err := w.zoneMap()
	if err != nil {
		return nil, err
	}
	var p homePage
	for _, st := range streams {
		list, err := w.source.Newest(r.Context(), st)
		if err != nil {
			return nil, err
		}
		h := homeStream{Stream: st}
		for i := range list {
			o := &list[i]
			switch o.Status {
			case store.Published:
				h.Published++
				p.leads(o, st, zoneMap, w.words(s))
			case store.Withheld:
				h.Withheld++
			case store.NoData:
				h.NoData++
			}
		}
		p.Streams = append(p.Streams, h)
		p.Layers = append(p.Layers, layers(st, list)...)
	}
	if p.Lead == nil || worth(p.Lead.Stream) < 3 {
		if err := w.leadOfTheDay(r, &p, zoneMap, w.words(s)); err != nil {
			return nil, err
		}
	}
	at, err := choose(p.Layers, r.URL.Query().Get("layer"))
	if err != nil || at < 0 {
		return &p, err
	}
	p.Map, err = w.draw(r.Context(), p.Layers[at], s, false)
	return &p, err
}

// leadOfTheDay finds the last number about somebody within a day: at night there may be too
// few people in every newest window.
func (w *Web) leadOfTheDay(r *http.Request, p *homePage, zoneMap zonemap.Map, words i18n.Words) error {
	for _, st := range p.Streams {
		if st.Unit == "none" || st.Through.IsZero() || st.Standing.Idle() {
			continue
		}
		list, err := w.source.Recent(r.Context(), st.Stream, st.Through, "")
		if err != nil {
			return err
		}
		for i := len(list) - 1; i >= 0; i-- {
			if published(&list[i]) {
				p.Lead = newLead(&list[i], st.Stream, zoneMap, words)
				return nil
			}
		}
	}
	return nil
}

// leads takes the number if it is a better first one than what was there: of a stream
// that is in force, about somebody rather than nobody, and then the first in order.
func (p *homePage) leads(o *store.Observation, st query.Stream, zoneMap zonemap.Map, words i18n.Words) {
	if published(o) && (p.Lead == nil || worth(st) > worth(p.Lead.Stream)) {
		p.Lead = newLead(o, st, zoneMap, words)
	}
}

// worth orders streams for the first number: what is in force before what is not, and
// then what is about somebody before what is about nobody.
func worth(st query.Stream) (n int) {
	if !st.Standing.Idle() {
		n += 2
	}
	if st.Unit != "none" {
		n++
	}
	return n
}

func layers(st query.Stream, newest []store.Observation) (out []layer) {
	var categories []string
	for _, c := range st.Cells {
		if !slices.Contains(categories, c.Category) {
			categories = append(categories, c.Category)
		}
	}
	for _, m := range st.Measures {
		for _, c := range categories {
			out = append(out,
				layer{Stream: st, Measure: m, Category: c, ID: strings.TrimRight(st.ID+"/"+m.Name+"/"+c, "/"),
					newest: newest})
		}
	}
	return out
}

// first is the layer that is shown when none was asked for: one with a number in its
// newest window, of what is worth the most.
func first(list []layer) (at int) {
	best := -1
	for i, l := range list {
		if n := worth(l.Stream); l.numbers() && n > best {
			at, best = i, n
		}
	}
	if best < 0 {
		return max(0, slices.IndexFunc(list, func(l layer) bool { return !l.Stream.Standing.Idle() }))
	}
	return at
}
