package wide

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// TestWide: 128-bit sums are those of big integers, whatever the order.
func TestWide(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		list := rapid.SliceOf(rapid.OneOf(rapid.Int64(),
			rapid.SampledFrom([]int64{math.MaxInt64, math.MinInt64, -1, 0, 1}))).Draw(r, "list")
		low, high := int64(-7_000_000), int64(math.MaxInt64)
		var w, first Int
		want := new(big.Int)
		for n, v := range list {
			if w.Add(v); n%2 == 0 {
				first.Add(v)
			}
			want.Add(want, big.NewInt(v))
		}
		exact := high
		if want.Cmp(big.NewInt(low)) < 0 {
			exact = low
		} else if want.IsInt64() {
			exact = want.Int64()
		}
		if got := w.Clamped(low, high); got != exact {
			r.Fatalf("the sum of %v within [%d, %d] is %d; want %d", list, low, high, got, exact)
		}
		var rest Int
		for n, v := range list {
			if n%2 != 0 {
				rest.Add(v)
			}
		}
		if first.AddInt(rest); first != w {
			r.Fatalf("the sums of two halves of %v add up to %v; want %v", list, first, w)
		}
	})
}

// TestAMeanOfManyEnergies: as many of the greatest energies as an int64 can count neither
// overflow nor lose anything.
func TestAMeanOfManyEnergies(t *testing.T) {
	const n = math.MaxInt64
	most := int64(1e12) << 23
	w := Int{High: int64(uint64(most) >> 1), Low: uint64(most) << 63} // most * 2^63
	low := w.Low
	w.Low -= uint64(most) // most * (2^63 - 1)
	if w.Low > low {
		w.High--
	}
	if got := w.Over(n); got != most {
		t.Errorf("the mean of so many of %d is %d", most, got)
	}
	if got := (Int{}).Over(0); got != 0 {
		t.Errorf("nothing has the mean %d", got)
	}
}
