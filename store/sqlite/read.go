package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"sluice/store"
)

// The queries: all of a stream, and one cell and measure, each with an index in the
// order of its answer; and the measures that a cell ever had.
const (
	fields  = "SELECT start, stop, series, status, reason, value, low, high, ledger, gateway FROM released "
	windows = " AND substr(cell, -1) <> '/'" // see store.EpochCell
	epochs  = fields + `INDEXED BY released_cell WHERE stream = ? AND cell IN (SELECT cell FROM series WHERE stream = ? AND measure = ?)
		AND measure IN (?, ?) AND start >= ? AND start < ? ORDER BY start, cell, measure, gateway LIMIT ?`
	measuresOf = "SELECT DISTINCT measure FROM series WHERE stream = ? AND cell = ? ORDER BY measure"
	described  = "SELECT id, " + columns + " FROM series WHERE id IN (SELECT value FROM json_each(?))"
	// lastName is behind the names of all gateways, which are letters, digits and some signs.
	lastName = "\x7f"
)

// unsaid asks a file in which rows do not say whose they are.
func unsaid(text string) string {
	return strings.NewReplacer("gateway FROM", "'' FROM", ", gateway", ", ''").Replace(text)
}

// maxPairs bounds the pairs of cell and measure that are looked up one by one.
const maxPairs = 8

// Observations answers a query, at most q.Limit rows.
func (s *Store) Observations(ctx context.Context, q store.Query) ([]store.Observation, error) {
	if q.Which == store.Epochs {
		list, err := s.ofEpochs(ctx, q)
		if err != nil {
			return nil, err
		}
		return s.resolve(ctx, list)
	}
	pairs, err := s.pairs(ctx, q)
	if err != nil {
		return nil, err
	}
	var list []row
	if len(q.Cells) > 0 && len(pairs) <= maxPairs && len(q.Gateways) == 0 {
		list, err = s.each(ctx, q, pairs)
	} else {
		list, err = s.scan(ctx, q)
	}
	if err != nil {
		return nil, err
	}
	return s.resolve(ctx, list)
}

// ofEpochs reads the epochs' numbers. There are two a day, mostly, so that a page of them
// is not asked for.
func (s *Store) ofEpochs(ctx context.Context, q store.Query) ([]row, error) {
	stmt, err := s.prepared(ctx, &s.epochs, epochs) //nolint:sqlclosecheck // closed with the store
	if err != nil {
		return nil, err
	}
	return read(ctx, stmt.QueryContext, nil, q.Stream, q.Stream, store.EpochUnits, store.EpochBounded, store.EpochUnits,
		q.From.UnixNano(), q.To.UnixNano(), q.Limit)
}

// pair is a cell and a measure.
type pair struct{ cell, measure string }

// pairs returns the pairs of a query for some cells, in order; with no measures named, all
// that these cells ever had.
func (s *Store) pairs(ctx context.Context, q store.Query) (out []pair, err error) {
	if len(q.Cells) > maxPairs {
		return make([]pair, len(q.Cells)), nil // too many to be told
	}
	for _, cell := range slices.Compact(slices.Sorted(slices.Values(q.Cells))) {
		measures := slices.Compact(slices.Sorted(slices.Values(q.Measures)))
		if len(measures) == 0 {
			if measures, err = s.measures(ctx, q.Stream, cell); err != nil {
				return nil, err
			}
		}
		for _, m := range measures {
			out = append(out, pair{cell, m})
		}
	}
	return out, nil
}

func (s *Store) measures(ctx context.Context, stream, cell string) (out []string, err error) {
	stmt, err := s.prepared(ctx, &s.measuresOf, measuresOf) //nolint:sqlclosecheck // closed with the store
	if err != nil {
		return nil, err
	}
	rows, err := stmt.QueryContext(ctx, stream, cell)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var m string
		if err := rows.Scan(&m); err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, rows.Err()
}

