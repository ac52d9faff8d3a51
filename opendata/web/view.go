package web

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	"sluice/books"
	"sluice/opendata/query"
)

// Bounds of one view. Of more places the first are shown, and the page says so.
const (
	maxCells = 8
	maxRows  = 1000
)

// spans are the lengths of a view, the shortest first.
var spans = []string{"hour", "day", "week", "month", "year"}

// view is what an address asks of a stream: one measure over a span of time, in some of its
// cells.
type view struct {
	query.Stream
	Measure  books.Measure
	Span     string // one of spans
	Day      string // the last day, where one was chosen
	From, To time.Time
	Compare  string // yesterday, week or empty
	PageNo   int    // of the table
	// TooMany is how many places were asked for that are not shown.
	TooMany int
	chosen  []string
}

// read takes the view from the address. What it does not know it leaves alone.
func (p *view) read(v url.Values) error {
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
	if err := p.places(v["cell"]); err != nil {
		return err
	}
	switch p.Compare = v.Get("compare"); p.Compare {
	case "", "yesterday", "week":
	default:
		return &query.Invalid{Parameter: "compare", Hint: "is yesterday or week"}
	}
	p.PageNo = 1
	if n, err := strconv.Atoi(v.Get("page")); err == nil && n > 0 {
		p.PageNo = n
	}
	return p.when(v)
}

// places takes the cells that are asked for, as many as are shown.
func (p *view) places(list []string) error {
	for _, id := range list {
		if p.place(id) < 0 {
			return &query.Invalid{Parameter: "cell", Hint: "names no place of this stream"}
		}
		switch {
		case slices.Contains(p.chosen, id):
		case len(p.chosen) < maxCells:
			p.chosen = append(p.chosen, id)
		default:
			p.TooMany++
		}
	}
	return nil
}

// place is a cell's position in the stream's closed list; -1 if it is not there.
func (p *view) place(id string) int {
	return slices.IndexFunc(p.Stream.Cells, func(c books.Cell) bool { return c.ID == id })
}

// when finds the span of time: it ends with a day, or at an instant, or with the
// last window that is final.
func (p *view) when(v url.Values) error {
	switch p.Span = v.Get("span"); {
	case p.Span == "":
		p.Span = "day"
		switch length := query.Length(p.Every); {
		case length >= 6*time.Hour:
			p.Span = "month"
		case p.Short():
			p.Span = "hour"
		}
	case !slices.Contains(spans, p.Span):
		return &query.Invalid{Parameter: "span", Hint: "is hour, day, week, month or year"}
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
	p.From, p.To = p.moved(end, -1).UTC(), end.UTC()
	return nil
}

// moved is a local time some spans later.
func (p *view) moved(t time.Time, n int) time.Time {
	switch p.Span {
	case "hour":
		return t.Add(time.Duration(n) * time.Hour)
	case "week":
		return t.AddDate(0, 0, 7*n)
	case "month":
		return t.AddDate(0, n, 0)
	case "year":
		return t.AddDate(n, 0, 0)
	}
	return t.AddDate(0, 0, n)
}

// Short reports whether windows are so short that a day has too many of them.
func (p *view) Short() bool { return query.Length(p.Every) < 20*time.Second }

// Width is how wide the bands of the view are: hour or day; empty where each window is shown
// as it is.
func (p *view) Width() string {
	switch length := query.Length(p.Every); {
	case p.Span == "week" && length < time.Hour:
		return query.Hourly
	case (p.Span == "month" || p.Span == "year") && length < 20*time.Hour:
		return query.Daily
	}
	return ""
}

// ago is how many days lie between the view and what it is compared with; 0 where it is
// compared with nothing, since it was not asked for or the view is longer than that.
func (p *view) ago() int {
	short := p.Span == "hour" || p.Span == "day"
	switch {
	case p.Compare == "yesterday" && short:
		return 1
	case p.Compare == "week" && (short || p.Span == "week"):
		return 7
	}
	return 0
}

// Compared reports whether there is something behind the lines.
func (p *view) Compared() bool { return p.ago() > 0 }

// address is the query of a view that differs in some parts.
func (p *view) address(path string, changes ...string) string {
	v := url.Values{"measure": {p.Measure.Name}, "span": {p.Span}, "cell": p.chosen}
	if p.Day != "" {
		v.Set("day", p.Day)
	}
	if p.Compare != "" {
		v.Set("compare", p.Compare)
	}
	for i := 0; i+1 < len(changes); i += 2 {
		v.Set(changes[i], changes[i+1])
		if changes[i+1] == "" {
			v.Del(changes[i])
		}
	}
	return "/streams/" + url.PathEscape(p.ID) + path + "?" + v.Encode()
}

// fixed are the changes that make an address one of this span, whatever is released later.
func (p *view) fixed() []string { return []string{"day", "", "to", p.To.Format(time.RFC3339)} }

// Fixed is the address of exactly this view, whatever is released later.
func (p *view) Fixed() string { return p.address("", p.fixed()...) }

// Picture is the address of exactly this view as a picture: svg or png.
func (p *view) Picture(format string) string { return p.address("/chart."+format, p.fixed()...) }

// Earlier is the address of the span before this one.
func (p *view) Earlier() string { return p.address("", "day", "", "to", p.From.Format(time.RFC3339)) }

// Later is the span after this one; empty where nothing is final yet.
func (p *view) Later() string {
	if !p.To.Before(p.Through) {
		return ""
	}
	next := p.moved(local(p.To, p.Timezone), 1)
	return p.address("", "day", "", "to", next.UTC().Format(time.RFC3339))
}

// Spanning is the address of the same view over another span.
func (p *view) Spanning(span string) string { return p.address("", "span", span) }

// Comparing is the address of the same view compared with another time.
func (p *view) Comparing(with string) string { return p.address("", "compare", with) }

// File is the address of the numbers of this view.
func (p *view) File(format string) string {
	v := url.Values{
		"measure": {p.Measure.Name}, "cell": p.chosen, "from": {p.From.Format(time.RFC3339)},
		"to":     {p.To.Format(time.RFC3339)},
		"format": {format},
	}
	return "/api/v1/streams/" + url.PathEscape(p.ID) + "/observations?" + v.Encode()
}

// Half is half of a window or band, in seconds.
func (p *view) Half() float64 {
	switch p.Width() {
	case query.Hourly:
		return 1800
	case query.Daily:
		return 12 * 3600
	}
	return query.Length(p.Every).Seconds() / 2
}

// Picker is the day that the form shows: the last one of the view.
func (p *view) Picker() string {
	if p.Day != "" || p.To.IsZero() {
		return p.Day
	}
	return local(p.To.Add(-time.Second), p.Timezone).Format(time.DateOnly)
}

// Chosen are the ids of the cells in the view.
func (p *view) Chosen() []string { return p.chosen }
