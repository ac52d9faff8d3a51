package web

import (
	"context"
	"slices"
	"strconv"
	"time"

	"sluice/books"
	"sluice/opendata/chart"
	"sluice/opendata/i18n"
	"sluice/opendata/query"
	"sluice/store"
)

// entry is what there is of one place in one row: an observation, or a band of several.
type entry struct {
	*store.Observation
	Band *query.Band
	unit string // of a band
}

// row is a row of the table: a window or a band, with an entry for each place.
type row struct {
	Start, End time.Time
	NewDay     bool
	Values     []entry
}

// line is one place of the view.
type line struct {
	Cell, Name string
	Place      int // in the stream's closed list
	Entries    []entry
	Before     []entry
}

// Style is the place's colour and dash, as classes.
func (l line) Style() string { return chart.PlaceStyle(l.Place, "line").Class }

// cell, start and end are where and when an entry is.
func (e entry) at() (cell string, start, end time.Time) {
	if e.Band != nil {
		return e.Band.Cell, e.Band.Start, e.Band.End
	}
	return e.Cell, e.Start, e.End
}

// Look is the class of an entry: published where there is a number.
func (e entry) Look() string {
	switch b := e.Band; {
	case b == nil && e.Observation == nil:
		return ""
	case b == nil:
		return look(e.Observation)
	case b.Withdrawn > 0:
		return string(store.Withdrawn)
	case b.Stopped > 0:
		return suspendedRow
	case b.Withheld > 0:
		return string(store.Withheld)
	case b.NoData > 0:
		return string(store.NoData)
	}
	return string(store.Published)
}

// Number is what a script draws a mark at; empty for none.
func (e entry) Number() string {
	var v *float64
	switch {
	case e.Band != nil && e.Band.Mean != nil:
		v = e.Band.Mean
	case e.Band != nil && e.Band.High != nil:
		v = e.Band.High
	case e.Band == nil && published(e.Observation):
		v = e.Value
	}
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'g', 6, 64)
}

// mark is the entry as the chart draws it, so many days later; of a band that goes beyond the
// span, the part in it.
func (e entry) mark(days int, p *view) chart.Mark {
	_, start, end := e.at()
	m := chart.Mark{Start: start, End: end, Look: e.Look()}
	switch {
	case e.Band != nil:
		m.Value, m.Low, m.High = e.Band.Mean, e.Band.Low, e.Band.High
	case published(e.Observation):
		m.Value, m.Low, m.High = e.Value, e.Low, e.High
	}
	if days != 0 {
		m.Start = local(start, p.Timezone).AddDate(0, 0, days)
		m.End = local(end, p.Timezone).AddDate(0, 0, days)
	}
	if m.Start.Before(p.From) {
		m.Start = p.From
	}
	if m.End.After(p.To) && m.Start.Before(p.To) {
		m.End = p.To
	}
	return m
}

// entries reads what there is of the view's places over a span of time, in order.
func (w *Web) entries(ctx context.Context, p *view, from, to time.Time) (out []entry, err error) {
	if width := p.Width(); width != "" {
		bands, err := w.source.Bands(ctx, p.Stream, p.chosen, p.Measure, from, to, width)
		for _, b := range bands {
			out = append(out, entry{Band: b, unit: p.Measure.Unit})
		}
		return out, err
	}
	list, err := w.source.Span(ctx, p.Stream, p.chosen, p.Measure.Name, from, to)
	for i := range list {
		out = append(out, entry{Observation: &list[i]})
	}
	return out, err
}

// lines reads the view.
func (w *Web) lines(ctx context.Context, p *view, name func(books.Cell) string) ([]line, []row, error) {
	lines, at := make([]line, len(p.chosen)), map[string]int{}
	ordered := slices.Clone(p.chosen)
	slices.SortFunc(ordered, func(a, b string) int { return p.place(a) - p.place(b) })
	for n, id := range ordered {
		c := p.Stream.Cells[p.place(id)]
		lines[n], at[id] = line{Cell: id, Name: name(c), Place: p.place(id)}, n
	}
	if !p.To.After(p.From) {
		return lines, nil, nil
	}
	list, err := w.entries(ctx, p, p.From, p.To)
	if err != nil {
		return nil, nil, err
	}
	rows := p.lay(list, at, lines)
	days := p.ago()
	if days == 0 {
		return lines, rows, nil
	}
	back := func(t time.Time) time.Time { return local(t, p.Timezone).AddDate(0, 0, -days) }
	list, err = w.entries(ctx, p, back(p.From), back(p.To))
	for _, e := range list {
		cell, _, _ := e.at()
		lines[at[cell]].Before = append(lines[at[cell]].Before, e)
	}
	return lines, rows, err
}

// lay puts entries, ordered by start, into lines and rows, the newest row first.
func (p *view) lay(list []entry, at map[string]int, lines []line) (rows []row) {
	for _, e := range list {
		cell, start, end := e.at()
		n := at[cell]
		lines[n].Entries = append(lines[n].Entries, e)
		if last := len(rows) - 1; last < 0 || !rows[last].Start.Equal(start) {
			rows = append(rows, row{Start: start, End: end, Values: make([]entry, len(lines))})
		}
		rows[len(rows)-1].Values[n] = e
	}
	slices.Reverse(rows)
	day := ""
	for i := range rows {
		d := local(rows[i].Start, p.Timezone).Format(time.DateOnly)
		rows[i].NewDay = d != day && p.Width() != query.Daily
		day = d
	}
	return rows
}

// observations are the windows of the lines; none where they are bands.
func observations(lines []line) (out []store.Observation) {
	for i := range lines {
		for _, e := range lines[i].Entries {
			if e.Observation != nil {
				out = append(out, *e.Observation)
			}
		}
	}
	return out
}

// text is an entry in the table: a number or a mean, or why there is none.
func text(s *i18n.Localizer, e entry) string {
	switch b := e.Band; {
	case b == nil:
		return status(s, e.Observation)
	case b.Mean != nil:
		return s.Amount(*b.Mean, e.unit)
	case b.Published > 0:
		return s.Say("%d of %d published", b.Published, b.Windows)
	}
	return word(s, e.Look())
}

// word is what something looks like, in a word.
func word(s *i18n.Localizer, look string) string {
	switch look {
	case string(store.NoData):
		return s.Say("no data")
	case string(store.Withdrawn):
		return s.Say("withdrawn")
	case suspendedRow:
		return s.Say("suspended")
	}
	return s.Say("withheld")
}

// extent is an entry's interval, or how far the numbers of its band go.
func extent(s *i18n.Localizer, e entry) string {
	switch b := e.Band; {
	case b == nil:
		return interval(s, e.Observation)
	case b.Low == nil:
		return ""
	case *b.Low == *b.High:
		return s.Amount(*b.Low, e.unit)
	}
	return s.Say("%s to %s", s.Amount(*e.Band.Low, e.unit), s.Amount(*e.Band.High, e.unit))
}

// spanName is the length of a view in words.
func spanName(s *i18n.Localizer, span string) string {
	switch span {
	case "hour":
		return s.Say("an hour")
	case "week":
		return s.Say("a week")
	case "month":
		return s.Say("a month")
	case "year":
		return s.Say("a year")
	}
	return s.Say("a day")
}
