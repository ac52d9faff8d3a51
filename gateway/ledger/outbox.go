package ledger

import (
	"context"
	"encoding/json"
	"time"

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

// Next returns up to n parcels, oldest first, and fewer where they are large.
func (l *Ledger) Next(ctx context.Context, n int) ([]Parcel, error) {
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
func (l *Ledger) Waiting(ctx context.Context) (rows, bytes int64, err error) {
	err = l.db.QueryRowContext(ctx, "SELECT parcels, bytes FROM waiting").Scan(&rows, &bytes)
	return rows, bytes, err
}

// Version is one policy in force from an instant on. A policy that the council
// signed has its motion file; one of a simulation has its files.
type Version struct {
	Digest string
	Since  time.Time // the zero time for the first
	Packed []byte
	Motion []byte // nil for none
}

// Versions returns all policy versions, oldest first.
func (l *Ledger) Versions(ctx context.Context) ([]Version, error) {
	rows, err := l.db.QueryContext(ctx, "SELECT digest, since, files, motion FROM policy ORDER BY n")
	if err != nil {
		return nil, l.told(err)
	}
	defer rows.Close()
	var list []Version
	for rows.Next() {
		var v Version
		var since int64
		if err := rows.Scan(&v.Digest, &since, &v.Packed, &v.Motion); err != nil {
			return nil, err
		}
		if since != 0 {
			v.Since = unixNano(since)
		}
		list = append(list, v)
	}
	return list, l.told(rows.Err())
}

// Enact appends a policy version.
func (l *Ledger) Enact(ctx context.Context, v Version) error {
	var since int64
	if !v.Since.IsZero() {
		since = v.Since.UnixNano()
	}
	_, err := l.db.ExecContext(ctx, "INSERT INTO policy (digest, since, files, motion) VALUES (?,?,?,?)", v.Digest,
		since, v.Packed, v.Motion)
	return err
}
