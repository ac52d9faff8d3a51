package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"sluice/books"
	"sluice/store"
)

// maxAside bounds the bytes of what is set aside. A store that refuses more is to be
// mended first.
const maxAside = 64 << 20

// asideSchema has what the store refuses for good, by window.
const asideSchema = `
CREATE TABLE IF NOT EXISTS aside (
	seq INTEGER PRIMARY KEY AUTOINCREMENT, stream TEXT NOT NULL, start INTEGER NOT NULL, count INTEGER NOT NULL,
	rows TEXT NOT NULL, reason TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS aside_window ON aside (stream, start);`

// ErrAsideFull says that as much is set aside as may be.
var ErrAsideFull = errors.New("64 MiB of what the store refuses are set aside, and no more are; mend the store, and " +
	"send them again with sluice ledger aside --send")

// Aside is what the store has refused of one window.
type Aside struct {
	Stream string    `json:"stream"`
	Start  time.Time `json:"start"`
	Rows   int       `json:"rows"`
	Reason string    `json:"reason"` // what the store said
}

// SetAside takes all parcels up to and including seq out of the outbox, as Delivered
// does, and keeps those rows that the store has refused, each list of one window, in the
// same transaction.
func (l Outbox) SetAside(ctx context.Context, seq int64, refused [][]store.Observation, reason string) error {
	tx, err := l.begin(ctx)
	if err != nil {
		return l.wrap(err)
	}
	defer tx.Rollback() // after Commit it does nothing
	for _, rows := range refused {
		raw, err := json.Marshal(rows)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, insertAside,
			rows[0].Stream, rows[0].Start.UnixNano(), len(rows), string(raw), reason); err != nil {
			return l.wrap(err)
		}
	}
	var bytes int64
	err = tx.QueryRowContext(ctx, "SELECT coalesce(sum(octet_length(rows)), 0) FROM aside").Scan(&bytes)
	if err != nil {
		return l.wrap(err)
	}
	if bytes > maxAside {
		return ErrAsideFull
	}
	if err := moveSent(ctx, tx, seq); err != nil {
		return l.wrap(err)
	}
	return l.wrap(tx.Commit(ctx))
}

// Has reports whether something of a window is set aside.
func (l Asides) Has(ctx context.Context, stream string, start time.Time) (is bool, err error) {
	err = l.db.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM aside WHERE stream = ? AND start = ?)", stream,
		start.UnixNano()).Scan(&is)
	return is, l.wrap(err)
}

// Count is of how many windows something is set aside, how many rows that are, and
// what the store said last.
func (l Asides) Count(ctx context.Context) (windows, rows int64, reason string, err error) {
	const ask = "SELECT count(DISTINCT stream || ' ' || start), coalesce(sum(count), 0), coalesce((SELECT reason " +
		"FROM aside ORDER BY seq DESC LIMIT 1), '') FROM aside"
	err = l.db.QueryRowContext(ctx, ask).Scan(&windows, &rows, &reason)
	return windows, rows, reason, l.wrap(err)
}

// List is what is set aside, by stream and window, at most n.
func (l Asides) List(ctx context.Context, n int) (list []Aside, err error) {
	rows, err := l.db.QueryContext(ctx,
		"SELECT stream, start, sum(count), max(reason) FROM aside GROUP BY stream, start ORDER BY stream, start "+
			"LIMIT ?", n)
	if err != nil {
		return nil, l.wrap(err)
	}
	defer rows.Close()
	for rows.Next() {
		var a Aside
		var start int64
		if err := rows.Scan(&a.Stream, &start, &a.Rows, &a.Reason); err != nil {
			return nil, l.wrap(err)
		}
		a.Start = unixNano(start)
		list = append(list, a)
	}
	return list, l.wrap(rows.Err())
}

// Send puts all that is set aside into the outbox again, in its order, and returns
// how many rows that are. What was withdrawn meanwhile is sent as withdrawn.
func (l Asides) Send(ctx context.Context) (n int, err error) {
	tx, err := l.begin(ctx)
	if err != nil {
		return 0, l.wrap(err)
	}
	defer tx.Rollback() // after Commit it does nothing
	hidden, err := hidden(ctx, tx)
	if err != nil {
		return 0, l.wrap(err)
	}
	for {
		var seq, start int64
		var stream, raw string
		err := tx.QueryRowContext(ctx, "SELECT seq, stream, start, rows FROM aside ORDER BY seq LIMIT 1").Scan(&seq,
			&stream, &start, &raw)
		if errors.Is(err, sql.ErrNoRows) {
			break
		}
		if err != nil {
			return 0, l.wrap(err)
		}
		var rows []store.Observation
		if err := json.Unmarshal([]byte(raw), &rows); err != nil {
			return 0, err
		}
		n += len(rows)
		if err := queue(ctx, tx, rows); err != nil {
			return 0, l.wrap(err)
		}
		if again := withdraw(rows, hidden); len(again) > 0 {
			if err := queue(ctx, tx, again); err != nil {
				return 0, l.wrap(err)
			}
		}
		if _, err := tx.ExecContext(ctx, deleteAside, seq); err != nil {
			return 0, l.wrap(err)
		}
	}
	if err := tx.Commit(ctx); err != nil {
		return 0, l.wrap(err)
	}
	l.signal()
	return n, nil
}

// withdraw are those of the rows that a public line hides, hidden.
func withdraw(rows []store.Observation, hidden []books.Withdrawal) (out []store.Observation) {
	for _, o := range rows {
		for _, w := range hidden {
			if o.Stream == w.Stream && o.Start.Equal(w.Start) && (w.Cell == "" || w.Cell == o.Cell) &&
				(w.Measure == "" || w.Measure == o.Measure) {
				out = append(out, o.Withdraw(w.Reason))
				break
			}
		}
	}
	return out
}

// asideOf reports whether something that a withdrawal is about is set aside.
func asideOf(ctx context.Context, tx *tx, w books.Withdrawal) (is bool, err error) {
	rows, err := tx.QueryContext(ctx, "SELECT rows FROM aside WHERE stream = ? AND start = ?", w.Stream,
		w.Start.UnixNano())
	if err != nil {
		return false, err
	}
	defer rows.Close()
	for rows.Next() {
		var raw string
		var list []store.Observation
		if err := rows.Scan(&raw); err != nil {
			return false, err
		}
		if err := json.Unmarshal([]byte(raw), &list); err != nil {
			return false, err
		}
		is = is || len(withdraw(list, []books.Withdrawal{w})) > 0
	}
	return is, rows.Err()
}

// hidden are all withdrawals.
func hidden(ctx context.Context, tx *tx) (list []books.Withdrawal, err error) {
	rows, err := tx.QueryContext(ctx, "SELECT line FROM withdrawal ORDER BY n")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		var w books.Withdrawal
		if err := rows.Scan(&line); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(line), &w); err != nil {
			return nil, err
		}
		list = append(list, w)
	}
	return list, rows.Err()
}

// queue puts rows of one window into the outbox.
func queue(ctx context.Context, tx *tx, rows []store.Observation) error {
	raw, err := json.Marshal(rows)
	if err == nil {
		_, err = tx.ExecContext(ctx, insertAgain, rows[0].Stream,
			rows[0].Start.UnixNano(), string(raw))
	}
	return err
}
