package query

import (
	"context"
	"iter"
	"time"

	"sluice/store"
)

// Bounds of a whole series. Up to maxWhole rows are one answer; a longer series is read and
// sent in parts of up to partRows.
const (
	maxWhole = 2000
	partRows = 500
)

// Whole returns all observations of a query, ignoring its limit, if they are few enough for
// one answer; else few is false and there are none.
func (s *Source) Whole(ctx context.Context, q store.Query) (list []store.Observation, few bool, err error) {
	q.Limit = maxWhole + 1
	list, err = s.Store.Observations(ctx, q)
	if err != nil || len(list) > maxWhole {
		return nil, false, err
	}
	return list, true, nil
}

// Parts iterates over all observations of a query, in its order, ignoring its limit, in parts
// of at most partRows. An error ends it. Between two parts it holds nothing of the store,
// so a slow client keeps nobody waiting.
//
// It asks the store for spans of time with about as many rows as a part: a store that sorts
// its results would otherwise sort the rest of a year for each part. After an empty span
// the next one is twice as long.
func (s *Source) Parts(ctx context.Context, st Stream, q store.Query) iter.Seq2[[]store.Observation, error] {
	return func(yield func([]store.Observation, error) bool) {
		rest, short := span{q.From, q.To}, partSpan(st, q)
		if q.Desc && !st.Through.IsZero() && rest.to.After(st.Through) {
			rest.to = st.Through // nothing starts behind it
		}
		rest.from = later(rest.from, s.begins(ctx, st.ID))
		q.Limit = partRows
		for length := short; rest.from.Before(rest.to); {
			part := rest.part(length, q.Desc)
			q.From, q.To = part.from, part.to
			list, err := s.Store.Observations(ctx, q)
			if err != nil {
				yield(nil, err)
				return
			}
			switch {
			case len(list) == partRows: // perhaps there is more in this part
				last := &list[partRows-1]
				q.After = store.At(last)
				rest, length = rest.behind(last.Start, q.Desc), short
			case len(list) == 0 && length < longSpan:
				length *= 2
				fallthrough
			default:
				rest, q.After = rest.without(part, q.Desc), nil
			}
			if len(list) > 0 && !yield(list, nil) {
				return
			}
		}
	}
}

// begins is when a stream's first window starts, where the store knows it: nothing is before that,
// and the years since 1970 are not looked through. Else it is the zero time.
func (s *Source) begins(ctx context.Context, stream string) time.Time {
	if from, ok := s.Store.(interface {
		Begins(ctx context.Context, stream string) time.Time
	}); ok {
		return from.Begins(ctx, stream)
	}
	return time.Time{}
}

// span is a span of time; to is exclusive.
type span struct{ from, to time.Time }

// part is the first part of a span, or the last one where it is read backward.
func (x span) part(length time.Duration, desc bool) span {
	if desc {
		return span{later(x.to.Add(-length), x.from), x.to}
	}
	if end := x.from.Add(length); end.Before(x.to) {
		return span{x.from, end}
	}
	return x
}

// without is a span without its part.
func (x span) without(part span, desc bool) span {
	if desc {
		return span{x.from, part.from}
	}
	return span{part.to, x.to}
}

// behind is what remains of a span where the window that starts then is not yet read whole.
func (x span) behind(start time.Time, desc bool) span {
	if desc {
		return span{x.from, start.Add(time.Nanosecond)}
	}
	return span{start, x.to}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// longSpan is the longest span of one query.
const longSpan = 10 * 366 * 24 * time.Hour

// partSpan is the span in which a query has about as many rows as a part.
func partSpan(st Stream, q store.Query) time.Duration {
	cells, measures := len(q.Cells), len(q.Measures)
	if cells == 0 {
		cells = len(st.Cells)
	}
	if measures == 0 {
		measures = len(st.Measures)
	}
	return time.Duration(max(1, partRows/max(1, cells*measures))) * Length(st.Every)
}

// epochSpan is how much of the epochs is read at once.
const epochSpan = 30 * 24 * time.Hour

// AllEpochs iterates over Epochs of any span of time, holding a month of them at most. An
// error ends it.
func (s *Source) AllEpochs(ctx context.Context, st Stream, from, to time.Time) iter.Seq2[*Epoch, error] {
	return func(yield func(*Epoch, error) bool) {
		for first := from; from.Before(to); from = from.Add(epochSpan) {
			until := from.Add(epochSpan)
			if until.After(to) {
				until = to
			}
			list, err := s.Epochs(ctx, st, from, until)
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range list {
				if e := &list[i]; (from.Equal(first) || !e.Start.Before(from)) && !yield(e, nil) {
					return
				}
			}
		}
	}
}
