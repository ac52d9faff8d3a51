package months

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/books"
	"sluice/gateway/ledger"
	"sluice/store"
	"sluice/store/sqlite"
	"sluice/store/table"
	"sluice/test/entered"
)

var (
	madrid, _ = time.LoadLocation("Europe/Madrid")
	june      = time.Date(2026, 6, 1, 0, 0, 0, 0, madrid)
)

// town is a gateway that has released windows of six hours and delivered them.
type town struct {
	*Closer
	dir  string
	at   time.Time // the gateway's clock
	rows []store.Observation
	log  bytes.Buffer
	kept *sqlite.Store
}

// released are n windows of two measures of one cell, from an instant on.
func released(from time.Time, n int) (list []store.Observation) {
	for i := range n {
		start := from.Add(time.Duration(i) * 6 * time.Hour).UTC()
		for m, name := range []string{"level", "vehicles"} {
			v := float64(10*i + m)
			list = append(list, store.Observation{Gateway: "edge-1", Stream: "s", Start: start,
				End: start.Add(6 * time.Hour), Every: "PT6H", Cell: "plaza", Zone: "plaza", Measure: name,
				Status: store.Published, Value: &v, Low: &v, High: &v, Decision: "2026-1", Policy: "p"})
		}
	}
	return list
}

