package web

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"sluice/opendata/httpcache"
	"sluice/opendata/i18n"
	"sluice/opendata/query"
	"sluice/store"
)

// mapPage is the map of a layer at one time.
type mapPage struct {
	Layers []layer
	Map    *choropleth
	Times  *times
}

// times are those that a map can show.
type times struct {
	// Steps are the windows' beginnings, in order; At the one that is shown.
	Steps []time.Time
	At    time.Time
	End   time.Time
	// Timezone is the layer's.
	Timezone string
	// Days says that a window is a day.
	Days bool
	// Newest says that it is the last one that there is.
	Newest bool
}

// place is the position of what is shown.
func (t *times) place() int { return slices.IndexFunc(t.Steps, t.At.Equal) }

// Before is the step before; zero where there is none.
func (t *times) Before() (at time.Time) {
	if n := t.place(); n > 0 {
		return t.Steps[n-1]
	}
	return at
}

// After is the step after; zero where there is none.
func (t *times) After() (at time.Time) {
	if n := t.place(); n >= 0 && n+1 < len(t.Steps) {
		return t.Steps[n+1]
	}
	return at
}

// links are the most steps that have a link of their own.
const links = 12

// Some are steps spread over all of them.
func (t *times) Some() (out []time.Time) {
	every := (len(t.Steps) + links - 1) / links
	for n := len(t.Steps) - 1; n >= 0; n -= every {
		out = append(out, t.Steps[n])
	}
	slices.Reverse(out)
	return out
}

// Seconds are the steps for the script, in seconds of 1970.
func (t *times) Seconds() []int64 {
	out := make([]int64, len(t.Steps))
	for i, at := range t.Steps {
		out[i] = at.Unix()
	}
	return out
}

func (w *Web) mapPage(r *http.Request, s *i18n.Localizer) (any, error) {
	var p mapPage
	streams, err := w.source.Streams(r.Context())
	if err != nil {
		return nil, err
	}
	for _, st := range streams {
		newest, err := w.source.Newest(r.Context(), st)
		if err != nil {
			return nil, err
		}
		p.Layers = append(p.Layers, layers(st, newest)...)
	}
	at, err := choose(p.Layers, r.URL.Query().Get("layer"))
	if err != nil || at < 0 {
		return &p, err
	}
	l := &p.Layers[at]
	if p.Times, err = w.times(r.Context(), l, r.URL.Query().Get("at")); err != nil {
		return nil, err
	}
	if p.Map, err = w.draw(r.Context(), *l, s, true); err != nil {
		return nil, err
	}
	register, err := w.source.Books.Register()
	p.Map.Points = points(p.Map.Map, register.Sensors)
	return &p, err
}

// choose marks the layer that was asked for, else the first with a number in its newest
// window, about somebody where there is one; -1 where there is none at all.
func choose(list []layer, id string) (int, error) {
	if len(list) == 0 {
		return -1, nil
	}
	at := slices.IndexFunc(list, func(l layer) bool { return l.ID == id })
	if id == "" {
		at = first(list)
	}
	if at < 0 {
		return at, &query.Invalid{Parameter: "layer", Hint: "names no stream and measure; choose one on the first page"}
	}
	list[at].Chosen = true
	return at, nil
}

