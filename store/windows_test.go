package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"sluice/store"
)

// dawn is when the first window starts.
var dawn = time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)

// kept is a store of rows in order, which counts what it is asked.
type kept struct {
	rows  []store.Observation
	asked int
}

func (k *kept) observations(_ context.Context, q store.Query) (list []store.Observation, _ error) {
	k.asked++
	for _, o := range k.rows {
		if o.Stream == q.Stream && !o.Start.Before(q.From) && o.Start.Before(q.To) && len(list) < q.Limit &&
			(o.Gateway == "" || slices.Contains(q.Gateways, o.Gateway)) {
			list = append(list, o)
		}
	}
	return list, nil
}

// day is a day of hours of two streams of two gateways, as books have them, and their rows; a stream of
// the second one pauses at noon.
func day() (list []store.Window, k *kept) {
	k = &kept{}
	for hour := range 24 {
		for _, stream := range []string{"noise", "steps"} {
			for _, gateway := range []string{"east", "west"} {
				at := dawn.Add(time.Duration(hour) * time.Hour)
				if hour == 12 && stream == "steps" && gateway == "west" {
					continue
				}
				list = append(list, store.Window{Gateway: gateway, Stream: stream, Start: at, End: at.Add(time.Hour),
					Rows: 2})
				for n := range 2 {
					k.rows = append(k.rows, store.Observation{Gateway: gateway, Stream: stream, Start: at,
						Cell: fmt.Sprint(gateway, hour, n)})
				}
			}
		}
	}
	return list, k
}

// alike asks for all windows at once and for each alone.
func alike(t *testing.T, list []store.Window, k *kept, questions int) {
	t.Helper()
	k.asked = 0
	seen := make(map[int]string)
	if err := store.EachWindow(t.Context(), k.observations, list, func(n int, rows []store.Observation) error {
		seen[n] = fmt.Sprint(rows)
		clear(rows) // whose they are
		return nil
	}); err != nil || len(seen) != len(list) {
		t.Errorf("%d of %d windows were handed out (%v)", len(seen), len(list), err)
	}
	if k.asked > questions {
		t.Errorf("%d questions were asked for %d windows; want %d", k.asked, len(list), questions)
	}
	for n, w := range list {
		rows, err := k.observations(t.Context(), store.Query{Gateways: []string{w.Gateway}, Stream: w.Stream,
			From: w.Start, To: w.Start.Add(1), Limit: 2*w.Rows + 1000})
		if want := fmt.Sprint(rows); err != nil || seen[n] != want {
			t.Errorf("window %d has %.200s; alone it has %.200s", n, seen[n], want)
		}
	}
}

// TestEachWindow: each window has the rows that it has alone, also one that is named twice or that has
// none, and those that follow each other are one question.
func TestEachWindow(t *testing.T) {
	list, k := day()
	alike(t, list, k, 5)
	none := store.Window{Gateway: "east", Stream: "noise", Start: dawn.Add(48 * time.Hour),
		End: dawn.Add(49 * time.Hour), Rows: 7}
	alike(t, append(slices.Clone(list), list[5], list[5], none), k, 6)
	for n := range list {
		list[n].Rows = 400
	}
	alike(t, list, k, 48) // no more rows at once than are easily held
}

// TestEachWindowAmongStrangers: where somebody has written so much that an answer is cut off, no window
// misses its own rows for that.
func TestEachWindowAmongStrangers(t *testing.T) {
	list, k := day()
	at := slices.IndexFunc(k.rows, func(o store.Observation) bool { return o.Start.Equal(dawn.Add(time.Hour)) })
	for range 1500 {
		k.rows = slices.Insert(k.rows, at, store.Observation{Stream: "noise", Start: dawn.Add(time.Minute)})
	}
	alike(t, list, k, 100)
}

// TestEachWindowEnds at the first error, of the store or of who takes the rows.
func TestEachWindowEnds(t *testing.T) {
	list, k := day()
	wrong := errors.New("wrong")
	if err := store.EachWindow(t.Context(), func(context.Context, store.Query) ([]store.Observation, error) {
		return nil, wrong
	}, list, nil); !errors.Is(err, wrong) {
		t.Errorf("the store's error is %v", err)
	}
	times := 0
	if err := store.EachWindow(t.Context(), k.observations, list, func(int, []store.Observation) error {
		times++
		return wrong
	}); !errors.Is(err, wrong) || times != 1 {
		t.Errorf("the taker's error is %v after %d windows", err, times)
	}
}
