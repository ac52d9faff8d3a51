package cbor

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/valyala/fastjson"

	"sluice/gateway/ingest/internal/fault"
)

// other reads CBOR into Go's values, as fxamacker does by itself.
func other(t testing.TB) cbor.DecMode {
	t.Helper()
	mode, err := cbor.DecOptions{MaxNestedLevels: MaxDepth, MaxArrayElements: MaxMessage, MaxMapPairs: MaxMessage,
		IntDec: cbor.IntDecConvertNone, BigIntDec: cbor.BigIntDecodePointer, TimeTag: cbor.DecTagIgnored,
		UTF8: cbor.UTF8RejectInvalid, DupMapKey: cbor.DupMapKeyEnforcedAPF}.DecMode()
	if err != nil {
		t.Fatal(err)
	}
	return mode
}

// same fails where a value of ours is not the other's.
func same(t *testing.T, got *fastjson.Value, want any) {
	t.Helper()
	switch want := want.(type) {
	case []any:
		list, err := got.Array()
		if err != nil || len(list) != len(want) {
			t.Fatalf("%s is %v", got, want)
		}
		for i := range list {
			same(t, list[i], want[i])
		}
	case map[any]any:
		o, err := got.Object()
		if err != nil || o.Len() != len(want) {
			t.Fatalf("%s is %v", got, want)
		}
		for k, v := range want {
			for tagged, ok := k.(cbor.Tag); ok; tagged, ok = k.(cbor.Tag) {
				k = tagged.Content
			}
			if _, ok := k.(time.Time); !ok {
				same(t, o.Get(fmt.Sprint(k)), v)
			}
		}
	case cbor.Tag:
		same(t, got, want.Content)
	case string:
		if b, err := got.StringBytes(); err != nil || string(b) != want {
			t.Fatalf("%s is %q", got, want)
		}
	case bool:
		if b, err := got.Bool(); err != nil || b != want {
			t.Fatalf("%s is %v", got, want)
		}
	case float64:
		f, err := strconv.ParseFloat(got.String(), 64) // Float64 is off by one in the last place, now and then
		if got.Type() != fastjson.TypeNumber || err != nil || f != want && !(math.IsNaN(f) && math.IsNaN(want)) {
			t.Fatalf("%s is %v", got, want)
		}
	case uint64, int64:
		if got.String() != fmt.Sprint(want) {
			t.Fatalf("%s is %v", got, want)
		}
	case *big.Int: // a number below -2^63, or a big one
		if got.Type() != fastjson.TypeNull && got.String() != want.String() {
			t.Fatalf("%s is %v", got, want)
		}
	case nil, []byte, cbor.SimpleValue:
		if got.Type() != fastjson.TypeNull {
			t.Fatalf("%s is %v", got, want)
		}
	case time.Time: // made of tag 0 or 1; here its content counts
		if got.Type() != fastjson.TypeNumber && got.Type() != fastjson.TypeString && got.Type() != fastjson.TypeNull {
			t.Fatalf("%s is %v", got, want)
		}
	default:
		t.Fatalf("%s is a %T", got, want)
	}
}

// named reports whether all keys are texts and whole numbers.
func named(v any) bool {
	switch v := v.(type) {
	case []any:
		return !slices.ContainsFunc(v, func(v any) bool { return !named(v) })
	case cbor.Tag:
		return named(v.Content)
	case map[any]any:
		for k, v := range v {
			for tagged, ok := k.(cbor.Tag); ok; tagged, ok = k.(cbor.Tag) {
				k = tagged.Content
			}
			switch k.(type) {
			case string, uint64, int64, *big.Int, big.Int:
			default: // a time may have been a number with a point
				return false
			}
			if !named(v) {
				return false
			}
		}
	}
	return true
}

