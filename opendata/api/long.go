package api

import (
	"context"
	"iter"
	"time"

	"sluice/opendata/httpcache"
	"sluice/opendata/query"
	"sluice/store"
)

// long returns all observations of a query, however many, with the same bytes as one answer
// would have. They are encoded while they are sent.
func (a *API) long(st query.Stream, q store.Query, as form) *httpcache.Reply {
	if as != asDocument {
		return &httpcache.Reply{Type: csvType, File: st.ID + ".csv",
			Parts: func(ctx context.Context) iter.Seq2[[]byte, error] { return a.longTable(ctx, st, q, as) }}
	}
	return &httpcache.Reply{Type: jsonType, Parts: func(ctx context.Context) iter.Seq2[[]byte, error] {
		return a.longJSON(ctx, st, q)
	}}
}

// ahead is how far ahead of the rows the epochs are read.
const ahead = 7 * 24 * time.Hour

func (a *API) longTable(
	ctx context.Context, st query.Stream, q store.Query, as form,
) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if !yield(observationTable(st, nil).head(as), nil) {
			return
		}
		var epochs []query.Epoch
		var since, known time.Time // epochs are, between them
		for list, err := range a.source.Parts(ctx, st, q) {
			if err == nil {
				if first, last := bounds(list); first.Before(since) || last.After(known) {
					since, known = first, last.Add(ahead)
					if q.Desc {
						since, known = first.Add(-ahead), last
					}
					epochs, err = a.source.Epochs(ctx, st, since, known)
				}
			}
			var body []byte
			if err == nil {
				body, err = observationTable(st, epochs).append(as, nil, list)
			}
			if !yield(body, err) || err != nil {
				return
			}
		}
	}
}

// longJSON has the epochs behind the rows, as appendObservations has.
func (a *API) longJSON(ctx context.Context, st query.Stream, q store.Query) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		var first, last time.Time
		b := appendHead(nil, st.ID)
		for list, err := range a.source.Parts(ctx, st, q) {
			if err != nil {
				yield(nil, err)
				return
			}
			begin, end := bounds(list)
			if first.IsZero() {
				first, last = begin, end
			} else {
				b = append(b, ',')
			}
			if begin.Before(first) {
				first = begin
			}
			if end.After(last) {
				last = end
			}
			if b = appendItems(b, list); !yield(b, nil) {
				return
			}
			b = b[:0]
		}
		b = append(b, `],"next":null,"epochs":[`...)
		some := false
		for e, err := range a.source.AllEpochs(ctx, st, first, last) {
			if err != nil {
				yield(nil, err)
				return
			}
			if some {
				b = append(b, ',')
			}
			some = true
			if b = appendEpoch(b, e); len(b) >= fullPart {
				if !yield(b, nil) {
					return
				}
				b = b[:0]
			}
		}
		yield(append(b, "]}\n"...), nil)
	}
}

// fullPart is the size in bytes from which on a part is sent.
const fullPart = 64 << 10
