package ledger

import (
	"context"
	"time"
)

// maxSent is how many bytes of delivered parcels are kept, the latest, so that a store
// that has lost them gets them again.
const maxSent = 64 << 20

// sentSchema keeps their size beside them, as the outbox's is.
const sentSchema = `
CREATE TABLE IF NOT EXISTS sent (
	seq INTEGER PRIMARY KEY, stream TEXT NOT NULL, start INTEGER NOT NULL, rows TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS sent_window ON sent (stream, start);
CREATE TABLE IF NOT EXISTS sent_size (id INTEGER PRIMARY KEY CHECK (id = 0), bytes INTEGER NOT NULL);
INSERT OR IGNORE INTO sent_size VALUES (0, 0);
CREATE TRIGGER IF NOT EXISTS sent_in AFTER INSERT ON sent BEGIN
	UPDATE sent_size SET bytes = bytes + octet_length(NEW.rows); END;
CREATE TRIGGER IF NOT EXISTS sent_out AFTER DELETE ON sent BEGIN
	UPDATE sent_size SET bytes = bytes - octet_length(OLD.rows); END;`

// Delivered takes all parcels up to and including seq out of the outbox. The latest are
// kept a while.
func (l Outbox) Delivered(ctx context.Context, seq int64) error {
	tx, err := l.begin(ctx)
	if err != nil {
		return l.wrap(err)
	}
	defer tx.Rollback() // after Commit it does nothing
	if err := moveSent(ctx, tx, seq); err != nil {
		return l.wrap(err)
	}
	return l.wrap(tx.Commit(ctx))
}

// moveSent moves parcels from the outbox to those that were sent, of which the oldest go.
func moveSent(ctx context.Context, tx *tx, seq int64) error {
	for _, do := range []string{copyToSent, deleteOutbox} {
		if _, err := tx.ExecContext(ctx, do, seq); err != nil {
			return err
		}
	}
	for {
		var bytes int64
		if err := tx.QueryRowContext(ctx, "SELECT bytes FROM sent_size").Scan(&bytes); err != nil || bytes <= maxSent {
			return err
		}
		_, err := tx.ExecContext(ctx, deleteOldestSent)
		if err != nil {
			return err
		}
	}
}

// Resend puts what was delivered of a window into the outbox again, in its order; false
// where it is not kept any more.
func (l Outbox) Resend(ctx context.Context, stream string, start time.Time) (bool, error) {
	tx, err := l.begin(ctx)
	if err != nil {
		return false, l.wrap(err)
	}
	defer tx.Rollback() // after Commit it does nothing
	done, err := tx.ExecContext(ctx, copyToOutbox, stream, start.UnixNano())
	if err != nil {
		return false, l.wrap(err)
	}
	n, err := done.RowsAffected()
	if err != nil || n == 0 {
		return false, l.wrap(err)
	}
	if _, err := tx.ExecContext(ctx, deleteSent, stream, start.UnixNano()); err != nil {
		return false, l.wrap(err)
	}
	if err := tx.Commit(ctx); err != nil {
		return false, l.wrap(err)
	}
	l.signal()
	return true, nil
}
