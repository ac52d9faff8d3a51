package ledger

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/books"
	"sluice/gateway/release"
)

// years makes a ledger of hourly windows and daily reservations, quickly: it takes
// them over from books that are made while they are read.
func years(t testing.TB, path string, streams, days int) {
	t.Helper()
	ctx := context.Background()
	l, err := Open(ctx, path, "edge-1", 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := l.Recovery.Import(ctx, longLife(streams, days)); err != nil {
		t.Fatal(err)
	}
}

// longLife is the books of some streams over some days.
func longLife(streams, days int) lazily {
	start := time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC)
	each := func(steps int, line func(n, step, stream int, prev string) string) func(func(string) error) error {
		return func(add func(string) error) error {
			prev, n := "", 0
			for step := range steps {
				for s := range streams {
					n++
					text := line(n, step, s, prev)
					if err := add(text); err != nil {
						return err
					}
					prev = books.Hash(text)
				}
			}
			return nil
		}
	}
	return lazily{
		"ledger.jsonl": each(days, func(n, day, s int, prev string) string {
			return fmt.Sprintf(
				`{"n":%d,"day":%q,"gateway":"edge-1","decision":"2026-%02d","plan":"%064d","unit":"device",`+
					`"kind":"reserve","epsilon":1,"delta":0.000001,"cap":100,"left":0,"prev_sha256":%q}`,
				n, start.AddDate(0, 0, day).Format(time.DateOnly), s, s, prev)
		}),
		"releases.jsonl": each(24*days, func(n, hour, s int, prev string) string {
			at := start.Add(time.Duration(hour) * time.Hour)
			return fmt.Sprintf(
				`{"n":%d,"gateway":"edge-1","stream":"s%d","start":%q,"end":%q,"policy":"%064d",`+
					`"plan":"%064d","ledger":1,"rows":1,"sha256":"%064d","prev_sha256":%q}`,
				n, s, at.Format(time.RFC3339), at.Add(time.Hour).Format(time.RFC3339), 1, s, n, prev)
		}),
	}
}

// lazily is a copy of the books that is made while it is read.
type lazily map[string]func(func(string) error) error

func (l lazily) Each(name string, f func(string) error) error {
	if l[name] == nil {
		return nil
	}
	return l[name](f)
}

// TestPlans: what a release and a start ask is found by a key or an index.
func TestPlans(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "ledger.db"), 1<<20)
	for query, args := range map[string][]any{
		released: {"s", 1, "s", 1}, entered: {"k"}, spentOn: {"2026-03-02", "device"},
		"SELECT line FROM released WHERE n = ?":                       {1},
		"SELECT n, line FROM released WHERE n > ? ORDER BY n LIMIT ?": {1, 1},
	} {
		for _, how := range steps(t, l, query, args...) {
			walks := strings.HasPrefix(how, "SCAN") && how != "SCAN CONSTANT ROW"
			wholeStream := strings.Contains(how, "journal") && !strings.Contains(how, "start=?") &&
				!strings.Contains(how, "journal_recovered")
			if walks || wholeStream || strings.Contains(how, "TEMP B-TREE") {
				t.Errorf("%s: %s", query, how)
			}
		}
	}
}

// steps is how the database would answer a query.
func steps(t *testing.T, l *Ledger, query string, args ...any) (list []string) {
	t.Helper()
	rows, err := l.db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var how string
		if err := rows.Scan(&id, &parent, &unused, &how); err != nil {
			t.Fatal(err)
		}
		list = append(list, how)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if len(list) == 0 {
		t.Errorf("%s: the database does not say how", query)
	}
	return list
}

