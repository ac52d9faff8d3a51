package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"sluice/books"
)

// mostSent is how many bytes of delivered parcels are kept, the latest, so that a store
// that has lost them gets them again.
const mostSent = 64 << 20

// sentSchema keeps their size beside them, as the outbox's is.
const sentSchema = `
CREATE TABLE IF NOT EXISTS sent (seq INTEGER PRIMARY KEY, stream TEXT NOT NULL, start INTEGER NOT NULL, rows TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS sent_window ON sent (stream, start);
CREATE TABLE IF NOT EXISTS sent_size (id INTEGER PRIMARY KEY CHECK (id = 0), bytes INTEGER NOT NULL);
INSERT OR IGNORE INTO sent_size VALUES (0, 0);
CREATE TRIGGER IF NOT EXISTS sent_in AFTER INSERT ON sent BEGIN UPDATE sent_size SET bytes = bytes + octet_length(NEW.rows); END;
CREATE TRIGGER IF NOT EXISTS sent_out AFTER DELETE ON sent BEGIN UPDATE sent_size SET bytes = bytes - octet_length(OLD.rows); END;`

// Delivered takes all parcels up to and including seq out of the outbox. The latest are
// kept a while.
func (l *Ledger) Delivered(ctx context.Context, seq int64) error {
	tx, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		return l.told(err)
	}
	defer tx.Rollback() // after Commit it does nothing
	if err := moveSent(ctx, tx, seq); err != nil {
		return l.told(err)
	}
	return l.told(tx.Commit())
}

// moveSent moves parcels from the outbox to those that were sent, of which the oldest go.
func moveSent(ctx context.Context, tx *sql.Tx, seq int64) error {
	for _, do := range []string{
		"INSERT OR REPLACE INTO sent SELECT seq, stream, start, rows FROM outbox WHERE seq <= ?",
		"DELETE FROM outbox WHERE seq <= ?",
	} {
		if _, err := tx.ExecContext(ctx, do, seq); err != nil {
			return err
		}
	}
	for {
		var bytes int64
		if err := tx.QueryRowContext(ctx, "SELECT bytes FROM sent_size").Scan(&bytes); err != nil || bytes <= mostSent {
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM sent WHERE seq IN (SELECT seq FROM sent ORDER BY seq LIMIT 16)"); err != nil {
			return err
		}
	}
}

// Resend puts what was delivered of a window into the outbox again, in its order; false
// where it is not kept any more.
func (l *Ledger) Resend(ctx context.Context, stream string, start time.Time) (bool, error) {
	tx, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		return false, l.told(err)
	}
	defer tx.Rollback() // after Commit it does nothing
	done, err := tx.ExecContext(ctx, "INSERT INTO outbox (stream, start, rows) SELECT stream, start, rows FROM sent "+
		"WHERE stream = ? AND start = ? ORDER BY seq", stream, start.UnixNano())
	if err != nil {
		return false, l.told(err)
	}
	n, err := done.RowsAffected()
	if err != nil || n == 0 {
		return false, l.told(err)
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM sent WHERE stream = ? AND start = ?", stream, start.UnixNano()); err != nil {
		return false, l.told(err)
	}
	if err := tx.Commit(); err != nil {
		return false, l.told(err)
	}
	l.signal()
	return true, nil
}

// Window is one released window, by its first and last instant.
type Window struct{ Start, End time.Time }

// Delivery returns the windows of a stream that were released, in order, from one start
// on, at most n, and which of them wait in the outbox.
func (l *Ledger) Delivery(
	ctx context.Context, stream string, from time.Time, n int,
) (list []Window, waiting []bool, err error) {
	rows, err := l.db.QueryContext(ctx, `SELECT start, stop, EXISTS (SELECT 1 FROM outbox o WHERE o.stream = j.stream AND o.start = j.start)
		FROM journal j WHERE stream = ? AND start >= ? AND policy <> 'recovered' ORDER BY start LIMIT ?`, stream, from.UnixNano(), n)
	if err != nil {
		return nil, nil, l.told(err)
	}
	defer rows.Close()
	for rows.Next() {
		var start, stop int64
		var waits bool
		if err := rows.Scan(&start, &stop, &waits); err != nil {
			return nil, nil, l.told(err)
		}
		list, waiting = append(list, Window{unixNano(start), unixNano(stop)}), append(waiting, waits)
	}
	return list, waiting, l.told(rows.Err())
}

// Lost are the times whose released numbers the store has lost for good, as was said.
func (l *Ledger) Lost(ctx context.Context) ([]books.Gap, error) {
	rows, err := l.db.QueryContext(ctx, "SELECT line FROM gap WHERE line LIKE '%' || ? || '%' ORDER BY n",
		books.StoreLost)
	if err != nil {
		return nil, l.told(err)
	}
	defer rows.Close()
	var list []books.Gap
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return nil, l.told(err)
		}
		var g books.Gap
		if err := json.Unmarshal([]byte(line), &g); err != nil {
			return nil, err
		}
		if g.Reason == books.StoreLost {
			list = append(list, g)
		}
	}
	return list, l.told(rows.Err())
}

// SayLost enters that the store has lost released numbers for good.
func (l *Ledger) SayLost(ctx context.Context, stream string, from, to time.Time) error {
	line, err := json.Marshal(books.Gap{Stream: stream, Start: from, End: to, Reason: books.StoreLost})
	if err != nil {
		return err
	}
	_, err = l.db.ExecContext(ctx, "INSERT OR IGNORE INTO gap (line) VALUES (?)", string(line))
	return l.told(err)
}
