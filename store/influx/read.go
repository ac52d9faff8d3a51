package influx

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/influxdata/influxdb-client-go/v2/api"
	"github.com/influxdata/influxdb-client-go/v2/api/query"

	"sluice/store"

	"sluice/internal/pattern"
)

// word matches the ids of streams, cells and measures, the only texts that enter a query.
// Nothing in it can end a string or begin an expression.
var word = pattern.New(`^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,300}$`)

var errWord = errors.New("influx: an id holds letters that none has")

// end of all time, for queries without one.
var end = time.Date(2261, 1, 1, 0, 0, 0, 0, time.UTC)

// Observations answers a query, at most q.Limit rows.
func (s *Store) Observations(ctx context.Context, q store.Query) ([]store.Observation, error) {
	list := []store.Observation{}
	from, to := q.From, q.To
	if p := q.After; p != nil && (!q.Desc && !p.Start.Before(from) || q.Desc && p.Start.Before(to)) {
		if p.Start.Before(from) || !p.Start.Before(to) {
			return list, nil // all is behind it
		}
		// The rest of the window where the last page ended: few rows, compared here,
		// so that a cursor's text never enters a query.
		rest, err := s.rows(ctx, q, p.Start, p.Start.Add(time.Nanosecond), 0)
		if err != nil {
			return nil, err
		}
		for _, o := range rest {
			if q.Compare(&o, p) > 0 {
				list = append(list, o)
			}
		}
		list = list[:min(len(list), q.Limit)]
		if q.Desc {
			to = p.Start
		} else {
			from = p.Start.Add(time.Nanosecond)
		}
	}
	if len(list) == q.Limit || !from.Before(to) {
		return list, nil
	}
	more, err := s.rows(ctx, q, from, to, q.Limit-len(list))
	return append(list, more...), err
}

func (s *Store) rows(ctx context.Context, q store.Query, from, to time.Time, limit int) ([]store.Observation, error) {
	flux, err := s.of(q.Stream, from, to)
	if err != nil {
		return nil, err
	}
	switch q.Which {
	case store.Windows:
		flux += fmt.Sprintf(` |> filter(fn: (r) => r.measure != "%s" and r.measure != "%s")`, store.EpochUnits,
			store.EpochBounded)
	case store.Epochs:
		flux += fmt.Sprintf(` |> filter(fn: (r) => r.measure == "%s" or r.measure == "%s")`, store.EpochUnits,
			store.EpochBounded)
	}
	for column, words := range map[string][]string{"cell": q.Cells, "measure": q.Measures, "gateway": q.Gateways} {
		one, err := oneOf(column, words)
		if err != nil {
			return nil, err
		}
		flux += one
	}
	// Tables are grouped by all tags, so rows of two gateways stay apart; rows without a
	// gateway come first.
	flux += ` |> pivot(rowKey: ["_time", "cell", "measure", "every"], columnKey: ["_field"], ` +
		`valueColumn: "_value") |> group()`
	statuses := make([]string, len(q.Statuses))
	for i, x := range q.Statuses {
		statuses[i] = string(x)
	}
	one, err := oneOf("status", statuses) // a field: there after pivot
	if err != nil {
		return nil, err
	}
	flux += one
	flux += fmt.Sprintf(` |> sort(columns: ["_time", "cell", "measure", "gateway"], desc: %t)`, q.Desc)
	if limit > 0 {
		most := limit
		if q.Desc {
			most += ties
		}
		flux += fmt.Sprintf(` |> limit(n: %d)`, most)
	}
	var list []store.Observation
	err = s.each(ctx, flux, func(r *query.FluxRecord) {
		list = append(list, observation(q.Stream, r))
	})
	if q.Desc { // what has no gateway comes first in both orders of Flux, and is the last of a window here
		slices.SortStableFunc(list, func(a, b store.Observation) int { return q.Compare(&a, store.At(&b)) })
		if limit > 0 {
			list = list[:min(len(list), limit)]
		}
	}
	return list, err
}

// ties are as many rows of one window, cell and measure as there may be, each of another gateway:
// where an answer ends among them, Flux may have left out those that come first here.
const ties = 100

