package release

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"sluice/internal/wide"
	"sluice/plan"
)

// Partial is what one machine has of a stream's closed window, where several share a city's
// units: exact, secret and as closed as a Batch, which it becomes together with those of the
// others. One of a stream that has much to say is said in Pieces.
type Partial struct {
	stream     *plan.Stream
	policy     string
	start, end time.Time
	from       int    // the first cell that parts are of
	parts      []Part // one after the other
	gap        string
	epoch      *Epoch
}

// NewPartial takes a machine's part of one window, one Part per cell in the order of
// stream.Cells; the other arguments are those of NewBatch. The epoch is the machine's part of
// one that ends with the window; nil for none.
func NewPartial(stream *plan.Stream, policy string, start, end time.Time, parts []Part, gap string,
	epoch *Epoch) Partial {
	if len(parts) != len(stream.Cells) {
		panic("release: a partial needs exactly the stream's cells")
	}
	return Partial{stream, policy, start, end, 0, parts, gap, epoch}
}

// Key names the stream and window.
func (p Partial) Key() Key { return Key{p.stream.ID, p.start} }

// pieceMost bounds the numbers of a piece, in bytes, whatever they are.
const pieceMost = 900_000

// perPiece is how many cells of a stream are in a piece: as many as always fit, so that whoever sums a window up
// divides it in the same way.
func perPiece(s *plan.Stream) int {
	cell := 2*binary.MaxVarintLen64 + 1
	for i := range s.Measures {
		slots := s.Measures[i].Slots()
		cell += binary.MaxVarintLen64 * (1 + 2*slots)
		if s.Measures[i].Of.Level() {
			cell += binary.MaxVarintLen64 * slots
		}
	}
	return max(1, pieceMost/cell)
}

// Pieces are the partial, each of as many cells as can be sealed in 1,000,000 bytes. They add up as partials do.
func (p Partial) Pieces() (list []Partial) {
	per := perPiece(p.stream)
	if len(p.parts) <= per {
		return []Partial{p}
	}
	for from := 0; from < len(p.parts); from += per {
		piece := p
		piece.from, piece.parts = from, p.parts[from:min(from+per, len(p.parts))]
		if p.epoch != nil && from > 0 { // the first one has said it
			piece.epoch = &Epoch{Known: p.epoch.Known}
		}
		list = append(list, piece)
	}
	return list
}

// Piece is which of a partial's pieces it is, from 0 on, and how many there are.
func (p Partial) Piece() (n, of int) {
	per := perPiece(p.stream)
	return p.from / per, max(1, (len(p.stream.Cells)+per-1)/per)
}

// errApart says that partials are not of one window.
var errApart = errors.New("release: partials of different windows, plans or policies do not add up")

// Total is a window's partials of several machines, added up one by one. The zero value has none.
type Total struct {
	of Partial // with the sums of all
	n  int
}

// Add adds a partial, or a piece of one, that was not added before. One that is not of the same window, plan and policy
// is refused.
func (t *Total) Add(p Partial) error {
	if t.n == 0 {
		t.of = p
		t.of.from, t.of.parts = 0, make([]Part, len(p.stream.Cells))
		for i := range t.of.parts {
			t.of.parts[i] = NewPart(p.stream)
		}
		if p.epoch != nil {
			t.of.epoch = &Epoch{Known: true}
		}
	}
	of := &t.of
	if p.stream.Digest != of.stream.Digest || p.policy != of.policy || !p.start.Equal(of.start) ||
		!p.end.Equal(of.end) || (p.epoch == nil) != (of.epoch == nil) {
		return errApart
	}
	t.n++
	if of.gap == "" {
		of.gap = p.gap
	}
	for i := range p.parts {
		of.parts[p.from+i].Add(p.parts[i])
	}
	if p.epoch != nil {
		of.epoch.add(p.epoch)
	}
	return nil
}

// Miss makes the window a gap, for a public reason: a machine has not said what it has of it.
func (t *Total) Miss(reason string) {
	if t.of.gap == "" {
		t.of.gap = reason
	}
	if t.of.epoch != nil {
		t.of.epoch.add(&Epoch{})
	}
}

