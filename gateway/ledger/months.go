package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"sluice/books"
)

// archivedSchema has the lines of months. The last one of a stream and month holds.
const archivedSchema = `
CREATE TABLE IF NOT EXISTS archived (
	n INTEGER PRIMARY KEY, stream TEXT NOT NULL, start INTEGER NOT NULL, line TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS archived_month ON archived (stream, start, n);`

// ErrMonth says that a line about a month cannot be true.
var ErrMonth = errors.New("ledger: a month has a line when it is over, and again only when it has changed")

// Enter says publicly what a month of a stream has, for ever or until it is withdrawn from.
// Number, gateway and hash are filled in, and the line that it replaces.
func (l Months) Enter(ctx context.Context, a books.Archived) error {
	tx, err := l.begin(ctx)
	if err != nil {
		return l.wrap(err)
	}
	defer tx.Rollback() // after Commit it does nothing
	n, prev, err := last(ctx, tx, "archived")
	if err != nil {
		return l.wrap(err)
	}
	old, err := monthBefore(ctx, tx, a.Stream, a.From)
	if err != nil {
		return l.wrap(err)
	}
	a.N, a.Gateway, a.PrevSHA256, a.Replaces = n+1, l.gateway, books.Hash(prev), old.N
	a.Names = slices.DeleteFunc(a.Names, func(name string) bool { return name == l.gateway })
	if a.Check() != nil || a.At.Before(a.To) ||
		old.N > 0 && old.Windows == a.Windows && old.Lost == a.Lost && old.Withdrawals >= a.Withdrawals {
		return ErrMonth
	}
	line, err := json.Marshal(a)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, insertMonth, a.N, a.Stream, a.From.UnixNano(), string(line)); err != nil {
		return l.wrap(err)
	}
	if err := tx.Commit(ctx); err != nil {
		return l.wrap(err)
	}
	l.signal()
	return nil
}

func monthBefore(ctx context.Context, q querier, stream string, from time.Time) (a books.Archived, err error) {
	var line string
	err = q.QueryRowContext(ctx, "SELECT coalesce((SELECT line FROM archived WHERE stream = ? AND start = ? "+
		"ORDER BY n DESC LIMIT 1), '')", stream, from.UnixNano()).Scan(&line)
	if err != nil || line == "" {
		return a, err
	}
	return a, json.Unmarshal([]byte(line), &a)
}

// Of is the line that holds for a month of a stream, by its first instant; its number is 0
// where there is none.
func (l Months) Of(ctx context.Context, stream string, from time.Time) (books.Archived, error) {
	a, err := monthBefore(ctx, l.db, stream, from)
	return a, l.wrap(err)
}

// Mark is how far the lines have come that change what there is of a month.
type Mark struct{ released, withdrawn, lost int64 }

// Mark is where they are now.
func (l Months) Mark(ctx context.Context) (m Mark, err error) {
	for table, n := range map[string]*int64{"released": &m.released, "withdrawal": &m.withdrawn, "gap": &m.lost} {
		if *n, _, err = last(ctx, l.db, table); err != nil {
			return Mark{}, l.wrap(err)
		}
	}
	return m, nil
}

// Behind calls f for each span of a stream's windows that a line behind a mark is about.
func (l Months) Behind(ctx context.Context, m Mark, f func(stream string, from, to time.Time)) error {
	return errors.Join(
		eachOf(ctx, l.file, "released", m.released, func(r *books.Released) { f(r.Stream, r.Start, r.End) }),
		eachOf(ctx, l.file, "withdrawal", m.withdrawn, func(w *books.Withdrawal) {
			f(w.Stream, w.Start, w.Start.Add(1))
		}),
		eachOf(ctx, l.file, "gap", m.lost, func(g *books.Gap) { f(g.Stream, g.Start, g.End) }))
}

// Span is what the journal and the books have of a span of a stream's windows, by their
// starts.
type Span struct {
	Windows int64 // released
	Lost    int64 // of those, windows that the store has lost for good
	Waiting int64 // parcels of theirs that wait for the store, or that it has refused
}

// inSpan counts windows; what a recovery has skipped is none.
const inSpan = "SELECT count(*) FROM journal WHERE stream = ? AND start >= ? AND start < ? AND policy <> 'recovered'"

