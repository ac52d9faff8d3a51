package window

import (
	"slices"
	"sort"
)

// run is n readings of one sensor whose seq goes up by one and whose time goes
// up by step, starting at (seq, time). A million contiguous readings of a
// regular sensor are one run.
type run struct {
	seq, n     uint64
	time, step int64
}

func (r run) has(seq uint64, time int64) bool {
	return seq-r.seq < r.n && r.at(seq) == time
}

func (r run) at(seq uint64) int64 { return r.time + int64(seq-r.seq)*r.step }

// layers bounds how often equal seqs with other times are kept as runs; a
// sensor that sends the same seq again and again goes on in a set.
const layers = 8

// Runs is the exact set of (seq, time) pairs of one sensor, in any order of
// arrival. Each layer holds runs with disjoint seqs, sorted.
type Runs struct {
	layer [][]run
	rest  map[[2]uint64]struct{}
}

// Has reports whether the pair is there.
func (s *Runs) Has(seq uint64, time int64) bool {
	for _, runs := range s.layer {
		if i := before(runs, seq); i >= 0 && runs[i].has(seq, time) {
			return true
		}
	}
	_, ok := s.rest[[2]uint64{seq, uint64(time)}]
	return ok
}

// Add puts in a pair that is not there.
func (s *Runs) Add(seq uint64, time int64) {
	for l := range s.layer {
		if insert(&s.layer[l], seq, time) {
			return
		}
	}
	if len(s.layer) < layers {
		s.layer = append(s.layer, []run{{seq: seq, n: 1, time: time}})
		return
	}
	if s.rest == nil {
		s.rest = make(map[[2]uint64]struct{})
	}
	s.rest[[2]uint64{seq, uint64(time)}] = struct{}{}
}

// before finds the last run that starts at or before seq, or -1.
func before(runs []run, seq uint64) int {
	if n := len(runs); n > 0 && runs[n-1].seq <= seq {
		return n - 1
	}
	return sort.Search(len(runs), func(i int) bool { return runs[i].seq > seq }) - 1
}

// insert puts the pair into a layer; false when its seq is taken there.
func insert(layer *[]run, seq uint64, time int64) bool {
	runs := *layer
	i := before(runs, seq)
	if i >= 0 && seq-runs[i].seq < runs[i].n {
		return false
	}
	one := run{seq: seq, n: 1, time: time}
	switch {
	case i >= 0 && join(&runs[i], one):
		if i+1 < len(runs) && join(&runs[i], runs[i+1]) {
			*layer = slices.Delete(runs, i+1, i+2)
		}
	case i+1 < len(runs) && join(&one, runs[i+1]):
		runs[i+1] = one
	default:
		runs = append(runs, run{})
		copy(runs[i+2:], runs[i+1:])
		runs[i+1] = one
		*layer = runs
	}
	return true
}

// join lengthens a by b where b follows it in step.
func join(a *run, b run) bool {
	if a.seq+a.n != b.seq || a.seq+a.n < a.seq {
		return false
	}
	step := b.time - a.at(a.seq+a.n-1)
	if a.n > 1 && a.step != step || b.n > 1 && b.step != step {
		return false
	}
	a.step = step
	a.n += b.n
	return true
}