// compare holds what is read of a message against what fxamacker reads of it.
func compare(t *testing.T, d *Decoder, mode cbor.DecMode, payload []byte) {
	t.Helper()
	began := time.Now()
	got, f := d.Decode(payload, false)
	if took := time.Since(began); took > 10*time.Second {
		t.Fatalf("%d bytes take %v", len(payload), took)
	}
	if cap(d.out) > 16*MaxMessage || d.items > MaxItems+1 {
		t.Fatalf("%d bytes become %d, and %d items", len(payload), cap(d.out), d.items)
	}
	wellformed := mode.Wellformed(payload) == nil
	if f.Code == fault.None && !wellformed {
		t.Fatalf("%x is read, and is not well-formed", payload)
	}
	if f.Code != fault.None && f.Code != fault.NotJSON && !wellformed && len(payload) <= MaxMessage {
		t.Fatalf("%x is %s, and not even well-formed", payload, f.Code)
	}
	var want any
	err := mode.Unmarshal(payload, &want)
	if f.Code == fault.None && err == nil {
		same(t, got, want)
	}
	// A big number may be a key to others, and looks like any other number then.
	big := slices.ContainsFunc(payload, func(b byte) bool { return b == 0xc2 || b == 0xc3 || b>>3 == 0xd8>>3 })
	if f.Code == fault.NotJSON && err == nil && named(want) && !big {
		t.Fatalf("%x is refused, and is %v", payload, want)
	}
	if f.Code == fault.None {
		if _, again := d.Decode(payload, true); again.Code != fault.None && again.Code != fault.DuplicateKey {
			t.Fatalf("with labels %x is %s", payload, again.Code)
		}
	}
}

// FuzzCBOR: no message is read that is not well-formed, and what is read is what fxamacker
// reads; memory and time are bounded.
func FuzzCBOR(f *testing.F) {
	for _, s := range []string{
		"a2 63736571 07 66 6669656c6473 a1 64 72737369 38 3c", "d9d9f7 9f bf 01 f93e00 ff ff", "7f 6161 6162 ff",
		"83 f97e00 fa7f800000 fbc010666666666666", "a2 01 01 6131 02", "c2 41 01", "5f 4101 ff", "c0 01", "c1 60",
		"a1 1bffffffffffffffff 3bffffffffffffffff", "f7", "f8ff", "81818181", "a1 c0 6161 01", "a1 c1 f93030 30",
	} {
		f.Add(unhex(f, s))
	}
	d, mode := New(), other(f)
	f.Fuzz(func(t *testing.T, payload []byte) { compare(t, d, mode, payload) })
}

// made is a random value, as CBOR.
func made(r *rand.Rand, depth int) any {
	switch n := r.IntN(12); {
	case n < 2 && depth > 0:
		list := make([]any, r.IntN(5))
		for i := range list {
			list[i] = made(r, depth-1)
		}
		return list
	case n < 4 && depth > 0:
		m := map[any]any{}
		for range r.IntN(20) {
			if r.IntN(4) == 0 {
				m[r.Int64N(400)-200] = made(r, depth-1)
			} else {
				m[fmt.Sprintf("%c%d", rune(r.IntN(0x700)), r.IntN(1000))] = made(r, depth-1)
			}
		}
		return m
	case n == 4:
		return r.Uint64()
	case n == 5:
		return -r.Int64()
	case n == 6:
		return math.Float64frombits(r.Uint64())
	case n == 7:
		return math.Float32frombits(r.Uint32())
	case n == 8:
		return fmt.Sprintf("%c%c%c", rune(r.IntN(0x80)), rune(r.IntN(0x800)), rune(r.IntN(0x10FFFF)))
	case n == 9:
		return r.IntN(2) == 0
	case n == 10:
		return cbor.Tag{Number: 4 + r.Uint64N(10), Content: "x"}
	}
	return nil
}

// TestSameAsOther: what fxamacker writes, both read alike; floats in their shortest forms.
func TestSameAsOther(t *testing.T) {
	const seed = 8949
	r := rand.New(rand.NewPCG(seed, 0))
	short, err := cbor.EncOptions{ShortestFloat: cbor.ShortestFloat16}.EncMode()
	if err != nil {
		t.Fatal(err)
	}
	d, mode := New(), other(t)
	for range 5000 {
		payload, err := short.Marshal(made(r, 5))
		if err != nil {
			t.Fatal(err)
		}
		if _, f := d.Decode(payload, false); f.Code != fault.None {
			t.Fatalf("%x is %s", payload, f.Code)
		}
		compare(t, d, mode, payload)
	}
	for bits := range 1 << 16 { // each half float there is
		compare(t, d, mode, []byte{0xf9, byte(bits >> 8), byte(bits)})
	}
}
