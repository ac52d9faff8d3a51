package released

import (
	"context"
	"slices"
	"time"

	"sluice/books"
	"sluice/store"
)

const (
	// The newest windows are compared every minute, and so are some that differed.
	compareNewest = time.Minute
	// All windows are compared in turn. The pause after each is this many times as long as
	// the comparison took; the pause after a round is an hour, or a day for a mirror's
	// books, which are fetched for it.
	rest       = 20
	maxPause   = 10 * time.Second
	restDir    = time.Hour
	restMirror = 24 * time.Hour
	// again is the pause before a window that seems to differ is compared once more: a
	// withdrawal, or a part of one, may be on its way.
	again = 10 * time.Second
)

// Watch compares the store with the digests of the books until ctx ends, and logs what is
// left out.
func (f *Filter) Watch(ctx context.Context) {
	beside, all := make(chan struct{}), time.Now()
	close(beside)
	var logged int64
	for pause := time.Second; ; pause = compareNewest {
		select {
		case <-ctx.Done():
			<-beside
			return
		case <-time.After(pause):
		}
		if f.refresh(ctx) == nil {
			f.compareNewest(ctx)
		}
		logged = f.report(logged)
		select {
		case <-beside:
			if time.Now().Before(all) {
				continue
			}
			beside = make(chan struct{})
			all = time.Now().Add(restDir)
			if f.fresh == mirrorFresh {
				all = time.Now().Add(restMirror)
			}
			go func(done chan struct{}) {
				defer close(done)
				f.compareAll(ctx)
			}(beside)
		default:
		}
	}
}

// report logs what has been left out since the last report.
func (f *Filter) report(logged int64) int64 {
	if n := f.LeftOut(); n > logged {
		f.log.Error("rows of the store were left out: they are not what the public books say was released", "rows",
			n-logged, "hint", f.Hint())
		return n
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for w, x := range f.strays {
		if time.Since(x.last) > time.Hour {
			delete(f.strays, w)
		}
	}
	return logged
}

// compareNewest compares the newest windows, and those that differed.
func (f *Filter) compareNewest(ctx context.Context) {
	f.mu.Lock()
	newest, list := slices.Clone(f.newest[max(0, len(f.newest)-maxNewest):]), slices.Clone(f.mend)
	f.mu.Unlock()
	for _, text := range newest {
		if r, ok := whole(text); ok {
			list = append(list, r)
		}
	}
	f.compare(ctx, list)
}

// compareAll goes through all lines, slowly.
func (f *Filter) compareAll(ctx context.Context) {
	var page []books.Released
	err := f.reader.Each(bookName, func(text string) error {
		r, ok := whole(text)
		if !ok {
			return ctx.Err()
		}
		if page = append(page, r); len(page) < 64 {
			return ctx.Err()
		}
		begun := time.Now()
		f.compare(ctx, page)
		page = page[:0]
		select {
		case <-ctx.Done():
		case <-time.After(min(rest*time.Since(begun), maxPause)):
		}
		return ctx.Err()
	})
	if err == nil {
		f.compare(ctx, page)
	}
}

// compare compares windows, and once more those that seem to differ.
func (f *Filter) compare(ctx context.Context, list []books.Released) {
	doubtful, err := f.differ(ctx, list)
	if err == nil && len(doubtful) > 0 && !f.known(doubtful) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(min(again, f.grace)):
		}
		doubtful, err = f.differ(ctx, doubtful)
	}
	if err != nil {
		return // it is compared again
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range list {
		delete(f.wrong, lineOf(list[i]))
	}
	for _, r := range doubtful {
		if len(f.wrong) < maxWrong {
			f.wrong[lineOf(r)] = true
		}
	}
	f.mend = slices.DeleteFunc(f.mend, func(r books.Released) bool { return !f.wrong[lineOf(r)] })
	for _, r := range doubtful {
		if len(f.mend) < maxMend && !slices.ContainsFunc(f.mend, func(x books.Released) bool {
			return lineOf(x) == lineOf(r)
		}) {
			f.mend = append(f.mend, r)
		}
	}
}

func lineOf(r books.Released) window { return window{r.Gateway, r.Stream, r.Start.UnixNano()} }

// known reports whether all these are already known to differ.
func (f *Filter) known(list []books.Released) bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return !slices.ContainsFunc(list, func(r books.Released) bool { return !f.wrong[lineOf(r)] })
}

// differ returns the windows whose rows in the store are not what was released. A window
// without rows shows nothing, and one that cannot be read is not called wrong.
func (f *Filter) differ(ctx context.Context, list []books.Released) (out []books.Released, err error) {
	windows := make([]store.Window, len(list))
	for i := range list {
		r := &list[i]
		windows[i] = store.Window{Gateway: r.Gateway, Stream: r.Stream, Start: r.Start, End: r.End, Rows: r.Rows}
	}
	var hidden map[window][]books.Withdrawal
	err = store.EachWindow(ctx, f.store.Observations, windows, func(i int, rows []store.Observation) (err error) {
		r := &list[i]
		if rows = f.planned(rows); len(rows) == 0 || store.Digest(rows) == r.SHA256 {
			return nil
		}
		if hidden == nil {
			if hidden, err = f.withdrawn(); err != nil {
				return err
			}
		}
		if !isWithdrawn(r, rows, hidden[window{"", r.Stream, r.Start.UnixNano()}]) {
			out = append(out, *r)
		}
		return nil
	})
	return out, err
}

// planned returns the rows that would not be left out anyway.
func (f *Filter) planned(rows []store.Observation) []store.Observation {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return slices.DeleteFunc(rows, func(o store.Observation) bool { return f.index.of(&o) == nil })
}

// withdrawn returns the withdrawals of these books by window, whatever the gateway is
// called now.
func (f *Filter) withdrawn() (map[window][]books.Withdrawal, error) {
	list, err := f.reader.Withdrawals()
	out := make(map[window][]books.Withdrawal)
	for _, w := range list {
		key := window{"", w.Stream, w.Start.UnixNano()}
		out[key] = append(out[key], w)
	}
	return out, err
}

// isWithdrawn reports whether a window differs from its digest only because something
// of it was withdrawn: as many rows are there, and those are withdrawn that a line names.
func isWithdrawn(r *books.Released, rows []store.Observation, hidden []books.Withdrawal) bool {
	if len(hidden) == 0 || len(rows) != r.Rows {
		return false
	}
	return !slices.ContainsFunc(rows, func(o store.Observation) bool {
		named := slices.ContainsFunc(hidden, func(w books.Withdrawal) bool {
			return (w.Cell == "" || w.Cell == o.Cell) && (w.Measure == "" || w.Measure == o.Measure)
		})
		return named != (o.Status == store.Withdrawn)
	})
}