// Size is about how many bytes of memory it takes.
func (t *Total) Size() (bytes int) {
	const cell, measure, slot = 112, 96, 24
	for i := range t.of.parts {
		bytes += cell
		for _, sums := range t.of.parts[i].Total {
			bytes += measure + slot*len(sums)
		}
	}
	return bytes
}

// Batch is the window. Where one machine has a gap the window has it: less than all is no number. It is for who has
// added something, and adds nothing after.
func (t *Total) Batch() Batch {
	of := &t.of
	cells := make([]Sums, len(of.parts))
	for i, p := range of.parts {
		if of.gap != "" {
			registered := p.Registered
			p = NewPart(of.stream)
			p.Registered = registered
		}
		cells[i] = p.Sums()
	}
	return NewBatch(of.stream, of.policy, of.start, of.end, cells, of.gap).WithEpoch(of.epoch)
}

// AddUp makes the batch of a window from the partials of all machines, each of which it has once.
func AddUp(list []Partial) (Batch, error) {
	var t Total
	for _, p := range list {
		if err := t.Add(p); err != nil {
			return Batch{}, err
		}
	}
	if t.n == 0 {
		return Batch{}, errApart
	}
	return t.Batch(), nil
}

// add adds what another machine has counted of an epoch. What one does not know, none does.
func (e *Epoch) add(o *Epoch) {
	e.Known = e.Known && o.Known
	e.Units, e.Bounded = e.Units+o.Units, e.Bounded+o.Bounded
	if !e.Known {
		e.Units, e.Bounded = 0, 0
	}
}

// What is sealed is as long as a multiple of this, so that its length says little of it.
const padTo = 4096

// Of a sealed partial: its form, and what else is true of it.
const (
	wholeForm = 1
	pieceForm = 2

	hasEpoch   = 1 << 0
	epochKnown = 1 << 1
)

// Seal is the partial for a reader who has the key, with the caller's own text about it, such as
// which machine's it is, bound to it:
//
//	nonce, sealed(form uint8, flags uint8, length uint32, stream's digest, policy, start, end, gap,
//	[units, bounded,] [number of the piece,] parts..., zeros)
//
// The form is 1 for all of a partial, and 2 for a piece of one, which has its number.
//
// Numbers are signed varints, texts have their length before them, and of a part come units,
// registered, alive, and of each measure its weight, its sums, high and low, and of a level the
// numbers of addends.
func (p Partial) Seal(aead cipher.AEAD, about string) ([]byte, error) {
	body := make([]byte, 6, padTo)
	text := func(s string) { body = append(binary.AppendUvarint(body, uint64(len(s))), s...) }
	text(p.stream.Digest)
	text(p.policy)
	body = binary.AppendVarint(binary.AppendVarint(body, p.start.UnixNano()), p.end.UnixNano())
	text(p.gap)
	if p.epoch != nil {
		body[1] |= hasEpoch
		if p.epoch.Known {
			body[1] |= epochKnown
		}
		body = binary.AppendVarint(binary.AppendVarint(body, p.epoch.Units), p.epoch.Bounded)
	}
	body[0] = wholeForm
	if n, of := p.Piece(); of > 1 {
		body[0] = pieceForm
		body = binary.AppendVarint(body, int64(n))
	}
	for _, one := range p.parts {
		body = one.append(body)
	}
	binary.BigEndian.PutUint32(body[2:], uint32(len(body)))
	body = append(body, make([]byte, (padTo-len(body)%padTo)%padTo)...)
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(body)+aead.Overhead())
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	return aead.Seal(nonce, nonce, body, []byte(about)), nil
}

func (p Part) append(body []byte) []byte {
	body = binary.AppendVarint(binary.AppendVarint(body, p.Units), p.Registered)
	alive := byte(0)
	if p.Alive {
		alive = 1
	}
	body = append(body, alive)
	for i, sums := range p.Total {
		body = binary.AppendVarint(body, p.Weight[i])
		for _, sum := range sums {
			body = binary.AppendUvarint(binary.AppendVarint(body, sum.High), sum.Low)
		}
		for _, n := range p.Addends[i] {
			body = binary.AppendVarint(body, n)
		}
	}
	return body
}

