package ledger

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"database/sql/driver"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Log has the transactions of a ledger that several machines share, in one order. Each machine's
// file follows it.
type Log interface {
	// Append adds a transaction where the log ends at after, and returns where it ends then,
	// once most machines have it. Where others have added something since, nothing is added:
	// ErrOvertaken. After any other error it may be there or not.
	Append(ctx context.Context, after uint64, body []byte) (end uint64, err error)
	// Each hands over what is behind a place, in order, as far as it goes at the call. A
	// transaction's place is the end of the log with it as its last.
	Each(ctx context.Context, after uint64, f func(end uint64, body []byte) error) error
}

var (
	// ErrOvertaken says that another machine has written into the books first. What was to be
	// written is not; this ledger has what the other wrote, and who wants to looks again.
	ErrOvertaken = errors.New("another machine has written into the books first")
	// ErrShorter says that the log lacks what this ledger has of it: see rejoin.
	ErrShorter = errors.New("the books that machines share have come back shorter than this ledger, or are others")
	// ErrOtherBooks says that the log continues other books than these.
	ErrOtherBooks = errors.New("this ledger is not the one that the books which machines share continue; copy " +
		"ledger.db from a machine that has them, while no sluice runs there")

	// ErrShared says that the ledger follows a log that machines share, so that nobody can write into it
	// who does not write there.
	ErrShared = errors.New("this ledger follows the books of a cluster: only a gateway with cluster: in gateway.yaml " +
		"writes into it")

	// errMoved says that another process has followed with the same file meanwhile.
	errMoved = errors.New("another process has written into this ledger meanwhile")

	errUnknown = errors.New("a later version of sluice has written into the books that machines share, or they are " +
		"damaged: this one does not know the statement")
)

const sharedSchema = `
CREATE TABLE IF NOT EXISTS shared (id INTEGER PRIMARY KEY CHECK (id = 0),
	before INTEGER NOT NULL, n INTEGER NOT NULL, sha256 TEXT NOT NULL);`

// place is how far this file has come in the shared log: its end with the last transaction that
// is here and without it, and what that says. Of a file that has none, the digest is of its books.
type place struct {
	Before, N uint64
	SHA256    string
}

// transaction is one in the log.
type transaction struct {
	Prev    string   `json:"prev_sha256"` // the place's digest before it
	Changes []effect `json:"changes"`
}

// effect is one statement.
type effect struct {
	Text string  `json:"text"`
	Args []value `json:"args,omitempty"`
}

// value is an argument, of one of SQLite's types; NULL where none is there.
type value struct {
	Int   *int64   `json:"int,omitempty"`
	Real  *float64 `json:"real,omitempty"`
	Text  *string  `json:"text,omitempty"`
	Bytes *[]byte  `json:"bytes,omitempty"`
}

func newEffect(text string, args []any) (effect, error) {
	c := effect{Text: text, Args: make([]value, len(args))}
	for i, arg := range args {
		plain, err := driver.DefaultParameterConverter.ConvertValue(arg)
		if err != nil {
			return c, err
		}
		switch v := plain.(type) {
		case nil:
		case int64:
			c.Args[i].Int = &v
		case float64:
			c.Args[i].Real = &v
		case string:
			c.Args[i].Text = &v
		case []byte:
			if v != nil {
				v = bytes.Clone(v)
				c.Args[i].Bytes = &v
			}
		default:
			return c, fmt.Errorf("ledger: an argument is a %T", plain)
		}
	}
	return c, nil
}

// plain is what the database takes.
func (v value) plain() any {
	switch {
	case v.Int != nil:
		return *v.Int
	case v.Real != nil:
		return *v.Real
	case v.Text != nil:
		return *v.Text
	case v.Bytes != nil:
		return *v.Bytes
	}
	return nil
}

// plain are the arguments as the database takes them.
func (c effect) plain() []any {
	args := make([]any, len(c.Args))
	for i, v := range c.Args {
		args[i] = v.plain()
	}
	return args
}

func encode(at place, changes []effect) ([]byte, error) {
	return json.Marshal(transaction{Prev: at.SHA256, Changes: changes})
}

// next is the place behind a transaction.
func (p place) next(end uint64, body []byte) place {
	sum := sha256.Sum256(body)
	return place{Before: p.N, N: end, SHA256: hex.EncodeToString(sum[:])}
}

func (p place) enter(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO shared (id, before, n, sha256) VALUES (0,?,?,?)",
		int64(p.Before), int64(p.N), p.SHA256)
	return err
}

// notShared refuses a file that follows a log.
func notShared(ctx context.Context, q querier) error {
	follows, err := ask(ctx, q, "SELECT EXISTS (SELECT 1 FROM shared WHERE n > 0)")
	if err == nil && follows {
		err = ErrShared
	}
	return cmp.Or(err, notMoving(ctx, q))
}

// notMoving refuses a file whose books are on their way into a log, or have not all come from there.
func notMoving(ctx context.Context, q querier) error {
	moving, err := ask(ctx, q, "SELECT EXISTS (SELECT 1 FROM moving)")
	if err == nil && moving {
		return ErrMoving
	}
	return err
}

// ask is the answer to a question of yes and no.
func ask(ctx context.Context, q querier, question string) (yes bool, err error) {
	err = q.QueryRowContext(ctx, question).Scan(&yes)
	return yes, err
}

