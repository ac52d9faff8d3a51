package window

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

// layers bounds how often equal seqs with other times are kept as runs; a
// sensor that sends the same seq again and again goes on in a set.
const layers = 8

// noTime stands for the time of readings that seq alone tells apart.
const noTime = -1

// Runs is what was seen of one sensor and boot, in any order of arrival: an exact
// set of (seq, time) pairs, and one of seqs whose times were not kept.
type Runs struct {
	layer []layer
	rest  map[[2]uint64]struct{}
	seqs  layer
	of    *account // that it is on; nil for none
}

// Has reports whether the pair is there, or its seq without a time.
func (s *Runs) Has(seq uint64, time int64) bool {
	for l := range s.layer {
		if s.layer[l].has(seq, time) {
			return true
		}
	}
	if _, ok := s.rest[[2]uint64{seq, uint64(time)}]; ok {
		return true
	}
	return s.seqs.has(seq, noTime)
}

// Add puts in a pair that is not there, and says how many runs, or members of the
// set, there are more. It can be one less.
func (s *Runs) Add(seq uint64, time int64) int {
	for l := range s.layer {
		if more, ok := s.layer[l].insert(seq, time); ok {
			return more
		}
	}
	if len(s.layer) < layers {
		s.layer = append(s.layer, layer{})
		more, _ := s.layer[len(s.layer)-1].insert(seq, time)
		return more
	}
	if s.rest == nil {
		s.rest = make(map[[2]uint64]struct{})
	}
	before := len(s.rest)
	s.rest[[2]uint64{seq, uint64(time)}] = struct{}{}
	return len(s.rest) - before
}

// AddSeq puts in a seq without its time, and says the same. A sensor that counts up
// costs one run, whatever its times.
func (s *Runs) AddSeq(seq uint64) int {
	more, _ := s.seqs.insert(seq, noTime)
	return more
}

// Follows reports whether AddSeq would only lengthen a run.
func (s *Runs) Follows(seq uint64) bool { return s.seqs.touches(seq) }
