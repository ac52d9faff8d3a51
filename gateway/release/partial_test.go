package release

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sluice/internal/wide"
	"sluice/plan"
)

func sealer(t testing.TB) cipher.AEAD {
	t.Helper()
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	return aead
}

// some is a partial of an hour with any numbers.
func some(r *rapid.T, s *plan.Stream) Partial {
	start := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	parts := make([]Part, len(s.Cells))
	number := func() int64 { return rapid.Int64Range(-1<<40, 1<<40).Draw(r, "n") }
	for i := range parts {
		p := NewPart(s)
		p.Units, p.Registered, p.Alive = number(), number(), rapid.Bool().Draw(r, "alive")
		for m := range p.Total {
			p.Weight[m] = number()
			for slot := range p.Total[m] {
				p.Total[m][slot] = wide.Int{High: number(), Low: uint64(number())}
			}
			for slot := range p.Addends[m] {
				p.Addends[m][slot] = number()
			}
		}
		parts[i] = p
	}
	gap := rapid.SampledFrom([]string{"", "", "keys_lost"}).Draw(r, "gap")
	var e *Epoch
	if rapid.Bool().Draw(r, "epoch") {
		e = &Epoch{Known: rapid.Bool().Draw(r, "known"), Units: number(), Bounded: number()}
	}
	return NewPartial(s, "policy", start, start.Add(time.Hour), parts, gap, e)
}

// TestSealedPartial: what was sealed is read as it was, with the key and about the same alone,
// and its length is one of few.
func TestSealedPartial(t *testing.T) {
	s, aead := stream(t, nil), sealer(t)
	find := func(digest string) *plan.Stream {
		if digest == s.Digest {
			return s
		}
		return nil
	}
	rapid.Check(t, func(r *rapid.T) {
		p := some(r, s)
		sealed, err := p.Seal(aead, "machine 1")
		if err != nil {
			r.Fatal(err)
		}
		if (len(sealed)-aead.NonceSize()-aead.Overhead())%padTo != 0 {
			r.Fatalf("it is %d bytes long", len(sealed))
		}
		back, err := OpenPartial(aead, "machine 1", sealed, find)
		if err != nil || !reflect.DeepEqual(back, p) {
			r.Fatalf("it comes back as %+v, %v; want %+v", back, err, p)
		}
		if _, err := OpenPartial(aead, "machine 2", sealed, find); !errors.Is(err, errPartial) {
			r.Fatalf("about another machine it is %v", err)
		}
		sealed[rapid.IntRange(0, len(sealed)-1).Draw(r, "at")] ^= 1
		if _, err := OpenPartial(aead, "machine 1", sealed, find); !errors.Is(err, errPartial) {
			r.Fatalf("changed, it is %v", err)
		}
	})
	sealed, err := NewPartial(s, "p", time.Unix(0, 0), time.Unix(3600, 0), newParts(s), "", nil).Seal(aead, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenPartial(aead, "", sealed, func(string) *plan.Stream { return nil }); err == nil {
		t.Error("a plan that nobody knows is one")
	}
}

func newParts(s *plan.Stream) []Part {
	out := make([]Part, len(s.Cells))
	for i := range out {
		out[i] = NewPart(s)
	}
	return out
}

// TestAddUp: partials of one window add up, a gap of one is the window's, and those of two are
// refused.
func TestAddUp(t *testing.T) {
	s := stream(t, nil)
	start := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	one := func(units int64, gap string, e *Epoch) Partial {
		parts := newParts(s)
		parts[0].Units, parts[0].Alive, parts[0].Registered = units, true, 3
		return NewPartial(s, "p", start, start.Add(time.Hour), parts, gap, e)
	}
	b, err := AddUp([]Partial{
		one(3, "", &Epoch{Known: true, Units: 3, Bounded: 1}), one(4, "", &Epoch{Known: true, Units: 5}),
	})
	if err != nil || b.cells[0].Units != 7 || b.cells[0].Registered != 3 || *b.epoch != (Epoch{true, 8, 1}) {
		t.Errorf("they add up to %+v, %v, %v", b.cells[0], b.epoch, err)
	}
	b, err = AddUp([]Partial{one(3, "", nil), one(4, "keys_lost", nil)})
	if err != nil || b.cells[0].Units != 0 || b.cells[0].Alive || b.gap != "keys_lost" || b.epoch != nil {
		t.Errorf("with a gap they are %+v, %q, %v", b.cells[0], b.gap, err)
	}
	b, err = AddUp([]Partial{one(3, "", &Epoch{Known: true, Units: 3}), one(4, "", &Epoch{})})
	if err != nil || *b.epoch != (Epoch{}) {
		t.Errorf("where one does not know its epoch it is %v, %v", b.epoch, err)
	}
	later := one(1, "", nil)
	later.start = later.start.Add(time.Hour)
	other := one(1, "", nil)
	other.policy = "q"
	for what, list := range map[string][]Partial{
		"none": nil, "two windows": {one(1, "", nil), later}, "two policies": {one(1, "", nil), other},
		"half an epoch": {one(1, "", nil), one(1, "", &Epoch{})},
	} {
		if _, err := AddUp(list); !errors.Is(err, errApart) {
			t.Errorf("%s add up: %v", what, err)
		}
	}
}

// plainly seals nothing, so that the fuzzer's bytes are what is read.
type plainly struct{ cipher.AEAD }

func (plainly) NonceSize() int { return 0 }

func (plainly) Open(_, _, text, _ []byte) ([]byte, error) { return bytes.Clone(text), nil }

// FuzzPartial: any bytes are a partial or a piece of one, or refused.
func FuzzPartial(f *testing.F) {
	whole, long := stream(f, nil), longStream(f)
	f.Add([]byte{wholeForm, 0, 0, 0, 0, 6})
	f.Add([]byte{pieceForm, 0, 0, 0, 0, 6})
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, s := range []*plan.Stream{whole, long} {
			p, err := OpenPartial(plainly{}, "", raw, func(string) *plan.Stream { return s })
			if err != nil {
				continue
			}
			if n, of := p.Piece(); n >= of || p.from+len(p.parts) > len(s.Cells) || len(p.parts) == 0 {
				t.Errorf("it has %d parts from %d on, and is piece %d of %d", len(p.parts), p.from, n, of)
			}
		}
	})
}

