package ledger

import (
	"context"
	"time"
)

// Stored returns the starts of up to n windows of a stream that were delivered to the
// store, latest first, of those from since on and before an instant. What a recovery has
// skipped was never delivered and is not among them. While anything waits in the outbox
// it answers false: which windows have arrived cannot be told then.
func (l *Ledger) Stored(
	ctx context.Context, stream string, since, before time.Time, n int,
) (starts []time.Time, settled bool, err error) {
	// One statement, so that nothing is committed between the two questions.
	const ask = `SELECT coalesce(j.start, 0), j.start IS NOT NULL, w.parcels FROM waiting w LEFT JOIN (
		SELECT start FROM journal WHERE stream = ? AND start >= ? AND start < ? AND policy <> 'recovered'
		ORDER BY start DESC LIMIT ?) j ORDER BY j.start DESC`
	rows, err := l.db.QueryContext(ctx, ask, stream, since.UnixNano(), before.UnixNano(), n)
	if err != nil {
		return nil, false, l.told(err)
	}
	defer rows.Close()
	for rows.Next() {
		var start, waiting int64
		var one bool
		if err := rows.Scan(&start, &one, &waiting); err != nil {
			return nil, false, l.told(err)
		}
		if waiting > 0 {
			return nil, false, nil
		}
		if one {
			starts = append(starts, unixNano(start))
		}
	}
	return starts, true, l.told(rows.Err())
}

// Has reports whether the journal has a window that this gateway has released.
func (l *Ledger) Has(ctx context.Context, stream string, start time.Time) (known bool, err error) {
	err = l.db.QueryRowContext(ctx,
		"SELECT EXISTS (SELECT 1 FROM journal WHERE stream = ? AND start = ? AND policy <> 'recovered')", stream,
		start.UnixNano()).Scan(&known)
	return known, l.told(err)
}
