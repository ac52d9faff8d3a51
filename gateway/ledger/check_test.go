package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/gateway/release"
)

// lived makes a ledger of some hundred windows and closes it, with everything in its
// main file.
func lived(t *testing.T, path string) {
	t.Helper()
	l, err := Open(context.Background(), path, "edge-1", 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	for h := range 300 {
		life(t, l, h)
	}
	if _, err := l.db.Exec("PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestDamage: whatever becomes of the file, Open or Check says which file it is and
// what to do.
func TestDamage(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "ledger.db")
	lived(t, whole)
	raw, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	page := func(n int, with byte) func([]byte) []byte {
		return func(b []byte) []byte {
			for i := n * 4096; i < (n+1)*4096; i++ {
				b[i] = with
			}
			return b
		}
	}
	cases := map[string]func([]byte) []byte{
		"cut to half":           func(b []byte) []byte { return b[:len(b)/2] },
		"cut in the first page": func(b []byte) []byte { return b[:1000] },
		"no database":           func([]byte) []byte { return []byte(strings.Repeat("hello ", 1000)) },
		"first page zeroed":     page(0, 0),
	}
	for n := 1; n < len(raw)/4096; n += 3 {
		cases[fmt.Sprintf("page %d zeroed", n)] = page(n, 0)
		cases[fmt.Sprintf("page %d garbled", n)] = page(n, 0xa5)
	}
	for name, harm := range cases {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "ledger.db")
			hurt := harm(bytes.Clone(raw))
			if bytes.Equal(hurt, raw) {
				t.Skip("nothing of it is changed")
			}
			if err := os.WriteFile(path, hurt, 0o600); err != nil {
				t.Fatal(err)
			}
			err := damage(path)
			if !errors.Is(err, ErrDamaged) {
				t.Fatalf("it was taken as it is: %v", err)
			}
			if !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "sluice ledger recover") {
				t.Errorf("the error names neither the file nor the way back: %v", err)
			}
		})
	}
	if err := damage(whole); err != nil {
		t.Errorf("a ledger without damage gives %v", err)
	}
}

func damage(path string) error {
	l, err := Open(context.Background(), path, "edge-1", 1<<30)
	if err != nil {
		return err
	}
	defer l.Close()
	return l.Check(context.Background())
}

// TestColumns: what releases go by is what the lines say.
func TestColumns(t *testing.T) {
	for name, edit := range map[string]string{
		"less spent":      "UPDATE entry SET epsilon = epsilon / 2 WHERE n = 1",
		"another day":     "UPDATE entry SET day = '2020-01-01' WHERE n = 1",
		"not released":    "DELETE FROM journal WHERE start = (SELECT min(start) FROM journal)",
		"a line gone":     "DELETE FROM released WHERE n = 100",
		"the end gone":    "UPDATE released SET n = 1000 WHERE n = 300",
		"a line replaced": "UPDATE released SET line = (SELECT line FROM released WHERE n = 7) WHERE n = 8",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "ledger.db")
			lived(t, path)
			l := open(t, path, 1<<30)
			if _, err := l.db.Exec(edit); err != nil {
				t.Fatal(err)
			}
			if err := l.Check(context.Background()); !errors.Is(err, ErrDamaged) {
				t.Errorf("it was taken as it is: %v", err)
			}
		})
	}
}

// TestLater: the file of a later version is refused as such.
func TestLater(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := open(t, path, 1<<20)
	if _, err := l.db.Exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), path, "edge-1", 1<<20); !errors.Is(err, errLater) || !strings.Contains(err.Error(), path) {
		t.Errorf("a later version's file gives %v", err)
	}
}

// TestPlans: what a release and a start ask never walks the years.
func TestPlans(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "ledger.db"), 1<<20)
	for _, query := range []string{
		`SELECT EXISTS (SELECT 1 FROM journal WHERE stream = 's' AND start = 1)
			OR EXISTS (SELECT 1 FROM journal INDEXED BY journal_stop WHERE stream = 's' AND stop > 1 AND policy = 'recovered')`,
		"SELECT coalesce(sum(epsilon), 0) FROM entry WHERE day = 'd' AND unit = 'u' AND kind = 'reserve'",
		"SELECT max(stop) FROM journal WHERE stream = 's'",
		"SELECT min(stream) FROM journal WHERE stream > 's'",
		"SELECT n, kind FROM entry WHERE key = 'k'",
	} {
		rows, err := l.db.Query("EXPLAIN QUERY PLAN " + query)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var a, b, c int
			var detail string
			if err := rows.Scan(&a, &b, &c, &detail); err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(detail, "SCAN") && !strings.Contains(detail, "CONSTANT ROW") {
				t.Errorf("%s: %s", query, detail)
			}
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWaiting: the outbox's size is kept through every way in and out, and over files
// of before it was kept.
func TestWaiting(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := open(t, path, 1<<30)
	check := func(when string) {
		t.Helper()
		parcels, size, err := l.Waiting(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var n, sum int64
		if err := l.db.QueryRow("SELECT count(*), coalesce(sum(length(rows)), 0) FROM outbox").Scan(&n, &sum); err != nil {
			t.Fatal(err)
		}
		if parcels != n || size != sum {
			t.Errorf("%s: %d parcels of %d bytes; want %d of %d", when, parcels, size, n, sum)
		}
	}
	check("empty")
	life(t, l, 1, 2, 3, 4)
	check("four windows")
	if err := l.Delivered(ctx, 2); err != nil {
		t.Fatal(err)
	}
	check("two delivered")
	if _, err := l.db.Exec("DROP TRIGGER outbox_more; DROP TRIGGER outbox_less; DROP TABLE waiting; PRAGMA user_version = 0"); err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	l = open(t, path, 1<<30)
	check("a file of before")
	life(t, l, 5)
	check("and on")
}

// TestFullOutboxIsNoSlower closes windows beside an empty outbox and beside one of 60
// MiB. One that adds up what waits takes some thirty times as long.
func TestFullOutboxIsNoSlower(t *testing.T) {
	ctx := context.Background()
	l := open(t, filepath.Join(t.TempDir(), "ledger.db"), 1<<40)
	hour := 0
	best := func() time.Duration {
		least := time.Hour
		for range 15 {
			hour++
			begun := time.Now()
			if err := l.Commit(ctx, release.Commit{Key: release.Key{Stream: "s", Start: time.Unix(int64(hour)*3600, 0)}, End: time.Unix(int64(hour+1)*3600, 0), Policy: "p"}); err != nil {
				t.Fatal(err)
			}
			least = min(least, time.Since(begun))
		}
		return least
	}
	empty := best()
	big := strings.Repeat("x", 1<<20)
	for n := range 60 {
		if _, err := l.db.Exec("INSERT INTO outbox (stream, start, rows) VALUES ('b', ?, ?)", n, big); err != nil {
			t.Fatal(err)
		}
	}
	full := best()
	t.Logf("a window closes in %v beside an empty outbox, in %v beside one of 60 MiB", empty, full)
	if full > 6*empty {
		t.Errorf("a window closes in %v beside 60 MiB, and in %v without", full, empty)
	}
}
