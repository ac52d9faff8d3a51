package store

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// Window is what a gateway has released at once: so many rows.
type Window struct {
	Gateway, Stream string
	Start, End      time.Time
	Rows            int
}

const (
	// maxStretch bounds the rows of windows that are asked for at once.
	maxStretch = 1000
	// beside is how many rows more are read: those that somebody else has written.
	beside = 1000
)

// EachWindow hands what a store has of each of some windows, by its place in the list, to do, until
// an error, in any order. Windows that follow each other are one question: to a database a question
// is much more work than the rows of its answer.
func EachWindow(
	ctx context.Context, from func(context.Context, Query) ([]Observation, error), list []Window,
	do func(n int, rows []Observation) error,
) error {
	for _, part := range stretches(list) {
		first, last := &list[part[0]], &list[part[len(part)-1]]
		q := Query{Gateways: []string{first.Gateway}, Stream: first.Stream, From: first.Start,
			To: last.Start.Add(1), Limit: beside, Which: Both}
		for _, n := range part {
			q.Limit += 2 * list[n].Rows
		}
		rows, err := from(ctx, q)
		if err != nil {
			return err
		}
		if len(part) > 1 && len(rows) >= q.Limit { // so many strange rows that others may be behind them
			for _, n := range part {
				if err := EachWindow(ctx, from, list[n:n+1], func(_ int, rows []Observation) error {
					return do(n, rows)
				}); err != nil {
					return err
				}
			}
			continue
		}
		for _, n := range part {
			if err := do(n, starting(rows, list[n].Start)); err != nil {
				return err
			}
		}
	}
	return nil
}

// stretches are the places of windows of one gateway and stream that follow each other, in parts that
// one question asks for.
func stretches(list []Window) (parts [][]int) {
	order := make([]int, len(list))
	for n := range order {
		order[n] = n
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := &list[a], &list[b]
		return cmp.Or(cmp.Compare(x.Gateway, y.Gateway), cmp.Compare(x.Stream, y.Stream), x.Start.Compare(y.Start))
	})
	rows := 0
	for _, n := range order {
		w := &list[n]
		if last := len(parts) - 1; last >= 0 && rows+w.Rows <= maxStretch {
			before := &list[parts[last][len(parts[last])-1]]
			if before.Gateway == w.Gateway && before.Stream == w.Stream && !w.Start.After(before.End) {
				parts[last], rows = append(parts[last], n), rows+w.Rows
				continue
			}
		}
		parts, rows = append(parts, []int{n}), w.Rows
	}
	return parts
}

// starting is a copy of those of some rows in order that start at an instant: who is handed it may change it.
func starting(rows []Observation, at time.Time) []Observation {
	from, _ := slices.BinarySearchFunc(rows, at, func(o Observation, t time.Time) int { return o.Start.Compare(t) })
	to := from
	for to < len(rows) && rows[to].Start.Equal(at) {
		to++
	}
	return slices.Clone(rows[from:to])
}
