package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sluice/store"
)

func value(v float64) *float64 { return &v }

func observation(hour int, cell string, v *float64) store.Observation {
	at := time.Unix(int64(hour)*3600, 0).UTC()
	o := store.Observation{Stream: "s", Start: at, End: at.Add(time.Hour), Every: "PT1H", Cell: cell, Zone: cell,
		Measure: "m", Status: store.Withheld}
	if v != nil {
		o.Status, o.Value, o.Low, o.High = store.Published, v, v, v
	}
	return o
}

// TestEpochs: the numbers of epochs are among the rows of windows only where they are
// asked for, and where nothing else is, they are alone.
func TestEpochs(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var all []store.Observation
	for hour := range 48 {
		all = append(all, observation(hour, "a", value(1)), observation(hour, "b", value(2)))
		if hour%24 == 23 {
			for n, m := range []string{store.EpochUnits, store.EpochBounded} {
				o := observation(hour, store.EpochCell("a"), value(float64(100*hour+n)))
				o.Measure, o.Zone = m, ""
				all = append(all, o)
			}
		}
	}
	if err := s.Write(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		q            store.Query
		rows, epochs int
	}{
		"as ever":     {store.Query{}, 96, 0},
		"of cells":    {store.Query{Cells: []string{"a"}}, 48, 0},
		"of measures": {store.Query{Measures: []string{"m", store.EpochUnits}}, 96, 0},
		"of both":     {store.Query{Which: store.Both}, 100, 4},
		"of epochs":   {store.Query{Which: store.Epochs}, 4, 4},
		"of one":      {store.Query{Which: store.Epochs, From: time.Unix(24*3600, 0)}, 2, 2},
		"a page":      {store.Query{Limit: 24}, 24, 0},
	} {
		c.q.Stream, c.q.To = "s", time.Unix(1<<33, 0)
		if c.q.From.IsZero() {
			c.q.From = time.Unix(0, 0)
		}
		c.q.Limit = cmp.Or(c.q.Limit, 1000)
		list, err := s.Observations(t.Context(), c.q)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for i := range list {
			if list[i].OfEpoch() {
				n++
			}
		}
		if len(list) != c.rows || n != c.epochs {
			t.Errorf("%s: %d rows, %d of epochs; want %d, %d", name, len(list), n, c.rows, c.epochs)
		}
	}
	if until, err := s.ClosedUntil(t.Context(), "s"); err != nil || !until.Equal(time.Unix(48*3600, 0)) {
		t.Errorf("it is final until %v, %v", until, err)
	}
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
	q = store.Query{Stream: "s", From: time.Unix(3600, 0), To: time.Unix(7200, 0),
		Cells: []string{"b", "'; DROP TABLE observation; --"}, Measures: []string{"m"}, Limit: 10}
	if page, err := r.Observations(ctx, q); err != nil || len(page) != 1 || page[0].Cell != "b" ||
		page[0].Value != nil {
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

// TestEveryQueryAgrees asks at random, with cells, measures, positions and limits, and
// compares with a filter over all that was written.
func TestEveryQueryAgrees(t *testing.T) {
	ctx := t.Context()
	w, err := Open(ctx, filepath.Join(t.TempDir(), "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	var all []store.Observation
	cells, measures := []string{"a", "a/x", "b", "c"}, []string{"m", "n", "o"}
	for hour := range 12 {
		for _, c := range cells {
			for _, m := range measures {
				o := observation(hour, c, value(float64(hour)))
				o.Measure, o.Policy = m, fmt.Sprint("p", hour/5)
				if m == "o" && (c != "b" || hour < 8) {
					continue // added later, in one place
				}
				all = append(all, o)
			}
		}
	}
	if err := w.Write(ctx, all); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		at := func(name string) time.Time {
			return time.Unix(int64(rapid.IntRange(0, 13).Draw(t, name))*3600, 0).UTC()
		}
		some := func(name string, of []string) []string {
			return rapid.SliceOfN(rapid.SampledFrom(append(of, "none")), 0, 5).Draw(t, name)
		}
		q := store.Query{Stream: "s", From: at("from"), To: at("to"), Cells: some("cells", cells),
			Measures: some("measures", measures), Limit: rapid.IntRange(1, 60).Draw(t, "limit")}
		if rapid.Bool().Draw(t, "behind") {
			q.After = &store.Position{Start: at("start"),
				Cell:    rapid.SampledFrom(append(cells, "", "zz")).Draw(t, "cell"),
				Measure: rapid.SampledFrom(append(measures, "")).Draw(t, "measure")}
		}
		want := []store.Observation{}
		for _, o := range all {
			behind := q.After == nil ||
				cmp.Or(o.Start.Compare(q.After.Start), cmp.Compare(o.Cell, q.After.Cell),
					cmp.Compare(o.Measure, q.After.Measure)) > 0
			if behind && !o.Start.Before(q.From) && o.Start.Before(q.To) &&
				(len(q.Cells) == 0 || slices.Contains(q.Cells, o.Cell)) &&
				(len(q.Measures) == 0 || slices.Contains(q.Measures, o.Measure)) {
				want = append(want, o)
			}
		}
		want = want[:min(len(want), q.Limit)]
		got, err := w.Observations(ctx, q)
		if err != nil || fmt.Sprint(show(got)) != fmt.Sprint(show(want)) {
			t.Fatalf("%+v gives %v\n%v\nwant\n%v", q, err, show(got), show(want))
		}
	})
}

// TestOlderFile opens a file of the first version: its rows are all there, also after
// a second time.
func TestOlderFile(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "store.db")
	db, err := sql.Open("sqlite", DSN(path, false))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(ctx, `CREATE TABLE observation (
	stream TEXT NOT NULL, start INTEGER NOT NULL, cell TEXT NOT NULL, measure TEXT NOT NULL,
	stop INTEGER NOT NULL, every TEXT NOT NULL, zone TEXT NOT NULL, category TEXT NOT NULL,
	status TEXT NOT NULL, reason TEXT NOT NULL, value REAL, low REAL, high REAL, unit TEXT NOT NULL,
	decision TEXT NOT NULL, policy TEXT NOT NULL, mechanism TEXT NOT NULL, epsilon REAL NOT NULL,
	scale REAL NOT NULL, threshold REAL NOT NULL, ledger INTEGER NOT NULL, simulation INTEGER NOT NULL,
	PRIMARY KEY (stream, start, cell, measure)) WITHOUT ROWID;
	INSERT INTO observation VALUES ('s', 0, 'a/x', 'm', 3600000000000, 'PT1H', 'a', 'x', 'published', '', 5, 3, 7, 'device', '1', 'p', 'laplace', 0.5, 2, 40.25, 3, 1),
	('s', 0, 'b', 'm', 3600000000000, 'PT1H', 'b', '', 'withheld', 'few', NULL, NULL, NULL, 'device', '1', 'p', 'laplace', 0.5, 2, 40.25, 3, 0);`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s, err := Open(ctx, path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Observations(ctx,
			store.Query{Stream: "s", From: time.Unix(0, 0), To: time.Unix(1e9, 0), Limit: 10})
		end := time.Unix(3600, 0).UTC()
		want := []store.Observation{
			{Stream: "s", Start: time.Unix(0, 0).UTC(), End: end, Every: "PT1H", Cell: "a/x", Zone: "a", Category: "x",
				Measure: "m", Status: store.Published, Value: value(5), Low: value(3), High: value(7), Unit: "device",
				Decision: "1", Policy: "p", Mechanism: "laplace", Epsilon: 0.5, Scale: 2, Threshold: 40.25, Ledger: 3,
				Simulation: true},
			{Stream: "s", Start: time.Unix(0, 0).UTC(), End: end, Every: "PT1H", Cell: "b", Zone: "b", Measure: "m",
				Status: store.Withheld, Reason: "few", Unit: "device", Decision: "1", Policy: "p", Mechanism: "laplace",
				Epsilon: 0.5, Scale: 2, Threshold: 40.25, Ledger: 3},
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %v (%v); want %v", show(got), err, show(want))
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
