package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"maps"

	"sluice/store"
)

// Write stores observations in one transaction. Existing ones stay as they are, unless they
// are withdrawn now.
func (s *Store) Write(ctx context.Context, list []store.Observation) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after Commit it does nothing
	insert, err := tx.PrepareContext(ctx, "INSERT OR IGNORE INTO released VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)")
	if err != nil {
		return err
	}
	defer insert.Close()
	made := &numbers{tx: tx, of: make(map[series]int64)}
	defer made.close()
	for i := range list {
		o := &list[i]
		if o.Status == store.Withdrawn {
			if _, err := tx.ExecContext(ctx, "UPDATE released SET status = ?, reason = ?, value = NULL, low = NULL, "+
				"high = NULL WHERE stream = ? AND start = ? AND cell = ? AND measure = ? AND gateway = ?",
				o.Status, o.Reason, o.Stream, o.Start.UnixNano(), o.Cell, o.Measure, o.Gateway); err != nil {
				return err
			}
			continue
		}
		id, err := s.id(ctx, of(o), made)
		if err != nil {
			return err
		}
		if _, err := insert.ExecContext(ctx, o.Stream, o.Start.UnixNano(), o.Cell, o.Measure, o.End.UnixNano(), id,
			o.Status, o.Reason, o.Value, o.Low, o.High, o.Ledger, o.Gateway); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	if len(s.ids) > maxKnown {
		clear(s.ids)
	}
	maps.Copy(s.ids, made.of)
	return nil
}

// maxKnown bounds the cached series.
const maxKnown = 100_000

func of(o *store.Observation) series {
	return series{
		o.Stream, o.Cell, o.Measure, o.Every, o.Zone, o.Category, o.Unit, o.Decision, o.Policy, o.Mechanism,
		o.Epsilon, o.Scale, o.Threshold, o.Simulation,
	}
}

// numbers are of series that a transaction has come across, known to others when it is committed.
type numbers struct {
	tx     *sql.Tx
	of     map[series]int64
	insert *sql.Stmt // nil before the first that is not known
	find   *sql.Stmt
}

func (n *numbers) close() {
	for _, stmt := range []*sql.Stmt{n.insert, n.find} {
		if stmt != nil {
			_ = stmt.Close() // it ends with the transaction at the latest
		}
	}
}

// prepare prepares the statements: a first window has thousands of new series.
func (n *numbers) prepare(ctx context.Context) (err error) {
	if n.insert != nil {
		return nil
	}
	if n.find, err = n.tx.PrepareContext(ctx,
		"SELECT id FROM series WHERE ("+columns+") = (?,?,?,?,?,?,?,?,?,?,?,?,?,?)"); err != nil {
		return err
	}
	n.insert, err = n.tx.PrepareContext(ctx,
		"INSERT OR IGNORE INTO series ("+columns+") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?) RETURNING id")
	return err
}

// id returns the series' number, inserting it if necessary. The caller holds mu.
func (s *Store) id(ctx context.Context, x series, made *numbers) (int64, error) {
	if id, ok := s.ids[x]; ok {
		return id, nil
	}
	if id, ok := made.of[x]; ok {
		return id, nil
	}
	if err := made.prepare(ctx); err != nil {
		return 0, err
	}
	args := []any{x.stream, x.cell, x.measure, x.every, x.zone, x.category, x.unit, x.decision, x.policy, x.mechanism,
		x.epsilon, x.scale, x.threshold, x.simulation}
	var id int64
	err := made.insert.QueryRowContext(ctx, args...).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) { // it was there
		err = made.find.QueryRowContext(ctx, args...).Scan(&id)
	}
	if err == nil {
		made.of[x] = id
	}
	return id, err
}
