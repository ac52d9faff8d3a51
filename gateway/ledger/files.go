package ledger

import (
	"context"
	"database/sql"
	"errors"
)

// Put keeps a file, in place of one of the same name.
func (l Files) Put(ctx context.Context, name string, raw []byte) error {
	return l.exec(ctx, putFile, name, raw)
}

// Get is a file that is kept; nil for none.
func (l Files) Get(ctx context.Context, name string) (raw []byte, err error) {
	err = l.db.QueryRowContext(ctx, "SELECT raw FROM kept WHERE name = ?", name).Scan(&raw)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return raw, err
}

// Delete keeps a file no longer.
func (l Files) Delete(ctx context.Context, name string) error {
	return l.exec(ctx, deleteFile, name)
}

// Names are those of the files that are kept.
func (l Files) Names(ctx context.Context) (list []string, err error) {
	rows, err := l.db.QueryContext(ctx, "SELECT name FROM kept ORDER BY name")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		list = append(list, name)
	}
	return list, rows.Err()
}