// each reads the pairs one by one and puts their rows in order.
func (s *Store) each(ctx context.Context, q store.Query, pairs []pair) ([]row, error) {
	way := directionOf(&q)
	also, statuses := status(q.Statuses)
	ask, err := s.asker(ctx, &s.one, way.one()+also+way.oneInOrder(), !q.Desc && also == "")
	if err != nil {
		return nil, err
	}
	var all []row
	for n, x := range pairs {
		start, gateway, ends := placeOf(&q, x)
		args := append([]any{q.Stream, x.cell, x.measure, start, gateway, ends}, statuses...)
		begin := len(all)
		if all, err = read(ctx, ask, all, append(args, q.Limit)...); err != nil {
			return nil, err
		}
		for i := begin; i < len(all); i++ {
			all[i].order = n
		}
	}
	slices.SortFunc(all, func(a, b row) int {
		order := cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.order, b.order), cmp.Compare(a.gateway, b.gateway))
		if q.Desc {
			return -order
		}
		return order
	})
	return all[:min(len(all), q.Limit)], nil
}

// scan reads the stream from a position on.
func (s *Store) scan(ctx context.Context, q store.Query) ([]row, error) {
	at, ends := place(&q)
	args := []any{q.Stream, at.Start.UnixNano(), at.Cell, at.Measure, at.Gateway, ends}
	way := directionOf(&q)
	where := way.whole()
	if q.Which == store.Windows {
		where += windows
	}
	plain := len(q.Cells) == 0 && len(q.Measures) == 0 && q.Which == store.Windows && len(q.Gateways) == 0 &&
		len(q.Statuses) == 0 && !q.Desc
	in := func(column string, list []string) {
		text, more := oneOf(column, list)
		where, args = where+text, append(args, more...)
	}
	in("cell", q.Cells)
	in("measure", q.Measures)
	also, statuses := status(q.Statuses)
	where, args = where+also, append(args, statuses...)
	whose, err := s.hasGateways(ctx)
	if err != nil {
		return nil, err
	}
	if len(q.Gateways) > 0 && whose {
		in("gateway", append([]string{""}, q.Gateways...))
	}
	ask, err := s.asker(ctx, &s.whole, where+way.inOrder(), plain)
	if err != nil {
		return nil, err
	}
	return read(ctx, ask, nil, append(args, q.Limit)...)
}

// oneOf is the condition that a column is one of some texts; empty for none.
func oneOf(column string, list []string) (text string, args []any) {
	if len(list) == 0 {
		return "", nil
	}
	for _, x := range list {
		args = append(args, x)
	}
	return " AND " + column + " IN (?" + strings.Repeat(",?", len(list)-1) + ")", args
}

func status(list []store.Status) (string, []any) {
	names := make([]string, len(list))
	for i, x := range list {
		names[i] = string(x)
	}
	return oneOf("status", names)
}

// asker returns what asks a query: the prepared one where it is asked often.
func (s *Store) asker(
	ctx context.Context, stmt **sql.Stmt, text string, often bool,
) (func(context.Context, ...any) (*sql.Rows, error), error) {
	if often {
		p, err := s.prepared(ctx, stmt, text) //nolint:sqlclosecheck // closed with the store
		if err != nil {
			return nil, err
		}
		return p.QueryContext, nil
	}
	whose, err := s.hasGateways(ctx)
	if err != nil {
		return nil, err
	}
	if !whose {
		text = unsaid(text)
	}
	return func(ctx context.Context, args ...any) (*sql.Rows, error) {
		return s.db.QueryContext(ctx, text, args...)
	}, nil
}

// hasGateways reports whether rows have a gateway column: a reader may open a file before
// its writer has migrated it.
func (s *Store) hasGateways(ctx context.Context) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.whose != nil {
		return *s.whose, nil
	}
	var n int
	if err := s.db.QueryRowContext(ctx, hasGateway).Scan(&n); err != nil {
		return false, err
	}
	whose := n > 0
	s.whose = &whose
	return whose, nil
}

