package window

import (
	"slices"
	"sort"
)

// chunk bounds how many runs lie side by side: putting one in between moves no more
// than these, and seldom the list of chunks.
const chunk = 128

// layer is runs with disjoint seqs, sorted, in chunks of at least one.
type layer struct{ chunks [][]run }

// place is where a run is.
type place struct{ chunk, at int }

// before finds the last run that starts at or before seq; false when there is none.
func (l *layer) before(seq uint64) (place, bool) {
	n := len(l.chunks)
	if n == 0 {
		return place{}, false
	}
	c := n - 1
	if l.chunks[c][0].seq > seq {
		c = sort.Search(n, func(i int) bool { return l.chunks[i][0].seq > seq }) - 1
	}
	if c < 0 {
		return place{}, false
	}
	runs := l.chunks[c]
	if last := len(runs) - 1; runs[last].seq <= seq {
		return place{c, last}, true
	}
	return place{c, sort.Search(len(runs), func(i int) bool { return runs[i].seq > seq }) - 1}, true
}

func (l *layer) at(p place) *run { return &l.chunks[p.chunk][p.at] }

// after is the place behind p; false when p is the last.
func (l *layer) after(p place) (place, bool) {
	switch {
	case p.at+1 < len(l.chunks[p.chunk]):
		return place{p.chunk, p.at + 1}, true
	case p.chunk+1 < len(l.chunks):
		return place{p.chunk + 1, 0}, true
	}
	return place{}, false
}

func (l *layer) has(seq uint64, time int64) bool {
	p, ok := l.before(seq)
	return ok && l.at(p).has(seq, time)
}

// touches reports whether some run ends right before seq or begins right after it.
func (l *layer) touches(seq uint64) bool {
	if p, ok := l.before(seq); ok && seq-l.at(p).seq == l.at(p).n {
		return true
	}
	p, ok := l.before(seq + 1)
	return ok && seq+1 != 0 && l.at(p).seq == seq+1
}

// insert puts the pair in and says how many runs there are more: 1, 0 or -1; false
// when its seq is taken.
func (l *layer) insert(seq uint64, time int64) (more int, ok bool) {
	p, some := l.before(seq)
	if some && seq-l.at(p).seq < l.at(p).n {
		return 0, false
	}
	next, follows := place{}, len(l.chunks) > 0
	if some {
		next, follows = l.after(p)
	}
	one := run{seq: seq, n: 1, time: time}
	if some && join(l.at(p), one) {
		if follows && join(l.at(p), *l.at(next)) {
			l.drop(next)
			return -1, true
		}
		return 0, true
	}
	if follows && join(&one, *l.at(next)) {
		*l.at(next) = one
		return 0, true
	}
	l.put(p, some, one)
	return 1, true
}

// put puts a run behind p, or first.
func (l *layer) put(p place, some bool, r run) {
	if some {
		p.at++
	}
	if len(l.chunks) == 0 {
		l.chunks = [][]run{{r}}
		return
	}
	runs := l.chunks[p.chunk]
	switch {
	case len(runs) < chunk:
		l.chunks[p.chunk] = slices.Insert(runs, p.at, r)
	case p.at == len(runs) && p.chunk == len(l.chunks)-1: // as they come, mostly
		l.chunks = append(l.chunks, []run{r})
	default:
		half := slices.Clone(runs[chunk/2:])
		clear(runs[chunk/2:])
		l.chunks[p.chunk] = runs[:chunk/2]
		l.chunks = slices.Insert(l.chunks, p.chunk+1, half)
		if p.at > chunk/2 {
			p = place{p.chunk + 1, p.at - chunk/2}
		}
		l.chunks[p.chunk] = slices.Insert(l.chunks[p.chunk], p.at, r)
	}
}

// drop takes a run out. A chunk that has become small gives its room back, so that
// what is kept is bounded by the number of runs.
func (l *layer) drop(p place) {
	runs := slices.Delete(l.chunks[p.chunk], p.at, p.at+1)
	switch {
	case len(runs) == 0:
		l.chunks = slices.Delete(l.chunks, p.chunk, p.chunk+1)
		return
	case 4*len(runs) < cap(runs):
		runs = slices.Clone(runs)
	}
	l.chunks[p.chunk] = runs
}
