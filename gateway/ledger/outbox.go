package ledger

import (
	"context"
	"encoding/json"

	"sluice/store"
)

// Parcel is one committed window on its way to the store.
type Parcel struct {
	Seq  int64
	Rows []store.Observation
}

// maxLoad bounds the bytes of the parcels that are in memory at a time; one that is
// larger travels alone.
const maxLoad = 4 << 20

// Changed receives a signal after commits; several may come as one.
func (l Outbox) Changed() <-chan struct{} { return l.changed }

// Next returns up to n parcels, oldest first, and fewer where they are large.
func (l Outbox) Next(ctx context.Context, n int) ([]Parcel, error) {
	rows, err := l.db.QueryContext(ctx, "SELECT seq, rows FROM outbox ORDER BY seq LIMIT ?", n)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []Parcel
	load := 0
	for rows.Next() {
		var p Parcel
		var raw string
		if err := rows.Scan(&p.Seq, &raw); err != nil {
			return nil, err
		}
		if load += len(raw); load > maxLoad && len(list) > 0 {
			break
		}
		if err := json.Unmarshal([]byte(raw), &p.Rows); err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, rows.Err()
}

// Waiting is the outbox's size in parcels and bytes.
func (l Outbox) Waiting(ctx context.Context) (rows, bytes int64, err error) {
	err = l.db.QueryRowContext(ctx, "SELECT parcels, bytes FROM waiting").Scan(&rows, &bytes)
	return rows, bytes, err
}
