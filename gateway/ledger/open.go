package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"sluice/books"
	"sluice/perm"
	"sluice/store/sqlite"
)

// The file says what it is, https://www.sqlite.org/fileformat.html. A number of
// the layout that is later than ours is a later version's.
const (
	applicationID = 0x534c4c47 // "SLLG"
	layout        = 1          // 0 is that of versions that did not say
	magic         = "SQLite format 3\x00"
)

const schema = `
CREATE TABLE IF NOT EXISTS entry (
	n INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, day TEXT NOT NULL, unit TEXT NOT NULL,
	kind TEXT NOT NULL, epsilon REAL NOT NULL, line TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS journal (
	stream TEXT NOT NULL, start INTEGER NOT NULL, stop INTEGER NOT NULL, policy TEXT NOT NULL, digest TEXT NOT NULL,
	PRIMARY KEY (stream, start)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS released (n INTEGER PRIMARY KEY, line TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS withdrawal (n INTEGER PRIMARY KEY, line TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS outbox (
	seq INTEGER PRIMARY KEY AUTOINCREMENT, stream TEXT NOT NULL, start INTEGER NOT NULL, rows TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS policy (
	n INTEGER PRIMARY KEY AUTOINCREMENT, digest TEXT NOT NULL, since INTEGER NOT NULL, files BLOB NOT NULL,
	motion BLOB);
CREATE TABLE IF NOT EXISTS unfinished (one INTEGER PRIMARY KEY CHECK (one = 1));
CREATE TABLE IF NOT EXISTS gap (n INTEGER PRIMARY KEY AUTOINCREMENT, line TEXT NOT NULL UNIQUE);` + sentSchema

// derived is what follows from the tables above and is kept beside them, so that a
// release and a start cost the same after years as on the first day. Triggers keep
// it, in the transaction of whoever writes: a withdrawal is another process's.
const derived = `
CREATE INDEX entry_day ON entry (day, unit);
CREATE INDEX journal_recovered ON journal (stream, stop) WHERE policy = 'recovered';
CREATE TABLE waiting (id INTEGER PRIMARY KEY CHECK (id = 0), parcels INTEGER NOT NULL, bytes INTEGER NOT NULL);
INSERT INTO waiting SELECT 0, count(*), coalesce(sum(octet_length(rows)), 0) FROM outbox;
CREATE TRIGGER outbox_in AFTER INSERT ON outbox BEGIN
	UPDATE waiting SET parcels = parcels + 1, bytes = bytes + octet_length(NEW.rows); END;
CREATE TRIGGER outbox_out AFTER DELETE ON outbox BEGIN
	UPDATE waiting SET parcels = parcels - 1, bytes = bytes - octet_length(OLD.rows); END;
CREATE TABLE through (stream TEXT PRIMARY KEY, stop INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO through SELECT stream, max(stop) FROM journal GROUP BY stream;
CREATE TRIGGER journal_in AFTER INSERT ON journal BEGIN
	INSERT INTO through SELECT NEW.stream, NEW.stop WHERE NOT EXISTS (SELECT 1 FROM through WHERE stream = NEW.stream);
	UPDATE through SET stop = NEW.stop WHERE stream = NEW.stream AND stop < NEW.stop; END;
CREATE TABLE kept (name TEXT PRIMARY KEY, raw BLOB NOT NULL) WITHOUT ROWID;`

// Damaged says that the file cannot be believed. Nothing was changed in it.
type Damaged struct {
	Path string
	What string // is wrong with it
	Err  error  // of the database; nil where we saw it ourselves
}

func (d *Damaged) Error() string {
	text := d.Path + " " + d.What
	if d.Err != nil {
		text += " (" + d.Err.Error() + ")"
	}
	return text + "; move it away with its -wal and -shm, put a backup there if there is one, and run sluice ledger " +
		"recover -c FILE (docs/operations.md)"
}

func (d *Damaged) Unwrap() error { return d.Err }

// Open opens the ledger file of a gateway. The outbox holds at most maxBytes. A file
// that is damaged as far as can be seen quickly is *Damaged; Check looks at all of it.
func Open(ctx context.Context, path, gateway string, maxBytes int64) (*Ledger, error) {
	if err := checkHeader(path); err != nil {
		return nil, err
	}
	// The database's own files beside it take its mode.
	if _, err := perm.Touch(path, 0o600); err != nil {
		return nil, fmt.Errorf("opening ledger %s: %w", path, err)
	}
	db, err := sql.Open("sqlite", sqlite.DSN(path, false))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	l := newLedger(&file{db: db, path: path, gateway: gateway, changed: make(chan struct{}, 1)}, maxBytes)
	if err = l.upgrade(ctx); err == nil {
		// a file of this layout may be older than these
		_, err = db.ExecContext(ctx, asideSchema+removalSchema+archivedSchema+namesSchema+sharedSchema+movingSchema)
	}
	if err == nil {
		err = l.enterName(ctx)
	}
	for _, table := range []string{"entry", "released"} {
		if err == nil {
			err = l.checkEnd(ctx, table)
		}
	}
	if err != nil {
		return nil, errors.Join(l.wrap(err), db.Close())
	}
	return l, nil
}

// wrap is an error of the database with the file's name and, where it is damaged,
// the way back.
func (l *file) wrap(err error) error {
	var known *Damaged
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case sqlite.IsDamaged(err):
		return &Damaged{l.path, "is damaged", err}
	}
	return fmt.Errorf("ledger %s: %w", l.path, err)
}

