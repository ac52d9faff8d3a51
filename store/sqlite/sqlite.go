// Package sqlite keeps released observations in one SQLite file. One process
// writes; others read with mode=ro, also while the writer is stopped, since the
// write-ahead log is kept on close.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"modernc.org/sqlite" // also registers the driver "sqlite"

	"sluice/store"
)

const schema = `
CREATE TABLE IF NOT EXISTS observation (
	stream TEXT NOT NULL, start INTEGER NOT NULL, cell TEXT NOT NULL, measure TEXT NOT NULL,
	stop INTEGER NOT NULL, every TEXT NOT NULL, zone TEXT NOT NULL, category TEXT NOT NULL,
	status TEXT NOT NULL, reason TEXT NOT NULL, value REAL, low REAL, high REAL, unit TEXT NOT NULL,
	decision TEXT NOT NULL, policy TEXT NOT NULL, mechanism TEXT NOT NULL, epsilon REAL NOT NULL,
	scale REAL NOT NULL, threshold REAL NOT NULL, ledger INTEGER NOT NULL, simulation INTEGER NOT NULL,
	PRIMARY KEY (stream, start, cell, measure)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS observation_stop ON observation (stream, stop);`

const columns = `stream, start, cell, measure, stop, every, zone, category, status, reason, value, low, high,
	unit, decision, policy, mechanism, epsilon, scale, threshold, ledger, simulation`

// DSN is the connection string of a database file: WAL, full synchronisation,
// write transactions that begin immediate, so that they cannot deadlock.
func DSN(path string, readOnly bool) string {
	v := url.Values{}
	v.Set("_txlock", "immediate")
	pragmas := []string{"busy_timeout(10000)"}
	if readOnly {
		v.Set("mode", "ro")
	} else {
		pragmas = append(pragmas, "journal_mode(WAL)", "synchronous(FULL)")
	}
	for _, p := range pragmas {
		v.Add("_pragma", p)
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + v.Encode()
}

// KeepWAL makes a pool's only connection keep the write-ahead log on close, so
// that others can read the file with mode=ro without being able to write beside it.
func KeepWAL(ctx context.Context, db *sql.DB) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	err = conn.Raw(func(driver any) error {
		c, ok := driver.(sqlite.FileControl)
		if !ok {
			return errors.New("this SQLite cannot keep its write-ahead log")
		}
		_, err := c.FileControlPersistWAL("main", 1)
		return err
	})
	return errors.Join(err, conn.Close())
}

// Store is an open file.
type Store struct{ db *sql.DB }

// Open opens the file for writing, making it if need be.
func Open(ctx context.Context, path string) (*Store, error) {
	db, err := sql.Open("sqlite", DSN(path, false))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	_, err = db.ExecContext(ctx, schema)
	if err == nil {
		err = KeepWAL(ctx, db)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening store %s: %w", path, err), db.Close())
	}
	return &Store{db}, nil
}

// OpenReader opens the file for reading only; it may not exist yet.
func OpenReader(path string) (*Store, error) {
	db, err := sql.Open("sqlite", DSN(path, true))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(4)
	return &Store{db}, nil
}

// Close releases the file.
func (s *Store) Close() error { return s.db.Close() }

// Write stores observations in one transaction; those already there stay, unless
// they are withdrawn.
func (s *Store) Write(ctx context.Context, list []store.Observation) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after Commit it does nothing
	insert, err := tx.PrepareContext(ctx, "INSERT OR IGNORE INTO observation ("+columns+") VALUES ("+strings.Repeat("?,", 21)+"?)")
	if err != nil {
		return err
	}
	defer insert.Close()
	for _, o := range list {
		if o.Status == store.Withdrawn {
			if _, err := tx.ExecContext(ctx, "UPDATE observation SET status = ?, reason = ?, value = NULL, low = NULL, high = NULL WHERE stream = ? AND start = ? AND cell = ? AND measure = ?",
				o.Status, o.Reason, o.Stream, o.Start.UnixNano(), o.Cell, o.Measure); err != nil {
				return err
			}
			continue
		}
		if _, err := insert.ExecContext(ctx, o.Stream, o.Start.UnixNano(), o.Cell, o.Measure, o.End.UnixNano(), o.Every,
			o.Zone, o.Category, o.Status, o.Reason, o.Value, o.Low, o.High, o.Unit, o.Decision, o.Policy,
			o.Mechanism, o.Epsilon, o.Scale, o.Threshold, o.Ledger, o.Simulation); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// Observations answers a query, at most q.Limit rows.
func (s *Store) Observations(ctx context.Context, q store.Query) ([]store.Observation, error) {
	where := "stream = ? AND start >= ? AND start < ?"
	args := []any{q.Stream, q.From.UnixNano(), q.To.UnixNano()}
	in := func(column string, list []string) {
		if len(list) == 0 {
			return
		}
		where += " AND " + column + " IN (?" + strings.Repeat(",?", len(list)-1) + ")"
		for _, x := range list {
			args = append(args, x)
		}
	}
	in("cell", q.Cells)
	in("measure", q.Measures)
	if q.After != nil {
		where += " AND (start, cell, measure) > (?, ?, ?)"
		args = append(args, q.After.Start.UnixNano(), q.After.Cell, q.After.Measure)
	}
	args = append(args, q.Limit)
	rows, err := s.db.QueryContext(ctx, "SELECT "+columns+" FROM observation WHERE "+where+" ORDER BY start, cell, measure LIMIT ?", args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	list := []store.Observation{}
	for rows.Next() {
		var o store.Observation
		var start, stop int64
		if err := rows.Scan(&o.Stream, &start, &o.Cell, &o.Measure, &stop, &o.Every, &o.Zone, &o.Category, &o.Status, &o.Reason,
			&o.Value, &o.Low, &o.High, &o.Unit, &o.Decision, &o.Policy, &o.Mechanism, &o.Epsilon, &o.Scale,
			&o.Threshold, &o.Ledger, &o.Simulation); err != nil {
			return nil, err
		}
		o.Start, o.End = time.Unix(0, start).UTC(), time.Unix(0, stop).UTC()
		list = append(list, o)
	}
	return list, rows.Err()
}

// ClosedUntil is the end of the stream's last stored window; zero when none is.
func (s *Store) ClosedUntil(ctx context.Context, stream string) (time.Time, error) {
	var stop sql.NullInt64
	err := s.db.QueryRowContext(ctx, "SELECT max(stop) FROM observation WHERE stream = ?", stream).Scan(&stop)
	if err != nil || !stop.Valid {
		return time.Time{}, err
	}
	return time.Unix(0, stop.Int64).UTC(), nil
}