// longStream has more to say of a window than one entry of a log takes.
func longStream(t testing.TB) *plan.Stream {
	t.Helper()
	return stream(t, func(s *plan.Stream) {
		s.Zones = nil
		for n := range 1500 {
			s.Zones = append(s.Zones, fmt.Sprint("zone-", n))
		}
		speeds := plan.Measure{Name: "speeds", Of: plan.Histogram, Field: "speed"}
		for n := range plan.MaxEdges {
			speeds.Edges = append(speeds.Edges, float64(n))
		}
		s.Measures = append(s.Measures, speeds)
	})
}

// TestPieces: what is too long for an entry is in pieces, each short enough whatever its numbers are; they come back as
// they were, and add up, in any order, to what the whole does.
func TestPieces(t *testing.T) {
	s, aead := longStream(t), sealer(t)
	const most = 1_000_000
	parts := newParts(s)
	for i := range parts {
		p := &parts[i]
		p.Units, p.Registered = math.MinInt64, math.MinInt64
		for m := range p.Total {
			p.Weight[m] = math.MinInt64
			for slot := range p.Total[m] {
				p.Total[m][slot] = wide.Int{High: math.MinInt64, Low: math.MaxUint64 - uint64(i+slot)}
			}
		}
	}
	whole := NewPartial(s, "policy", time.Unix(0, 0).UTC(), time.Unix(3600, 0).UTC(), parts, "",
		&Epoch{Known: true, Units: 5, Bounded: 2})
	pieces := whole.Pieces()
	var back []Partial
	for n, piece := range pieces {
		if at, of := piece.Piece(); at != n || of != len(pieces) {
			t.Errorf("piece %d of %d says that it is %d of %d", n, len(pieces), at, of)
		}
		sealed, err := piece.Seal(aead, "")
		if err != nil || len(sealed) > most {
			t.Fatalf("piece %d is %d bytes long, %v", n, len(sealed), err)
		}
		one, err := OpenPartial(aead, "", sealed, func(string) *plan.Stream { return s })
		if err != nil || !reflect.DeepEqual(one, piece) {
			t.Fatalf("piece %d does not come back as it was: %v", n, err)
		}
		back = append(back, one)
	}
	slices.Reverse(back)
	want, err := AddUp([]Partial{whole, whole})
	if err != nil {
		t.Fatal(err)
	}
	got, err := AddUp(slices.Concat(back, pieces))
	if err != nil || len(pieces) < 2 || !reflect.DeepEqual(got, want) {
		t.Errorf("%d pieces do not add up to the whole: %v", len(pieces), err)
	}
	short := stream(t, nil)
	if n, of := NewPartial(short, "p", whole.start, whole.end, newParts(short), "", nil).Piece(); n != 0 || of != 1 {
		t.Errorf("what is short is piece %d of %d", n, of)
	}
}
