package query

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"sluice/books"
	"sluice/store"
)

// shelves is a store in memory that answers as stores do.
type shelves []store.Observation

func (s shelves) Observations(_ context.Context, q store.Query) (out []store.Observation, err error) {
	for i := range s {
		o := s[i]
		if o.Start.Before(q.From) || !o.Start.Before(q.To) || len(q.Cells) > 0 && !slices.Contains(q.Cells, o.Cell) ||
			q.After != nil && q.Compare(&o, q.After) <= 0 {
			continue
		}
		out = append(out, o)
	}
	slices.SortStableFunc(out, func(a, b store.Observation) int { return q.Compare(&a, store.At(&b)) })
	return out[:min(len(out), max(q.Limit, 1))], nil
}

func (shelves) ClosedUntil(context.Context, string) (time.Time, error) { return time.Time{}, nil }

func quarterOf(start time.Time, n int, v float64, status store.Status, reason string) store.Observation {
	at := start.Add(time.Duration(n) * 15 * time.Minute)
	o := store.Observation{Stream: "s", Cell: "a", Measure: "m", Start: at, End: at.Add(15 * time.Minute),
		Status: status, Reason: reason}
	if status == store.Published {
		o.Value, o.Low, o.High = &v, &v, &v
	}
	return o
}

// TestBands adds up what was released by local hours and days: the day on which clocks change has
// 23 hours, a mean of decibels is one of their energy, and there is none where something was
// withheld.
func TestBands(t *testing.T) {
	place := Place("Europe/Madrid")
	from := time.Date(2026, 3, 28, 0, 0, 0, 0, place)
	var list shelves
	for n := range 3 * 96 {
		status, reason := store.Published, ""
		if n == 200 {
			status, reason = store.Withheld, "few"
		}
		list = append(list, quarterOf(from, n, float64(50+10*(n%2)), status, reason))
	}
	source := &Source{Store: list}
	st := At(books.Stream{ID: "s", Every: "PT15M", Timezone: "Europe/Madrid", Cells: []books.Cell{{ID: "a"}},
		Measures: []books.Measure{{Name: "m", Of: "leq(laeq)"}}}, time.Time{})
	days, err := source.Bands(t.Context(), st, []string{"a"}, st.Measures[0], from, from.AddDate(0, 0, 3), Daily)
	if err != nil || len(days) != 3 {
		t.Fatal(len(days), err)
	}
	for n, want := range []struct{ windows, withheld int }{{96, 0}, {92, 0}, {96, 1}} {
		b := days[n]
		if b.Windows != want.windows || b.Withheld != want.withheld || *b.Low != 50 || *b.High != 60 ||
			(b.Mean == nil) != (want.withheld > 0) {
			t.Errorf("day %d is %+v", n, b)
		}
	}
	if energy := 10 * math.Log10((1e5+1e6)/2); math.Abs(*days[0].Mean-energy) > 1e-9 {
		t.Errorf("the mean is %v; that of the energy is %v", *days[0].Mean, energy)
	}
	hours, err := source.Bands(t.Context(), st, []string{"a"}, books.Measure{Name: "m", Of: "quantile(x, 0.9)"}, from,
		from.AddDate(0, 0, 1), Hourly)
	if err != nil || len(hours) != 24 || hours[0].Windows != 4 || hours[5].Mean != nil {
		t.Errorf("%d hours: %v", len(hours), err)
	}
	if _, err := source.Bands(t.Context(), st, make([]string, 5), st.Measures[0], from, from.AddDate(1, 0, 0),
		Daily); err == nil {
		t.Error("five places of a year of quarters of an hour are read")
	}
}

// TestBandsOfStops: a suspension is told from what else is withheld, and what is missing takes the
// mean away only from a quarter on.
func TestBandsOfStops(t *testing.T) {
	from := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	st := At(books.Stream{ID: "s", Every: "PT15M", Timezone: "UTC"}, time.Time{})
	m := books.Measure{Name: "m", Of: "count()"}
	five := func(n int) store.Observation { return quarterOf(from, n, 5, store.Published, "") }
	none := func(n int, status store.Status, reason string) store.Observation {
		return quarterOf(from, n, 0, status, reason)
	}
	for name, x := range map[string]struct {
		list    shelves
		stopped int
		mean    bool
	}{
		"suspended":              {shelves{five(0), none(1, store.Withheld, "suspended: why")}, 1, false},
		"one of four is missing": {shelves{five(0), five(1), five(2), none(3, store.NoData, "")}, 0, true},
		"half is missing":        {shelves{five(0), none(1, store.NoData, "")}, 0, false},
	} {
		source := &Source{Store: x.list}
		bands, err := source.Bands(t.Context(), st, []string{"a"}, m, from, from.Add(time.Hour), Hourly)
		if err != nil || len(bands) != 1 || bands[0].Stopped != x.stopped || (bands[0].Mean != nil) != x.mean {
			t.Errorf("%s: %+v, %v", name, bands[0], err)
		}
	}
}

// TestUsual is the middle of the same window of the weeks before, at the same time of day
// although clocks change between them, and nothing where too few have a number.
func TestUsual(t *testing.T) {
	place := Place("Europe/Madrid")
	at := time.Date(2026, 4, 7, 10, 0, 0, 0, place)
	st := At(books.Stream{ID: "s", Every: "PT15M", Timezone: "Europe/Madrid"}, time.Time{})
	for known := range usualWeeks + 1 {
		var list shelves
		for week := 1; week <= usualWeeks; week++ {
			start := at.AddDate(0, 0, -7*week)
			if week <= known {
				list = append(list, quarterOf(start, 0, float64(10*week), store.Published, ""))
			} else {
				list = append(list, quarterOf(start, 0, 0, store.Withheld, "few"))
			}
			list = append(list, quarterOf(start, 1, 9999, store.Published, ""))
		}
		o := quarterOf(at, 0, 1, store.Published, "")
		u, err := (&Source{Store: list}).Usual(t.Context(), st, &o)
		switch {
		case err != nil:
			t.Fatal(err)
		case known < fewestWeeks && u != nil:
			t.Errorf("with %d weeks it is %+v", known, u)
		case known >= fewestWeeks && (u == nil || *u != Usual{5 * float64(known+1), known, usualWeeks}):
			t.Errorf("with %d weeks it is %+v", known, u)
		}
	}
}
