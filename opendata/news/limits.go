package news

import (
	"context"
	"math"
	"strings"
	"time"

	"sluice/books"
	"sluice/internal/civil"
	"sluice/opendata/query"
	"sluice/store"
)

// passed is a limit that a number was above.
type passed struct {
	measure books.Measure
	limit   books.Limit
	over    bool // a mean of several windows
}

// passes caches the events of a stream as of its last window.
type passes struct {
	through time.Time
	limits  int
	made    time.Time
	events  []Event
}

const (
	// fresh is how long events are kept: a number that is taken back, or a limit that is changed,
	// is seen by that.
	fresh = 2 * time.Second
	// lookBack is how many days are searched.
	lookBack = 7
	// maxLooked bounds the numbers that are looked at for one measure.
	maxLooked = 20_000
	// enough is the share of a span's windows that must have numbers for a mean of it, as for
	// a day's in Directive 2008/50/EC, annex XI A: 75 %.
	enough = 0.75
)

// limits are the limits that the stream's numbers have passed lately: of each place, limit
// and day the first time. Passed is what is above with its whole interval.
func (d *Desk) limits(ctx context.Context, st query.Stream) ([]Event, error) {
	n := 0
	for _, m := range st.Measures {
		n += len(m.Limits)
	}
	if n == 0 || st.Through.IsZero() {
		return nil, nil
	}
	d.mu.Lock()
	known := d.passed[st.ID]
	d.mu.Unlock()
	if known.through.Equal(st.Through) && known.limits == n && time.Since(known.made) < fresh {
		return known.events, nil
	}
	now := passes{through: st.Through, limits: n, made: time.Now()}
	for _, m := range st.Measures {
		if len(m.Limits) == 0 {
			continue
		}
		list, err := d.lately(ctx, st, m.Name)
		if err != nil {
			return nil, err
		}
		for _, l := range m.Limits {
			now.events = append(now.events, above(st, m, l, list)...)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.passed[st.ID] = now
	return now.events, nil
}

// lately are a measure's numbers of some whole days and the present one.
func (d *Desk) lately(ctx context.Context, st query.Stream, measure string) ([]store.Observation, error) {
	day := int(24 * time.Hour / min(24*time.Hour, query.Length(st.Every)))
	days := max(1, min(lookBack, maxLooked/max(1, day*len(st.Cells))))
	to := st.Through.In(query.Place(st.Timezone))
	from := time.Date(to.Year(), to.Month(), to.Day()-days, 0, 0, 0, 0, to.Location())
	return d.source.Store.Observations(ctx, store.Query{Stream: st.ID, Measures: []string{measure}, From: from.UTC(),
		To: st.Through, Limit: maxLooked})
}

// span is what a limit is compared with: a window, or several of one place.
type span struct {
	store.Observation
	numbers   int
	low, mean float64
}

// above are the events of one limit, in the order of the numbers.
func above(st query.Stream, m books.Measure, l books.Limit, list []store.Observation) (out []Event) {
	place := query.Place(st.Timezone)
	seen := make(map[string]bool)
	spans, over := spansOf(st, m, l, list)
	for _, s := range spans {
		if !(s.low > l.Value) {
			continue
		}
		key := s.Cell + "/" + s.Start.In(place).Format(time.DateOnly)
		if seen[key] {
			continue
		}
		seen[key] = true
		s.Value, s.Low = &s.mean, &s.low
		out = append(out, Event{Kind: Limit, At: s.End.UTC(), Timezone: st.Timezone, Stream: st.ID,
			Decision: s.Decision, Zones: []string{s.Zone}, stream: st, number: s.Observation,
			passed: &passed{m, l, over},
			ID: strings.Join([]string{string(Limit), st.ID, m.Name, s.Cell, stamp(s.Start), l.Over,
				strings.ReplaceAll(l.Source, "/", "-")}, "/")})
	}
	return out
}

// spansOf are the spans that a limit is about and that are over. A mean of levels is one of
// energies; of which other measures there is none that is right, nothing is said.
func spansOf(st query.Stream, m books.Measure, l books.Limit, list []store.Observation) (out []span, over bool) {
	if l.Over == "" || l.Over == st.Every {
		for i := range list {
			if o := &list[i]; o.Status == store.Published && o.Low != nil {
				out = append(out, span{Observation: *o, low: *o.Low, mean: *o.Value})
			}
		}
		return out, false
	}
	p, err := civil.ParsePeriod(l.Over)
	into, back := scales(m.Of)
	if err != nil || into == nil || p.Days > 1 || p.Days == 0 && (p.Nominal() <= 0 || 24*time.Hour%p.Nominal() != 0) {
		return nil, true
	}
	for _, s := range together(st, p, into, list) {
		if windows := s.End.Sub(s.Start) / query.Length(st.Every); float64(s.numbers) >= enough*float64(windows) {
			s.low, s.mean = back(s.low/float64(s.numbers)), back(s.mean/float64(s.numbers))
			out = append(out, s)
		}
	}
	return out, true
}

// together adds up the numbers of each place and span that is over.
func together(
	st query.Stream, p civil.Period, into func(float64) float64, list []store.Observation,
) (out []span) {
	place, at := query.Place(st.Timezone), make(map[string]int)
	for i := range list {
		o := &list[i]
		from, to := within(o.Start.In(place), p)
		if to.After(st.ClosedUntil) || o.Status != store.Published || o.Low == nil || o.Value == nil {
			continue
		}
		key := o.Cell + " " + from.Format(time.RFC3339)
		n, known := at[key]
		if !known {
			n, at[key] = len(out), len(out)
			out = append(out, span{Observation: store.Observation{Cell: o.Cell, Zone: o.Zone, Category: o.Category,
				Measure: o.Measure, Unit: o.Unit, Decision: o.Decision, Start: from.UTC(), End: to.UTC()}})
		}
		s := &out[n]
		s.numbers, s.low, s.mean = s.numbers+1, s.low+into(*o.Low), s.mean+into(*o.Value)
	}
	return out
}

// scales are how numbers of a measure are averaged: on what scale, and back; nil for not at
// all.
func scales(of string) (into, back func(float64) float64) {
	switch name, _, _ := strings.Cut(of, "("); name {
	case "mean":
		same := func(v float64) float64 { return v }
		return same, same
	case "leq": // decibels
		return func(v float64) float64 { return math.Pow(10, v/10) },
			func(v float64) float64 { return 10 * math.Log10(v) }
	}
	return nil, nil
}

// within is the span of a period, counted from local midnight, in which an instant lies.
func within(t time.Time, p civil.Period) (from, to time.Time) {
	midnight := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
	if p.Days == 1 {
		return midnight, midnight.AddDate(0, 0, 1)
	}
	n := t.Sub(midnight) / p.Nominal()
	return midnight.Add(n * p.Nominal()), midnight.Add((n + 1) * p.Nominal())
}
