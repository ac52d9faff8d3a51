package handover

import (
	"crypto/cipher"
	"encoding/binary"
	"errors"

	"sluice/gateway/ingest/internal/checkpoint"
	"sluice/gateway/ingest/internal/window"
)

// Bounds of what is believed of an opened batch.
const (
	mostText = 256
	mostList = 1 << 16
)

// errBatch says that something is no batch, or was not sealed so. It says no more: what is in it is nobody's business.
var errBatch = errors.New("handover: this is none, or not one that was sealed with this key")

// Batch is one that was opened, and found to be whole.
type Batch struct {
	Head
	Ends    bool
	Name    string
	Lapsed  []Life
	Places  []Place
	Gaps    []Gap
	Heard   []uint64
	Windows []Window

	number  int
	entries []byte
}

// ReadHead reads what a batch says of itself. Nothing of it is proved before the batch is opened.
func ReadHead(raw []byte) (Head, error) {
	if len(raw) < headSize || len(raw) > Most || raw[0] != form {
		return Head{}, errBatch
	}
	h := Head{
		Epoch: int64(binary.BigEndian.Uint64(raw[1:])), Partition: binary.BigEndian.Uint16(raw[9:]),
		Life: Life(raw[11:27]), Number: binary.BigEndian.Uint64(raw[27:]),
	}
	if h.Number == 0 {
		return Head{}, errBatch
	}
	return h, nil
}

// Open opens a batch whose head has been read, and reads all of it.
func Open(h Head, seal cipher.AEAD, raw []byte) (*Batch, error) {
	if len(raw) < headSize {
		return nil, errBatch
	}
	content, err := seal.Open(nil, h.nonce(), raw[headSize:], raw[:headSize])
	if err != nil || len(content) < 4 {
		return nil, errBatch
	}
	n := binary.BigEndian.Uint32(content)
	if n < 4 || uint64(n) > uint64(len(content)) {
		return nil, errBatch
	}
	return read(h, content[4:n])
}

// read reads the content of a batch.
func read(h Head, content []byte) (*Batch, error) {
	b := &Batch{Head: h}
	r := reader{rest: content}
	switch r.byte() {
	case 0:
	case 1:
		b.Ends = true
	default:
		return nil, errBatch
	}
	b.Name = r.text()
	for range r.list(len(Life{})) {
		b.Lapsed = append(b.Lapsed, r.life())
	}
	for range r.list(2) {
		b.Places = append(b.Places, Place{r.text(), r.instant()})
	}
	for range r.list(3) {
		b.Gaps = append(b.Gaps, Gap{r.text(), r.instant(), r.text()})
	}
	for range r.list(8) {
		b.Heard = append(b.Heard, r.uint64())
	}
	for range r.list(3) {
		b.Windows = append(b.Windows, Window{r.text(), r.text(), r.instant()})
	}
	b.number = r.length(len(r.rest))
	b.entries = r.rest
	if r.broken || b.Each(func(int, bool, *window.Entry) {}) != nil {
		return nil, errBatch
	}
	return b, nil
}

// Each hands out the entries, with the number of the window that each is for and whether it is told from a repetition.
// An entry is good until the next.
func (b *Batch) Each(take func(window int, told bool, e *window.Entry)) error {
	rest := b.entries
	var e window.Entry // one for all: take keeps none
	for range b.number {
		mark, n := binary.Uvarint(rest)
		if n <= 0 || mark>>1 >= uint64(len(b.Windows)) {
			return errBatch
		}
		var err error
		e = window.Entry{}
		if rest, err = checkpoint.ReadEntry(rest[n:], &e); err != nil {
			return errBatch
		}
		take(int(mark>>1), mark&1 == 1, &e)
	}
	if len(rest) > 0 {
		return errBatch
	}
	return nil
}

// Forget overwrites the entries.
func (b *Batch) Forget() {
	clear(b.entries)
	b.number, b.entries = 0, nil
}

// reader takes values off a text until one is not there; all are zero from then on.
type reader struct {
	rest   []byte
	broken bool
}

func (r *reader) take(n int) []byte {
	if r.broken = r.broken || n > len(r.rest); r.broken {
		return nil
	}
	out := r.rest[:n]
	r.rest = r.rest[n:]
	return out
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) life() (l Life) {
	copy(l[:], r.take(len(l)))
	return l
}

func (r *reader) uint64() uint64 {
	if b := r.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// length reads a number of at most so many.
func (r *reader) length(most int) int {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 || v > uint64(most) {
		r.broken = true
		return 0
	}
	r.take(n)
	return int(v)
}

// list reads the length of a list whose members have at least so many bytes.
func (r *reader) list(each int) int { return r.length(min(mostList, len(r.rest)/each)) }

func (r *reader) text() string { return string(r.take(r.length(mostText))) }

func (r *reader) instant() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.broken = true
		return 0
	}
	r.take(n)
	return v
}
