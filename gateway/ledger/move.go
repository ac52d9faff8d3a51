package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
)

// movingSchema marks a ledger that goes from a gateway that ran alone to a cluster, and is not there yet: it is that
// gateway's no more, and no machine's of the cluster.
const movingSchema = "CREATE TABLE IF NOT EXISTS moving (one INTEGER PRIMARY KEY CHECK (one = 1));"

const (
	beginMove = "INSERT OR IGNORE INTO moving VALUES (1)"
	endMove   = "DELETE FROM moving"
)

var (
	// ErrMoving says that nothing may be released from these books, or be entered, before they are where they go.
	ErrMoving = errors.New("these books are on their way into a cluster: run sluice cluster move -c FILE again, on " +
		"the machine whose directory they come from, until it says that it is done")
	// ErrOccupied says that the log has books already, and not the first of these.
	ErrOccupied = errors.New("the cluster's books are not empty: a city moves into one that has never had a gateway. " +
		"Stop all gateways, stop the three servers, remove their stores (store_dir) and what other gateways of the " +
		"cluster have in dir and keys, start the servers, and move again")
	errRecovering = errors.New("a recovery of this ledger has not come to its end: run sluice ledger recover -c FILE " +
		"with the gateway's configuration of before, which has no section cluster, and then move")
)

// pourBytes is how long a transaction grows, about, before the next one begins.
const pourBytes = 4 << 20

// poured are the rows that others need, in the order in which they get them, by the statement that enters one. What
// is a machine's own is not among them: what the store has refused, and how far it is. Of what the store has got there
// is what is kept, for the stores of others.
var poured = []struct{ query, text string }{
	{"SELECT gateway FROM named ORDER BY gateway", insertName},
	{"SELECT name, raw FROM kept ORDER BY name", putFile},
	{"SELECT n, key, day, unit, kind, epsilon, line FROM entry ORDER BY n", insertEntry},
	{"SELECT stream, start, stop, policy, digest FROM journal ORDER BY start, stream", insertJournal},
	{"SELECT n, line FROM released ORDER BY n", insertReleased},
	{"SELECT n, line FROM withdrawal ORDER BY n", insertWithdrawal},
	{"SELECT n, stream, start, line FROM archived ORDER BY n", insertMonth},
	{"SELECT n, line FROM removal ORDER BY n", insertRemoval},
	{"SELECT line FROM gap ORDER BY n", insertGap},
	{"SELECT stream, start, rows FROM sent ORDER BY seq", insertOutbox},
	{"SELECT stream, start, rows FROM outbox ORDER BY seq", insertOutbox},
}

// policiesLast are poured with the end of the move: without a policy no machine counts or releases anything.
const policiesLast = "SELECT digest, since, files, motion FROM policy ORDER BY n"

// Move makes these books those of machines whose log is empty, from the first transaction on, so that a machine whose
// ledger is empty has them as if it had been there all the time. Before the last one, which has the policies, it calls
// windows: what must be there before anybody counts. From the first moment on the file is no gateway's that runs
// alone. What has ended in the middle is gone on with: the file does not change meanwhile, so that what is in the log
// is known again by its bytes.
func (l Recovery) Move(ctx context.Context, log Log, windows func(ctx context.Context) error) error {
	return l.wrap(l.move(ctx, log, windows))
}

func (l *file) move(ctx context.Context, log Log, windows func(ctx context.Context) error) error {
	recovering, err := ask(ctx, l.db, isUnfinished)
	if err != nil {
		return err
	}
	if recovering {
		return errRecovering
	}
	p := pour{file: l, log: log, at: emptyPlace()}
	if err := log.Each(ctx, 0, func(end uint64, body []byte) error {
		p.there = append(p.there, p.latest().next(end, body))
		return nil
	}); err != nil {
		return err
	}
	if len(p.there) > 0 {
		if err := p.check(ctx); err != nil {
			return err
		}
	}
	if _, err := l.db.ExecContext(ctx, beginMove); err != nil {
		return err
	}
	if err := p.all(ctx, windows); err != nil {
		return err
	}
	tx, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after Commit it does nothing
	if err := p.at.enter(ctx, tx); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, endMove); err != nil {
		return err
	}
	return tx.Commit()
}