func (s *Store) prepared(ctx context.Context, stmt **sql.Stmt, text string) (*sql.Stmt, error) {
	whose, err := s.hasGateways(ctx)
	if err != nil {
		return nil, err
	}
	if !whose {
		text = unsaid(text)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if *stmt == nil {
		made, err := s.db.PrepareContext(ctx, text) //nolint:sqlclosecheck // closed with the store
		if err != nil {
			return nil, err
		}
		*stmt = made
	}
	return *stmt, nil
}

// row is an observation before its series is known. Order is that of its cell and
// measure among those that were read one by one.
type row struct {
	start, stop, series, ledger int64
	status                      store.Status
	reason, gateway             string
	value, low, high            sql.NullFloat64
	order                       int
}

// read appends the rows of a query to a list.
func read(
	ctx context.Context, query func(context.Context, ...any) (*sql.Rows, error), list []row, args ...any,
) ([]row, error) {
	rows, err := query(ctx, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	list = slices.Grow(list, 64)
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.start, &r.stop, &r.series, &r.status, &r.reason, &r.value, &r.low, &r.high, &r.ledger,
			&r.gateway); err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, rows.Err()
}

// resolve looks up the series of rows. A series never changes.
func (s *Store) resolve(ctx context.Context, list []row) ([]store.Observation, error) {
	of, err := s.lookUp(ctx, list)
	if err != nil {
		return nil, err
	}
	out := make([]store.Observation, len(list))
	for i := range list {
		r, x := &list[i], &of[i]
		out[i] = store.Observation{
			Gateway: r.gateway, Stream: x.stream, Start: time.Unix(0, r.start).UTC(), End: time.Unix(0, r.stop).UTC(),
			Every: x.every, Cell: x.cell, Zone: x.zone, Category: x.category, Measure: x.measure,
			Status: r.status, Reason: r.reason, Unit: x.unit, Decision: x.decision, Policy: x.policy,
			Mechanism: x.mechanism,
			Epsilon:   x.epsilon, Scale: x.scale, Threshold: x.threshold, Ledger: r.ledger, Simulation: x.simulation,
		}
		if r.value.Valid {
			v := [3]float64{r.value.Float64, r.low.Float64, r.high.Float64}
			out[i].Value, out[i].Low, out[i].High = &v[0], &v[1], &v[2]
		}
	}
	return out, nil
}

// lookUp returns the series of each row, and asks once for all that are not known yet: a first
// window has thousands.
func (s *Store) lookUp(ctx context.Context, list []row) ([]series, error) {
	of := make([]series, len(list))
	unknown := make(map[int64]series)
	s.mu.Lock()
	for i := range list {
		x, known := s.known[list[i].series]
		if of[i] = x; !known {
			unknown[list[i].series] = series{}
		}
	}
	s.mu.Unlock()
	if len(unknown) == 0 {
		return of, nil
	}
	if err := s.describe(ctx, unknown); err != nil {
		return nil, err
	}
	for i := range list {
		if x, was := unknown[list[i].series]; was {
			of[i] = x
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.known) > maxKnown {
		clear(s.known)
	}
	maps.Copy(s.known, unknown)
	return of, nil
}

// describe fills in the series of some numbers, each of which must be there.
func (s *Store) describe(ctx context.Context, of map[int64]series) error {
	ids, err := json.Marshal(slices.Collect(maps.Keys(of)))
	if err != nil {
		return err
	}
	stmt, err := s.prepared(ctx, &s.described, described) //nolint:sqlclosecheck // closed with the store
	if err != nil {
		return err
	}
	rows, err := stmt.QueryContext(ctx, string(ids))
	if err != nil {
		return err
	}
	defer rows.Close()
	found := 0
	for ; rows.Next(); found++ {
		var id int64
		var x series
		if err := rows.Scan(&id, &x.stream, &x.cell, &x.measure, &x.every, &x.zone, &x.category, &x.unit, &x.decision,
			&x.policy, &x.mechanism, &x.epsilon, &x.scale, &x.threshold, &x.simulation); err != nil {
			return err
		}
		of[id] = x
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if found < len(of) {
		return fmt.Errorf("rows of %d series that are not there: %w", len(of)-found, sql.ErrNoRows)
	}
	return nil
}

// ClosedUntil is the end of the stream's last stored window; zero when none is.
func (s *Store) ClosedUntil(ctx context.Context, stream string) (time.Time, error) {
	var stop sql.NullInt64
	err := s.db.QueryRowContext(ctx, "SELECT max(stop) FROM released WHERE stream = ?", stream).Scan(&stop)
	if err != nil || !stop.Valid {
		return time.Time{}, err
	}
	return time.Unix(0, stop.Int64).UTC(), nil
}