// oneOf is the condition that a column is one of some words; empty for none.
func oneOf(column string, words []string) (string, error) {
	if len(words) == 0 {
		return "", nil
	}
	any := make([]string, len(words), len(words)+1)
	for i, w := range words {
		if !word.MatchString(w) {
			return "", errWord
		}
		any[i] = fmt.Sprintf(`r.%s == "%s"`, column, w)
	}
	if column == "gateway" {
		any = append(any, "not exists r.gateway")
	}
	return ` |> filter(fn: (r) => ` + strings.Join(any, " or ") + `)`, nil
}

// of returns a query that selects a stream's points.
func (s *Store) of(stream string, from, to time.Time) (string, error) {
	if !word.MatchString(stream) {
		return "", errWord
	}
	if to.After(end) {
		to = end
	}
	// Flux says that stop is exclusive, and 1.8 takes it in. No window starts a
	// nanosecond before or after another, so the two readings agree here; an empty
	// range is an error.
	stop := to.Add(-time.Nanosecond)
	if !stop.After(from) {
		stop = from.Add(time.Nanosecond)
	}
	return fmt.Sprintf(
			`from(bucket: "%s") |> range(start: %s, stop: %s) `+
				`|> filter(fn: (r) => r._measurement == "%s" or r._measurement == "%s")`,
			s.bucket, from.UTC().Format(time.RFC3339Nano), stop.UTC().Format(time.RFC3339Nano), stream,
			simPrefix+stream),
		nil
}

func (s *Store) each(ctx context.Context, flux string, do func(*query.FluxRecord)) error {
	// One for each question: the client's own, which it keeps for an organization, writes its
	// address at the first question without a lock that a second one beside it would see.
	result, err := api.NewQueryAPI(s.org, s.client.HTTPService()).Query(ctx, flux)
	if err != nil {
		return explain(err)
	}
	defer result.Close()
	for result.Next() {
		do(result.Record())
	}
	if result.Err() != nil {
		return fmt.Errorf("influx: reading an answer: %w", result.Err())
	}
	return nil
}

func observation(stream string, r *query.FluxRecord) store.Observation {
	text := func(name string) string { v, _ := r.ValueByKey(name).(string); return v }
	number := func(name string) float64 { v, _ := r.ValueByKey(name).(float64); return v }
	whole := func(name string) int64 { v, _ := r.ValueByKey(name).(int64); return v }
	pointer := func(name string) *float64 {
		if v, ok := r.ValueByKey(name).(float64); ok {
			return &v
		}
		return nil
	}
	simulation, _ := r.ValueByKey("simulation").(bool)
	o := store.Observation{
		Gateway: text("gateway"), Stream: stream, Start: r.Time().UTC(), End: time.Unix(0, whole("stop")).UTC(),
		Every: text("every"),
		Cell:  text("cell"), Zone: text("zone"), Category: text("category"), Measure: text("measure"),
		Status: store.Status(text("status")), Reason: text("reason"), Value: pointer("value"), Low: pointer("low"),
		High: pointer("high"),
		Unit: text("unit"), Decision: text("decision"), Policy: text("policy"), Mechanism: text("mechanism"),
		Epsilon: number("epsilon"), Scale: number("scale"), Threshold: number("threshold"), Ledger: whole("ledger"),
		Simulation: simulation,
	}
	if o.Status == store.Withdrawn {
		o = o.Withdraw(o.Reason) // InfluxDB cannot take a field away
	}
	return o
}

// ClosedUntil is the end of the stream's last stored window; zero when none is.
func (s *Store) ClosedUntil(ctx context.Context, stream string) (time.Time, error) {
	flux, err := s.of(stream, time.Unix(0, 0), end)
	if err != nil {
		return time.Time{}, err
	}
	var last time.Time
	err = s.each(ctx, flux+` |> filter(fn: (r) => r._field == "stop") |> last() |> group() |> max()`,
		func(r *query.FluxRecord) {
			if stop, ok := r.Value().(int64); ok {
				last = time.Unix(0, stop).UTC()
			}
		})
	return last, err
}
