package ledger

import (
	"context"
	"time"
)

// Version is one policy in force from an instant on. A policy that the council
// signed has its motion file; one of a simulation has its files.
type Version struct {
	Digest string
	Since  time.Time // the zero time for the first
	Packed []byte
	Motion []byte // nil for none
}

// Versions returns all policy versions, oldest first.
func (l Policies) Versions(ctx context.Context) ([]Version, error) {
	rows, err := l.db.QueryContext(ctx, "SELECT digest, since, files, motion FROM policy ORDER BY n")
	if err != nil {
		return nil, l.wrap(err)
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
	return list, l.wrap(rows.Err())
}

// Enact appends a policy version.
func (l Policies) Enact(ctx context.Context, v Version) error {
	var since int64
	if !v.Since.IsZero() {
		since = v.Since.UnixNano()
	}
	return l.exec(ctx, insertPolicy, v.Digest, since, v.Packed, v.Motion)
}