// errPartial says that something is no partial of ours.
var errPartial = errors.New("release: this is not a partial that was sealed with this key, or about that")

// ErrPlan says that a partial is of a plan that is not known to who opens it.
var ErrPlan = errors.New("release: a partial is of a plan that is not known here")

// OpenPartial reads what was sealed. The plan is found by its stream's digest; nil for none.
func OpenPartial(
	aead cipher.AEAD, about string, sealed []byte, find func(digest string) *plan.Stream,
) (Partial, error) {
	if len(sealed) < aead.NonceSize() {
		return Partial{}, errPartial
	}
	body, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], []byte(about))
	if err != nil || len(body) < 6 || body[0] != wholeForm && body[0] != pieceForm {
		return Partial{}, errPartial
	}
	if n := binary.BigEndian.Uint32(body[2:]); n < 6 || uint64(n) > uint64(len(body)) {
		return Partial{}, errPartial
	} else if slices.ContainsFunc(body[n:], func(b byte) bool { return b != 0 }) {
		return Partial{}, errPartial
	} else {
		body = body[:n]
	}
	r := partReader{rest: body[6:]}
	digest, p := r.text(), Partial{policy: r.text()}
	p.start, p.end, p.gap = r.instant(), r.instant(), r.text()
	if body[1]&hasEpoch != 0 {
		p.epoch = &Epoch{Known: body[1]&epochKnown != 0, Units: r.number(), Bounded: r.number()}
	}
	if r.broken {
		return Partial{}, errPartial
	}
	if p.stream = find(digest); p.stream == nil {
		return Partial{}, fmt.Errorf("%w: %.16s", ErrPlan, digest)
	}
	cells := r.piece(&p, body[0] == pieceForm)
	for range cells {
		p.parts = append(p.parts, r.part(p.stream))
		if r.broken {
			return Partial{}, errPartial
		}
	}
	if len(r.rest) > 0 {
		return Partial{}, errPartial
	}
	return p, nil
}

// piece reads which one it is, and returns how many cells it has.
func (r *partReader) piece(p *Partial, is bool) (cells int) {
	per, all := perPiece(p.stream), len(p.stream.Cells)
	if r.broken = r.broken || is != (all > per); r.broken || !is {
		return all
	}
	n := r.number()
	if r.broken = r.broken || n < 0 || n > int64((all-1)/per); r.broken {
		return all
	}
	p.from = int(n) * per
	return min(per, all-p.from)
}

// partReader takes values off a text until one is not there; all are zero from then on.
type partReader struct {
	rest   []byte
	broken bool
}

func (r *partReader) took(n int) {
	if r.broken = r.broken || n <= 0; !r.broken {
		r.rest = r.rest[n:]
	}
}

func (r *partReader) number() int64 {
	v, n := binary.Varint(r.rest)
	if r.took(n); r.broken {
		return 0
	}
	return v
}

func (r *partReader) unsigned() uint64 {
	v, n := binary.Uvarint(r.rest)
	if r.took(n); r.broken {
		return 0
	}
	return v
}

func (r *partReader) text() string {
	n := r.unsigned()
	if r.broken = r.broken || n > uint64(len(r.rest)); r.broken {
		return ""
	}
	s := string(r.rest[:n])
	r.rest = r.rest[n:]
	return s
}

func (r *partReader) instant() time.Time { return time.Unix(0, r.number()).UTC() }

func (r *partReader) part(s *plan.Stream) Part {
	p := NewPart(s)
	p.Units, p.Registered = r.number(), r.number()
	switch alive := r.unsigned(); alive {
	case 0, 1:
		p.Alive = alive == 1
	default:
		r.broken = true
	}
	for i := range p.Total {
		p.Weight[i] = r.number()
		for slot := range p.Total[i] {
			p.Total[i][slot] = wide.Int{High: r.number(), Low: r.unsigned()}
		}
		for slot := range p.Addends[i] {
			p.Addends[i][slot] = r.number()
		}
	}
	return p
}
