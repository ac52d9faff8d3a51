package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"sluice/books"
	"sluice/store/sqlite"
)

// How many lines of a book are looked at when it is opened, and at a time by Check.
const (
	endLines  = 64
	someLines = 1000
)

// chained are the books whose lines each name the one before.
var chained = []string{"entry", "released"}

// ends looks at the last lines of the chained books.
func (l *Ledger) ends(ctx context.Context) error {
	for _, table := range chained {
		n, _, err := last(ctx, l.db, table)
		if err != nil {
			return err
		}
		c := link{table: table, n: max(0, n-endLines)}
		if c.n > 0 {
			var before string
			if err := l.db.QueryRowContext(ctx, "SELECT line FROM "+table+" WHERE n = ?", c.n).Scan(&before); errors.Is(err, sql.ErrNoRows) {
				return c.broken(c.n)
			} else if err != nil {
				return err
			}
			c.hash = books.Hash(before)
		}
		list, err := l.strings(ctx, table, c.n, endLines)
		if err != nil {
			return err
		}
		for _, line := range list {
			if err := c.next(line); err != nil {
				return err
			}
		}
		if c.n != n {
			return c.broken(n)
		}
	}
	return nil
}

// link follows a chain of lines: the number and hash of the last.
type link struct {
	table string
	n     int64
	hash  string
}

func (c *link) next(line string) error {
	var e struct {
		N          int64  `json:"n"`
		PrevSHA256 string `json:"prev_sha256"`
	}
	if json.Unmarshal([]byte(line), &e) != nil || e.N != c.n+1 || e.PrevSHA256 != c.hash {
		return c.broken(c.n + 1)
	}
	c.n, c.hash = e.N, books.Hash(line)
	return nil
}

func (c *link) broken(n int64) error {
	return fmt.Errorf("%w: line %d of its table %s does not follow from the one before", ErrDamaged, n, c.table)
}

// Check looks at every page and every line of the file, with a connection of its own
// that only reads: releases go on meanwhile. It takes seconds for years of books, and
// little memory. It returns ErrDamaged, explained, where something is wrong.
func (l *Ledger) Check(ctx context.Context) error {
	db, err := sql.Open("sqlite", sqlite.DSN(l.path, true))
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return l.Explain(err)
	}
	if verdict != "ok" {
		return l.Explain(fmt.Errorf("%w: its pages do not fit together", ErrDamaged))
	}
	reader := &Ledger{db: db, path: l.path}
	for _, table := range chained {
		if err := reader.follow(ctx, table); err != nil {
			return l.Explain(err)
		}
	}
	return nil
}

// follow walks one book and compares each line with what else is known of it.
func (l *Ledger) follow(ctx context.Context, table string) error {
	c := link{table: table}
	for {
		list, err := l.strings(ctx, table, c.n, someLines)
		if err != nil {
			return err
		}
		for _, line := range list {
			if err := c.next(line); err != nil {
				return err
			}
			if err := l.agrees(ctx, table, c.n, line); err != nil {
				return err
			}
		}
		if len(list) < someLines {
			return l.none(ctx, table, c.n)
		}
	}
}

// none makes sure that a book has no line beyond n: one whose number was changed.
func (l *Ledger) none(ctx context.Context, table string, n int64) error {
	m, _, err := last(ctx, l.db, table)
	if err == nil && m != n {
		return fmt.Errorf("%w: its table %s ends too early", ErrDamaged, table)
	}
	return err
}

// agrees compares a line with the columns and the journal that releases go by.
func (l *Ledger) agrees(ctx context.Context, table string, n int64, line string) error {
	same := false
	if table == "entry" {
		var e books.Entry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			return fmt.Errorf("%w: line %d of its table entry is garbled", ErrDamaged, n)
		}
		err := l.db.QueryRowContext(ctx, "SELECT day = ? AND unit = ? AND kind = ? AND epsilon = ? FROM entry WHERE n = ?",
			e.Day, e.Unit, e.Kind, e.Epsilon, n).Scan(&same)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
	} else {
		var r books.Released
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			return fmt.Errorf("%w: line %d of its table released is garbled", ErrDamaged, n)
		}
		err := l.db.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM journal WHERE stream = ? AND start = ? AND stop = ? AND policy = ?)",
			r.Stream, r.Start.UnixNano(), r.End.UnixNano(), r.Policy).Scan(&same)
		if err != nil {
			return err
		}
	}
	if !same {
		return fmt.Errorf("%w: line %d of its table %s is not what the rest of the file says", ErrDamaged, n, table)
	}
	return nil
}