// placeIn is how far a file has come.
func placeIn(ctx context.Context, q querier) (p place, err error) {
	err = q.QueryRowContext(ctx, "SELECT before, n, sha256 FROM shared").Scan(&p.Before, &p.N, &p.SHA256)
	if !errors.Is(err, sql.ErrNoRows) {
		return p, err
	}
	ends := slices.Clone(noLines)
	for i := range ends {
		e := &ends[i]
		if e.n, e.line, err = last(ctx, q, e.table); err != nil {
			return p, err
		}
	}
	var policies string
	const all = "SELECT coalesce(group_concat(digest || ' ' || since), '') FROM (SELECT * FROM policy ORDER BY n)"
	if err := q.QueryRowContext(ctx, all).Scan(&policies); err != nil {
		return p, err
	}
	return placeOf(ends, policies), nil
}

// end is how a table of lines ends.
type end struct {
	table string
	n     int64
	line  string
}

// noLines are the ends of a file that is new.
var noLines = []end{
	{table: "entry"}, {table: "released"}, {table: "withdrawal"}, {table: "removal"}, {table: "archived"},
	{table: "gap"},
}

// placeOf is that of a file that has come nowhere in a log, by the ends of its tables and its policies.
func placeOf(ends []end, policies string) place {
	sum := sha256.New()
	for _, e := range ends {
		fmt.Fprintf(sum, "%s %d %q\n", e.table, e.n, e.line)
	}
	fmt.Fprintf(sum, "policy %q\n", policies)
	return place{SHA256: hex.EncodeToString(sum.Sum(nil))}
}

// Share has the ledger share its books with other machines from now on, through their log. It
// takes over first what others have written. It is called before anything else is. What goes to the
// store goes there from each machine; a lean ledger is that of one that has none. Where the log lacks
// what is here, the ledger opens and is held: Held says so, and only Recovery.Restore writes into it.
func (l *Ledger) Share(ctx context.Context, log Log, lean bool) error {
	l.shared, l.lean = log, lean
	if err := removeFile(l.path + loggedName); err != nil { // of a process that was killed
		return l.wrap(err)
	}
	if err := l.follow(ctx); err != nil && !errors.Is(err, ErrHeld) {
		return l.wrap(err)
	}
	if err := notMoving(ctx, l.db); err != nil {
		return l.wrap(err)
	}
	var whose string
	err := l.db.QueryRowContext(ctx, "SELECT coalesce(json_extract(line, '$.gateway'), '') FROM released "+
		"ORDER BY n DESC LIMIT 1").Scan(&whose)
	if errors.Is(err, sql.ErrNoRows) || err == nil && (whose == "" || whose == l.gateway) {
		return nil
	}
	if err == nil {
		err = fmt.Errorf("the books that machines share are those of gateway %s, and this one is called %s: give all "+
			"machines the same name (gateway: in gateway.yaml)", whose, l.gateway)
	}
	return l.wrap(err)
}

// ShareBeside is Share for a verb beside a gateway that runs with the same file: what the log lacks
// is that one's to say, and here it is ErrShorter.
func ShareBeside(ctx context.Context, l *Ledger, log Log) error {
	l.shared, l.copy = log, true
	return l.wrap(l.follow(ctx))
}

// Alone is nil where the ledger is one gateway's, ErrShared where it follows the books of several machines, and
// ErrMoving where it is on its way from the one to the other.
func (l Recovery) Alone(ctx context.Context) error { return l.wrap(notShared(ctx, l.db)) }

// Follow takes over what other machines have written since. Where the log lacks what is here, it is
// ErrHeld, or ErrLeft.
func (l *Ledger) Follow(ctx context.Context) error { return l.wrap(l.follow(ctx)) }

func (l *file) follow(ctx context.Context) error {
	l.following.Lock()
	defer l.following.Unlock()
	err := l.catchUp(ctx)
	for range mostTries { // as a verb does beside a gateway
		if !errors.Is(err, errMoved) {
			break
		}
		err = l.catchUp(ctx)
	}
	if errors.Is(err, ErrShorter) && !l.copy {
		err = l.rejoin(ctx)
	}
	if err == nil || errors.Is(err, ErrShorter) {
		l.held.Store(apart{err})
	}
	return err
}

// catchUp takes over what is in the log behind this file's place.
func (l *file) catchUp(ctx context.Context) error {
	at, err := placeIn(ctx, l.db)
	if err != nil {
		return err
	}
	// The last one that is here comes again, since that it is the same one there says that all
	// before are.
	seen := at.N == 0
	err = l.shared.Each(ctx, at.Before, func(end uint64, body []byte) error {
		if !seen {
			if seen = (place{}).next(end, body).SHA256 == at.SHA256 && end == at.N; !seen {
				return ErrShorter
			}
			return nil
		}
		next := at.next(end, body)
		if err := l.take(ctx, at, next, body); err != nil {
			return err
		}
		at = next
		return nil
	})
	if err == nil && !seen {
		return ErrShorter
	}
	return err
}

// take makes another machine's transaction this file's.
func (l *file) take(ctx context.Context, at, next place, body []byte) error {
	var s transaction
	if err := json.Unmarshal(body, &s); err != nil {
		return errUnknown
	}
	if s.Prev != at.SHA256 {
		return ErrOtherBooks
	}
	begun, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer begun.Rollback() // after Commit it does nothing
	if is, err := placeIn(ctx, begun); err != nil || is != at {
		return cmp.Or(err, errMoved)
	}
	for _, c := range s.Changes {
		if !known[c.Text] || own[c.Text] {
			return errUnknown
		}
		if l.lean && delivery[c.Text] {
			continue
		}
		if _, err := begun.ExecContext(ctx, c.Text, c.plain()...); err != nil {
			return err
		}
	}
	if err := next.enter(ctx, begun); err != nil {
		return err
	}
	if err := begun.Commit(); err != nil {
		return err
	}
	l.forgetThrough()
	l.signal()
	return nil
}