// pour writes a file's rows into a log, behind those that are there.
type pour struct {
	*file
	log   Log
	at    place
	there []place // of the transactions that the log has
	n     int     // of those that have been poured, or were there

	changes []effect
	bytes   int
}

// emptyPlace is that of a file that is new.
func emptyPlace() place { return placeOf(noLines, "") }

// latest is the place behind all that are there.
func (p *pour) latest() place {
	if len(p.there) == 0 {
		return emptyPlace()
	}
	return p.there[len(p.there)-1]
}

// check refuses a log that has something of which this file knows nothing: it is no move of this one that has begun.
func (p *pour) check(ctx context.Context) error {
	err := notMoving(ctx, p.db)
	if errors.Is(err, ErrMoving) {
		return nil
	}
	return cmp.Or(err, ErrOccupied)
}

func (p *pour) all(ctx context.Context, windows func(ctx context.Context) error) error {
	if err := p.add(ctx, beginMove, nil); err != nil {
		return err
	}
	for _, rows := range poured {
		do := func(args []any) error { return p.add(ctx, rows.text, args) }
		if err := p.each(ctx, rows.query, do); err != nil {
			return err
		}
	}
	if err := p.flush(ctx); err != nil {
		return err
	}
	if p.n == len(p.there) {
		if err := windows(ctx); err != nil {
			return err
		}
	}
	return p.policies(ctx) // behind which a machine may have gone on already
}

// policies pours those in one transaction with the end.
func (p *pour) policies(ctx context.Context) error {
	err := p.each(ctx, policiesLast, func(args []any) error {
		c, err := newEffect(insertPolicy, args)
		p.changes = append(p.changes, c)
		return err
	})
	if err != nil {
		return err
	}
	p.changes = append(p.changes, effect{Text: endMove})
	return p.flush(ctx)
}

// each hands over each row of what a query answers, as the arguments of a statement. Meanwhile nobody else asks the
// file, to which there is one connection.
func (p *pour) each(ctx context.Context, query string, do func(args []any) error) error {
	rows, err := p.db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	for rows.Next() {
		args, to := make([]any, len(columns)), make([]any, len(columns))
		for i := range args {
			to[i] = &args[i]
		}
		if err := rows.Scan(to...); err != nil {
			return err
		}
		if err := do(args); err != nil {
			return err
		}
	}
	return rows.Err()
}

// add adds a row, and pours what has been gathered when it is enough.
func (p *pour) add(ctx context.Context, text string, args []any) error {
	c, err := newEffect(text, args)
	if err != nil {
		return err
	}
	p.changes = append(p.changes, c)
	p.bytes += len(text) + c.size()
	if p.bytes < pourBytes {
		return nil
	}
	return p.flush(ctx)
}

// size is about how long it is.
func (c effect) size() (bytes int) {
	for _, v := range c.Args {
		bytes += 20
		if v.Text != nil {
			bytes += len(*v.Text)
		}
		if v.Bytes != nil {
			bytes += 4 * len(*v.Bytes) / 3
		}
	}
	return bytes
}

// flush pours what has been gathered, unless it is there: then it must be the same.
func (p *pour) flush(ctx context.Context) error {
	if len(p.changes) == 0 {
		return nil
	}
	body, err := encode(p.at, p.changes)
	if err != nil {
		return err
	}
	p.changes, p.bytes = nil, 0
	if p.n < len(p.there) {
		is := p.there[p.n]
		if p.at.next(is.N, body) != is {
			return ErrOccupied
		}
		p.at = is
		p.n++
		return nil
	}
	end, err := p.log.Append(ctx, p.at.N, body)
	if errors.Is(err, ErrOvertaken) {
		return ErrOccupied
	}
	if err != nil {
		return fmt.Errorf("the books that machines share: %w", err)
	}
	p.at = p.at.next(end, body)
	p.there = append(p.there, p.at)
	p.n++
	return nil
}
