package archive

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"sluice/books"
	"sluice/opendata/query"
	"sluice/store"
)

// Settle is how long after its end a month of several gateways is closed although one of
// them has not come so far: it may be away for good.
const Settle = 7 * 24 * time.Hour

// line is what one gateway's books say of a month.
type line struct {
	books.Archived
	cells map[string]bool // of the gateway; nil where it is the only one
}

// month is what the books say of a month of a stream.
type month struct {
	stream   query.Stream
	name     string
	from, to time.Time
	lines    []line // by gateway
	why      string // it is left out; empty where it is not
}

// key is of what the month's files are made from.
func (m *month) key() string {
	var b strings.Builder
	for _, l := range m.lines {
		fmt.Fprintf(&b, "%s %d %s\n", l.Gateway, l.N, l.SHA256)
	}
	return b.String()
}

func (m *month) paths() []string {
	at := address{stream: m.stream.ID, month: m.name}
	csv, parquet := at, at
	csv.format, parquet.format = CSV, Parquet
	return []string{csv.path(), parquet.path()}
}

// plan is what should be there.
type plan struct {
	months  []*month // that are closed; latest first
	items   []item   // of them, then the latest files
	leftOut []LeftOut
	changed []Changed
	through time.Time
}

// gateway is what one gateway's books say of all months.
type gateway struct {
	name      string
	lines     []books.Archived
	removals  []books.Removal
	withdrawn []books.Withdrawal
	streams   []books.Stream
}

func (a *Archive) gateways() (list []gateway, err error) {
	all, err := a.source.Books.Gateways()
	if err != nil {
		return nil, err
	}
	for _, g := range all {
		r := books.Reader{Source: g.Source}
		one := gateway{name: g.Name}
		if one.lines, err = r.Archived(); err != nil {
			return nil, err
		}
		if one.removals, err = r.Removals(); err != nil {
			return nil, err
		}
		if one.withdrawn, err = r.Withdrawals(); err != nil {
			return nil, err
		}
		if len(all) > 1 {
			if one.streams, err = r.Streams(); err != nil {
				return nil, err
			}
		}
		list = append(list, one)
	}
	return list, nil
}

// cells are those of a stream, of a gateway beside others.
func (g *gateway) cells(stream string) map[string]bool {
	if g.streams == nil {
		return nil
	}
	out := make(map[string]bool)
	for _, s := range g.streams {
		if s.ID != stream {
			continue
		}
		for i, c := range s.Cells {
			out[c.ID] = true
			if i == 0 {
				out[store.EpochCell(c.Zone)] = true
			}
		}
	}
	return out
}

// plan reads the books.
func (a *Archive) plan(ctx context.Context) (*plan, error) {
	streams, err := a.source.Streams(ctx)
	if err != nil {
		return nil, err
	}
	list, err := a.gateways()
	if err != nil {
		return nil, err
	}
	p := &plan{}
	for _, st := range streams {
		if st.Through.After(p.through) {
			p.through = st.Through
		}
	}
	latest := make([]item, 0, len(streams))
	for _, st := range streams {
		if at := (address{stream: st.ID, format: CSV}); !named(at) {
			continue // no file could have its name
		}
		months := p.monthsOf(st, list)
		p.months = append(p.months, months...)
		one, err := a.latest(ctx, st, months, list)
		if err != nil {
			return nil, err
		}
		latest = append(latest, one...)
	}
	slices.SortStableFunc(p.months, func(x, y *month) int { return cmp.Compare(y.name, x.name) })
	for _, m := range p.months {
		if m.why != "" {
			p.leftOut = append(p.leftOut, LeftOut{Path: m.paths()[0], Why: m.why})
			continue
		}
		p.items = append(p.items, a.monthItem(m))
	}
	p.items = append(p.items, latest...)
	return p, nil
}

func named(at address) bool {
	_, ok := parse(at.path())
	return ok
}

// hidden is how many lines are about withdrawals and removals of windows of a stream that are
// in spans.
func hidden(list []gateway, stream string, spans []span) (n int) {
	for _, s := range spans {
		for _, g := range list {
			for _, r := range g.removals {
				if r.Stream == stream && r.Until.After(s.from) {
					n++
				}
			}
			for _, w := range g.withdrawn {
				if w.Stream == stream && !w.Start.Before(s.from) && w.Start.Before(s.to) {
					n++
				}
			}
		}
	}
	return n
}

