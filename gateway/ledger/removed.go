package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"sluice/books"
)

const removalSchema = "CREATE TABLE IF NOT EXISTS removal (n INTEGER PRIMARY KEY, line TEXT NOT NULL);"

// ErrRemoval says that a line of removals cannot be true.
var ErrRemoval = errors.New("ledger: numbers can be removed only after their end, and further than before")

// Enter says publicly that numbers are removed because their decision's time for them
// is over. It is entered before anything is removed: what is gone has a line then,
// whenever the gateway is killed. Number, gateway and hash are filled in.
func (l Removals) Enter(ctx context.Context, r books.Removal) error {
	if r.Stream == "" || r.Decision == "" || r.Retain == "" || !r.Until.Before(r.At) {
		return ErrRemoval
	}
	before, err := l.List(ctx)
	if err != nil {
		return err
	}
	for _, old := range before {
		if old.Stream == r.Stream && old.Decision == r.Decision && !old.Until.Before(r.Until) {
			return ErrRemoval
		}
	}
	tx, err := l.begin(ctx)
	if err != nil {
		return l.wrap(err)
	}
	defer tx.Rollback() // after Commit it does nothing
	n, prev, err := last(ctx, tx, "removal")
	if err != nil {
		return l.wrap(err)
	}
	r.N, r.Gateway, r.PrevSHA256 = n+1, l.gateway, books.Hash(prev)
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, insertRemoval, r.N, string(line)); err != nil {
		return l.wrap(err)
	}
	// What was delivered must not come back, nor what waits arrive.
	for _, old := range []string{deleteOldSent, deleteOldOutbox, deleteOldAside} {
		if _, err := tx.ExecContext(ctx, old, r.Stream, r.Until.UnixNano(), r.Decision); err != nil {
			return l.wrap(err)
		}
	}
	if err := tx.Commit(ctx); err != nil {
		return l.wrap(err)
	}
	l.signal()
	return nil
}

// Has reports whether a stream has released windows that ended in (from, until].
func (l Removals) Has(ctx context.Context, stream string, from, until time.Time) (has bool, err error) {
	err = l.db.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM journal WHERE stream = ? AND start < ? AND stop > ? "+
		"AND stop <= ? AND policy <> 'recovered')", stream, until.UnixNano(), nanos(from), until.UnixNano()).Scan(&has)
	return has, l.wrap(err)
}

// nanos are those since 1970 of an instant, and 0 of none.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

// List is all that were entered.
func (l Removals) List(ctx context.Context) ([]books.Removal, error) {
	rows, err := l.db.QueryContext(ctx, "SELECT line FROM removal ORDER BY n")
	if err != nil {
		return nil, l.wrap(err)
	}
	defer rows.Close()
	var list []books.Removal
	for rows.Next() {
		var line string
		var r books.Removal
		if err := rows.Scan(&line); err != nil {
			return nil, l.wrap(err)
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, l.wrap(rows.Err())
}

// Gone are the ends until which numbers of each stream were removed, under whichever
// decision: a store that lacks them is as it should be.
func (l Removals) Gone(ctx context.Context) (map[string]time.Time, error) {
	list, err := l.List(ctx)
	out := make(map[string]time.Time)
	for _, r := range list {
		if r.Until.After(out[r.Stream]) {
			out[r.Stream] = r.Until
		}
	}
	return out, err
}
