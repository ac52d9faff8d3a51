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
	"sluice/opendata/chart"
	"sluice/opendata/i18n"
	"sluice/opendata/query"
	"sluice/opendata/zonemap"
	"sluice/store"
)

// streamPage is one measure of a stream over a span of time, in some of its cells.
type streamPage struct {
	view
	Cells  []choice
	Answer *answer // nil where there is none
	Lines  []line
	Chart  template.HTML
	Rows   []row
	Pages  int // of the table
	// Nothing says that there is nothing to show at all.
	Nothing bool
	// Stopped says that there are windows without a number because of a suspension, and
	// Stops why, each once; Ended that the view goes beyond the end of the series.
	Stopped, Ended bool
	Stops          []books.Standing
	// Reached are the last epochs of the view that have ended, else of the series.
	Reached []query.Epoch
	// Reworded is when the decision's words became others, where the number that is shown
	// first is of before; zero for not.
	Reworded time.Time
	// Size and Last are what the files of this view and of the last 24 hours have.
	Size, Last api.Size
}

// Over reports whether nothing is released any more, or for the time being.
func (p *streamPage) Over() bool { return p.Standing.Idle() && p.Standing.State != books.Coming }

// Level reports whether the chart's axis need not begin at zero.
func (p *streamPage) Level() bool { return level(p.Measure) }

// View is the view alone, for what is said of it.
func (p *streamPage) View() *view { return &p.view }

// Has reports whether any part of the view has a look.
func (p *streamPage) Has(look string) bool {
	return slices.ContainsFunc(p.Lines, func(l line) bool {
		return slices.ContainsFunc(l.Entries, func(e entry) bool { return e.Look() == look })
	})
}

// choice is one cell of the form.
type choice struct {
	ID, Name string
	Chosen   bool
}

func (w *Web) stream(r *http.Request, s *i18n.Localizer) (any, error) {
	p, err := w.look(r, s)
	if err != nil {
		return nil, err
	}
	if p.Answer, err = w.answer(r.Context(), &p.view, p.Lines); err != nil {
		return nil, err
	}
	if p.Reworded, err = w.reworded(p); err != nil {
		return nil, err
	}
	if list := observations(p.Lines); len(list) > 0 {
		p.Size = api.SizeOf(p.Stream, list)
	}
	if p.Last, err = w.lastSize(r, p.Stream); err != nil {
		return nil, err
	}
	p.cut()
	if !p.Nothing {
		p.Chart = p.drawing(w.words(s), s).Page()
	}
	return p, nil
}

// reworded is when the decision of a view had other words for the last time, if its first
// number is of before that.
func (w *Web) reworded(p *streamPage) (at time.Time, err error) {
	var shown *store.Observation
	if a := p.Answer; a != nil {
		if shown = a.Before; published(a.Observation) {
			shown = a.Observation
		}
	}
	list, err := w.source.Books.Decisions()
	if shown == nil || err != nil {
		return at, err
	}
	for i := range list {
		if list[i].ID != p.Decision {
			continue
		}
		for _, h := range list[i].History {
			if h.Kind == books.Amended {
				at = h.At
			}
		}
	}
	if !shown.End.Before(at) {
		return time.Time{}, nil
	}
	return at, nil
}

// Broke reports whether a window of the view has no number because a day's budget was used up.
func (p *streamPage) Broke() bool {
	of := func(o store.Observation) bool { return o.Status == store.Withheld && o.Reason == "budget" }
	return slices.ContainsFunc(observations(p.Lines), of)
}

