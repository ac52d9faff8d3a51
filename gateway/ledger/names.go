package ledger

import (
	"context"
	"errors"
	"slices"
)

// namesSchema has the names that this gateway has released under: a gateway may be
// renamed, and what the store has of the old name is its own all the same.
const namesSchema = `
CREATE TABLE IF NOT EXISTS named (gateway TEXT PRIMARY KEY) WITHOUT ROWID;`

// namesFromBook are those that a ledger of before knows of, from the ends of its book: two
// names in so many years are rare enough.
const namesFromBook = `
INSERT OR IGNORE INTO named SELECT json_extract(line, '$.gateway') FROM (
	SELECT line FROM released WHERE n IN ((SELECT min(n) FROM released), (SELECT max(n) FROM released)))
	WHERE NOT EXISTS (SELECT 1 FROM named) AND json_valid(line) AND json_extract(line, '$.gateway') IS NOT NULL`

// enterName enters the gateway's name.
func (l *Ledger) enterName(ctx context.Context) error {
	tx, err := l.begin(ctx)
	if errors.Is(err, ErrMoving) {
		return nil // it is there since before
	}
	if err != nil {
		return err
	}
	defer tx.Rollback() // after Commit it does nothing
	if errors.Is(tx.barred, ErrShared) {
		return nil // it is there since before
	}
	if _, err := tx.ExecContext(ctx, namesFromBook); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, insertName, l.gateway); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

// Names are the names under which this gateway has released, and its present one.
func (l *Ledger) Names(ctx context.Context) ([]string, error) {
	rows, err := l.db.QueryContext(ctx, "SELECT gateway FROM named")
	if err != nil {
		return nil, l.wrap(err)
	}
	defer rows.Close()
	list := []string{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		list = append(list, name)
	}
	slices.Sort(list)
	return list, l.wrap(rows.Err())
}
