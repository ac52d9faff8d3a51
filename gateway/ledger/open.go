package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"sluice/perm"
	"sluice/store/sqlite"
)

// version is of the file's layout, kept as its user_version. Files of before that
// have 0 there.
const version = 1

// schema keeps the outbox's size beside it: whoever adds or removes a parcel, in
// whichever process, does not have to add up all that waits.
const schema = `
CREATE TABLE IF NOT EXISTS entry (
	n INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, day TEXT NOT NULL, unit TEXT NOT NULL,
	kind TEXT NOT NULL, epsilon REAL NOT NULL, line TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS entry_day ON entry (day, unit);
CREATE TABLE IF NOT EXISTS journal (
	stream TEXT NOT NULL, start INTEGER NOT NULL, stop INTEGER NOT NULL, policy TEXT NOT NULL, digest TEXT NOT NULL,
	PRIMARY KEY (stream, start)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS journal_stop ON journal (stream, stop);
CREATE TABLE IF NOT EXISTS released (n INTEGER PRIMARY KEY, line TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS withdrawal (n INTEGER PRIMARY KEY, line TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS outbox (
	seq INTEGER PRIMARY KEY AUTOINCREMENT, stream TEXT NOT NULL, start INTEGER NOT NULL, rows TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS waiting (one INTEGER PRIMARY KEY CHECK (one = 1), parcels INTEGER NOT NULL, bytes INTEGER NOT NULL);
INSERT INTO waiting SELECT 1, count(*), coalesce(sum(length(rows)), 0) FROM outbox HAVING NOT EXISTS (SELECT 1 FROM waiting);
CREATE TRIGGER IF NOT EXISTS outbox_more AFTER INSERT ON outbox BEGIN
	UPDATE waiting SET parcels = parcels + 1, bytes = bytes + length(new.rows); END;
CREATE TRIGGER IF NOT EXISTS outbox_less AFTER DELETE ON outbox BEGIN
	UPDATE waiting SET parcels = parcels - 1, bytes = bytes - length(old.rows); END;
CREATE TABLE IF NOT EXISTS policy (
	n INTEGER PRIMARY KEY AUTOINCREMENT, digest TEXT NOT NULL, since INTEGER NOT NULL, files BLOB NOT NULL, motion BLOB);
CREATE TABLE IF NOT EXISTS gap (n INTEGER PRIMARY KEY AUTOINCREMENT, line TEXT NOT NULL UNIQUE);`

// ErrDamaged says that the file is there and is not what was written to it.
var ErrDamaged = errors.New("it is damaged")

// errLater says that a later version of this program has written the file.
var errLater = errors.New("a later version of sluice wrote it; run that one, or restore the backup that was made before it (docs/operations.md)")

// wayBack is what to do about a damaged file.
const wayBack = "stop the gateway and restore the file from a backup, or move it out of the state directory together with its -wal and -shm; " +
	"then run sluice ledger recover (docs/operations.md, \"A damaged file\")"

// Open opens the ledger file of a gateway. The outbox holds at most maxBytes. A
// file that is damaged where one looks first gives ErrDamaged; Check looks everywhere.
func Open(ctx context.Context, path, gateway string, maxBytes int64) (*Ledger, error) {
	// The database's own files beside it take its mode.
	if _, err := perm.Touch(path, 0o600); err != nil {
		return nil, fmt.Errorf("opening ledger %s: %w", path, err)
	}
	db, err := sql.Open("sqlite", sqlite.DSN(path, false))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	l := &Ledger{db: db, path: path, gateway: gateway, maxBytes: maxBytes, changed: make(chan struct{}, 1)}
	if err := l.prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("opening ledger: %w", l.Explain(err)), db.Close())
	}
	return l, nil
}

// prepare brings the file to this version's layout and looks at the ends of its books.
func (l *Ledger) prepare(ctx context.Context) error {
	var found int
	if err := l.db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&found); err != nil {
		return err
	}
	if found > version {
		return fmt.Errorf("%s: %w", l.path, errLater)
	}
	if _, err := l.db.ExecContext(ctx, schema); err != nil {
		return err
	}
	if err := upgrade(ctx, l.db); err != nil {
		return err
	}
	if _, err := l.db.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", version)); err != nil {
		return err
	}
	return l.ends(ctx)
}

// upgrade adds what ledgers of earlier versions have not.
func upgrade(ctx context.Context, db *sql.DB) error {
	var n int
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM pragma_table_info('policy') WHERE name = 'motion'").Scan(&n); err != nil || n > 0 {
		return err
	}
	_, err := db.ExecContext(ctx, "ALTER TABLE policy ADD COLUMN motion BLOB")
	return err
}

// Explain names the file, and what to do, where an error says that it is damaged;
// other errors are left as they are.
func (l *Ledger) Explain(err error) error {
	if err == nil || !sqlite.Damaged(err) && !errors.Is(err, ErrDamaged) {
		return err
	}
	if errors.Is(err, ErrDamaged) {
		return fmt.Errorf("%s: %w; %s", l.path, err, wayBack)
	}
	return fmt.Errorf("%s: %w: %w; %s", l.path, ErrDamaged, err, wayBack)
}
