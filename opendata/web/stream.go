package web

import (
	"cmp"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"sluice/books"
	"sluice/opendata/api"
	"sluice/opendata/i18n"
	"sluice/opendata/query"
	"sluice/opendata/zonemap"
	"sluice/store"
)

// Bounds of one page.
const (
	maxCells = 4
	maxRows  = 1000
)

// streamPage is one measure of a stream over a span of time, in some of its cells.
type streamPage struct {
	query.Stream
	Measure  books.Measure
	Cells    []choice
	Span     string // hour, day, week or month
	Day      string // the last day, where one was chosen
	From, To time.Time
	Lines    []line
	Chart    template.HTML
	Rows     []row
	Pages    int // of the table
	PageNo   int
	// Nothing says that there is nothing to show at all.
	Nothing bool
	chosen  []string
	// Stopped says that there are windows without a number because of a suspension, and
	// Stops why, each once; Ended that the view goes beyond the end of the series.
	Stopped, Ended bool
	Stops          []books.Standing
	// Reached are the last epochs of the view that have ended, else of the series.
	Reached []query.Epoch
	// View and Last are what the files of this view and of the last 24 hours have.
	View, Last api.Size
}

// Over reports whether nothing is released any more, or for the time being.
func (p *streamPage) Over() bool { return p.Standing.Idle() && p.Standing.State != books.Coming }

// choice is one cell of the form.
type choice struct {
	ID, Name string
	Chosen   bool
}

// row is one window of the table, an answer for each line.
type row struct {
	Start, End time.Time
	NewDay     bool
	Values     []*store.Observation
}

