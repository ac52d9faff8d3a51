package sqlite

import (
	"context"
	"strings"
	"time"
)

// Remove deletes at most so many rows of a stream that were released under a decision by one
// of the gateways, of windows that ended at or before an instant, and says how many it was.
// Their bytes in the file are overwritten, see secure.
func (s *Store) Remove(ctx context.Context, stream, decision string, gateways []string, until time.Time, most int) (
	int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	args := []any{stream, until.UnixNano(), stream, decision, ""}
	for _, name := range gateways {
		args = append(args, name)
	}
	done, err := s.db.ExecContext(ctx, "DELETE FROM released WHERE (stream, start, cell, measure, gateway) IN ("+
		"SELECT stream, start, cell, measure, gateway FROM released WHERE stream = ? AND stop <= ? AND series IN ("+
		"SELECT id FROM series WHERE stream = ? AND decision = ?) AND gateway IN (?"+
		strings.Repeat(",?", len(gateways))+") LIMIT ?)", append(args, most)...)
	if err != nil {
		return 0, err
	}
	n, err := done.RowsAffected()
	return int(n), err
}
