package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/store"
)

// from is a row of a gateway, one of three of an hour.
func from(gateway, cell string, value float64) store.Observation {
	at := time.Unix(3600, 0).UTC()
	return store.Observation{Gateway: gateway, Stream: "s", Start: at, End: at.Add(time.Hour), Every: "PT1H",
		Cell: cell, Zone: cell, Measure: "m", Status: store.Published, Value: &value, Low: &value, High: &value}
}

// TestTwoGateways: what two gateways say of one cell and window are two rows, each once,
// in an order that a page can go on in; each is withdrawn alone.
func TestTwoGateways(t *testing.T) {
	ctx := t.Context()
	s, err := Open(ctx, filepath.Join(t.TempDir(), "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	rows := []store.Observation{from("edge-2", "a", 2), from("edge-1", "a", 1), from("", "a", 0),
		from("edge-1", "b", 3)}
	for range 2 {
		if err := s.Write(ctx, rows); err != nil {
			t.Fatal(err)
		}
	}
	for name, q := range map[string]store.Query{"all": {}, "a cell": {Cells: []string{"a"}, Measures: []string{"m"}},
		"a measure": {Measures: []string{"m"}}} {
		q.Stream, q.To, q.Limit = "s", time.Unix(1<<33, 0), 1
		var got string
		for n := 0; n < 9; n++ {
			list, err := s.Observations(ctx, q)
			if err != nil {
				t.Fatal(err)
			}
			if len(list) == 0 {
				break
			}
			got += list[0].Cell + "/" + list[0].Gateway + " "
			q.After = store.At(&list[0])
		}
		want := "a/ a/edge-1 a/edge-2 "
		if name != "a cell" {
			want += "b/edge-1 "
		}
		if got != want {
			t.Errorf("%s, one by one: %q; want %q", name, got, want)
		}
	}
	list, err := s.Observations(ctx,
		store.Query{Stream: "s", To: time.Unix(1<<33, 0), Limit: 9, Gateways: []string{"edge-2"}})
	if err != nil || len(list) != 2 || list[0].Gateway != "" || list[1].Gateway != "edge-2" {
		t.Errorf("of edge-2: %+v, %v", list, err)
	}
	if err := s.Write(ctx, []store.Observation{rows[1].Withdraw("wrong")}); err != nil {
		t.Fatal(err)
	}
	list, err = s.Observations(ctx, store.Query{Stream: "s", Cells: []string{"a"}, To: time.Unix(1<<33, 0), Limit: 9})
	if err != nil || len(list) != 3 || list[0].Value == nil || list[1].Status != store.Withdrawn ||
		list[2].Value == nil || *list[2].Value != 2 {
		t.Errorf("after edge-1's was withdrawn: %+v, %v", list, err)
	}
}

// TestRowsOfCellsInOrder: many rows of some cells and several gateways are in the order in
// which a page goes on, so that none is lost where one ends.
func TestRowsOfCellsInOrder(t *testing.T) {
	ctx := t.Context()
	s, err := Open(ctx, filepath.Join(t.TempDir(), "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const hours = 20
	want := 0
	for h := range hours {
		for _, gateway := range []string{"edge-2", "", "edge-1"} {
			for _, cell := range []string{"b", "a"} {
				o := from(gateway, cell, 1)
				o.Start, o.End = o.Start.Add(time.Duration(h)*time.Hour), o.End.Add(time.Duration(h)*time.Hour)
				if err := s.Write(ctx, []store.Observation{o}); err != nil {
					t.Fatal(err)
				}
				want++
			}
		}
	}
	for limit := 1; limit <= want+1; limit += 10 {
		q := store.Query{Stream: "s", Cells: []string{"a", "b"}, Measures: []string{"m"}, To: time.Unix(1<<33, 0),
			Limit: limit}
		var all []store.Observation
		for n := limit; n == limit; q.After = store.At(&all[len(all)-1]) {
			list, err := s.Observations(ctx, q)
			if err != nil {
				t.Fatal(err)
			}
			if all, n = append(all, list...), len(list); len(all) == 0 {
				break
			}
		}
		if len(all) != want || !slices.IsSortedFunc(all, func(a, b store.Observation) int {
			return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Cell, b.Cell), cmp.Compare(a.Gateway, b.Gateway))
		}) {
			t.Errorf("%d a page: %d rows, or not in order; want %d", limit, len(all), want)
		}
	}
}

// unnamedSchema is what files were before rows said whose they are.
const unnamedSchema = `
CREATE TABLE released (
	stream TEXT NOT NULL, start INTEGER NOT NULL, cell TEXT NOT NULL, measure TEXT NOT NULL,
	stop INTEGER NOT NULL, series INTEGER NOT NULL REFERENCES series, status TEXT NOT NULL, reason TEXT NOT NULL,
	value REAL, low REAL, high REAL, ledger INTEGER NOT NULL,
	PRIMARY KEY (stream, start, cell, measure)
) WITHOUT ROWID;
CREATE INDEX released_stop ON released (stream, stop);
CREATE INDEX released_cell ON released (stream, cell, measure, start);
CREATE VIEW observations AS SELECT r.stream, r.cell, s.unit FROM released r JOIN series s ON s.id = r.series;
INSERT INTO series VALUES (1, 's', 'a', 'm', 'PT1H', 'a', '', '', '', '', '', 0, 0, 0, 0);
INSERT INTO released VALUES ('s', 3600000000000, 'a', 'm', 7200000000000, 1, 'published', '', 5, 4, 6, 7), ('s', 7200000000000, 'a', 'm', 10800000000000, 1, 'withheld', '', NULL, NULL, NULL, 7);`

// TestTakenOut runs the statement of docs/operations.md that takes what a gateway's journal
// has not out of a store: another gateway's number of the same window stays, and so does
// the next window.
func TestTakenOut(t *testing.T) {
	ctx, path := t.Context(), filepath.Join(t.TempDir(), "store.db")
	page, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	statement := regexp.MustCompile("`sqlite3 store.db \"(DELETE [^\"]*)\"`").FindSubmatch(page)
	if statement == nil {
		t.Fatal("the page has no such statement")
	}
	s, err := Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	next := from("edge-1", "a", 3)
	next.Start, next.End = next.End, next.End.Add(time.Hour)
	if err := s.Write(ctx, []store.Observation{from("edge-1", "a", 1), from("edge-2", "a", 2), next}); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", DSN(path, false))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(strings.NewReplacer("'ID'", "'s'", "2026-03-02T10:00:00Z",
		"1970-01-01T01:00:00Z").Replace(string(statement[1]))); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	list, err := s.Observations(ctx, store.Query{Stream: "s", To: time.Unix(1<<33, 0), Limit: 9})
	if err != nil || len(list) != 2 || *list[0].Value != 2 || *list[1].Value != 3 {
		t.Errorf("%+v is left, %v", list, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestUnnamedRows: a file of before is read as it is, and when its writer opens it, it
// keeps every row, and takes a gateway's beside.
func TestUnnamedRows(t *testing.T) {
	ctx, path := t.Context(), filepath.Join(t.TempDir(), "store.db")
	s, err := Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", DSN(path, false))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"DROP VIEW observations", "DROP TABLE released", unnamedSchema} {
		if _, err := db.Exec(text); err != nil {
			t.Fatal(text, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	queries := []store.Query{{}, {Cells: []string{"a"}}, {Measures: []string{"m"}}, {Gateways: []string{"edge-1"}},
		{Which: store.Both, After: &store.Position{Start: time.Unix(0, 0), Cell: "a", Measure: "m"}}}
	reads := func(what string, s interface {
		Observations(ctx context.Context, q store.Query) ([]store.Observation, error)
	}, want int) {
		t.Helper()
		for _, q := range queries {
			q.Stream, q.From, q.To, q.Limit = "s", time.Unix(0, 0), time.Unix(1<<33, 0), 9
			list, err := s.Observations(ctx, q)
			if err != nil || len(list) != want || list[0].Gateway != "" || *list[0].Value != 5 ||
				list[want-1].Status != store.Withheld {
				t.Errorf("%s, %+v: %+v, %v", what, q, list, err)
			}
		}
		q := store.Query{Stream: "s", From: time.Unix(0, 0), To: time.Unix(1<<33, 0), Limit: 9, Which: store.Epochs}
		if list, err := s.Observations(ctx, q); err != nil || len(list) > 0 {
			t.Errorf("%s: epochs are %v, %v", what, list, err)
		}
	}
	r := NewReader(path)
	defer r.Close()
	reads("before its writer has opened it", r, 2)
	if s, err = Open(ctx, path); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	reads("its writer", s, 2)
	if err := s.Write(ctx, []store.Observation{from("edge-1", "a", 1)}); err != nil {
		t.Fatal(err)
	}
	reads("with a gateway's row beside", s, 3)
	var rows int
	if err := s.db.QueryRow("SELECT count(*) FROM observations WHERE gateway = 'edge-1'").Scan(&rows); err != nil ||
		rows != 1 {
		t.Errorf("the view has %d of edge-1's rows, %v", rows, err)
	}
}
