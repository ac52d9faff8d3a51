package checkpoint

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"io"
	"os"
)

const (
	blockSize = 4096
	// blockMost bounds a block in bytes, and so what is read at a time.
	blockMost = 4 << 20
	headSize  = 16
	aadSize   = headSize + 8
	purpose   = "sluice checkpoint 2"
)

// Flags of a block: which part of its commit it is.
const (
	flagFirst = 1 << iota
	flagLast
)

func newSeal(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// head is what stands before a block, in clear. It is sealed in with the
// segment's number, so that no block opens in another place.
type head struct {
	size  uint32 // of what is sealed, with its overhead
	flags uint32
	index uint64 // of the block in its segment, from 0
}

func (h head) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, h.size)
	b = binary.BigEndian.AppendUint32(b, h.flags)
	return binary.BigEndian.AppendUint64(b, h.index)
}

func parseHead(b []byte) head {
	return head{binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint64(b[8:])}
}

// additional is what is authenticated beside a block's content.
func additional(head []byte, number uint64) []byte {
	b := append(make([]byte, 0, len(purpose)+aadSize), purpose...)
	return binary.BigEndian.AppendUint64(append(b, head...), number)
}

// writer appends commits to one segment.
type writer struct {
	file   *os.File
	number uint64
	seal   cipher.AEAD
	blocks uint64
	size   int64
	// from is the size from which zeros are written ahead, ahead how far there are some.
	from, ahead int64
	out         []byte
}

// write appends one commit, in as many blocks as its bytes need. Zeros are behind
// the last frame: a frame never has kind 0. The caller owns plain no longer.
func (w *writer) write(plain []byte) error {
	overhead := headSize + w.seal.Overhead()
	for flags := uint32(flagFirst); ; flags = 0 {
		part := plain[:min(len(plain), blockMost-overhead)]
		plain = plain[len(part):]
		if len(plain) == 0 {
			flags |= flagLast
			padded := (len(part) + overhead + blockSize - 1) / blockSize * blockSize
			part = append(part, make([]byte, padded-overhead-len(part))...)
		}
		h := head{uint32(len(part) + w.seal.Overhead()), flags, w.blocks}
		w.out = h.append(w.out[:0])
		w.out = w.seal.Seal(w.out, nil, part, additional(w.out, w.number))
		n, err := w.file.WriteAt(w.out, w.size)
		if err != nil {
			return err
		}
		w.size += int64(n)
		w.blocks++
		if flags&flagLast != 0 {
			if cap(w.out) > blockMost/2 {
				w.out = nil // after the rare large one
			}
			return nil
		}
	}
}

// segmentReader reads one segment, a block at a time.
type segmentReader struct {
	file   *os.File
	number uint64
	seal   cipher.AEAD
	size   int64 // of the file
	at     int64
	sealed []byte
}

// scan is what a segment turned out to hold.
type scan struct {
	blocks uint64 // whole commits end here
	size   int64
	// damaged says that of the blocks that should be there not all can be read;
	// current that the last of them can, so that nothing after it is missing.
	damaged, current bool
}

// commits hands out each whole commit's bytes. Of the first need blocks, which
// lie within the first size bytes, every one should be there: behind one that does
// not open it goes on at the next place where one does, so that damage in the
// middle hides nothing. Behind them, what is whole is taken, up to limit blocks,
// and the first that is not was torn by a crash.
func (r *segmentReader) commits(need, limit uint64, size int64, each func([]byte) error) (scan, error) {
	var s scan
	var commit []byte
	whole, want := false, uint64(0)
	for want < limit {
		h, plain, err := r.block(want, limit)
		if err != nil {
			return s, err
		}
		if plain == nil {
			if want >= need || r.at+blockSize > min(size, r.size) {
				break
			}
			r.at += blockSize
			continue
		}
		if h.index != want {
			if want >= need {
				break // nothing of it was acknowledged
			}
			s.damaged, whole = true, false
		}
		switch {
		case h.flags&flagFirst != 0:
			commit, whole = append(commit[:0], plain...), true
		case whole:
			commit = append(commit, plain...)
		}
		want = h.index + 1
		if h.flags&flagLast == 0 {
			continue
		}
		if !whole {
			s.damaged = true
			continue
		}
		if err := each(commit); err != nil {
			return s, err
		}
		if cap(commit) > blockMost {
			commit = nil
		}
		s.blocks, s.size, whole = want, r.at, false
	}
	s.current = s.blocks >= need
	s.damaged = s.damaged || !s.current
	return s, nil
}

// block opens the block at r.at; nil where none that may come next is there. An
// error is the file's.
func (r *segmentReader) block(want, limit uint64) (head, []byte, error) {
	var raw [headSize]byte
	if r.at+blockSize > r.size {
		return head{}, nil, nil
	}
	if _, err := r.file.ReadAt(raw[:], r.at); err != nil {
		return head{}, nil, gone(err)
	}
	h := parseHead(raw[:])
	total := int64(headSize) + int64(h.size)
	if h.index < want || h.index >= limit || total > blockMost || total%blockSize != 0 ||
		int(h.size) <= r.seal.Overhead() || r.at+total > r.size {
		return head{}, nil, nil
	}
	if cap(r.sealed) < int(h.size) {
		r.sealed = make([]byte, h.size)
	}
	sealed := r.sealed[:h.size]
	if _, err := r.file.ReadAt(sealed, r.at+headSize); err != nil {
		return head{}, nil, gone(err)
	}
	plain, err := r.seal.Open(sealed[:0], nil, sealed, additional(raw[:], r.number))
	if err != nil {
		return head{}, nil, nil // it is no block, or none any more
	}
	r.at += total
	return h, plain, nil
}

// gone takes the end of a file that has become shorter for what is missing.
func gone(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
