package sqlite

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sluice/store"
)

func value(v float64) *float64 { return &v }

func observation(hour int, cell string, v *float64) store.Observation {
	at := time.Unix(int64(hour)*3600, 0).UTC()
	o := store.Observation{Stream: "s", Start: at, End: at.Add(time.Hour), Every: "PT1H", Cell: cell, Zone: cell, Measure: "m", Status: store.Withheld}
	if v != nil {
		o.Status, o.Value, o.Low, o.High = store.Published, v, v, v
	}
	return o
}

func TestWriteAndRead(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a dir%20", "store.db")
	if _, err := Open(ctx, path); err == nil {
		t.Error("a store was opened in a directory that is not there")
	}
	path = filepath.Join(t.TempDir(), "sto?re #1%20.db")
	w, err := Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	var all []store.Observation
	for hour := range 5 {
		all = append(all, observation(hour, "a", value(float64(hour))), observation(hour, "b", nil))
	}
	for range 2 { // again changes nothing
		if err := w.Write(ctx, all); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Write(ctx, []store.Observation{observation(0, "a", value(99))}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + "-wal"); err != nil {
		t.Error("the write-ahead log is gone, so that a reader would have to make one:", err)
	}
	r, err := OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	q := store.Query{Stream: "s", From: time.Unix(0, 0), To: time.Unix(1e9, 0), Limit: 3}
	var got []store.Observation
	for {
		page, err := r.Observations(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		got = append(got, page...)
		last := page[len(page)-1]
		q.After = &store.Position{Start: last.Start, Cell: last.Cell, Measure: last.Measure}
	}
	if fmt.Sprint(show(got)) != fmt.Sprint(show(all)) {
		t.Errorf("got\n%v\nwant\n%v", show(got), show(all))
	}
	if until, err := r.ClosedUntil(ctx, "s"); err != nil || !until.Equal(time.Unix(5*3600, 0)) {
		t.Errorf("closed until %v (%v)", until, err)
	}
	q = store.Query{Stream: "s", From: time.Unix(3600, 0), To: time.Unix(7200, 0), Cells: []string{"b", "'; DROP TABLE observation; --"}, Measures: []string{"m"}, Limit: 10}
	if page, err := r.Observations(ctx, q); err != nil || len(page) != 1 || page[0].Cell != "b" || page[0].Value != nil {
		t.Errorf("got %v (%v); want b at one", show(page), err)
	}
}

func show(list []store.Observation) (out []string) {
	for _, o := range list {
		v := "-"
		if o.Value != nil {
			v = fmt.Sprint(*o.Value)
		}
		o.Value, o.Low, o.High = nil, nil, nil
		out = append(out, fmt.Sprintf("%+v %s\n", o, v))
	}
	return out
}