// Span looks at the windows of a stream that start in [from, to).
func (l Months) Span(ctx context.Context, stream string, from, to time.Time) (s Span, err error) {
	a, b := from.UnixNano(), to.UnixNano()
	if err := l.db.QueryRowContext(ctx, inSpan, stream, a, b).Scan(&s.Windows); err != nil || s.Windows == 0 {
		return s, l.wrap(err)
	}
	const waiting = `SELECT (SELECT count(*) FROM outbox WHERE stream = ? AND start >= ? AND start < ?) +
		(SELECT count(*) FROM aside WHERE stream = ? AND start >= ? AND start < ?)`
	if err := l.db.QueryRowContext(ctx, waiting, stream, a, b, stream, a, b).Scan(&s.Waiting); err != nil {
		return s, l.wrap(err)
	}
	lost, err := Journal(l).Lost(ctx)
	if err != nil {
		return s, err
	}
	for _, gap := range lost {
		if gap.Stream != stream || !gap.Start.Before(to) || !gap.End.After(from) {
			continue
		}
		var n int64
		if err := l.db.QueryRowContext(ctx, inSpan, stream, max(a, gap.Start.UnixNano()),
			min(b, gap.End.UnixNano())).Scan(&n); err != nil {
			return s, l.wrap(err)
		}
		s.Lost += n
	}
	return s, nil
}

// Withdrawn are the withdrawals behind a line that are about windows of a stream which start in
// [from, to), and how many lines withdrawals.jsonl has altogether.
func (l Months) Withdrawn(ctx context.Context, stream string, from, to time.Time, behind int64) (
	list []books.Withdrawal, lines int64, err error,
) {
	lines = behind
	err = eachOf(ctx, l.file, "withdrawal", behind, func(w *books.Withdrawal) {
		if lines++; w.Stream == stream && !w.Start.Before(from) && w.Start.Before(to) {
			list = append(list, *w)
		}
	})
	return list, lines, err
}

// eachOf calls f for each line of a book behind a number, a page at a time: nobody waits for
// the database longer than for a page.
func eachOf[T any](ctx context.Context, l *file, table string, at int64, f func(*T)) error {
	for {
		lines, next, err := l.lines(ctx, table, at, pages)
		if err != nil || len(lines) == 0 {
			return l.wrap(err)
		}
		at = next
		for _, line := range lines {
			var v T
			if err := json.Unmarshal([]byte(line), &v); err != nil {
				return err
			}
			f(&v)
		}
	}
}

// First is the start of a stream's first released window at or after an instant; zero for
// none.
func (l Months) First(ctx context.Context, stream string, from time.Time) (time.Time, error) {
	var at int64
	err := l.db.QueryRowContext(ctx, "SELECT coalesce((SELECT start FROM journal WHERE stream = ? AND start >= ? AND "+
		"policy <> 'recovered' ORDER BY start LIMIT 1), 0)", stream, from.UnixNano()).Scan(&at)
	if err != nil || at == 0 {
		return time.Time{}, l.wrap(err)
	}
	return unixNano(at), nil
}

// late is how much earlier than its release a window may start, for Released to find its
// line at once.
const late = 10 * 24 * time.Hour

// Released are the lines about the windows of a stream that start in [from, to), by start.
// The lines are in order of their release: it looks from about there on, and at all of them
// where the journal has more windows.
func (l Months) Released(ctx context.Context, stream string, from, to time.Time) ([]books.Released, error) {
	var want int
	if err := l.db.QueryRowContext(ctx, inSpan, stream, from.UnixNano(), to.UnixNano()).Scan(&want); err != nil {
		return nil, l.wrap(err)
	}
	at, err := l.about(ctx, from.Add(-late))
	for {
		var list []books.Released
		if err == nil {
			err = eachOf(ctx, l.file, "released", at, func(r *books.Released) {
				if r.Stream == stream && !r.Start.Before(from) && r.Start.Before(to) {
					list = append(list, *r)
				}
			})
		}
		if err != nil || len(list) >= want || at == 0 {
			slices.SortFunc(list, func(a, b books.Released) int { return a.Start.Compare(b.Start) })
			return list, err
		}
		at = 0
	}
}

// about is the number of a line of releases behind which those of an instant begin.
func (l Months) about(ctx context.Context, at time.Time) (int64, error) {
	end, _, err := last(ctx, l.db, "released")
	low, high := int64(0), end // those up to low start before it
	for err == nil && high-low > pages {
		var text string
		var r books.Released
		middle := (low + high) / 2
		if err = l.db.QueryRowContext(ctx, "SELECT line FROM released WHERE n = ?", middle).Scan(&text); err == nil {
			err = json.Unmarshal([]byte(text), &r)
		}
		if r.Start.Before(at) {
			low = middle
		} else {
			high = middle
		}
	}
	return low, l.wrap(err)
}