// look reads what an address asks of a stream, for its page and for its pictures.
func (w *Web) look(r *http.Request, s *i18n.Localizer) (*streamPage, error) {
	st, err := w.source.Stream(r.Context(), r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	p := &streamPage{view: view{Stream: st}}
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
	zoneMap, err := w.zoneMap(s.Code)
	if err != nil {
		return nil, err
	}
	name := func(c books.Cell) string {
		return cellName(c, zoneMap, func(value string) string { return w.words(s).Category(st.CategoryField, value) })
	}
	for _, c := range st.Cells {
		p.Cells = append(p.Cells, choice{c.ID, name(c), slices.Contains(p.chosen, c.ID)})
	}
	if p.Lines, p.Rows, err = w.lines(r.Context(), &p.view, name); err != nil {
		return nil, err
	}
	epochs, err := w.source.Epochs(r.Context(), st, later(p.From, p.To.AddDate(0, -1, -1)), p.To)
	if err != nil {
		return nil, err
	}
	if p.Reached = st.Epochs; len(epochs) > 0 {
		p.Reached = query.LastOf(epochs)
	}
	end := ended(st)
	p.Nothing = len(p.Rows) == 0
	p.Ended = !p.Nothing && !end.IsZero() && end.Before(p.To)
	p.Stopped = p.Has(suspendedRow)
	p.stops(observations(p.Lines))
	return p, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// drawing is the view as a chart.
func (p *streamPage) drawing(words i18n.Words, s *i18n.Localizer) *chart.Chart {
	c := &chart.Chart{Speak: s, Zone: query.Place(p.Timezone), From: p.From, To: p.To, Ended: ended(p.Stream),
		Level: p.Level(), Share: p.Measure.Unit == "share", Words: p.words(s)}
	for _, l := range p.Lines {
		x := chart.Series{Name: l.Name, Place: l.Place}
		for _, e := range l.Entries {
			x.Marks = append(x.Marks, e.mark(0, &p.view))
		}
		for _, e := range l.Before {
			x.Before = append(x.Before, e.mark(p.ago(), &p.view))
		}
		c.Series = append(c.Series, x)
	}
	for _, l := range p.Measure.Limits {
		much := s.Amount(l.Value, p.Measure.Unit)
		c.Limits = append(c.Limits, chart.Limit{Value: l.Value, Name: words.Limit(l) + ", " + much, Short: much})
	}
	return c
}

// words are what is said of stretches without a number where they are drawn. That it was
// nobody or too few is said where no window of the view has another reason.
func (p *streamPage) words(s *i18n.Localizer) map[string][]string {
	out := map[string][]string{
		"withheld": {s.Say("withheld")}, "no_data": {s.Say("no data: nothing was measured"), s.Say("no data")},
		"suspended": {s.Say("suspended")}, "withdrawn": {s.Say("withdrawn")}, "ended": {s.Say("ended")},
	}
	other := func(o store.Observation) bool { return o.Status == store.Withheld && o.Reason != "few" }
	if p.Unit == "none" || p.Membership == "public" || p.Width() != "" || p.Measure.PublicFrom == 0 ||
		slices.ContainsFunc(observations(p.Lines), other) {
		return out
	}
	out["withheld"] = []string{s.Say("withheld on purpose: nobody, or fewer than about %d", p.Measure.PublicFrom),
		s.Say("withheld: nobody or too few"), s.Say("withheld")}
	return out
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

// cut leaves the rows of one page of the table.
func (p *streamPage) cut() {
	p.Pages = max(1, (len(p.Rows)+maxRows-1)/maxRows)
	p.PageNo = min(p.PageNo, p.Pages)
	first := (p.PageNo - 1) * maxRows
	p.Rows = p.Rows[first:min(len(p.Rows), first+maxRows)]
	if len(p.Rows) > 0 {
		p.Rows[0].NewDay = p.Width() != query.Daily
	}
}

// pageLink is one page of the table, or one of several views.
type pageLink struct {
	N    int
	Href string
}

// Tables are the pages of the table, where there are several.
func (p *streamPage) Tables() (out []pageLink) {
	for n := 1; n <= p.Pages && p.Pages > 1; n++ {
		out = append(out, pageLink{n, p.address("", append(p.fixed(), "page", strconv.Itoa(n))...) + "#table"})
	}
	return out
}

// Spans are the lengths of view that a reader can choose.
func (p *streamPage) Spans() []string {
	switch length := query.Length(p.Every); {
	case length >= 20*time.Hour:
		return spans[2:]
	case length > 20*time.Minute:
		return spans[1:]
	}
	return spans
}

// lastSize is what the file of a stream's last 24 hours has, as long as that is cheap to
// know.
func (w *Web) lastSize(r *http.Request, st query.Stream) (size api.Size, err error) {
	latest, err := w.source.Latest(r.Context())
	if err != nil {
		return size, err
	}
	q, err := query.Parse(url.Values{}, st, latest)
	if err != nil {
		return size, err
	}
	list, few, err := w.source.Whole(r.Context(), q)
	if err != nil || !few {
		return size, err
	}
	return api.SizeOf(st, list), nil
}