func newTown(t *testing.T, n int) *town {
	t.Helper()
	w := &town{dir: t.TempDir(), rows: released(june, n)}
	l, err := ledger.Open(t.Context(), filepath.Join(w.dir, "ledger.db"), "edge-1", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	if w.kept, err = sqlite.Open(t.Context(), filepath.Join(w.dir, "store.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.kept.Close() })
	w.Closer = New(l, w.kept, func() bool { return true }, func() time.Time { return w.at }, func() {},
		slog.New(slog.NewTextHandler(&w.log, nil)))
	if err := l.Files.Put(t.Context(), "streams.json", []byte(`[{"id":"s","timezone":"Europe/Madrid"}]`)); err != nil {
		t.Fatal(err)
	}
	w.enter(t, w.rows)
	return w
}

// enter releases rows and delivers them.
func (w *town) enter(t *testing.T, rows []store.Observation) {
	t.Helper()
	dir := books.Dir(filepath.Join(w.dir, "public"))
	if err := entered.Enter(dir, rows); err != nil {
		t.Fatal(err)
	}
	if _, err := w.ledger.Recovery.Import(t.Context(), books.Reader{Source: dir}); err != nil {
		t.Fatal(err)
	}
	if err := w.kept.Write(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
}

// look looks once and returns the lines that there are then.
func (w *town) look(t *testing.T) (list []books.Archived) {
	t.Helper()
	if err := w.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	texts, _, err := w.ledger.Page(t.Context(), books.ArchiveName, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := books.Chain(books.ArchiveName, texts); err != nil {
		t.Fatal(err)
	}
	for _, text := range texts {
		var a books.Archived
		if err := json.Unmarshal([]byte(text), &a); err != nil || a.Check() != nil {
			t.Fatalf("%s: %v, %v", text, err, a.Check())
		}
		list = append(list, a)
	}
	return list
}

// text is the CSV of rows.
func text(t *testing.T, rows []store.Observation) string {
	t.Helper()
	var b bytes.Buffer
	w := table.NewWriter(&b, madrid)
	for i := range rows {
		if err := w.Write(&rows[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func sum(text string) string {
	x := sha256.Sum256([]byte(text))
	return hex.EncodeToString(x[:])
}

// TestMonthIsEntered: a month of the city's calendar has a line when the next one has begun,
// with the digest of the text that anybody can write from its rows, and has it once.
func TestMonthIsEntered(t *testing.T) {
	w := newTown(t, 120) // all of June
	w.at = w.rows[len(w.rows)-1].End.Add(-time.Hour)
	if list := w.look(t); len(list) != 1 {
		t.Fatalf("its last window has been released, and there are %d lines", len(list))
	}
	july := june.AddDate(0, 1, 0)
	w.enter(t, released(july, 1))
	for range 2 {
		list := w.look(t)
		if len(list) != 1 {
			t.Fatalf("%d lines; July is not over", len(list))
		}
		a := list[0]
		if a.Month != "2026-06" || !a.From.Equal(june) || !a.To.Equal(july) || a.Rows != 240 || a.Windows != 120 ||
			a.Replaces != 0 || a.SHA256 != sum(text(t, w.rows)) {
			t.Errorf("it is %+v", a)
		}
	}
	w.at = time.Date(2026, 8, 7, 0, 0, 0, 0, madrid)
	if list := w.look(t); len(list) != 1 {
		t.Fatal("July has a line before it is settled")
	}
	w.at = w.at.Add(24 * time.Hour)
	if list := w.look(t); len(list) != 2 || list[1].Month != "2026-07" || list[1].Rows != 2 {
		t.Errorf("the last month of a stream that has ended: %+v", list)
	}
}

// TestMonthHasNoLine: not while something waits, nor where the store has other numbers, more
// or less than were released, nor of a month of which something was removed.
func TestMonthHasNoLine(t *testing.T) {
	const first = "start = (SELECT min(start) FROM released)"
	for name, c := range map[string]struct {
		file, sql, say string
	}{
		"another number": {"store.db", "UPDATE released SET value = value + 1 WHERE " + first, "other numbers"},
		"a row less":     {"store.db", "DELETE FROM released WHERE measure < 'm' AND " + first, "not all rows"},
		"a window less":  {"store.db", "DELETE FROM released WHERE " + first, "not all rows"},
		"hidden":         {"store.db", "UPDATE released SET status = 'withdrawn', value = NULL", "other numbers"},
		"on its way": {"ledger.db",
			"INSERT INTO outbox (stream, start, rows) SELECT stream, start, '[]' FROM journal LIMIT 1", ""},
		"it was refused": {"ledger.db", "INSERT INTO aside (stream, start, count, rows, reason) SELECT stream, " +
			"start, 1, '[]', 'x' FROM journal LIMIT 1", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t, 124)
			db, err := sql.Open("sqlite", filepath.Join(w.dir, c.file))
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if _, err := db.ExecContext(t.Context(), c.sql); err != nil {
				t.Fatal(err)
			}
			if list := w.look(t); len(list) != 0 {
				t.Errorf("it has a line: %+v", list)
			}
			if !strings.Contains(w.log.String(), c.say) || c.say == "" && w.log.Len() > 0 {
				t.Errorf("it says %q; want %q", &w.log, c.say)
			}
		})
	}
	t.Run("removed", func(t *testing.T) {
		w := newTown(t, 124)
		r := books.Removal{Stream: "s", Decision: "2026-1", Retain: "P1D", Until: june.Add(24 * time.Hour),
			At: june.AddDate(0, 1, 0)}
		if err := w.ledger.Removals.Enter(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if list := w.look(t); len(list) != 0 {
			t.Errorf("it has a line: %+v", list)
		}
	})
}

// TestMonthChanges: what is withdrawn, or comes late, gives the month another line, which
// names the one that it replaces; what is withdrawn elsewhere does not.
func TestMonthChanges(t *testing.T) {
	w := newTown(t, 124)
	w.look(t)
	withdraw := func(o *store.Observation) {
		t.Helper()
		hide := books.Withdrawal{At: w.at, Stream: "s", Start: o.Start, Measure: o.Measure, Reason: "a fault"}
		if err := w.ledger.Withdraw(t.Context(), hide, []store.Observation{*o}); err != nil {
			t.Fatal(err)
		}
	}
	withdraw(&w.rows[245]) // of July
	if list := w.look(t); len(list) != 1 {
		t.Fatalf("a withdrawal in July gives June another line: %+v", list)
	}
	withdraw(&w.rows[5])
	if list := w.look(t); len(list) != 1 {
		t.Fatalf("it has a line before the store has hidden it: %+v", list)
	}
	w.rows[5] = w.rows[5].Withdraw("a fault")
	if err := w.kept.Write(t.Context(), w.rows[5:6]); err != nil {
		t.Fatal(err)
	}
	if err := w.ledger.Outbox.Delivered(t.Context(), 99); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		list := w.look(t)
		if len(list) != 2 || list[1].Replaces != 1 || list[1].Withdrawals != 2 || list[1].Rows != 240 ||
			list[1].SHA256 != sum(text(t, w.rows[:240])) {
			t.Fatalf("after a withdrawal: %+v", list)
		}
	}
	late := released(june.Add(3*time.Hour), 1) // between two others
	w.enter(t, late)
	if list := w.look(t); len(list) != 3 || list[2].Replaces != 2 || list[2].Windows != 121 || list[2].Rows != 242 {
		t.Errorf("after a late window: %+v", list)
	}
}

// TestMonthThatHolds: a month whose line holds costs nothing until something comes that is about it,
// and what is wrong is said again when it was mended meanwhile.
func TestMonthThatHolds(t *testing.T) {
	w := newTown(t, 124)
	if list := w.look(t); len(list) != 1 || len(w.holds["s"]) != 1 {
		t.Fatalf("%d lines, and %v hold", len(list), w.holds)
	}
	db, err := sql.Open("sqlite", filepath.Join(w.dir, "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	alter := func(from, to string) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), "ALTER TABLE "+from+" RENAME TO "+to); err != nil {
			t.Fatal(err)
		}
	}
	w.enter(t, released(june.AddDate(0, 1, 1), 1))
	alter("archived", "away")
	if err := w.Look(t.Context()); err != nil {
		t.Errorf("its line is looked for: %v", err)
	}
	alter("away", "archived")
	w.enter(t, released(june.Add(3*time.Hour), 1))
	if list := w.look(t); len(list) != 2 {
		t.Error("a late window is not seen")
	}
	again := &town{Closer: New(w.ledger, w.kept, w.trusted, w.now, w.changed, w.Closer.log), dir: w.dir}
	for range 2 {
		if list := again.look(t); len(list) != 2 || len(again.holds["s"]) != 1 {
			t.Errorf("after another start there are %d lines, and %v hold", len(list), again.holds)
		}
	}
	store, err := sql.Open("sqlite", filepath.Join(w.dir, "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	clear(again.holds)
	if _, err := db.ExecContext(t.Context(), "DELETE FROM archived"); err != nil {
		t.Fatal(err)
	}
	for _, add := range []string{"+ 1", "- 1", "+ 1"} {
		_, err := store.ExecContext(t.Context(), "UPDATE released SET value = value "+add+
			" WHERE start = (SELECT min(start) FROM released)")
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			again.look(t)
		}
		clear(again.holds)
		if _, err := db.ExecContext(t.Context(), "DELETE FROM archived"); err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(w.log.String(), "other numbers"); n != 2 {
		t.Errorf("what is wrong, mended and wrong again is said %d times:\n%s", n, &w.log)
	}
}

// TestMonthOfOldNames: rows of a gateway that was renamed are its own all the same.
func TestMonthOfOldNames(t *testing.T) {
	w := newTown(t, 124)
	for i := range w.rows[:20] {
		w.rows[i].Gateway = "edge-0"
	}
	db, err := sql.Open("sqlite", filepath.Join(w.dir, "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	names, err := sql.Open("sqlite", filepath.Join(w.dir, "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer names.Close()
	if _, err := db.ExecContext(t.Context(), fmt.Sprintf("UPDATE released SET gateway = 'edge-0' WHERE start < %d",
		w.rows[20].Start.UnixNano())); err != nil {
		t.Fatal(err)
	}
	if _, err := names.ExecContext(t.Context(), "INSERT INTO named VALUES ('edge-0')"); err != nil {
		t.Fatal(err)
	}
	list := w.look(t)
	if len(list) != 1 || len(list[0].Names) != 1 || !list[0].Has("edge-0") || !list[0].Has("edge-1") ||
		list[0].SHA256 != sum(text(t, w.rows[:240])) {
		t.Errorf("it is %+v\n%s", list, &w.log)
	}
}
