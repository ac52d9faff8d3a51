package ledger

import (
	"context"
	"encoding/json"
	"time"

	"sluice/books"
)

// Stored returns the starts of up to n windows of a stream that were delivered to the
// store, latest first, of those from since on and before an instant. What a recovery has
// skipped was never delivered and is not among them. While anything waits in the outbox
// it answers false: which windows have arrived cannot be told then.
func (l Journal) Stored(
	ctx context.Context, stream string, since, before time.Time, n int,
) (starts []time.Time, settled bool, err error) {
	// One statement, so that nothing is committed between the two questions.
	const ask = `SELECT coalesce(j.start, 0), j.start IS NOT NULL, w.parcels FROM waiting w LEFT JOIN (
		SELECT start FROM journal WHERE stream = ? AND start >= ? AND start < ? AND policy <> 'recovered'
		ORDER BY start DESC LIMIT ?) j ORDER BY j.start DESC`
	rows, err := l.db.QueryContext(ctx, ask, stream, since.UnixNano(), before.UnixNano(), n)
	if err != nil {
		return nil, false, l.wrap(err)
	}
	defer rows.Close()
	for rows.Next() {
		var start, waiting int64
		var one bool
		if err := rows.Scan(&start, &one, &waiting); err != nil {
			return nil, false, l.wrap(err)
		}
		if waiting > 0 {
			return nil, false, nil
		}
		if one {
			starts = append(starts, unixNano(start))
		}
	}
	return starts, true, l.wrap(rows.Err())
}

// Has reports whether the journal has a window that this gateway has released.
func (l Journal) Has(ctx context.Context, stream string, start time.Time) (known bool, err error) {
	err = l.db.QueryRowContext(ctx,
		"SELECT EXISTS (SELECT 1 FROM journal WHERE stream = ? AND start = ? AND policy <> 'recovered')", stream,
		start.UnixNano()).Scan(&known)
	return known, l.wrap(err)
}

// Resume is, for each stream, the end of the last window that was released.
func (l Journal) Resume(ctx context.Context) (map[string]time.Time, error) {
	rows, err := l.db.QueryContext(ctx, resume)
	if err != nil {
		return nil, l.wrap(err)
	}
	defer rows.Close()
	out := make(map[string]time.Time)
	for rows.Next() {
		var stream string
		var stop int64
		if err := rows.Scan(&stream, &stop); err != nil {
			return nil, err
		}
		out[stream] = unixNano(stop)
	}
	return out, l.wrap(rows.Err())
}

// Window is one released window, by its first and last instant.
type Window struct{ Start, End time.Time }

// Delivery returns the windows of a stream that were released, in order, from one start
// on, at most n, and which of them wait in the outbox.
func (l Journal) Delivery(
	ctx context.Context, stream string, from time.Time, n int,
) (list []Window, waiting []bool, err error) {
	const ask = `SELECT start, stop,
		EXISTS (SELECT 1 FROM outbox o WHERE o.stream = j.stream AND o.start = j.start)
		FROM journal j WHERE stream = ? AND start >= ? AND policy <> 'recovered' ORDER BY start LIMIT ?`
	rows, err := l.db.QueryContext(ctx, ask, stream, from.UnixNano(), n)
	if err != nil {
		return nil, nil, l.wrap(err)
	}
	defer rows.Close()
	for rows.Next() {
		var start, stop int64
		var waits bool
		if err := rows.Scan(&start, &stop, &waits); err != nil {
			return nil, nil, l.wrap(err)
		}
		list, waiting = append(list, Window{unixNano(start), unixNano(stop)}), append(waiting, waits)
	}
	return list, waiting, l.wrap(rows.Err())
}

// Lost are the times whose released numbers the store has lost for good, as was said.
func (l Journal) Lost(ctx context.Context) ([]books.Gap, error) {
	rows, err := l.db.QueryContext(ctx, "SELECT line FROM gap WHERE line LIKE '%' || ? || '%' ORDER BY n",
		books.StoreLost)
	if err != nil {
		return nil, l.wrap(err)
	}
	defer rows.Close()
	var list []books.Gap
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return nil, l.wrap(err)
		}
		var g books.Gap
		if err := json.Unmarshal([]byte(line), &g); err != nil {
			return nil, err
		}
		if g.Reason == books.StoreLost {
			list = append(list, g)
		}
	}
	return list, l.wrap(rows.Err())
}

// SayLost enters that the store has lost released numbers for good.
func (l Journal) SayLost(ctx context.Context, stream string, from, to time.Time) error {
	line, err := json.Marshal(books.Gap{Stream: stream, Start: from, End: to, Reason: books.StoreLost})
	if err != nil {
		return err
	}
	return l.wrap(l.exec(ctx, insertGap, string(line)))
}
