// Package ledger is one database with one transaction: the public book of
// privacy budget, the journal of what was released, the outbox of what the
// store has not got yet, and the policy versions that windows ran under.
//
// The file is SQLite with a write-ahead log and full synchronisation. A line of
// the budget book names the SHA-256 of the line before, so that a line cannot
// be changed or taken out without it showing.
//
// Several machines can have the same books: Share keeps each transaction in a Log first, and each
// machine's file follows it.
package ledger

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"sluice/books"
	"sluice/gateway/release"
	"sluice/store"
)

// Ledger is the open book of one gateway. It implements release.Book itself; whatever else
// is kept in its file has a type of its own, with the same database behind it.
type Ledger struct {
	*file
	maxBytes int64 // of the outbox

	Outbox   Outbox
	Asides   Asides
	Journal  Journal
	Policies Policies
	Removals Removals
	Months   Months
	Recovery Recovery
	Files    Files
}

// Outbox is what was released and has not reached the store, and for a while what has.
type Outbox struct{ *file }

// Asides are released numbers that the store has refused for good.
type Asides struct{ *file }

// Journal is which windows were released, and of which the store has lost the numbers.
type Journal struct{ *file }

// Policies are those that were in force, each since when.
type Policies struct{ *file }

// Removals are the public lines about numbers whose time is over.
type Removals struct{ *file }

// Months are the public lines about months that are final.
type Months struct{ *file }

// Recovery tells how far the books have come, and lets a ledger that was put back from a
// backup catch up with a copy that has come further.
type Recovery struct{ *file }

// Files are files of the public books that cannot be made again from the policy in force,
// such as what proves an earlier vote.
type Files struct{ *file }

// file is the database, one connection to it, and what all of its parts share.
type file struct {
	db      *sql.DB
	path    string
	gateway string
	changed chan struct{} // signalled, without blocking, after a commit
	shared  Log           // that machines share; nil where there is one machine
	lean    bool          // releases go to no store from here
	copy    bool          // of what the log has (see rejoin), or beside who follows with this file
	held    atomic.Value  // an apart: why this ledger does not follow the log
	// recovering is set by who recovers the books: nobody else writes until that is done.
	recovering bool

	following sync.Mutex // one goroutine at a time takes over what others wrote
	logged    *Ledger    // what the log has instead of what is here; nil for none; guarded by following
	judged    place      // of logged, when it was last compared; guarded by following
	verdict   error      // what came of that; nil for nothing yet; guarded by following

	mu      sync.Mutex
	through map[string]time.Time // each stream's last window's end, once asked for; guarded by mu
}

// newLedger is a ledger over a database.
func newLedger(f *file, maxBytes int64) *Ledger {
	return &Ledger{
		file: f, maxBytes: maxBytes, Outbox: Outbox{f}, Asides: Asides{f}, Journal: Journal{f}, Policies: Policies{f},
		Removals: Removals{f}, Months: Months{f}, Recovery: Recovery{f}, Files: Files{f},
	}
}

// ErrFull says that the outbox has reached its bound: the store must come back
// before anything more is released.
var ErrFull = errors.New("the outbox is full; bring the store back")

// Close closes the file.
func (l *Ledger) Close() error { return errors.Join(l.dropLogged(), l.db.Close()) }

func (l *file) signal() {
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// What a release and a start ask: each by a key or an index, whatever the books' age.
// TestPlans looks at that.
const (
	released = `SELECT EXISTS (SELECT 1 FROM journal WHERE stream = ? AND start = ?)
		OR EXISTS (SELECT 1 FROM journal WHERE policy = 'recovered' AND stream = ? AND stop > ?)`
	entered      = "SELECT n, kind, line FROM entry WHERE key = ?"
	spentOn      = "SELECT coalesce(sum(epsilon), 0) FROM entry WHERE day = ? AND unit = ? AND kind = 'reserve'"
	waitingBytes = "SELECT bytes FROM waiting"
	resume       = "SELECT stream, stop FROM through"
)

// Released reports whether the key is in the journal.
func (l *Ledger) Released(ctx context.Context, key release.Key) (done bool, err error) {
	at := key.Start.UnixNano()
	err = l.db.QueryRowContext(ctx, released, key.Stream, at, key.Stream, at).Scan(&done)
	return done, err
}

// Reserve implements release.Book. The key is (decision, plan digest, day) of
// this gateway; asking again returns the same line.
func (l *Ledger) Reserve(ctx context.Context, r release.Reservation) (release.Paid, error) {
	for _, amount := range []float64{r.Epsilon, r.Delta, r.Cap} {
		if math.IsNaN(amount) || math.IsInf(amount, 0) || amount < 0 {
			return release.Paid{}, errors.New("ledger: an amount is negative or not finite")
		}
	}
	tx, err := l.begin(ctx)
	if err != nil {
		return release.Paid{}, err
	}
	defer tx.Rollback() // after Commit it does nothing
	key := entryKey(r.Decision, r.Plan, r.Day)
	var n int64
	var kind, line string
	err = tx.QueryRowContext(ctx, entered, key).Scan(&n, &kind, &line)
	if err == nil {
		var e books.Entry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			return release.Paid{}, err
		}
		return release.Paid{Line: n, Method: max(1, e.Method)}, outcome(kind)
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return release.Paid{}, err
	}
	n, kind, err = l.enter(ctx, tx, key, r)
	if err != nil {
		return release.Paid{}, err
	}
	if err := tx.Commit(ctx); err != nil {
		return release.Paid{}, err
	}
	return release.Paid{Line: n, Method: max(1, r.Method)}, outcome(kind)
}

