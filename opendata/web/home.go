package web

import (
	"context"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"sluice/books"
	"sluice/opendata/chart"
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
	News    []told
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

// Kind is the number's measure, where its stream has several; else nil.
func (l lead) Kind() *books.Measure { return l.Stream.Among(l.Measure) }

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

// homeStream is a stream's card.
type homeStream struct {
	query.Stream
	Published, Withheld, NoData int // of the newest window
	// Newest is its newest number within a day; nil for none. Mini is the day as a small line.
	Newest *lead
	Mini   template.HTML
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
	var p homePage
	for n, st := range streams {
		list, err := w.source.Newest(r.Context(), st)
		if err != nil {
			return nil, err
		}
		card, err := w.card(r.Context(), s, st, list, n)
		if err != nil {
			return nil, err
		}
		p.Streams = append(p.Streams, card)
		p.Layers = append(p.Layers, layers(st, list)...)
		p.leads(card)
	}
	if p.News, err = w.newsOf(r, s, "", newestEvents); err != nil {
		return nil, err
	}
	at, err := choose(p.Layers, r.URL.Query().Get("layer"))
	if err != nil || at < 0 {
		return &p, err
	}
	p.Map, err = w.draw(r.Context(), p.Layers[at], s, false)
	return &p, err
}

// card is a stream's: how its newest window is, its newest number and the day before.
func (w *Web) card(
	ctx context.Context, s *i18n.Localizer, st query.Stream, newest []store.Observation, n int,
) (h homeStream, err error) {
	h.Stream = st
	for i := range newest {
		switch newest[i].Status {
		case store.Published:
			h.Published++
		case store.Withheld:
			h.Withheld++
		case store.NoData:
			h.NoData++
		}
	}
	if len(st.Measures) == 0 {
		return h, nil
	}
	day, err := w.source.Recent(ctx, st, st.Through, st.Measures[0].Name)
	if err != nil {
		return h, err
	}
	zoneMap, err := w.zoneMap(s.Code)
	if err != nil {
		return h, err
	}
	others := func(o store.Observation) bool { return o.Measure != st.Measures[0].Name }
	o := last(slices.DeleteFunc(slices.Clone(newest), others))
	if o == nil { // at night there may be too few people in every newest window
		o = last(day)
	}
	if o == nil {
		return h, nil
	}
	words := w.words(s)
	h.Newest = newLead(o, st, zoneMap, words)
	line := chart.Series{Place: slices.IndexFunc(st.Cells, func(c books.Cell) bool { return c.ID == o.Cell })}
	for i := range day {
		if day[i].Cell == o.Cell && day[i].Measure == o.Measure {
			line.Marks = append(line.Marks, mark(&day[i]))
		}
	}
	if len(line.Marks) > 1 {
		what := h.Newest.Where
		if m := h.Newest.Kind(); m != nil {
			what = words.MeasureName(*m) + ", " + what
		}
		h.Mini = chart.Mini(line, s.Say("The last day")+": "+what, "mini-"+strconv.Itoa(n))
	}
	return h, nil
}

// mark is an observation as a small line draws it.
func mark(o *store.Observation) chart.Mark {
	m := chart.Mark{Start: o.Start, End: o.End, Look: look(o)}
	if published(o) {
		m.Value, m.Low, m.High = o.Value, o.Low, o.High
	}
	return m
}

// last is the published number that ended last, of those the first; nil for none.
func last(list []store.Observation) (o *store.Observation) {
	for i := range list {
		if published(&list[i]) && (o == nil || list[i].End.After(o.End)) {
			o = &list[i]
		}
	}
	return o
}

// leads takes the stream's newest number if it is a better first one than what was there: of
// a stream that is in force, about somebody rather than nobody, and then the newer one.
func (p *homePage) leads(h homeStream) {
	if h.Newest == nil {
		return
	}
	switch was := p.Lead; {
	case was == nil, worth(h.Stream) > worth(was.Stream),
		worth(h.Stream) == worth(was.Stream) && h.Newest.End.After(was.End):
		p.Lead = h.Newest
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
