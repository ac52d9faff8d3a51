package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"sluice/books"
)

// ErrApart says that the log has gone on without what this ledger has.
var ErrApart = errors.New("the books that machines share have gone on otherwise than this ledger, which cannot " +
	"recover them: run sluice ledger recover at a releaser that follows them, and then move this ledger.db away with " +
	"its -wal and -shm")

// Halts reports whether a transaction of the log has all machines release nothing.
func Halts(body []byte) bool {
	var s transaction
	return json.Unmarshal(body, &s) == nil && len(s.Changes) == 1 && s.Changes[0].Text == beginRecovery
}

// Held says why nothing can be written into the books that machines share; empty where it can.
func (l Recovery) Held(ctx context.Context) string {
	if barred, err := l.Barred(ctx); err == nil && barred != nil {
		return barred.Error()
	}
	return ""
}

// Barred is why nothing can be written into the books that machines share, ErrHeld or ErrHalted; nil where it can.
func (l Recovery) Barred(ctx context.Context) (barred, err error) {
	if l.shared == nil {
		return nil, nil
	}
	barred, err = l.bar(ctx, l.db)
	return barred, l.wrap(err)
}

// Halt has all machines that share the books release nothing until they are recovered: somebody knows of more than
// they have. It does nothing where there is one machine.
func (l Recovery) Halt(ctx context.Context) error {
	if l.shared == nil {
		return nil
	}
	if err := l.halt(ctx); err != nil && !errors.Is(err, ErrHeld) { // it was said before
		return l.wrap(err)
	}
	return nil
}

// Shared reports whether the books are several machines'.
func (l Recovery) Shared() bool { return l.shared != nil }

// Restore begins a recovery of the books that machines share: it puts back into the log what this
// ledger has and the log lacks, and returns how many rows these are. The other machines go on from
// there, and release nothing until Skip. A kill in between leaves it to be run again. Where there is
// one machine it does nothing.
func (l Recovery) Restore(ctx context.Context) (rows int, err error) {
	if l.shared == nil {
		return 0, nil
	}
	l.recovering = true
	err = l.follow(ctx)
	if !errors.Is(err, ErrHeld) {
		return 0, l.wrap(err)
	}
	l.following.Lock()
	defer l.following.Unlock()
	t, err := l.asLogged(ctx)
	if err != nil {
		return 0, l.wrap(err)
	}
	t.recovering = true
	for {
		var changes []effect
		err := l.beside(ctx, t.path, func(conn *sql.Conn) (err error) {
			is, err := compare(ctx, conn)
			if err == nil && is.forked {
				err = ErrApart
			}
			if err == nil {
				changes, err = lacking(ctx, conn, l.lean)
			}
			return err
		})
		if err != nil {
			return rows, l.wrap(err)
		}
		if len(changes) == 0 {
			break
		}
		if err := t.put(ctx, changes); err != nil {
			return rows, l.wrap(err)
		}
		rows += len(changes)
	}
	if err := l.adopt(ctx); err != nil {
		return rows, l.wrap(err)
	}
	l.held.Store(apart{})
	return rows, nil
}

// put changes the books.
func (l *file) put(ctx context.Context, changes []effect) error {
	tx, err := l.begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after Commit it does nothing
	for _, c := range changes {
		if _, err := tx.ExecContext(ctx, c.Text, c.plain()...); err != nil {
			return err
		}
	}
	return tx.Commit(ctx)
}

// A transaction of a recovery has about so much.
const (
	restoredRows  = 500
	restoredBytes = 8 << 20
)

