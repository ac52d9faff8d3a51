package api

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"

	"sluice/opendata/query"
	"sluice/store"
)

// series is a stream with a cell and measures of it.
type series struct{ id, cell, measure, category string }

// samples are what the examples of parameters name: things of this city, or of an example
// city before anything is decided.
type samples struct {
	stream   series
	addable  series // its numbers can be added up; empty for none
	mapped   series // it has released numbers; empty for none
	decision string
	keys     map[string]string // of a list's first item, by path
	day      time.Time         // local midnight before a window that has numbers
	spent    string            // day of the ledger's first line
}

// none are the samples of a city without streams.
func none() *samples {
	return &samples{
		stream: series{"footfall", "rambla", "devices", ""}, decision: "2026-14", keys: map[string]string{},
		day: time.Date(2026, 6, 15, 0, 0, 0, 0, time.UTC), spent: "2026-06-15",
	}
}

// samplesOf takes samples from what there is. What cannot be read is left out: the
// description is there all the same.
func samplesOf(ctx context.Context, source *query.Source) *samples {
	s := none()
	all, err := source.LatestOfAll(ctx, nil)
	if err != nil || len(all) == 0 {
		return s
	}
	for n, l := range all {
		st := l.Stream
		if len(st.Cells) == 0 || len(st.Measures) == 0 {
			continue
		}
		one := series{st.ID, st.Cells[0].ID, st.Measures[0].Name, ""}
		if n == 0 || len(s.mapped.id) == 0 {
			s.stream = one
		}
		for _, name := range query.Addable(st) {
			if s.addable.id == "" {
				s.addable = series{st.ID, one.cell, name, ""}
			}
		}
		s.show(st, l.Items)
	}
	s.keys["/api/v1/streams"] = all[0].Stream.ID
	if list, err := source.Books.Decisions(); err == nil && len(list) > 0 {
		s.decision = list[0].ID
		s.keys["/api/v1/decisions"] = list[0].ID
	}
	if reg, err := source.Books.Register(); err == nil && len(reg.Sensors) > 0 {
		s.keys["/api/v1/sensors"] = reg.Sensors[0].ID
	}
	if list, _, err := source.Ledgers(); err == nil && len(list) > 0 && len(list[0].Entries) > 0 {
		first := entry(list[0].Entries[0])
		s.keys["/api/v1/ledger"], s.spent = entryKey(first), first.Day
	}
	return s
}

// show takes what has numbers, of categories where there are some.
func (s *samples) show(st query.Stream, list []store.Observation) {
	if len(list) == 0 || s.mapped.category != "" {
		return
	}
	o := &list[0]
	if s.mapped.id != "" && o.Category == "" {
		return
	}
	s.mapped = series{st.ID, o.Cell, o.Measure, o.Category}
	s.stream = s.mapped
	t := o.Start.In(query.Place(st.Timezone))
	s.day = time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
}

// value is the example of a parameter; nil for none.
func (s *samples) value(path, name string) any {
	of := s.stream
	if strings.HasSuffix(path, "/totals") {
		of = s.addable
	} else if path == "/api/v1/zones" {
		of = s.mapped
	}
	switch name {
	case "id":
		if strings.Contains(path, "/decisions/") {
			return some(s.decision)
		}
		return some(of.id)
	case "stream":
		return some(of.id)
	case "category":
		return some(of.category)
	case "cell":
		return list(of.cell)
	case "measure":
		if path == "/api/v1/zones" {
			return some(of.measure)
		}
		return list(of.measure)
	case "cursor":
		return some(s.cursor(path))
	}
	return map[string]any{
		"from": s.day.Format(time.DateOnly), "to": s.day.AddDate(0, 0, 1).UTC().Format(time.RFC3339),
		"day": s.spent, "status": []string{"published"}, "order": "desc", "over": "time",
		"limit": 100, "format": "json", "after": "0",
	}[name]
}

// cursor is one behind the first item of a list, or the middle of a day of numbers.
func (s *samples) cursor(path string) string {
	if strings.HasSuffix(path, "/observations") {
		return query.Cursor(store.Observation{Start: s.day.Add(12 * time.Hour), Cell: s.stream.cell,
			Measure: s.stream.measure})
	}
	if key := s.keys[path]; key != "" {
		return query.CursorBehind(key)
	}
	return ""
}

// address is a question with examples, for people to try.
func (s *samples) address(path string, names ...string) string {
	id, _ := s.value(path, "id").(string)
	v := url.Values{}
	for _, name := range names {
		switch x := s.value(path, name).(type) {
		case string:
			v.Set(name, x)
		case int:
			v.Set(name, strconv.Itoa(x))
		case []string:
			v[name] = x
		}
	}
	path = strings.Replace(path, "{id}", url.PathEscape(id), 1)
	if len(v) == 0 {
		return path
	}
	return path + "?" + v.Encode()
}

func some(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func list(s string) any {
	if s == "" {
		return nil
	}
	return []string{s}
}