// checkHeader judges the file before the database opens it, which would make a new one of
// what is missing and throw away the log beside it.
func checkHeader(path string) error {
	f, err := os.Open(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("opening ledger %s: %w", path, err)
	}
	var head [len(magic)]byte
	n := 0
	if err == nil {
		n, err = io.ReadFull(f, head[:])
		if err = errors.Join(unlessEnd(err), f.Close()); err != nil {
			return fmt.Errorf("opening ledger %s: %w", path, err)
		}
	}
	if n == 0 {
		if wal, err := os.Stat(path + "-wal"); err == nil && wal.Size() > 0 {
			return &Damaged{path, "is missing or empty, and its log is there", nil}
		}
		return nil // new, or as good as new: trust asks whether another one was here
	}
	if string(head[:n]) != magic {
		return &Damaged{path, "is not a database", nil}
	}
	return nil
}

func unlessEnd(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

// IsNew reports whether there is no ledger at a path yet, or an empty file that a
// start has left which was stopped at once.
func IsNew(path string) bool {
	info, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0
}

// upgrade makes a new file, or moves one of an earlier version, in one transaction.
func (l *Ledger) upgrade(ctx context.Context) error {
	var id, version int64
	const ask = "SELECT application_id, user_version FROM pragma_application_id, pragma_user_version"
	if err := l.db.QueryRowContext(ctx, ask).Scan(&id, &version); err != nil {
		return err
	}
	switch {
	case id != 0 && id != applicationID:
		return &Damaged{l.path, "is the database of another program", nil}
	case version > layout:
		return fmt.Errorf("it was written by a later version of sluice (layout %d, this one knows %d); run that "+
			"version, or a later one", version, layout)
	}
	tx, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after Commit it does nothing
	if version == layout {
		return l.checkTables(ctx, tx)
	}
	if _, err := tx.ExecContext(ctx, schema); err != nil {
		return err
	}
	var motion int
	if err := tx.QueryRowContext(ctx,
		"SELECT count(*) FROM pragma_table_info('policy') WHERE name = 'motion'").Scan(&motion); err != nil {
		return err
	}
	if motion == 0 {
		if _, err := tx.ExecContext(ctx, "ALTER TABLE policy ADD COLUMN motion BLOB"); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, derived+
		fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d;", applicationID, layout)); err != nil {
		return err
	}
	return tx.Commit()
}

// checkTables refuses a file that lacks one of our tables: it would be taken for empty.
func (l *Ledger) checkTables(ctx context.Context, q querier) error {
	var n int
	tables := []string{"entry", "journal", "released", "withdrawal", "outbox", "policy", "gap", "waiting", "through",
		"kept", "outbox_in", "outbox_out", "journal_in"}
	err := q.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema WHERE name IN ('"+strings.Join(tables, "','")+
		"')").Scan(&n)
	if err == nil && n != len(tables) {
		return &Damaged{l.path, "lacks tables", nil}
	}
	return err
}

// tailLines is how many of a book's last lines a start looks at.
const tailLines = 256

// checkEnd looks whether the last lines of a book follow one from the other, which
// they do not in a file whose parts are of different times.
func (l *Ledger) checkEnd(ctx context.Context, table string) error {
	end, _, err := last(ctx, l.db, table)
	if err != nil {
		return err
	}
	from := max(0, end-tailLines)
	c := books.Chained{Name: table + " in " + l.path}
	if from > 0 {
		var before string
		err := l.db.QueryRowContext(ctx, "SELECT line FROM "+table+" WHERE n = ?", from).Scan(&before)
		if errors.Is(err, sql.ErrNoRows) {
			return &Damaged{l.path, "lacks lines of " + table, nil}
		}
		if err != nil {
			return err
		}
		c.After(from, before)
	}
	lines, _, err := l.lines(ctx, table, from, tailLines)
	if err != nil {
		return err
	}
	for _, line := range lines {
		if err := c.Next(line); err != nil {
			return &Damaged{l.path, "is damaged", err}
		}
	}
	if int64(len(lines)) != end-from {
		return &Damaged{l.path, "lacks lines of " + table, nil}
	}
	return nil
}

// Examine is Check for a file that nobody need have open. It changes nothing; a file that
// is not there has nothing wrong with it.
func Examine(ctx context.Context, path string) error {
	if err := checkHeader(path); err != nil {
		return err
	}
	if _, err := os.Stat(path); err != nil {
		return unlessAbsent(err)
	}
	return newLedger(&file{path: path}, 0).Check(ctx)
}

func unlessAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Check reads the whole file, by a connection of its own that only reads, and looks
// whether it is sound and its books are unbroken; *Damaged where not. It takes
// seconds for hundreds of megabytes, and keeps nobody from writing meanwhile.
func (l *Ledger) Check(ctx context.Context) error {
	db, err := sql.Open("sqlite", sqlite.DSN(l.path, true))
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	var said string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&said); err != nil {
		return l.wrap(err)
	}
	if said != "ok" {
		return &Damaged{l.path, "is damaged", errors.New(said)}
	}
	for _, table := range []string{"entry", "released"} {
		if err := l.checkChain(ctx, db, table); err != nil {
			return err
		}
	}
	var entered, journal int64
	err = db.QueryRowContext(ctx,
		"SELECT (SELECT count(*) FROM released), (SELECT count(*) FROM journal)").Scan(&entered, &journal)
	if err == nil && entered > journal {
		return &Damaged{l.path, "has released windows that its journal has not", nil}
	}
	return l.wrap(err)
}

// checkChain follows a whole book.
func (l *Ledger) checkChain(ctx context.Context, db *sql.DB, table string) error {
	rows, err := db.QueryContext(ctx, "SELECT line FROM "+table+" ORDER BY n")
	if err != nil {
		return l.wrap(err)
	}
	defer rows.Close()
	c := books.Chained{Name: table}
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return l.wrap(err)
		}
		if err := c.Next(line); err != nil {
			return &Damaged{l.path, "is damaged", err}
		}
	}
	return l.wrap(rows.Err())
}