func outcome(kind string) error {
	if kind == "refuse" {
		return release.ErrSpent
	}
	return nil
}

func (l *Ledger) enter(ctx context.Context, tx *tx, key string, r release.Reservation) (int64, string, error) {
	var spent float64
	err := tx.QueryRowContext(ctx, spentOn, r.Day, r.Unit).Scan(&spent)
	if err != nil {
		return 0, "", err
	}
	n, prev, err := last(ctx, tx, "entry")
	if err != nil {
		return 0, "", err
	}
	e := books.Entry{
		N: n + 1, Day: r.Day, Gateway: l.gateway, Decision: r.Decision, Plan: r.Plan, Unit: r.Unit, Kind: "reserve",
		Epsilon: r.Epsilon, Delta: r.Delta, Cap: r.Cap, Left: max(0, r.Cap-spent-r.Epsilon),
		PrevSHA256: books.Hash(prev),
	}
	if r.Method > 1 { // what has none is of the first
		e.Method = r.Method
	}
	if spent+r.Epsilon > r.Cap*(1+1e-9) {
		e.Kind, e.Left = "refuse", max(0, r.Cap-spent)
	}
	line, err := json.Marshal(e)
	if err != nil {
		return 0, "", err
	}
	_, err = tx.ExecContext(ctx, insertEntry,
		e.N, key, e.Day, r.Unit, e.Kind, e.Epsilon, string(line))
	return e.N, e.Kind, err
}

// Commit implements release.Book: journal and outbox in one transaction. A key
// that is there already is left as it is.
func (l *Ledger) Commit(ctx context.Context, c release.Commit) error {
	rows := make([]store.Observation, len(c.Releases))
	for i, r := range c.Releases {
		rows[i] = r.Observation()
		rows[i].Gateway = l.gateway
	}
	raw, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(raw) // of all that a row says; the public line has store.Digest
	tx, err := l.begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after Commit it does nothing
	if err := l.checkRoom(ctx, tx, int64(len(raw))); err != nil {
		return err
	}
	done, err := tx.ExecContext(ctx, insertJournal,
		c.Key.Stream, c.Key.Start.UnixNano(), c.End.UnixNano(), c.Policy, hex.EncodeToString(sum[:]))
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return err
	}
	if _, err := tx.ExecContext(ctx, insertOutbox, c.Key.Stream,
		c.Key.Start.UnixNano(), string(raw)); err != nil {
		return err
	}
	if err := l.enterRelease(ctx, tx, c, rows); err != nil {
		return err
	}
	if err := gap(ctx, tx, c); err != nil {
		return err
	}
	if err := tx.Commit(ctx); err != nil {
		return err
	}
	l.mu.Lock()
	if l.through != nil && c.End.After(l.through[c.Key.Stream]) {
		l.through[c.Key.Stream] = c.End
	}
	l.mu.Unlock()
	l.signal()
	return nil
}

// enterRelease adds the window's line to the public book of releases.
func (l *Ledger) enterRelease(ctx context.Context, tx *tx, c release.Commit, rows []store.Observation) error {
	n, prev, err := last(ctx, tx, "released")
	if err != nil {
		return err
	}
	line, err := json.Marshal(books.Released{
		N: n + 1, Gateway: l.gateway, Stream: c.Key.Stream, Start: c.Key.Start, End: c.End, Policy: c.Policy,
		Plan:   c.Plan,
		Ledger: c.Ledger, Rows: len(rows), SHA256: store.Digest(rows), PrevSHA256: books.Hash(prev),
	})
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, insertReleased, n+1, string(line))
	return err
}

// last is the number and text of a book's last line; 0 and empty for none.
func last(ctx context.Context, q querier, table string) (n int64, line string, err error) {
	err = q.QueryRowContext(ctx, "SELECT n, line FROM "+table+" ORDER BY n DESC LIMIT 1").Scan(&n, &line)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, "", nil
	}
	return n, line, err
}

type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func gap(ctx context.Context, tx *tx, c release.Commit) error {
	if c.Gap == "" {
		return nil
	}
	line, err := json.Marshal(books.Gap{Stream: c.Key.Stream, Start: c.Key.Start, End: c.End, Reason: c.Gap})
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, insertGap, string(line))
	return err
}

func (l *Ledger) checkRoom(ctx context.Context, tx *tx, more int64) error {
	var bytes int64
	if err := tx.QueryRowContext(ctx, waitingBytes).Scan(&bytes); err != nil {
		return err
	}
	if bytes > 0 && bytes+more > l.maxBytes {
		return ErrFull
	}
	return nil
}

// Ping reports whether the book can be written.
func (l *Ledger) Ping(ctx context.Context) error {
	_, err := l.db.ExecContext(ctx, "UPDATE entry SET n = n WHERE n = 0")
	return err
}

func unixNano(n int64) time.Time { return time.Unix(0, n).UTC() }