// restored are the questions for what main has and t lacks, and how it is put there. Where a recovery
// is killed, it goes on with what is still lacking.
var restored = []struct{ ask, put string }{
	{"SELECT digest, since, files, motion FROM main.policy a WHERE NOT EXISTS " +
		"(SELECT 1 FROM t.policy b WHERE b.n = a.n) ORDER BY n", insertPolicy},
	{"SELECT n, key, day, unit, kind, epsilon, line FROM main.entry a WHERE NOT EXISTS " +
		"(SELECT 1 FROM t.entry b WHERE b.n = a.n) ORDER BY n", insertEntry},
	{"SELECT stream, start, stop, policy, digest FROM main.journal a WHERE NOT EXISTS " +
		"(SELECT 1 FROM t.journal b WHERE b.stream = a.stream AND b.start = a.start) ORDER BY start", insertJournal},
	{"SELECT n, line FROM main.released a WHERE NOT EXISTS (SELECT 1 FROM t.released b WHERE b.n = a.n) ORDER BY n",
		insertReleased},
	{"SELECT line FROM main.gap a WHERE NOT EXISTS " +
		"(SELECT 1 FROM t.gap b WHERE b.line = a.line) ORDER BY n", insertGap},
	{"SELECT n, line FROM main.withdrawal a WHERE NOT EXISTS " +
		"(SELECT 1 FROM t.withdrawal b WHERE b.n = a.n) ORDER BY n", insertWithdrawal},
	{"SELECT n, line FROM main.removal a WHERE NOT EXISTS (SELECT 1 FROM t.removal b WHERE b.n = a.n) ORDER BY n",
		insertRemoval},
	{"SELECT n, stream, start, line FROM main.archived a WHERE NOT EXISTS " +
		"(SELECT 1 FROM t.archived b WHERE b.n = a.n) ORDER BY n", insertMonth},
	{"SELECT gateway FROM main.named a WHERE NOT EXISTS (SELECT 1 FROM t.named b WHERE b.gateway = a.gateway)",
		insertName},
	{"SELECT name, raw FROM main.kept a WHERE NOT EXISTS " +
		"(SELECT 1 FROM t.kept b WHERE b.name = a.name AND b.raw = a.raw)", putFile},
}

// numbersOf are what was sent to the store of a window, or is to be, in order.
const numbersOf = "SELECT stream, start, rows FROM (SELECT seq, stream, start, rows FROM main.sent UNION ALL " +
	"SELECT seq, stream, start, rows FROM main.outbox) WHERE stream = ? AND start = ? ORDER BY seq"

// lacking are statements for the next part of what main has and t lacks; none where that is nothing.
func lacking(ctx context.Context, conn *sql.Conn, lean bool) (list []effect, err error) {
	for _, one := range restored {
		list, err = selected(ctx, conn, one.put, fmt.Sprint(one.ask, " LIMIT ", restoredRows))
		if err == nil && !lean {
			list, err = withNumbers(ctx, conn, list)
		}
		if err != nil || len(list) > 0 {
			return list, err
		}
	}
	return nil, nil
}

// withNumbers puts before each window, and each withdrawal, the numbers that go to the stores of those
// who lack it, as far as they are kept.
func withNumbers(ctx context.Context, conn *sql.Conn, list []effect) (out []effect, err error) {
	bytes := 0
	for _, c := range list {
		var numbers []effect
		switch c.Text {
		case insertJournal:
			numbers, err = selected(ctx, conn, insertOutbox, numbersOf, c.Args[0].plain(), c.Args[1].plain())
		case insertWithdrawal:
			var w books.Withdrawal
			if err = json.Unmarshal([]byte(*c.Args[1].Text), &w); err == nil {
				numbers, err = selected(ctx, conn, insertOutbox, numbersOf, w.Stream, w.Start.UnixNano())
			}
		}
		if err != nil {
			return nil, err
		}
		out = append(append(out, numbers...), c)
		for _, n := range numbers {
			bytes += len(*n.Args[2].Text)
		}
		if bytes > restoredBytes {
			break // the rest in the next one
		}
	}
	return out, nil
}

// selected are statements of what a question finds, one for each row.
func selected(ctx context.Context, conn *sql.Conn, put, question string, args ...any) (list []effect, err error) {
	rows, err := conn.QueryContext(ctx, question, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		row, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		c, err := newEffect(put, row)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, rows.Err()
}
