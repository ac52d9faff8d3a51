package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"sluice/books"
	"sluice/store"
)

// recovered is the policy of journal rows that a recovery made: every window of
// the stream that starts before such a row's stop counts as released.
const recovered = "recovered"

// Head is how far the books have come: the last line of each, by its number and
// SHA-256, and the end of the last window of each stream.
type Head struct {
	Gateway  string               `json:"gateway,omitempty"` // not in those of earlier versions
	Ledger   Line                 `json:"ledger"`
	Releases Line                 `json:"releases"`
	Streams  map[string]time.Time `json:"streams"`
	// Silent is, of the streams that a recovery has closed up to the end that Streams
	// has, the end of the last window that was released before; zero for none.
	Silent map[string]time.Time `json:"silent,omitempty"`
}

// Line names one line of a book.
type Line struct {
	N      int64  `json:"n"`
	SHA256 string `json:"sha256"`
}

// Head reads how far the books have come.
func (l Recovery) Head(ctx context.Context) (Head, error) {
	h := Head{Gateway: l.gateway}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.through == nil {
		var err error
		if l.through, err = (Journal{l.file}).Resume(ctx); err != nil {
			return h, err
		}
	}
	h.Streams = maps.Clone(l.through)
	var err error
	if h.Silent, err = l.silent(ctx, h.Streams); err != nil {
		return h, err
	}
	for table, line := range map[string]*Line{"entry": &h.Ledger, "released": &h.Releases} {
		n, text, err := last(ctx, l.db, table)
		if err != nil {
			return h, err
		}
		*line = Line{n, books.Hash(text)}
	}
	return h, nil
}

// silent finds the streams whose end is a recovery's, and what was released before it.
func (l Recovery) silent(ctx context.Context, through map[string]time.Time) (map[string]time.Time, error) {
	rows, err := l.db.QueryContext(ctx, `SELECT j.stream, j.stop, coalesce((SELECT r.stop FROM journal r
		WHERE r.stream = j.stream AND r.policy <> 'recovered' ORDER BY r.start DESC LIMIT 1), 0)
		FROM journal j INDEXED BY journal_recovered WHERE j.policy = 'recovered'`)
	if err != nil {
		return nil, l.wrap(err)
	}
	defer rows.Close()
	var out map[string]time.Time
	for rows.Next() {
		var stream string
		var stop, before int64
		if err := rows.Scan(&stream, &stop, &before); err != nil {
			return nil, l.wrap(err)
		}
		if !through[stream].Equal(unixNano(stop)) {
			continue // it has released something since
		}
		if out == nil {
			out = make(map[string]time.Time)
		}
		if out[stream] = (time.Time{}); before > 0 {
			out[stream] = unixNano(before)
		}
	}
	return out, l.wrap(rows.Err())
}

// ErrBehind says that the books have come further than this ledger: an older
// state directory was put back.
var ErrBehind = errors.New("this state directory is older than what was released already")

// Extends reports whether the ledger holds everything that a head names; if not,
// ErrBehind.
func (l Recovery) Extends(ctx context.Context, h Head) error {
	for table, want := range map[string]Line{"entry": h.Ledger, "released": h.Releases} {
		if want.N == 0 {
			continue
		}
		var text string
		err := l.db.QueryRowContext(ctx, "SELECT line FROM "+table+" WHERE n = ?", want.N).Scan(&text)
		if errors.Is(err, sql.ErrNoRows) || err == nil && books.Hash(text) != want.SHA256 {
			return ErrBehind
		}
		if err != nil {
			return l.wrap(err)
		}
	}
	return nil
}

// ErrForked says that two different lines have the same number: both this
// directory and the copy have gone on by themselves.
var ErrForked = errors.New("the outside copy of the books and this ledger have gone different ways")

// Copy is a copy of the public books, a line at a time, by the files' names.
type Copy interface {
	Each(name string, f func(line string) error) error
}

// Import appends the lines that an outside copy of the books has and this ledger
// has not. The copy must continue what is here. It reads a line at a time; all of it
// is taken over or nothing.
func (l Recovery) Import(ctx context.Context, from Copy) (added int, err error) {
	tx, err := l.begin(ctx)
	if err != nil {
		return 0, l.wrap(err)
	}
	defer tx.Rollback() // after Commit it does nothing
	// From here on the ledger has what a head names, and streams are not silent yet: a
	// recovery that is killed in between must be seen as such.
	if _, err := tx.ExecContext(ctx, beginRecovery); err != nil {
		return 0, l.wrap(err)
	}
	into, err := prepare(ctx, tx) // the statements end with the transaction
	if err != nil {
		return 0, l.wrap(err)
	}
	for name, enter := range map[string]func(context.Context, string) (int, error){
		"ledger.jsonl": into.addEntry, "releases.jsonl": into.addRelease, "removals.jsonl": into.addRemoval,
		books.ArchiveName: into.addArchived,
	} {
		c := books.Chained{Name: name}
		err := from.Each(name, func(line string) error {
			if err := c.Next(line); err != nil {
				return err
			}
			n, err := enter(ctx, line)
			added += n
			return err
		})
		if err != nil {
			return 0, err
		}
	}
	err = from.Each("gaps.jsonl", func(line string) error {
		done, err := tx.ExecContext(ctx, insertGap, line)
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		added += int(n)
		return err
	})
	if err != nil {
		return 0, err
	}
	err = tx.Commit(ctx)
	l.forgetThrough()
	return added, err
}

// importer holds the statements of an import, which runs them hundreds of thousands
// of times.
type importer struct {
	tx                             *tx
	entry, release, removal, month *sql.Stmt
}

