// Package wipe reads ahead of a library and keeps nothing of what it has handed
// out: every byte in its buffer is overwritten as soon as it has gone on. An idle
// connection would otherwise hold the last identifiers that came over it for as
// long as it stays open.
package wipe

import "io"

// Reader is a buffered reader that overwrites what it has handed out. It is used by
// one goroutine.
type Reader struct {
	in         io.Reader
	buf        []byte
	from, upTo int // of buf, what is there to hand out
	most       int // bytes to which buf may grow
}

// NewReader makes a reader with a buffer of so many bytes.
func NewReader(in io.Reader, size int) *Reader {
	return &Reader{in: in, buf: make([]byte, size), most: size}
}

// Growing makes a reader with a buffer that begins small and doubles, up to so many
// bytes, while reads fill it: whoever says little costs little.
func Growing(in io.Reader, size, most int) *Reader {
	return &Reader{in: in, buf: make([]byte, size), most: most}
}

// Empty reports whether the next read waits for the other side.
func (r *Reader) Empty() bool { return r.from == r.upTo }

func (r *Reader) fill() error {
	if r.from < r.upTo {
		return nil
	}
	if r.upTo == len(r.buf) && len(r.buf) < r.most { // all of it was handed out, and so wiped
		r.buf = make([]byte, min(r.most, 2*len(r.buf)))
	}
	n, err := r.in.Read(r.buf)
	r.from, r.upTo = 0, n
	if n > 0 {
		return nil
	}
	return err
}

// Read hands out what is in the buffer, or reads into p where that is larger.
func (r *Reader) Read(p []byte) (int, error) {
	if r.from == r.upTo && len(p) >= len(r.buf) {
		return r.in.Read(p)
	}
	if err := r.fill(); err != nil {
		return 0, err
	}
	n := copy(p, r.buf[r.from:r.upTo])
	r.drop(n)
	return n, nil
}

// ReadByte hands out one byte.
func (r *Reader) ReadByte() (byte, error) {
	for r.from == r.upTo {
		if err := r.fill(); err != nil {
			return 0, err
		}
	}
	b := r.buf[r.from]
	r.drop(1)
	return b, nil
}

// Discard drops up to n bytes, at most what is in the buffer.
func (r *Reader) Discard(n int) (int, error) {
	if err := r.fill(); err != nil {
		return 0, err
	}
	n = min(n, r.upTo-r.from)
	r.drop(n)
	return n, nil
}

func (r *Reader) drop(n int) {
	clear(r.buf[r.from : r.from+n])
	r.from += n
}
