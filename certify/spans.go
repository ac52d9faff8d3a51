package certify

import "slices"

// spans are whole numbers that were seen, as ranges in order.
type spans struct{ list []span }

type span struct{ low, high uint64 } // both included

// maxSpans bounds what is remembered of a device that leaves holes everywhere.
const maxSpans = 10_000

// add adds a number.
func (s *spans) add(n uint64) {
	i, _ := slices.BinarySearchFunc(s.list, n, func(x span, n uint64) int {
		switch {
		case x.high < n:
			return -1
		case x.low > n:
			return 1
		}
		return 0
	})
	joinsNext := i < len(s.list) && n+1 == s.list[i].low
	joinsLast := i > 0 && s.list[i-1].high+1 == n
	switch {
	case i < len(s.list) && s.list[i].low <= n && n <= s.list[i].high:
	case joinsNext && joinsLast:
		s.list[i-1].high = s.list[i].high
		s.list = slices.Delete(s.list, i, i+1)
	case joinsNext:
		s.list[i].low = n
	case joinsLast:
		s.list[i-1].high = n
	case len(s.list) < maxSpans:
		s.list = slices.Insert(s.list, i, span{n, n})
	}
}

// high is the highest number; it reports whether there is any.
func (s *spans) high() (uint64, bool) {
	if len(s.list) == 0 {
		return 0, false
	}
	return s.list[len(s.list)-1].high, true
}

// missing is how many numbers above one are not there, up to the highest.
func (s *spans) missing(above uint64) (n uint64) {
	for i := len(s.list) - 1; i > 0 && s.list[i].low > above; i-- {
		if from := max(above, s.list[i-1].high); s.list[i].low > from+1 {
			n += s.list[i].low - from - 1
		}
	}
	return n
}