func prepare(ctx context.Context, tx *tx) (i importer, err error) {
	i.tx = tx
	for stmt, text := range map[**sql.Stmt]string{
		&i.entry:   "SELECT line FROM entry WHERE n = ?",
		&i.release: "SELECT line FROM released WHERE n = ?",
		&i.removal: "SELECT line FROM removal WHERE n = ?",
		&i.month:   "SELECT line FROM archived WHERE n = ?",
	} {
		//nolint:sqlclosecheck // it ends with the transaction
		if *stmt, err = tx.PrepareContext(ctx, text); err != nil {
			return i, err
		}
	}
	return i, nil
}

func (i importer) addEntry(ctx context.Context, line string) (int, error) {
	var e books.Entry
	if err := json.Unmarshal([]byte(line), &e); err != nil {
		return 0, err
	}
	return i.insertLine(ctx, i.entry, e.N, line, insertEntry, e.N, entryKey(e.Decision, e.Plan, e.Day), e.Day, e.Unit,
		e.Kind, e.Epsilon, line)
}

func (i importer) addRelease(ctx context.Context, line string) (int, error) {
	var r books.Released
	if err := json.Unmarshal([]byte(line), &r); err != nil {
		return 0, err
	}
	n, err := i.insertLine(ctx, i.release, r.N, line, insertReleased, r.N, line)
	if err != nil || n == 0 {
		return 0, err
	}
	_, err = i.tx.ExecContext(ctx, insertJournal, r.Stream, r.Start.UnixNano(), r.End.UnixNano(), r.Policy, r.SHA256)
	return n, err
}

func (i importer) addRemoval(ctx context.Context, line string) (int, error) {
	var r books.Removal
	if err := json.Unmarshal([]byte(line), &r); err != nil {
		return 0, err
	}
	return i.insertLine(ctx, i.removal, r.N, line, insertRemoval, r.N, line)
}

func (i importer) addArchived(ctx context.Context, line string) (int, error) {
	var a books.Archived
	if err := json.Unmarshal([]byte(line), &a); err != nil {
		return 0, err
	}
	return i.insertLine(ctx, i.month, a.N, line, insertMonth, a.N, a.Stream, a.From.UnixNano(), line)
}

// insertLine adds a line of a book unless it is there; another one there is a fork.
func (i importer) insertLine(
	ctx context.Context, have *sql.Stmt, n int64, line, insert string, args ...any,
) (int, error) {
	var old string
	err := have.QueryRowContext(ctx, n).Scan(&old)
	switch {
	case err == nil && old != line:
		return 0, fmt.Errorf("line %d: %w", n, ErrForked)
	case err == nil:
		return 0, nil
	case !errors.Is(err, sql.ErrNoRows):
		return 0, err
	}
	_, err = i.tx.ExecContext(ctx, insert, args...)
	return 1, err
}

func entryKey(decision, plan, day string) string { return fmt.Sprintf("%q %q %q", decision, plan, day) }

// Unfinished reports whether a recovery has begun, with Import, and has not come to
// Skip.
func (l Recovery) Unfinished(ctx context.Context) (yes bool, err error) {
	yes, err = ask(ctx, l.db, isUnfinished)
	return yes, l.wrap(err)
}

// Skip closes streams up to an instant for good: what may have been released of
// them there is never released again, and the gap is public.
func (l Recovery) Skip(ctx context.Context, streams map[string]time.Time) error {
	resume, err := Journal{l.file}.Resume(ctx)
	if err != nil {
		return err
	}
	tx, err := l.begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after Commit it does nothing
	for stream, until := range streams {
		start := resume[stream]
		if !start.Before(until) {
			continue
		}
		if _, err := tx.ExecContext(ctx, skipJournal, stream, until.UnixNano()-1, until.UnixNano(),
			recovered); err != nil {
			return err
		}
		if start.IsZero() {
			start = until
		}
		line, err := json.Marshal(books.Gap{Stream: stream, Start: start, End: until, Reason: recovered})
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, insertGap, string(line)); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, endRecovery); err != nil {
		return err
	}
	err = tx.Commit(ctx)
	l.forgetThrough()
	return err
}

// forgetThrough has the ends of the streams read again.
func (l *file) forgetThrough() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.through = nil
}

// ErrUnreleased says that there is nothing to withdraw.
var ErrUnreleased = errors.New("nothing was released there")

// Withdraw hides releases: it enters the public line and sends the store what is
// to be shown instead. Rows are as the store has them; what it has refused is hidden when
// it is sent again.
func (l *Ledger) Withdraw(ctx context.Context, w books.Withdrawal, rows []store.Observation) error {
	return l.again(ctx, func() error { return l.withdraw(ctx, w, rows) })
}

func (l *file) withdraw(ctx context.Context, w books.Withdrawal, rows []store.Observation) error {
	tx, err := l.begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after Commit it does nothing
	if len(rows) == 0 && w.N == 0 {
		if is, err := asideOf(ctx, tx, w); err != nil || !is {
			return cmp.Or(err, ErrUnreleased)
		}
	}
	n, _, err := last(ctx, tx, "withdrawal")
	if err != nil {
		return err
	}
	if w.N != 0 && w.N != n+1 {
		return ErrForked
	}
	w.N = n + 1
	line, err := json.Marshal(w)
	if err != nil {
		return err
	}
	rows = slices.Clone(rows)
	for i := range rows {
		rows[i] = rows[i].Withdraw(w.Reason)
	}
	raw, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, insertWithdrawal, w.N, string(line)); err != nil {
		return err
	}
	if len(rows) > 0 {
		if _, err := tx.ExecContext(ctx, insertOutbox, w.Stream,
			w.Start.UnixNano(), string(raw)); err != nil {
			return err
		}
	}
	if err := tx.Commit(ctx); err != nil {
		return err
	}
	l.signal()
	return nil
}
