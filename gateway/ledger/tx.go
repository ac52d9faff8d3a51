package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// tx is a transaction. It changes the books by statements that are known, and notes them for the
// log that machines share.
type tx struct {
	*sql.Tx
	file    *file
	at      place // in the shared log
	barred  error // why the books that machines share cannot be changed; nil for no reason
	changes []effect
	changed bool                 // something, by one of them
	own     bool                 // something that is of this machine alone
	ready   map[string]*sql.Stmt // they end with the transaction
}

// begin begins a transaction.
func (l *file) begin(ctx context.Context) (*tx, error) {
	begun, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	t := &tx{Tx: begun, file: l, ready: make(map[string]*sql.Stmt)}
	if l.shared == nil {
		if err = notShared(ctx, begun); errors.Is(err, ErrShared) {
			t.barred, err = err, nil
		}
	} else if t.at, err = placeIn(ctx, begun); err == nil {
		t.barred, err = l.bar(ctx, begun)
	}
	if err != nil {
		return nil, errors.Join(err, begun.Rollback())
	}
	return t, nil
}

// bar says why nothing can be written into the books that machines share; nil where it can. What is of
// this machine alone goes on.
func (l *file) bar(ctx context.Context, q querier) (barred, err error) {
	if is, _ := l.held.Load().(apart); is.error != nil {
		return is.error, nil
	}
	if l.recovering {
		return nil, nil
	}
	half, err := ask(ctx, q, isUnfinished)
	if err == nil && half {
		return ErrHalted, nil
	}
	return nil, err
}

// exec is a transaction of one statement, which means the same whatever was written before.
func (l *file) exec(ctx context.Context, text string, args ...any) error {
	return l.again(ctx, func() error {
		t, err := l.begin(ctx)
		if err != nil {
			return err
		}
		defer t.Rollback() // after Commit it does nothing
		if _, err := t.ExecContext(ctx, text, args...); err != nil {
			return err
		}
		return t.Commit(ctx)
	})
}

// mostTries bounds how often something is tried that another machine has been faster than.
const mostTries = 20

// again does something again for as long as other machines write into the books first.
func (l *file) again(ctx context.Context, do func() error) (err error) {
	for range mostTries {
		if err = do(); !errors.Is(err, ErrOvertaken) || ctx.Err() != nil {
			return err
		}
	}
	return err
}

// ExecContext runs a statement, which is prepared once: an import runs the same hundreds of
// thousands of times.
func (t *tx) ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error) {
	if !known[text] {
		return nil, fmt.Errorf("%w: %.40s", errUnknown, text)
	}
	if t.barred != nil && !own[text] {
		return nil, t.barred
	}
	stmt := t.ready[text]
	if stmt == nil {
		var err error
		//nolint:sqlclosecheck // it ends with the transaction
		if stmt, err = t.PrepareContext(ctx, text); err != nil {
			return nil, err
		}
		t.ready[text] = stmt
	}
	done, err := stmt.ExecContext(ctx, args...)
	if err != nil || t.file.shared == nil {
		return done, err
	}
	if own[text] {
		t.own = true
		return done, nil
	}
	n, err := done.RowsAffected()
	if err != nil {
		return nil, err
	}
	t.changed = t.changed || n > 0
	c, err := newEffect(text, args)
	t.changes = append(t.changes, c)
	return done, err
}

// Commit makes the transaction durable: in the log that machines share first, where there is
// one, since only what is there counts, and then here. If it ends in between, Follow finds it.
func (t *tx) Commit(ctx context.Context) error {
	l := t.file
	switch {
	case l.shared == nil:
		return t.Tx.Commit()
	case !t.changed && t.own && len(t.changes) == 0:
		return t.Tx.Commit()
	case !t.changed:
		return t.Rollback() // even what SQLite ignores takes a number, which the others would not
	}
	body, err := encode(t.at, t.changes)
	if err != nil {
		return err
	}
	n, err := l.shared.Append(ctx, t.at.N, body)
	if errors.Is(err, ErrOvertaken) {
		return errors.Join(err, t.Rollback(), l.follow(ctx))
	}
	if err != nil {
		return fmt.Errorf("the books that machines share: %w", err)
	}
	if err := t.at.next(n, body).enter(ctx, t.Tx); err != nil {
		return err
	}
	return t.Tx.Commit()
}