func (w *Web) stream(r *http.Request, s *i18n.Localizer) (any, error) {
	st, err := w.source.Stream(r.Context(), r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	p := &streamPage{Stream: st}
	if err := p.read(r.URL.Query()); err != nil {
		return nil, err
	}
	if len(p.chosen) == 0 {
		day, err := w.source.Recent(r.Context(), st, p.To, p.Measure.Name)
		if err != nil {
			return nil, err
		}
		p.chosen = busiest(day, st.Cells)
	}
	zoneMap, err := w.zoneMap()
	if err != nil {
		return nil, err
	}
	for _, c := range st.Cells {
		name := cellName(c, zoneMap, func(value string) string { return w.words(s).Category(st.CategoryField, value) })
		p.Cells = append(p.Cells, choice{c.ID, name, slices.Contains(p.chosen, c.ID)})
	}
	var list []store.Observation
	if p.To.After(p.From) {
		list, err = w.source.Span(r.Context(), st, p.chosen, p.Measure.Name, p.From, p.To)
		if err != nil {
			return nil, err
		}
	}
	epochs, err := w.source.Epochs(r.Context(), st, p.From, p.To)
	if err != nil {
		return nil, err
	}
	if p.Reached = st.Epochs; len(epochs) > 0 {
		p.Reached = query.LastOf(epochs)
	}
	p.View = api.SizeOf(st, list)
	if p.Last, err = w.lastSize(r, st); err != nil {
		return nil, err
	}
	p.lay(list)
	p.Nothing = len(list) == 0
	if !p.Nothing {
		end := ended(st)
		p.Ended = !end.IsZero() && end.Before(p.To)
		p.stops(list)
		p.Chart = drawChart(s, local(p.From, st.Timezone).Location(), p.From, p.To, end, p.Lines)
	}
	return p, nil
}

// cellName is a cell's place and, where it has one, its category, in words.
func cellName(c books.Cell, zoneMap zonemap.Map, category func(string) string) string {
	name := zoneName(zoneMap, c.Zone)
	if c.Category != "" {
		name += " · " + category(c.Category)
	}
	return name
}

// busiest are those of the cells with the highest values of a day, three at most; the first
// where none has one. A day may have numbers of places that the stream no longer has.
func busiest(day []store.Observation, cells []books.Cell) (out []string) {
	highest := map[string]float64{}
	for i := range day {
		if o := &day[i]; published(o) && slices.ContainsFunc(cells, func(c books.Cell) bool { return c.ID == o.Cell }) {
			v, known := highest[o.Cell]
			if !known {
				out = append(out, o.Cell)
			}
			if !known || *o.Value > v {
				highest[o.Cell] = *o.Value
			}
		}
	}
	slices.SortFunc(out, func(a, b string) int {
		return cmp.Or(cmp.Compare(highest[b], highest[a]), cmp.Compare(a, b))
	})
	if len(out) == 0 && len(cells) > 0 {
		return []string{cells[0].ID}
	}
	return out[:min(3, len(out))]
}

// read takes the view from the address. What it does not know it leaves alone.
func (p *streamPage) read(v url.Values) error {
	if len(p.Measures) == 0 {
		return query.ErrUnknown
	}
	p.Measure = p.Measures[0]
	if name := v.Get("measure"); name != "" {
		at := slices.IndexFunc(p.Measures, func(m books.Measure) bool { return m.Name == name })
		if at < 0 {
			return &query.Invalid{Parameter: "measure", Hint: "names no measure of this stream"}
		}
		p.Measure = p.Measures[at]
	}
	for _, id := range v["cell"] {
		if !slices.ContainsFunc(p.Stream.Cells, func(c books.Cell) bool { return c.ID == id }) {
			return &query.Invalid{Parameter: "cell", Hint: "names no place of this stream"}
		}
		if !slices.Contains(p.chosen, id) && len(p.chosen) < maxCells {
			p.chosen = append(p.chosen, id)
		}
	}
	p.PageNo = 1
	if n, err := strconv.Atoi(v.Get("page")); err == nil && n > 0 {
		p.PageNo = n
	}
	return p.when(v)
}

// when finds the span of time: it ends with a day, or at an instant, or with the
// last window that is final.
func (p *streamPage) when(v url.Values) error {
	switch p.Span = v.Get("span"); p.Span {
	case "hour", "day", "week", "month":
	case "":
		p.Span = "day"
		switch length := query.Length(p.Every); {
		case length >= 6*time.Hour:
			p.Span = "month"
		case p.Short():
			p.Span = "hour"
		}
	default:
		return &query.Invalid{Parameter: "span", Hint: "is hour, day, week or month"}
	}
	place := local(p.Through, p.Timezone).Location()
	end := p.Through.In(place)
	switch {
	case v.Get("day") != "":
		day, err := time.ParseInLocation(time.DateOnly, v.Get("day"), place)
		if err != nil || day.Year() < 1970 || day.Year() > 2200 {
			return &query.Invalid{Parameter: "day", Hint: "is a day such as 2026-11-23"}
		}
		p.Day, end = v.Get("day"), day.AddDate(0, 0, 1)
	case v.Get("to") != "":
		at, err := time.Parse(time.RFC3339, v.Get("to"))
		if err != nil || at.Year() < 1970 || at.Year() > 2200 {
			return &query.Invalid{Parameter: "to", Hint: "is an instant such as 2026-11-23T10:00:00Z"}
		}
		end = at.In(place)
	case p.Through.IsZero():
		return nil
	}
	from := map[string]time.Time{"hour": end.Add(-time.Hour), "day": end.AddDate(0, 0, -1),
		"week": end.AddDate(0, 0, -7), "month": end.AddDate(0, -1, 0)}[p.Span]
	p.From, p.To = from.UTC(), end.UTC()
	return nil
}

// Short reports whether windows are so short that a day has too many of them.
func (p *streamPage) Short() bool { return query.Length(p.Every) < 20*time.Second }

// lay puts observations, ordered by start, into lines and rows.
func (p *streamPage) lay(list []store.Observation) {
	at := map[string]int{}
	for _, c := range p.Cells {
		if c.Chosen {
			at[c.ID] = len(p.Lines)
			p.Lines = append(p.Lines, line{Cell: c.ID, Name: c.Name})
		}
	}
	for i := range list {
		o := &list[i]
		n := at[o.Cell]
		p.Lines[n].Items = append(p.Lines[n].Items, *o)
		if last := len(p.Rows) - 1; last < 0 || !p.Rows[last].Start.Equal(o.Start) {
			p.Rows = append(p.Rows, row{Start: o.Start, End: o.End, Values: make([]*store.Observation, len(p.Lines))})
		}
		p.Rows[len(p.Rows)-1].Values[n] = o
	}
	slices.Reverse(p.Rows) // the newest first
	p.Pages = max(1, (len(p.Rows)+maxRows-1)/maxRows)
	p.PageNo = min(p.PageNo, p.Pages)
	first := (p.PageNo - 1) * maxRows
	p.Rows = p.Rows[first:min(len(p.Rows), first+maxRows)]
	day := ""
	for i := range p.Rows {
		d := local(p.Rows[i].Start, p.Timezone).Format(time.DateOnly)
		p.Rows[i].NewDay = d != day
		day = d
	}
}

// view is the address of a view of this stream that differs in some parts.
func (p *streamPage) view(changes ...string) string {
	v := url.Values{"measure": {p.Measure.Name}, "span": {p.Span}, "cell": p.chosen}
	if p.Day != "" {
		v.Set("day", p.Day)
	}
	for i := 0; i+1 < len(changes); i += 2 {
		v.Set(changes[i], changes[i+1])
		if changes[i+1] == "" {
			v.Del(changes[i])
		}
	}
	return "/streams/" + url.PathEscape(p.ID) + "?" + v.Encode()
}

// Fixed is the address of exactly this view, whatever is released later.
func (p *streamPage) Fixed() string {
	return p.view("day", "", "to", p.To.Format(time.RFC3339))
}

// pageLink is one page of the table.
type pageLink struct {
	N    int
	Href string
}

// Tables are the pages of the table, where there are several.
func (p *streamPage) Tables() (out []pageLink) {
	for n := 1; n <= p.Pages && p.Pages > 1; n++ {
		out = append(out,
			pageLink{n, p.view("day", "", "to", p.To.Format(time.RFC3339), "page", strconv.Itoa(n)) + "#table"})
	}
	return out
}

// Earlier and Later are the addresses of the spans before and after this one; Later
// is empty where nothing is final yet.
func (p *streamPage) Earlier() string { return p.view("day", "", "to", p.From.Format(time.RFC3339)) }

// Later is the span after this one.
func (p *streamPage) Later() string {
	if !p.To.Before(p.Through) {
		return ""
	}
	place := local(p.To, p.Timezone)
	next := map[string]time.Time{"hour": place.Add(time.Hour), "day": place.AddDate(0, 0, 1),
		"week": place.AddDate(0, 0, 7), "month": place.AddDate(0, 1, 0)}[p.Span]
	return p.view("day", "", "to", next.UTC().Format(time.RFC3339))
}

// Spanning is the address of the same view over another span.
func (p *streamPage) Spanning(span string) string { return p.view("span", span) }

// File is the address of the numbers of this view.
func (p *streamPage) File(format string) string {
	v := url.Values{
		"measure": {p.Measure.Name}, "cell": p.chosen, "from": {p.From.Format(time.RFC3339)},
		"to":     {p.To.Format(time.RFC3339)},
		"format": {format},
	}
	return "/api/v1/streams/" + url.PathEscape(p.ID) + "/observations?" + v.Encode()
}

// lastSize is what the file of a stream's last 24 hours has, as long as that is cheap to
// know.
func (w *Web) lastSize(r *http.Request, st query.Stream) (size api.Size, err error) {
	latest, err := w.source.Latest(r.Context())
	if err != nil {
		return size, err
	}
	q, err := query.Parse(nil, st, latest)
	if err != nil {
		return size, err
	}
	list, few, err := w.source.Whole(r.Context(), q)
	if err != nil || !few {
		return size, err
	}
	return api.SizeOf(st, list), nil
}

// Half is half of a window, in seconds.
func (p *streamPage) Half() float64 { return query.Length(p.Every).Seconds() / 2 }

// Picker is the day that the form shows: the last one of the view.
func (p *streamPage) Picker() string {
	if p.Day != "" || p.To.IsZero() {
		return p.Day
	}
	return local(p.To.Add(-time.Second), p.Timezone).Format(time.DateOnly)
}

// Chosen are the ids of the cells in the view.
func (p *streamPage) Chosen() []string { return p.chosen }
