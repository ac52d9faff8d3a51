package archive

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/books"
	"sluice/opendata/query"
	"sluice/opendata/released"
	"sluice/store"
	"sluice/store/sqlite"
	"sluice/store/table"
	"sluice/test/entered"
)

var (
	madrid, _ = time.LoadLocation("Europe/Madrid")
	june      = time.Date(2026, 6, 1, 0, 0, 0, 0, madrid)
	july      = june.AddDate(0, 1, 0)
)

// town is books, a store, and an archive over both.
type town struct {
	*Archive
	t    *testing.T
	dir  books.Dir
	path string // of the store
	kept *sqlite.Store
	rows []store.Observation
	log  bytes.Buffer
}

// windows are n windows of six hours, each with two measures of two cells, and with an
// epoch's two numbers at the end of each day.
func windows(from time.Time, n int) (list []store.Observation) {
	for i := range n {
		start := from.Add(time.Duration(i) * 6 * time.Hour).UTC()
		add := func(cell, measure string, v float64) {
			o := store.Observation{Gateway: "edge-1", Stream: "steps", Start: start, End: start.Add(6 * time.Hour),
				Every: "PT6H", Cell: cell, Zone: strings.TrimSuffix(cell, "/"), Measure: measure,
				Status: store.Published, Value: &v, Low: &v, High: &v, Unit: "device", Decision: "2026-1", Policy: "p",
				Mechanism: "laplace", Epsilon: 0.25, Scale: 4, Ledger: int64(1 + i/4)}
			if int(v)%7 == 3 {
				o.Status, o.Value, o.Low, o.High = store.Withheld, nil, nil, nil
			}
			list = append(list, o)
		}
		for c, cell := range []string{"bridge", "plaza"} {
			add(cell, "devices", float64(10*i+c))
			add(cell, "visits", float64(10*i+c)+0.5)
			if cell == "bridge" && i%4 == 3 {
				add("bridge/", store.EpochBounded, 2)
				add("bridge/", store.EpochUnits, 100)
			}
		}
	}
	return list
}

func put(t *testing.T, dir books.Dir, name string, v any) {
	t.Helper()
	if err := dir.PutJSON(name, v); err != nil {
		t.Fatal(err)
	}
}

// newTown is a city that has released June and a day of July, whose books have June's line.
func newTown(t *testing.T) *town {
	t.Helper()
	w := &town{t: t, dir: books.Dir(t.TempDir()), path: filepath.Join(t.TempDir(), "store.db")}
	put(t, w.dir, "city.json", books.City{ID: "portalba", Gateway: "edge-1", Name: "Portalba",
		Timezone: "Europe/Madrid"})
	put(t, w.dir, "streams.json", []books.Stream{{ID: "steps", Title: map[string]string{"en": "Steps", "ca": "Passos"},
		Every: "PT6H", Timezone: "Europe/Madrid", Unit: "device", Decision: "2026-1", Licence: "CC0-1.0",
		Measures: []books.Measure{{Name: "devices"}, {Name: "visits"}},
		Cells:    []books.Cell{{ID: "bridge", Zone: "bridge"}, {ID: "plaza", Zone: "plaza"}}}})
	var err error
	if w.kept, err = sqlite.Open(t.Context(), w.path); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.kept.Close() })
	w.release(append(windows(june, 120), windows(july, 4)...))
	w.line(june, 1, 0)
	w.Archive = w.opened(t.TempDir(), 0)
	return w
}

// opened is an archive of the town in a directory.
func (w *town) opened(dir string, most int64) *Archive {
	w.t.Helper()
	log := slog.New(slog.NewTextHandler(&w.log, nil))
	source := &query.Source{Store: released.New(w.kept, w.dir, log), Books: books.Reader{Source: w.dir}}
	a, err := Open(Config{Dir: dir, MaxBytes: most}, source, "https://data.example", log)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = a.Close() })
	a.load(w.t.Context())
	return a
}

// release puts rows into the store, and their lines into the books.
func (w *town) release(rows []store.Observation) {
	w.t.Helper()
	w.rows = append(w.rows, rows...)
	if err := w.kept.Write(w.t.Context(), rows); err != nil {
		w.t.Fatal(err)
	}
	if err := entered.Enter(w.dir, rows); err != nil {
		w.t.Fatal(err)
	}
	// A plan of the stream's cells and measures would have the epochs' as well.
	for _, r := range w.must(books.Reader{Source: w.dir}.Releases()) {
		name := filepath.Join(string(w.dir), "plans", r.Plan+".json")
		if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			w.t.Fatal(err)
		}
	}
}

func (w *town) must(list []books.Released, err error) []books.Released {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

// text is the CSV of the rows of a month.
func (w *town) text(from time.Time) (text string, rows int64) {
	w.t.Helper()
	var b bytes.Buffer
	c := table.NewWriter(&b, madrid)
	for i := range w.rows {
		o := &w.rows[i]
		if o.Start.Before(from) || !o.Start.Before(from.AddDate(0, 1, 0)) {
			continue
		}
		rows++
		if err := c.Write(o); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := c.Flush(); err != nil {
		w.t.Fatal(err)
	}
	return b.String(), rows
}

func sum(text string) string {
	x := sha256.Sum256([]byte(text))
	return hex.EncodeToString(x[:])
}

// line enters the line of a month.
func (w *town) line(from time.Time, n, withdrawals int64) {
	w.t.Helper()
	text, rows := w.text(from)
	month, first, next := books.MonthOf(from, madrid)
	raw, err := json.Marshal(books.Archived{N: n, At: next, Gateway: "edge-1", Stream: "steps", Month: month,
		Timezone: "Europe/Madrid", From: first, To: next, Windows: rows / 4, Rows: rows, SHA256: sum(text),
		Withdrawals: withdrawals})
	if err != nil {
		w.t.Fatal(err)
	}
	w.append(books.ArchiveName, raw)
}

func (w *town) append(name string, line []byte) {
	w.t.Helper()
	f, err := os.OpenFile(filepath.Join(string(w.dir), name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err == nil {
		_, err = f.Write(append(line, '\n'))
	}
	if err = errors.Join(err, f.Close()); err != nil {
		w.t.Fatal(err)
	}
}

// looks has the archive look, and returns what it offers.
func looks(t *testing.T, a *Archive) (Manifest, map[string]File) {
	t.Helper()
	if err := a.look(t.Context()); err != nil {
		t.Fatal(err)
	}
	m, err := a.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	by := make(map[string]File)
	for _, f := range m.Files {
		by[f.Path] = f
		raw, err := os.ReadFile(a.at(f.Path))
		if err != nil || int64(len(raw)) != f.Bytes || sum(string(raw)) != f.SHA256 {
			t.Errorf("%s is not what the manifest says: %v", f.Path, err)
		}
	}
	return m, by
}

func unzip(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

var whole = []string{"2026.db", "steps/2026/06.csv.gz", "steps/2026/06.parquet", "steps/latest.csv.gz",
	"steps/latest.parquet"}

func names(by map[string]File) (list []string) {
	for path := range by {
		list = append(list, path)
	}
	slices.Sort(list)
	return list
}
