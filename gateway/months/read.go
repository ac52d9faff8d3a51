package months

import (
	"context"
	"maps"
	"slices"
	"time"

	"sluice/books"
	"sluice/store"
	"sluice/store/table"
)

// read reads a month's windows from the store, one at a time, holds each against its line,
// and adds up the digest of all.
func (c *Closer) read(ctx context.Context, a *books.Archived, hidden []books.Withdrawal, loc *time.Location) error {
	lines, err := c.ledger.Months.Released(ctx, a.Stream, a.From, a.To)
	if err != nil {
		return err
	}
	names, err := c.ledger.Names(ctx)
	if err != nil {
		return err
	}
	lost, err := c.ledger.Journal.Lost(ctx)
	if err != nil {
		return err
	}
	sum, had := table.NewDigest(loc), make(map[string]bool)
	for i := range lines {
		line := &lines[i]
		rows, err := c.store.Observations(ctx, store.Query{Stream: a.Stream, From: line.Start,
			To: line.Start.Add(time.Nanosecond), Gateways: names, Which: store.Both, Limit: line.Rows + 1})
		if err != nil {
			return err
		}
		if len(rows) == 0 && isLost(lost, line) {
			continue
		}
		if what := differs(line, rows, hidden); what != "" {
			return &unlike{line.Start, what}
		}
		for j := range rows {
			had[rows[j].Gateway] = true
			if err := sum.Write(&rows[j]); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(rest):
		}
	}
	delete(had, "") // rows of before do not say whose they are
	a.Names = slices.Sorted(maps.Keys(had))
	a.Rows, a.SHA256, err = sum.Sum()
	return err
}

// isLost reports whether gaps say that the store has lost a window.
func isLost(lost []books.Gap, line *books.Released) bool {
	return slices.ContainsFunc(lost, func(g books.Gap) bool {
		return g.Stream == line.Stream && !line.Start.Before(g.Start) && line.Start.Before(g.End)
	})
}

// differs says what a window in the store has that was not released; empty for nothing.
// Of one of which something was withdrawn the digest cannot be told any more: then exactly
// what was withdrawn has no number.
func differs(line *books.Released, rows []store.Observation, hidden []books.Withdrawal) string {
	if len(rows) != line.Rows {
		return "has not all rows, or more"
	}
	own := slices.DeleteFunc(slices.Clone(hidden), func(w books.Withdrawal) bool { return !w.Start.Equal(line.Start) })
	if len(own) == 0 {
		if store.Digest(rows) != line.SHA256 {
			return "has other numbers than were released"
		}
		return ""
	}
	for i := range rows {
		o := &rows[i]
		named := slices.ContainsFunc(own, func(w books.Withdrawal) bool {
			return (w.Cell == "" || w.Cell == o.Cell) && (w.Measure == "" || w.Measure == o.Measure)
		})
		if named != (o.Status == store.Withdrawn) {
			return "shows what was withdrawn, or hides what was not"
		}
	}
	return ""
}
