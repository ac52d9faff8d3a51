package sqlite

import (
	"context"
	"database/sql"
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
	made := make(map[series]int64) // known to others when they are committed
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
		id, err := s.id(ctx, tx, of(o), made)
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
	maps.Copy(s.ids, made)
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

// id returns the series' number, inserting it if necessary. The caller holds mu.
func (s *Store) id(ctx context.Context, tx *sql.Tx, x series, made map[series]int64) (int64, error) {
	if id, ok := s.ids[x]; ok {
		return id, nil
	}
	if id, ok := made[x]; ok {
		return id, nil
	}
	args := []any{x.stream, x.cell, x.measure, x.every, x.zone, x.category, x.unit, x.decision, x.policy, x.mechanism,
		x.epsilon, x.scale, x.threshold, x.simulation}
	if _, err := tx.ExecContext(ctx, "INSERT OR IGNORE INTO series ("+columns+") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
		args...); err != nil {
		return 0, err
	}
	var id int64
	err := tx.QueryRowContext(ctx, "SELECT id FROM series WHERE ("+columns+") = (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
		args...).Scan(&id)
	made[x] = id
	return id, err
}