// monthsOf are the months of a stream that any gateway has a line of, in order.
func (p *plan) monthsOf(st query.Stream, list []gateway) (out []*month) {
	by := make(map[string]*month)
	for i := range list {
		g := &list[i]
		last := make(map[string]books.Archived)
		for _, l := range g.lines {
			if l.Stream != st.ID || l.Check() != nil {
				continue // verify says what is wrong with it
			}
			if was, again := last[l.Month]; again {
				p.changed = append(p.changed, Changed{l.Stream, l.Month, l.Gateway, l.N, l.At, l.SHA256, was.N,
					was.SHA256})
			}
			last[l.Month] = l
		}
		for name, l := range last {
			m := by[name]
			if m == nil {
				m = &month{stream: st, name: name, from: l.From, to: l.To}
				by[name], out = m, append(out, m)
			}
			m.lines = append(m.lines, line{l, g.cells(st.ID)})
			m.why = cmp.Or(m.why, p.whyNot(m, g, l, len(list) > 1))
		}
	}
	slices.SortFunc(out, func(x, y *month) int { return cmp.Compare(x.name, y.name) })
	return out
}

// whyNot says why a month cannot be offered as its line has it; empty where it can.
func (p *plan) whyNot(m *month, g *gateway, l books.Archived, several bool) string {
	switch {
	case !m.from.Equal(l.From) || !m.to.Equal(l.To):
		return Differs
	case slices.ContainsFunc(g.removals, func(r books.Removal) bool {
		return r.Stream == l.Stream && r.Until.After(l.From)
	}):
		return Removed
	case slices.ContainsFunc(g.withdrawn, func(w books.Withdrawal) bool {
		return w.Stream == l.Stream && w.N > l.Withdrawals && !w.Start.Before(l.From) && w.Start.Before(l.To)
	}):
		return Changing
	case several && m.stream.ClosedUntil.Before(m.to) && p.through.Before(m.to.Add(Settle)):
		return Waiting
	}
	return ""
}

// held identifies a line that a closed file holds by.
type held struct {
	gateway, stream, month string
	line                   int64
}

// drop takes away what does not hold any more: before anything is made, so that what was
// withdrawn or removed is not offered meanwhile.
func (a *Archive) drop(p *plan) error {
	holds := make(map[held]bool)
	for _, m := range p.months {
		for _, l := range m.lines {
			holds[held{l.Gateway, l.Stream, l.Month, l.N}] = m.why == ""
		}
	}
	latest := make(map[string]string)
	for _, i := range p.items {
		for _, path := range i.paths {
			latest[path] = i.key
		}
	}
	var list []string
	a.mu.RLock()
	for path, k := range a.files {
		if !k.Closed {
			if key, still := latest[path]; !still || gone(k.Key, key) {
				list = append(list, path)
			}
		} else if slices.ContainsFunc(k.Books, func(l Line) bool {
			return !holds[held{l.Gateway, l.Stream, l.Month, l.Line}]
		}) {
			list = append(list, path)
		}
	}
	a.mu.RUnlock()
	return a.remove(list)
}

// latest are the latest files of a stream: of all months that have no line yet.
func (a *Archive) latest(ctx context.Context, st query.Stream, months []*month, list []gateway) ([]item, error) {
	first, err := a.first(ctx, st)
	if err != nil || first.IsZero() {
		return nil, err
	}
	lined := make(map[string]bool)
	for _, m := range months {
		lined[m.name] = true
	}
	var spans []span
	loc := query.Place(st.Timezone)
	for at := first; at.Before(st.Through); {
		name, from, to := books.MonthOf(at, loc)
		if !lined[name] {
			spans = append(spans, span{from, to})
		}
		at = to
	}
	if len(spans) == 0 {
		return nil, nil
	}
	at := address{stream: st.ID}
	csv, parquet := at, at
	csv.format, parquet.format = CSV, Parquet
	key := fmt.Sprintf("%s %d %d %d", spans[0].from.Format(time.RFC3339),
		hidden(list, st.ID, spans), len(spans),
		st.Through.UnixNano())
	return []item{{
		paths: []string{csv.path(), parquet.path()}, key: key,
		fill: func(ctx context.Context, w *work) error {
			begun := time.Now()
			err := a.fillLatest(ctx, w, st, spans)
			a.remade[st.ID] = remade{time.Now(), time.Since(begun)}
			return err
		},
		ready: func() bool {
			r := a.remade[st.ID]
			return !a.offers(csv.path()) || time.Since(r.at) >= restAfter(r.took)
		},
	}}, nil
}

// gone reports whether latest files of one key must not be offered where those of another
// are to be made: something was withdrawn or removed since, or a month was closed.
func gone(old, now string) bool {
	i, j := strings.LastIndexByte(old, ' '), strings.LastIndexByte(now, ' ')
	return i < 0 || j < 0 || old[:i] != now[:j]
}

type span struct{ from, to time.Time }

// first is the start of a stream's first row; zero where there is none yet.
func (a *Archive) first(ctx context.Context, st query.Stream) (time.Time, error) {
	if at, known := a.firsts[st.ID]; known || st.Through.IsZero() {
		return at, nil
	}
	rows, err := a.source.Store.Observations(ctx, store.Query{Stream: st.ID, From: time.Unix(0, 0),
		To: st.Through, Limit: 1})
	if err != nil || len(rows) == 0 {
		return time.Time{}, err
	}
	a.firsts[st.ID] = rows[0].Start
	return rows[0].Start, nil
}
