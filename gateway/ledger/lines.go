package ledger

import (
	"context"
	"encoding/json"
	"errors"

	"sluice/books"
)

// pages is how many lines of a book are read at once.
const pages = 2000

// books by the file that they are in.
var tables = map[string]string{
	"ledger.jsonl": "entry", "releases.jsonl": "released", "withdrawals.jsonl": "withdrawal", "gaps.jsonl": "gap",
	"removals.jsonl": "removal", books.ArchiveName: "archived",
}

// Page returns the next lines of a growing book, by the file's name, after the
// position at, which is 0 for the beginning, and the position behind them. There are
// no more when it returns none.
func (l *Ledger) Page(ctx context.Context, name string, at int64) (lines []string, next int64, err error) {
	table := tables[name]
	if table == "" {
		return nil, 0, errors.New("there is no book " + name)
	}
	lines, next, err = l.lines(ctx, table, at, pages)
	return lines, next, l.wrap(err)
}

func (l *file) lines(ctx context.Context, table string, at int64, limit int) (list []string, next int64, err error) {
	rows, err := l.db.QueryContext(ctx, "SELECT n, line FROM "+table+" WHERE n > ? ORDER BY n LIMIT ?", at, limit)
	if err != nil {
		return nil, at, err
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&at, &s); err != nil {
			return nil, at, err
		}
		list = append(list, s)
	}
	return list, at, rows.Err()
}

// Left is the share of the charter's budget that was left after each decision's
// last reservation, of those among the last few hundred.
func (l *Ledger) Left(ctx context.Context) (map[string]float64, error) {
	rows, err := l.db.QueryContext(ctx, "SELECT line FROM entry ORDER BY n DESC LIMIT 512")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := make(map[string]float64)
	for rows.Next() {
		var line string
		var e books.Entry
		if err := rows.Scan(&line); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			return nil, err
		}
		if _, known := out[e.Decision]; !known && e.Cap > 0 {
			out[e.Decision] = e.Left / e.Cap
		}
	}
	return out, rows.Err()
}
