package ledger

import (
	"context"
	"errors"
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

// Number is how many versions there are.
func (l Policies) Number(ctx context.Context) (n int, err error) {
	return n, l.wrap(l.db.QueryRowContext(ctx, numberOfPolicies).Scan(&n))
}

const numberOfPolicies = "SELECT count(*) FROM policy"

// Enact appends a policy version behind the n that there are; where there are others, nothing.
func (l Policies) Enact(ctx context.Context, v Version, n int) error {
	var since int64
	if !v.Since.IsZero() {
		since = v.Since.UnixNano()
	}
	return l.again(ctx, func() error {
		tx, err := l.begin(ctx)
		if err != nil {
			return l.wrap(err)
		}
		defer tx.Rollback() // after Commit it does nothing
		var is int
		if err := tx.QueryRowContext(ctx, numberOfPolicies).Scan(&is); err != nil {
			return l.wrap(err)
		}
		if is != n {
			return errAnotherPolicy
		}
		if _, err := tx.ExecContext(ctx, insertPolicy, v.Digest, since, v.Packed, v.Motion); err != nil {
			return l.wrap(err)
		}
		return l.wrap(tx.Commit(ctx))
	})
}

var errAnotherPolicy = errors.New("another machine has put a policy into the books first")
