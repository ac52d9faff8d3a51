package query

import (
	"context"
	"errors"
	"testing"
	"time"

	"sluice/books"
	"sluice/store"
)

// asked remembers what it was asked for.
type asked struct{ q store.Query }

func (a *asked) Observations(_ context.Context, q store.Query) ([]store.Observation, error) {
	a.q = q
	return nil, nil
}

func (a *asked) ClosedUntil(context.Context, string) (time.Time, error) { return latest, nil }

func streamOf(every string, cells, measures int) Stream {
	return At(books.Stream{ID: "s", Every: every, Cells: make([]books.Cell, cells),
		Measures: make([]books.Measure, measures)}, latest)
}

// TestRecentIsWhole asks for no more than fits, so that the newest are always there.
func TestRecentIsWhole(t *testing.T) {
	for _, x := range []struct {
		every           string
		cells, measures int
		measure         string
		want            time.Duration
	}{
		{"PT1H", 10, 2, "", 24 * time.Hour}, {"PT15M", 100, 3, "", 66 * 15 * time.Minute},
		{"PT1M", 100, 3, "m", 200 * time.Minute}, {"PT1H", 50_000, 1, "", time.Hour}, {"P1D", 3, 1, "", 24 * time.Hour},
	} {
		a := &asked{}
		st := streamOf(x.every, x.cells, x.measures)
		if _, err := (&Source{Store: a}).Recent(t.Context(), st, latest, x.measure); err != nil {
			t.Fatal(err)
		}
		if got := a.q.To.Sub(a.q.From); got != x.want || a.q.Limit != maxNewest {
			t.Errorf("of %d cells and %d measures every %s it asks for %s; want %s", x.cells, x.measures, x.every, got,
				x.want)
		}
	}
}

// TestSpanIsWhole refuses a view that could only be shown in part.
func TestSpanIsWhole(t *testing.T) {
	s := &Source{Store: &asked{}}
	month := latest.AddDate(0, -1, 0)
	for every, ok := range map[string]bool{"PT15M": true, "PT1H": true, "PT1M": false, "PT5M": false} {
		_, err := s.Span(t.Context(), streamOf(every, 4, 1), []string{"a", "b", "c", "d"}, "m", month, latest)
		var invalid *Invalid
		if ok != (err == nil) || !ok && (!errors.As(err, &invalid) || invalid.Parameter != "span") {
			t.Errorf("a month every %s gives %v", every, err)
		}
	}
}

func TestLength(t *testing.T) {
	for every, want := range map[string]time.Duration{"PT15M": 15 * time.Minute, "PT1H30M": 90 * time.Minute,
		"P1D": 25 * time.Hour, "": 25 * time.Hour, "PT0S": 25 * time.Hour, "x": 25 * time.Hour} {
		if got := Length(every); got != want {
			t.Errorf("%q is %s; want %s", every, got, want)
		}
	}
}