// times finds what the layer can show in the day before its newest window, or in the local
// day that was asked for, and puts what it shows at the time that was asked for in the
// newest's place.
func (w *Web) times(ctx context.Context, l *layer, asked string) (*times, error) {
	st := l.Stream
	if st.Through.IsZero() {
		return nil, nil //nolint:nilnil // there is no time yet
	}
	t := &times{Timezone: st.Timezone, Days: query.Length(st.Every) >= 24*time.Hour}
	to, long := st.Through, reach(st, len(l.Stream.Cells))
	from := to.Add(-long)
	if asked != "" {
		at, err := time.Parse(time.RFC3339, asked)
		if err != nil || at.Year() < 1970 || at.Year() > 2200 {
			return nil, &query.Invalid{Parameter: "at",
				Hint: "is the beginning of a window, such as 2026-11-23T10:00:00Z"}
		}
		if t.At = at.UTC(); t.At.Before(from) || !t.At.Before(to) {
			day := at.In(query.Place(st.Timezone))
			from = time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, day.Location())
			to = from.AddDate(0, 0, 1)
			to = from.Add(min(to.Sub(from), max(long, query.Length(st.Every))))
		}
	}
	list, err := w.source.Span(ctx, st, cellsOf(l), l.Measure.Name, from, to)
	if err != nil {
		return nil, err
	}
	for i := range list {
		t.Steps = append(t.Steps, list[i].Start.UTC())
	}
	for i := range l.newest {
		if asked == "" && l.newest[i].Measure == l.Measure.Name && l.newest[i].Start.After(t.At) {
			t.At = l.newest[i].Start.UTC()
		}
		if asked == "" { // a gateway may be behind
			t.Steps = append(t.Steps, l.newest[i].Start.UTC())
		}
	}
	slices.SortFunc(t.Steps, time.Time.Compare)
	t.Steps = slices.CompactFunc(t.Steps, time.Time.Equal)
	if asked != "" {
		l.newest = slices.DeleteFunc(slices.Clone(list), func(o store.Observation) bool { return !o.Start.Equal(t.At) })
	}
	t.End = t.At.Add(query.Length(st.Every))
	for i := range l.newest {
		if l.newest[i].Start.Equal(t.At) {
			t.End = l.newest[i].End
		}
	}
	t.Newest = !t.End.Before(st.Through)
	return t, nil
}

// reach is how long a time a map can go back: a day, of daily windows a month, or as much as
// a page may look at.
func reach(st query.Stream, cells int) time.Duration {
	length, long := query.Length(st.Every), 24*time.Hour
	if length >= long {
		long = 31 * length
	}
	return min(long, time.Duration(max(1, 20*query.MaxLimit/max(1, cells)))*length)
}

// cellsOf are the layer's.
func cellsOf(l *layer) (out []string) {
	for _, c := range l.Stream.Cells {
		if c.Category == l.Category {
			out = append(out, c.ID)
		}
	}
	return out
}

// theMap is the map as a page, or, for the script that moves it through time, what changes.
func (w *Web) theMap(r *http.Request) (*httpcache.Reply, error) {
	if !wantsJSON(r) {
		return w.page(r, "map", w.mapPage)
	}
	v := ask(r)
	s := w.speak[v.lang]
	page, err := w.mapPage(r, s)
	if err != nil {
		return nil, err
	}
	type row struct {
		Zone     string `json:"zone"`
		Class    string `json:"class"`
		Status   string `json:"status"`
		Interval string `json:"interval"`
	}
	var out struct {
		Said string `json:"said"`
		Rows []row  `json:"rows"`
	}
	if p, ok := page.(*mapPage); ok && p.Map != nil {
		out.Said = w.when(s, p.Times)
		for _, x := range p.Map.Rows {
			if x.Cell != "" {
				out.Rows = append(out.Rows, row{x.ID, x.Class, status(s, x.Value), interval(s, x.Value)})
			}
		}
	}
	raw, err := json.Marshal(out)
	return &httpcache.Reply{Type: "application/json", Body: append(raw, '\n'), Lang: v.lang}, err
}

// when says which window is shown.
func (w *Web) when(s *i18n.Localizer, t *times) string {
	if t == nil {
		return s.Say("Nothing has been released yet.")
	}
	start, end := local(t.At, t.Timezone), local(t.End, t.Timezone)
	day := s.Day(start)
	if end.Sub(start) >= 23*time.Hour {
		return strings.ToUpper(day[:1]) + day[1:]
	}
	return s.Say("%s, %s to %s", strings.ToUpper(day[:1])+day[1:], s.Clock(start), s.Clock(end))
}
