package archive

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// TestFiles: a closed month is offered with the digest that the books have of its text; the
// rest of what was released is in the latest files.
func TestFiles(t *testing.T) {
	w := newTown(t)
	m, by := looks(t, w.Archive)
	if !slices.Equal(names(by), whole) || len(m.LeftOut) != 0 || len(m.Changed) != 0 {
		t.Fatalf("it offers %v and leaves out %v\n%s", names(by), m.LeftOut, &w.log)
	}
	text, rows := w.text(june)
	f := by["steps/2026/06.csv.gz"]
	if unzip(t, w.at(f.Path)) != text || f.Rows != rows || f.TextSHA256 != sum(text) || !f.Closed ||
		len(f.Books) != 1 || f.Books[0].SHA256 != f.TextSHA256 || !f.From.Equal(june) || !f.To.Equal(july) {
		t.Errorf("June is %+v", f)
	}
	text, rows = w.text(july)
	f = by["steps/latest.csv.gz"]
	if unzip(t, w.at(f.Path)) != text || f.Rows != rows || f.Closed || !f.From.Equal(july) ||
		!f.To.Equal(w.rows[len(w.rows)-1].End) {
		t.Errorf("the latest is %+v", f)
	}
}

// TestSameRowsSameBytes: who makes the files again from the same rows, in another directory
// or after a start, has the same bytes; a start makes none again that is there.
func TestSameRowsSameBytes(t *testing.T) {
	w := newTown(t)
	_, first := looks(t, w.Archive)
	_, second := looks(t, w.opened(t.TempDir(), 0))
	for path, f := range first {
		if second[path].SHA256 != f.SHA256 {
			t.Errorf("%s has other bytes when it is made again", path)
		}
	}
	before, err := os.Stat(w.at("2026.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	again := w.opened(w.Archive.dir, 0)
	_, third := looks(t, again)
	after, err := os.Stat(w.at("2026.db"))
	if err != nil || !after.ModTime().Equal(before.ModTime()) || len(third) != len(first) {
		t.Errorf("after a start it was made again: %v", err)
	}
}

// TestTampered: a month whose rows are not those of the books is not offered, and a file
// that was changed is made again.
func TestTampered(t *testing.T) {
	w := newTown(t)
	_, first := looks(t, w.Archive)
	path := w.at("steps/2026/06.parquet")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)/2] ^= 1
	half := w.at("steps/2026/05.csv.gz.part")
	mine := w.at("notes.txt")
	for at, raw := range map[string][]byte{path: raw, half: []byte("half"), mine: []byte("mine"),
		w.at("other/2026/01.csv.gz"): []byte("not in the index")} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, raw, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	_, second := looks(t, w.opened(w.Archive.dir, 0))
	if !slices.Equal(names(second), whole) || second["steps/2026/06.parquet"].SHA256 !=
		first["steps/2026/06.parquet"].SHA256 {
		t.Errorf("a file that was changed is not made again: %v", names(second))
	}
	if _, err := os.Stat(half); err == nil {
		t.Error("half a file is left")
	}
	if _, err := os.Stat(mine); err != nil {
		t.Error("a file that is not ours is gone")
	}

	db, err := sql.Open("sqlite", w.path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "UPDATE released SET value = value + 1 WHERE start = (SELECT min(start) "+
		"FROM released)"); err != nil {
		t.Fatal(err)
	}
	other := w.opened(t.TempDir(), 0)
	m, by := looks(t, other)
	if !slices.Equal(names(by), whole[3:]) || len(m.LeftOut) != 1 || m.LeftOut[0].Why != Differs {
		t.Errorf("the store has another number, and it offers %v; it leaves out %v", names(by), m.LeftOut)
	}
	f := other.failed[m.LeftOut[0].Path]
	if f.rest > time.Minute || time.Until(f.again) > f.rest {
		t.Errorf("what may have been read too early rests for %v", f.rest)
	}
	for rest := f.rest; ; rest = f.rest {
		f.again = time.Now()
		other.failed[m.LeftOut[0].Path] = f
		looks(t, other)
		if f = other.failed[m.LeftOut[0].Path]; f.rest == againAfter {
			break
		}
		if rest > againAfter/2 || f.rest < 2*rest || time.Until(f.again) > f.rest {
			t.Fatalf("what differs rests for %v, and then for %v", rest, f.rest)
		}
	}
	if _, err := db.ExecContext(t.Context(), "UPDATE released SET value = value - 1 WHERE start = (SELECT min(start) "+
		"FROM released)"); err != nil {
		t.Fatal(err)
	}
	f.again = time.Now()
	other.failed[m.LeftOut[0].Path] = f
	if m, by := looks(t, other); !slices.Equal(names(by), whole) || len(m.LeftOut) != 0 {
		t.Errorf("the store has it again, and it offers %v; it leaves out %v", names(by), m.LeftOut)
	}
}

// TestWithdrawn: what was withdrawn is not offered from the moment that the books say it;
// with the new line the month is closed again, and both are in the manifest.
func TestWithdrawn(t *testing.T) {
	w := newTown(t)
	_, first := looks(t, w.Archive)
	w.append("withdrawals.jsonl", []byte(`{"n":1,"stream":"steps","start":"`+
		w.rows[0].Start.Format(time.RFC3339)+`","cell":"bridge","measure":"devices","reason":"a fault"}`))
	m, by := looks(t, w.Archive)
	if !slices.Equal(names(by), whole[3:]) || len(m.LeftOut) != 1 || m.LeftOut[0].Why != Changing {
		t.Fatalf("it offers %v, and leaves out %v", names(by), m.LeftOut)
	}
	w.rows[0] = w.rows[0].Withdraw("a fault")
	if err := w.kept.Write(t.Context(), w.rows[:1]); err != nil {
		t.Fatal(err)
	}
	w.line(june, 2, 1)
	m, by = looks(t, w.Archive)
	was, f := first["steps/2026/06.csv.gz"], by["steps/2026/06.csv.gz"]
	if !slices.Equal(names(by), whole) || f.SHA256 == was.SHA256 || f.Books[0].Line != 2 || len(m.Changed) != 1 ||
		m.Changed[0].Was != was.TextSHA256 || m.Changed[0].SHA256 != f.TextSHA256 || m.Changed[0].Replaces != 1 {
		t.Errorf("it offers %v: %+v; changed %+v", names(by), f, m.Changed)
	}
}

// TestRemoved: a month goes as a whole when its first number has gone.
func TestRemoved(t *testing.T) {
	w := newTown(t)
	looks(t, w.Archive)
	w.append("removals.jsonl", []byte(`{"n":1,"stream":"steps","decision":"2026-1","retain":"P1D","until":"`+
		june.UTC().Add(6*time.Hour).Format(time.RFC3339)+`"}`))
	m, by := looks(t, w.Archive)
	if !slices.Equal(names(by), whole[3:]) || len(m.LeftOut) != 1 || m.LeftOut[0].Why != Removed {
		t.Errorf("it offers %v, and leaves out %v", names(by), m.LeftOut)
	}
	if _, err := os.Stat(w.at("2026.db")); err == nil {
		t.Error("the year's file is still there")
	}
}
