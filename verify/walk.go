package verify

import (
	"context"
	"slices"
	"time"

	"sluice/books"
	"sluice/plan"
	"sluice/store"
)

// window identifies what a gateway releases at once.
type window struct {
	gateway, stream string
	start           int64
}

func windowOf(stream string, start time.Time) window { return window{"", stream, start.UnixNano()} }

// line is a line of a gateway's releases.
type line struct {
	books.Released
	of *checker
}

// walk compares what is shown, window by window, holding the rows of one window.
type walk struct {
	Report                 // of what is no gateway's
	of     []*checker      // of each gateway
	names  []string        // that lines have, in order; a gateway that was renamed has several
	todo   map[window]line // what was not met yet
	all    int
	done   func(n, of int)
	stream string
	rows   []Observation            // of the window at hand
	none   map[window][]Observation // what no line is known of, yet
	over   int                      // more of those, which are not kept
	double map[[2]string]bool       // plans that were found to have a cell in common, or not
}

// enter records a window that must be shown.
func (w *walk) enter(c *checker, r books.Released) {
	if key := keyOf(r); w.todo[key].of == nil { // another book that has it too is called wrong
		w.todo[key] = line{r, c}
	}
	w.names = with(w.names, r.Gateway)
}

func with(list []string, name string) []string {
	if slices.Contains(list, name) {
		return list
	}
	return append(list, name)
}

func keyOf(r books.Released) window { return window{r.Gateway, r.Stream, r.Start.UnixNano()} }

// page takes the next rows of a stream.
func (w *walk) page(rows []Observation) error {
	for _, o := range rows {
		o.Stream = w.stream
		if len(w.rows) > 0 && !o.Start.Equal(w.rows[0].Start) {
			w.window(w.rows)
			w.rows = w.rows[:0]
		}
		w.rows = append(w.rows, o)
	}
	return nil
}

// window compares all rows of one window, with the line of each gateway that has any.
func (w *walk) window(rows []Observation) {
	if len(rows) == 0 {
		return
	}
	of := w.lines(rows[0])
	w.twice(of)
	for name, own := range w.apart(rows, of) {
		key := windowOf(rows[0].Stream, rows[0].Start)
		key.gateway = name
		x, known := w.todo[key]
		switch {
		case known:
			delete(w.todo, key)
			x.of.compare(x.Released, own, x.of.hidden[windowOf(x.Stream, x.Start)])
			w.done(w.all-len(w.todo), w.all)
		case len(w.none) >= maxProblems:
			w.over++
		default:
			if w.none == nil {
				w.none = make(map[window][]Observation)
			}
			w.none[key] = slices.Clone(own)
		}
	}
}

// lines returns the lines of a row's window, of all gateways.
func (w *walk) lines(o Observation) (list []line) {
	for _, name := range w.names {
		if x, known := w.todo[window{name, o.Stream, o.Start.UnixNano()}]; known {
			list = append(list, x)
		}
	}
	return list
}

// apart groups the rows of a window by gateway. A row that does not name its gateway
// belongs to the one whose plan has its cell, or to the only one.
func (w *walk) apart(rows []Observation, of []line) map[string][]Observation {
	out := make(map[string][]Observation)
	for _, o := range rows {
		name := o.Gateway
		for n := 0; n < len(of) && name == ""; n++ {
			if len(w.of) == 1 && len(of) == 1 || of[n].of.hasCell(of[n].Plan, o.Cell) {
				name = of[n].Gateway
			}
		}
		out[name] = append(out[name], o)
	}
	return out
}

// hasCell reports whether a plan has a cell, be it that of its epochs.
func (c *checker) hasCell(digest, cell string) bool {
	s := c.plan(digest)
	return s != nil && (slices.ContainsFunc(s.Cells, func(x plan.Cell) bool {
		return x.ID() == cell
	}) || cell == store.EpochCell(s.FirstZone()))
}

// twice checks that no cell of a window was released by two gateways under one version of
// the policy, in which each zone has one gateway. Under two versions, one of them was late.
func (w *walk) twice(of []line) {
	for n := range of {
		for m := range n {
			a, b := of[m], of[n]
			pair := [2]string{a.Plan, b.Plan}
			if a.Policy != b.Policy || w.double[pair] {
				continue
			}
			if w.double == nil {
				w.double = make(map[[2]string]bool)
			}
			w.double[pair] = true
			if s := a.of.plan(a.Plan); s != nil {
				for _, cell := range s.Cells {
					if b.of.hasCell(b.Plan, cell.ID()) {
						w.problem("%s at %s: gateways %s and %s have both released %s", a.Stream,
							a.Start.Format(time.RFC3339), a.Gateway, b.Gateway, cell.ID())
						break
					}
				}
			}
		}
	}
}

// young reads the books again for windows that are shown without a line: one that was
// released a moment ago has its line by then. What still has none was never released.
func (w *walk) young(ctx context.Context, pause time.Duration) error {
	for n := 0; n < lookAgain && len(w.none) > 0; n++ {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		for _, c := range w.of {
			releases, err := c.books.Releases()
			if err != nil {
				return err
			}
			for _, r := range releases[min(len(releases), len(c.releases)):] {
				w.met(c, r)
			}
		}
	}
	if w.over > 0 {
		w.problem("%d more windows are shown and were never released", w.over)
	}
	for key, rows := range w.none {
		whose := ""
		if len(w.of) > 1 && key.gateway != "" {
			whose = " by gateway " + key.gateway
		}
		w.problem("%s at %s: it is shown and was never released%s", rows[0].Stream,
			rows[0].Start.UTC().Format(time.RFC3339), whose)
	}
	return nil
}

// met compares a window whose line has come since.
func (w *walk) met(c *checker, r books.Released) {
	c.names = with(c.names, r.Gateway)
	for _, name := range []string{r.Gateway, ""} {
		key := keyOf(r)
		key.gateway = name
		own := w.none[key]
		if name == "" && len(w.of) > 1 {
			own = slices.DeleteFunc(slices.Clone(own), func(o Observation) bool { return !c.hasCell(r.Plan, o.Cell) })
		}
		if len(own) == 0 {
			continue
		}
		if len(own) == len(w.none[key]) {
			delete(w.none, key)
		} else {
			w.none[key] = slices.DeleteFunc(w.none[key], func(o Observation) bool { return c.hasCell(r.Plan, o.Cell) })
		}
		c.compare(r, own, c.hidden[windowOf(r.Stream, r.Start)])
	}
}