// TestKeptSums: what is kept beside the tables is what they add up to, whoever wrote.
func TestKeptSums(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "ledger.db")
	l, other := open(t, path, 1<<20), open(t, path, 1<<20) // as a withdrawal beside the gateway
	for hour := range 5 {
		c := commit(hour)
		c.Releases = make([]release.Release, hour)
		if err := []*Ledger{l, other}[hour%2].Commit(ctx, c); err != nil {
			t.Fatal(err)
		}
	}
	if err := other.Outbox.Delivered(ctx, 2); err != nil {
		t.Fatal(err)
	}
	if err := l.Recovery.Skip(ctx, map[string]time.Time{"s": commit(30).End, "new": commit(2).End}); err != nil {
		t.Fatal(err)
	}
	var rows, bytes int64
	const ask = "SELECT count(*), sum(octet_length(rows)) FROM outbox"
	if err := l.db.QueryRowContext(ctx, ask).Scan(&rows, &bytes); err != nil {
		t.Fatal(err)
	}
	if gotRows, gotBytes, err := l.Outbox.Waiting(ctx); gotRows != rows || gotBytes != bytes || rows != 3 ||
		err != nil {
		t.Errorf("%d parcels of %d bytes are said to wait (%v), and %d of %d do", gotRows, gotBytes, err, rows, bytes)
	}
	got, err := l.Journal.Resume(ctx)
	if err != nil || len(got) != 2 || !got["s"].Equal(commit(30).End) || !got["new"].Equal(commit(2).End) {
		t.Errorf("streams go on at %v (%v)", got, err)
	}
}

// fill puts parcels of some bytes into the outbox.
func fill(t testing.TB, l *Ledger, bytes int) {
	t.Helper()
	big := strings.Repeat("x", 100<<10)
	for n := 0; n < bytes; n += len(big) {
		if _, err := l.db.ExecContext(context.Background(),
			"INSERT INTO outbox (stream, start, rows) VALUES ('x', ?, ?)", n, big); err != nil {
			t.Fatal(err)
		}
	}
}

// releases returns how long some releases take, with all that is asked for them.
func releases(t testing.TB, l *Ledger, from, n int) time.Duration {
	t.Helper()
	ctx := context.Background()
	begin := time.Now()
	for hour := range n {
		c := commit(from + hour)
		if done, err := l.Released(ctx, c.Key); done || err != nil {
			t.Fatal(done, err)
		}
		if _, err := l.Reserve(ctx, reservation("a", "q", c.Key.Start.Format(time.DateOnly), 0.5)); err != nil {
			t.Fatal(err)
		}
		if err := l.Commit(ctx, c); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Recovery.Head(ctx); err != nil {
			t.Fatal(err)
		}
	}
	return time.Since(begin)
}

// TestReleaseTime: a release takes as long with a full outbox and a year of books as
// with none. The bound is wide, since machines are busy.
func TestReleaseTime(t *testing.T) {
	if testing.Short() {
		t.Skip("it writes 100 MiB")
	}
	dir := t.TempDir()
	empty := open(t, filepath.Join(dir, "empty.db"), 1<<30)
	path := filepath.Join(dir, "old.db")
	years(t, path, 2, 365)
	old := open(t, path, 1<<30)
	fill(t, old, 100<<20)
	const n = 50
	best := func(l *Ledger) time.Duration {
		least := time.Hour
		for round := range 3 {
			least = min(least, releases(t, l, 100_000+round*n, n))
		}
		return least
	}
	a, b := best(empty), best(old)
	t.Logf("a release takes %s, and %s with 100 MiB waiting and a year of books", a/n, b/n)
	if b > 5*a+100*time.Millisecond {
		t.Errorf("%d releases take %s, and %s in a ledger that is full and old", n, a, b)
	}
}

// BenchmarkYears opens a ledger of five years of ten hourly streams, releases, and
// reads it whole, and prints what each costs.
func BenchmarkYears(b *testing.B) {
	ctx := context.Background()
	path := filepath.Join(b.TempDir(), "ledger.db")
	years(b, path, 10, 5*365)
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(info.Size()>>20), "MiB")
	b.ResetTimer()
	for round := range b.N {
		begin := time.Now()
		l, err := Open(ctx, path, "edge-1", 1<<30)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := l.Journal.Resume(ctx); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(begin).Seconds()*1e3, "open-ms")
		b.ReportMetric(releases(b, l, 200_000+round*50, 50).Seconds()*1e3/50, "release-ms")
		begin = time.Now()
		if err := l.Check(ctx); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(begin).Seconds(), "check-s")
		if err := l.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
