package archive

import (
	"encoding/json"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"

	"sluice/books"
	"sluice/books/union"
	"sluice/opendata/query"
	"sluice/opendata/released"
	"sluice/store"
	"sluice/store/sqlite"
	"sluice/store/table"
	"sluice/test/entered"
)

// TestSeveralGateways: a month has the rows of all gateways, each with a digest of its own. It
// is offered when all have come past its end, and each that has rows has its line.
func TestSeveralGateways(t *testing.T) {
	kept, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	owner := map[string]string{"bridge": "edge-1", "plaza": "edge-2"}
	dirs, lines := make(map[string]books.Dir), make(map[string]books.Archived)
	var list []union.Book
	var late []store.Observation
	for _, cell := range []string{"bridge", "plaza"} {
		name := owner[cell]
		dir := books.Dir(t.TempDir())
		dirs[name], list = dir, append(list, union.Book{Where: name, Source: dir})
		put(t, dir, "city.json", books.City{ID: "portalba", Gateway: name, Name: "Portalba", Timezone: "Europe/Madrid"})
		put(t, dir, "streams.json", []books.Stream{{ID: "steps", Every: "PT6H", Timezone: "Europe/Madrid", Unit: "none",
			Decision: "2026-1", Measures: []books.Measure{{Name: "devices"}, {Name: "visits"}},
			Cells: []books.Cell{{ID: cell, Zone: cell}}}})
		var rows []store.Observation
		sum := table.NewDigest(madrid)
		for _, o := range windows(june, 124) {
			if o.Cell != cell {
				continue
			}
			o.Gateway = name
			rows = append(rows, o)
			if o.Start.Before(july) {
				if err := sum.Write(&o); err != nil {
					t.Fatal(err)
				}
			}
		}
		if name == "edge-2" {
			rows, late = rows[:len(rows)-10], rows[len(rows)-10:] // it has not come to the end of June
		}
		if err := kept.Write(t.Context(), rows); err != nil {
			t.Fatal(err)
		}
		if err := entered.EnterAs(name, dir, rows); err != nil {
			t.Fatal(err)
		}
		a := books.Archived{N: 1, At: july, Gateway: name, Stream: "steps", Month: "2026-06", Timezone: "Europe/Madrid",
			From: june.UTC(), To: july.UTC(), Windows: 120}
		if a.Rows, a.SHA256, err = sum.Sum(); err != nil {
			t.Fatal(err)
		}
		lines[name] = a
	}
	all := union.New(list)
	var parts []released.Named
	for n, b := range all.List() {
		parts = append(parts, released.Named{Where: b.Where, Source: b.Source, Usable: func() bool {
			return all.Usable(n)
		}})
	}
	enter := func(name string) {
		t.Helper()
		raw, err := json.Marshal(lines[name])
		if err == nil {
			err = dirs[name].Put(books.ArchiveName, append(raw, '\n'))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	look := func(want ...string) Manifest {
		t.Helper()
		a, err := Open(Config{Dir: t.TempDir()}, &query.Source{
			Store: released.NewCityFilter(kept, parts, all.Names, slog.New(slog.DiscardHandler)),
			Books: books.Reader{Source: all}}, "", slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		m, by := looks(t, a)
		var closed []string
		for _, f := range by {
			if f.Closed {
				closed = append(closed, f.Path)
			}
		}
		slices.Sort(closed)
		if !slices.Equal(closed, want) {
			t.Errorf("it offers %v; want %v; it leaves out %v", closed, want, m.LeftOut)
		}
		return m
	}
	enter("edge-1")
	if m := look(); len(m.LeftOut) != 1 || m.LeftOut[0].Why != Waiting || m.LeftOut[0].Gateway != "" {
		t.Errorf("one gateway is behind: %v", m.LeftOut)
	}
	if err := kept.Write(t.Context(), late); err != nil {
		t.Fatal(err)
	}
	if err := entered.EnterAs("edge-2", dirs["edge-2"], late); err != nil {
		t.Fatal(err)
	}
	if m := look(); len(m.LeftOut) != 1 || m.LeftOut[0].Why != Waiting || m.LeftOut[0].Gateway != "edge-2" {
		t.Errorf("one gateway has no line: %v", m.LeftOut)
	}
	enter("edge-2")
	m := look(whole[:3]...)
	f := m.Files[slices.IndexFunc(m.Files, func(f File) bool { return f.Path == whole[1] })]
	if len(f.Books) != 2 || f.Rows != lines["edge-1"].Rows+lines["edge-2"].Rows || len(m.Books) != 2 {
		t.Errorf("it is %+v; books %v", f, m.Books)
	}
}
