package laplace

import (
	"encoding/binary"
	"io"
	"math/bits"
)

// Source hands out random bits, and forgets them. It is for one goroutine.
type Source struct {
	from io.Reader
	buf  [256]byte
	used int   // bytes of buf that were handed out
	err  error // of from; everything is 0 from then on
}

// NewSource takes its bits from a reader: crypto/rand's, or in tests a recording,
// from which the same is drawn again.
func NewSource(from io.Reader) *Source {
	s := &Source{from: from}
	s.used = len(s.buf)
	return s
}

// below is a whole number from 0 to n-1, each with the same probability: of as many
// bits as n-1 has, and drawn anew where it is n or more, which happens less than
// every second time.
func (s *Source) below(n wide) wide {
	lo, borrow := bits.Sub64(n.lo, 1, 0)
	top := wide{n.hi - borrow, lo}
	size := top.bits()
	for s.err == nil {
		w := s.take((size + 7) / 8)
		w.hi &= 1<<max(0, size-64) - 1
		if size < 64 {
			w.lo &= 1<<size - 1
		}
		if w.less(n) {
			return w
		}
	}
	return wide{}
}

// take is the next bytes of the source, at most sixteen, as a number.
func (s *Source) take(n int) wide {
	var all [16]byte
	for i := range n {
		if s.used == len(s.buf) && !s.fill() {
			return wide{}
		}
		// Who reads the memory later must not find what noise was made of.
		all[15-i], s.buf[s.used] = s.buf[s.used], 0
		s.used++
	}
	return wide{binary.BigEndian.Uint64(all[:8]), binary.BigEndian.Uint64(all[8:])}
}

// fill reads as many bytes as there are, up to the buffer's size.
func (s *Source) fill() bool {
	n, err := io.ReadAtLeast(s.from, s.buf[:], 1)
	if n == 0 {
		s.err = err
		return false
	}
	copy(s.buf[len(s.buf)-n:], s.buf[:n])
	clear(s.buf[:len(s.buf)-n])
	s.used = len(s.buf) - n
	return true
}
