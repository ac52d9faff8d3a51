package ledger

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sluice/store/sqlite"
)

// lived is a ledger file of some pages, closed, without a log beside it.
func lived(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ledger.db")
	years(t, path, 2, 10)
	exec(t, path, "PRAGMA wal_checkpoint(TRUNCATE)")
	return path
}

func exec(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", sqlite.DSN(path, false))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(context.Background(), statement); err != nil {
		t.Fatal(err)
	}
}

func change(t *testing.T, path string, f func([]byte) []byte) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, f(raw), 0o600); err != nil {
		t.Fatal(err)
	}
}

// atOnce are harms that a start finds.
var atOnce = []string{
	"not a database", "a few bytes", "first page zero", "missing, its log", "empty, its log", "a table gone",
	"a trigger gone",
	"a late line gone", "another program's",
}

// TestDamagedFile: whatever is done to the file is found, by the start or by the
// look through all of it, and the answer names the file and the way back.
func TestDamagedFile(t *testing.T) {
	on := func(f func([]byte) []byte) func(*testing.T, string) {
		return func(t *testing.T, path string) { change(t, path, f) }
	}
	run := func(statement string) func(*testing.T, string) {
		return func(t *testing.T, path string) { exec(t, path, statement) }
	}
	for what, harm := range map[string]func(*testing.T, string){
		"cut to half":     on(func(b []byte) []byte { return b[:len(b)/2] }),
		"cut in a page":   on(func(b []byte) []byte { return b[:len(b)*2/3+17] }),
		"not a database":  on(func([]byte) []byte { return []byte("once upon a time") }),
		"a few bytes":     on(func(b []byte) []byte { return b[:7] }),
		"first page zero": on(func(b []byte) []byte { clear(b[:4096]); return b }),
		"a page zero":     on(func(b []byte) []byte { clear(b[len(b)/2/4096*4096:][:4096]); return b }),
		"last page zero":  on(func(b []byte) []byte { clear(b[len(b)-4096:]); return b }),
		"a digit flipped": on(func(b []byte) []byte {
			return bytes.Replace(b, []byte(`"n":77,`), []byte(`"n":78,`), 1)
		}),
		"an index's page zero": func(t *testing.T, path string) {
			at := rootOf(t, path, "journal_recovered")
			change(t, path, func(b []byte) []byte { clear(b[(at-1)*4096:][:4096]); return b })
		},
		"missing, its log": func(t *testing.T, path string) { rename(t, path, path+"-wal") },
		"empty, its log": func(t *testing.T, path string) {
			rename(t, path, path+"-wal")
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"a table gone":       run("DROP TABLE gap"),
		"a trigger gone":     run("DROP TRIGGER outbox_in"),
		"a late line gone":   run("DELETE FROM released WHERE n = 470"),
		"an early line gone": run("DELETE FROM released WHERE n = 5"),
		"journal gone":       run("DELETE FROM journal"),
		"another program's":  run("PRAGMA application_id = 7"),
	} {
		t.Run(what, func(t *testing.T) {
			path := lived(t)
			harm(t, path)
			l, err := Open(context.Background(), path, "edge-1", 1<<20)
			if err == nil && slices.Contains(atOnce, what) {
				t.Error("it is not found by the start")
			}
			if err == nil {
				err = l.Check(context.Background())
				t.Cleanup(func() { _ = l.Close() })
			}
			var damaged *Damaged
			if !errors.As(err, &damaged) {
				t.Fatalf("it is %v; want damaged", err)
			}
			if text := err.Error(); !strings.Contains(text, path) || !strings.Contains(text, "sluice ledger recover") {
				t.Errorf("it says: %s", text)
			}
		})
	}
}

// rootOf is the number of the first page of a table or an index.
func rootOf(t *testing.T, path, name string) (page int) {
	t.Helper()
	db, err := sql.Open("sqlite", sqlite.DSN(path, true))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRowContext(context.Background(), "SELECT rootpage FROM sqlite_schema WHERE name = ?",
		name).Scan(&page); err != nil {
		t.Fatal(err)
	}
	return page
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

// TestSoundFile: nothing is wrong with a file that nobody touched, an empty one is a
// new one, and one of a later version is refused by what it is.
func TestSoundFile(t *testing.T) {
	ctx := context.Background()
	path := lived(t)
	l := open(t, path, 1<<20)
	if err := l.Check(ctx); err != nil {
		t.Error(err)
	}
	life(t, l, 1, 2) // what is in the log alone counts
	if err := l.Check(ctx); err != nil {
		t.Error(err)
	}
	empty := filepath.Join(t.TempDir(), "ledger.db")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if !IsNew(empty) || IsNew(path) || !IsNew(empty+"x") {
		t.Error("new files are not told from others")
	}
	open(t, empty, 1<<20)
	later := lived(t)
	exec(t, later, "PRAGMA user_version = 99")
	_, err := Open(ctx, later, "edge-1", 1<<20)
	var damaged *Damaged
	if err == nil || errors.As(err, &damaged) || !strings.Contains(err.Error(), "later version") ||
		!strings.Contains(err.Error(), later) {
		t.Errorf("a later version's file gives %v", err)
	}
}

// TestEarlierLayout: a file of a version that kept no sums is moved, with what waits.
func TestEarlierLayout(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "ledger.db")
	old := strings.Replace(schema, ", motion BLOB)", ")", 1)
	exec(t, path, old+`
		INSERT INTO outbox (stream, start, rows) VALUES ('s', 1, '[]'), ('s', 2, '[1]');
		INSERT INTO journal VALUES ('s', 1, 2, 'p', ''), ('s', 2, 3, 'p', ''), ('t', 1, 9, 'p', '');
		INSERT INTO policy (digest, since, files) VALUES ('d', 0, x'00')`)
	for range 2 {
		l := open(t, path, 1<<20)
		rows, size, err := l.Outbox.Waiting(ctx)
		resume, err2 := l.Journal.Resume(ctx)
		if err = errors.Join(err, err2); rows != 2 || size != 5 || err != nil || resume["s"].UnixNano() != 3 ||
			resume["t"].UnixNano() != 9 {
			t.Errorf("%d parcels of %d bytes, streams at %v (%v)", rows, size, resume, err)
		}
		if v, err := l.Policies.Versions(ctx); len(v) != 1 || err != nil {
			t.Errorf("the policies are %v (%v)", v, err)
		}
		if err := l.Check(ctx); err != nil {
			t.Error(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
