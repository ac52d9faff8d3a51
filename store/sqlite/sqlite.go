// Package sqlite keeps released observations in one SQLite file. One process
// writes; others read with mode=ro, also while the writer is stopped, since the
// write-ahead log is kept on close.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"sync"

	"modernc.org/sqlite" // also registers the driver "sqlite"

	"sluice/perm"
)

// schema stores text once: what the rows of one cell and measure share while their decision
// stays the same is a series.
const schema = `
CREATE TABLE IF NOT EXISTS series (
	id INTEGER PRIMARY KEY, stream TEXT NOT NULL, cell TEXT NOT NULL, measure TEXT NOT NULL, every TEXT NOT NULL, zone TEXT NOT NULL,
	category TEXT NOT NULL, unit TEXT NOT NULL, decision TEXT NOT NULL, policy TEXT NOT NULL, mechanism TEXT NOT NULL,
	epsilon REAL NOT NULL, scale REAL NOT NULL, threshold REAL NOT NULL, simulation INTEGER NOT NULL,
	UNIQUE (stream, cell, measure, every, zone, category, unit, decision, policy, mechanism, epsilon, scale, threshold, simulation)
);
CREATE TABLE IF NOT EXISTS released (
	stream TEXT NOT NULL, start INTEGER NOT NULL, cell TEXT NOT NULL, measure TEXT NOT NULL,
	stop INTEGER NOT NULL, series INTEGER NOT NULL REFERENCES series, status TEXT NOT NULL, reason TEXT NOT NULL,
	value REAL, low REAL, high REAL, ledger INTEGER NOT NULL, gateway TEXT NOT NULL,
	PRIMARY KEY (stream, start, cell, measure, gateway)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS released_stop ON released (stream, stop);
CREATE INDEX IF NOT EXISTS released_cell ON released (stream, cell, measure, start, gateway);
CREATE VIEW IF NOT EXISTS observations AS SELECT r.gateway, r.stream, datetime(r.start / 1000000000, 'unixepoch') AS start_utc, r.cell, r.measure,
	r.status, r.reason, r.value, r.low, r.high, s.unit, s.decision, s.policy, s.mechanism, s.epsilon, s.scale, s.threshold, r.ledger, s.simulation
	FROM released r JOIN series s ON s.id = r.series;`

// columns of a series, in the order of the type's fields.
const columns = "stream, cell, measure, every, zone, category, unit, decision, policy, mechanism, epsilon, scale, " +
	"threshold, simulation"

// series is what many observations share.
type series struct {
	stream, cell, measure, every, zone, category, unit, decision, policy, mechanism string
	epsilon, scale, threshold                                                       float64
	simulation                                                                      bool
}

// unnamed sets aside the rows of a file without gateway names, in which two gateways' rows
// of one cell and window could not both be stored.
const unnamed = `
DROP VIEW IF EXISTS observations;
DROP INDEX IF EXISTS released_stop;
DROP INDEX IF EXISTS released_cell;
ALTER TABLE released RENAME TO released_unnamed;`

// named moves those rows into the new table, still without a gateway.
const named = `
INSERT INTO released SELECT stream, start, cell, measure, stop, series, status, reason, value, low, high, ledger, '' FROM released_unnamed ORDER BY stream, start, cell, measure;
DROP TABLE released_unnamed;`

// hasGateway is 1 if rows have a gateway column, hasReleased if there is a table of rows.
const (
	hasGateway  = "SELECT count(*) FROM pragma_table_info('released') WHERE name = 'gateway'"
	hasReleased = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'released'"
)

// older moves the rows of a file of the first version, in which every row had all of its
// text.
const older = `
INSERT OR IGNORE INTO series (` + columns + `) SELECT DISTINCT ` + columns + ` FROM observation;
INSERT OR IGNORE INTO released SELECT o.stream, o.start, o.cell, o.measure, o.stop, s.id, o.status, o.reason, o.value, o.low, o.high, o.ledger, ''
	FROM observation o JOIN series s USING (` + columns + `);
DROP TABLE observation;`

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

// secure has what is deleted, or withdrawn, overwritten in the file, see
// https://www.sqlite.org/pragma.html#pragma_secure_delete.
const secure = "PRAGMA secure_delete = ON"

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

// Store is an open database file.
type Store struct {
	db *sql.DB
	// path and is identify a writer's file.
	path string
	is   [2]uint64

	mu    sync.Mutex
	ids   map[series]int64 // of the writer; guarded by mu
	known map[int64]series // of a reader; guarded by mu
	whose *bool            // whether rows say whose they are; nil before it was asked; guarded by mu
	// Statements, prepared on first use; guarded by mu.
	whole, one, measuresOf, epochs, described *sql.Stmt
}

func newStore(db *sql.DB) *Store {
	return &Store{db: db, ids: make(map[series]int64), known: make(map[int64]series)}
}

// Open opens the file for writing, and creates it if necessary.
func Open(ctx context.Context, path string) (*Store, error) {
	// Releases are public; SQLite gives the files beside it the same mode.
	if _, err := perm.Touch(path, 0o644); err != nil {
		return nil, fmt.Errorf("opening store %s: %w", path, err)
	}
	db, err := sql.Open("sqlite", DSN(path, false))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	err = createSchema(ctx, db)
	if err == nil {
		_, err = db.ExecContext(ctx, secure)
	}
	if err == nil {
		err = KeepWAL(ctx, db)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening store %s: %w", path, err), db.Close())
	}
	s := newStore(db)
	s.path = path
	s.is, _, err = number(path)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// Replaced reports whether the open file was removed or replaced by another one of its
// name: writes would be lost.
func (s *Store) Replaced() bool {
	is, _, err := number(s.path)
	return errors.Is(err, fs.ErrNotExist) || err == nil && is != s.is
}

// createSchema creates the tables, and migrates the rows of older files.
func createSchema(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after Commit it does nothing
	var old, whose int
	if err := errors.Join(tx.QueryRowContext(ctx, hasReleased).Scan(&old),
		tx.QueryRowContext(ctx, hasGateway).Scan(&whose)); err != nil {
		return err
	}
	statements := []string{schema}
	if old > whose {
		statements = []string{unnamed, schema, named}
	}
	for _, s := range statements {
		if _, err := tx.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	if err := tx.QueryRowContext(ctx,
		"SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'observation'").Scan(&old); err != nil {
		return err
	}
	if old > 0 {
		if _, err := tx.ExecContext(ctx, older); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// OpenReader opens the file read-only; it may not exist yet.
func OpenReader(path string) (*Store, error) {
	db, err := sql.Open("sqlite", DSN(path, true))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(4)
	db.SetMaxIdleConns(4)
	return newStore(db), nil
}

// Close releases the file.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, stmt := range []*sql.Stmt{s.whole, s.one, s.measuresOf, s.epochs, s.described} {
		if stmt != nil {
			errs = append(errs, stmt.Close())
		}
	}
	return errors.Join(append(errs, s.db.Close())...)
}
