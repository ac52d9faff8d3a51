package laplace

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"math"
	"math/big"
	mathrand "math/rand/v2"
	"testing"
)

// fits reports whether k of n is likely enough for a probability p: one that is
// right is refused with a probability below 2 10^-11 (Chernoff's bound with the
// divergence of Bernoulli variables: Hoeffding, J. Amer. Statist. Assoc. 58 (1963),
// theorem 1). There are less than a thousand such questions in this package.
func fits(k, n int, p float64) bool {
	q, sum := float64(k)/float64(n), 0.0
	if q > 0 {
		sum += q * math.Log(q/p)
	}
	if q < 1 {
		sum += (1 - q) * math.Log((1-q)/(1-p))
	}
	return float64(n)*sum < 25.3
}

// scales are b of all sizes, as sensitivity and epsilon.
var scales = []struct {
	sensitivity int64
	epsilon     float64
}{
	{1, 100}, {1, 10}, {1, 3.7}, {1, 2}, {1, 1}, {2, 1.5}, {2, 1}, {7, 1}, {24, 1}, {1, 0.1},
	{1000, 0.3333333333333333},
	{1 << 20, 1}, {1 << 36, 1}, {1 << 40, 0.7}, {1 << 45, 1}, {1e15, 1}, {99_999_999_999_999_999, 99.99999999999999},
}

// TestMasses compares draws with the definition: for scales up to 24 every value's
// frequency, for all of them |X| beyond several points, and both signs.
func TestMasses(t *testing.T) {
	const n = 400_000
	for _, c := range scales {
		scale, err := NewScale(c.sensitivity, c.epsilon)
		if err != nil {
			t.Fatal(err)
		}
		b := float64(c.sensitivity) / c.epsilon
		a := math.Exp(-1 / b)
		s, got, sum, positive, negative := NewSource(rand.Reader), make(map[int64]int), 0.0, 0, 0
		draws := make([]float64, n)
		for i := range draws {
			x, err := s.Draw(scale)
			if err != nil {
				t.Fatal(err)
			}
			if b <= 24 {
				got[x]++
			}
			if x > 0 {
				positive++
			} else if x < 0 {
				negative++
			}
			draws[i] = math.Abs(float64(x))
			sum += draws[i]
		}
		for x := int64(-30); x <= 30 && b <= 24; x++ {
			if p := -math.Expm1(-1/b) / (1 + a) * math.Pow(a, math.Abs(float64(x))); !fits(got[x], n, p) {
				t.Errorf("b %v: %d comes %d times of %d; its probability is %v", b, x, got[x], n, p)
			}
		}
		for _, times := range []float64{0, 0.1, 0.5, 1, 2, 3, 5, 8} {
			k := math.Floor(times * b)
			more := 0
			for _, v := range draws {
				if v > k {
					more++
				}
			}
			if p := 2 * math.Exp(-(k+1)/b) / (1 + a); !fits(more, n, p) {
				t.Errorf("b %v: %d of %d are beyond %v; the probability is %v", b, more, n, k, p)
			}
		}
		if p := 0.5; !fits(positive, positive+negative, p) {
			t.Errorf("b %v: %d are above 0, %d below", b, positive, negative)
		}
		if mean := 1 / math.Sinh(1/b); !likely(sum/n, n, b) {
			t.Errorf("b %v: E|X| is %v; it is %v by the definition", b, sum/n, mean)
		}
	}
}

// likely reports whether a mean of n values of |X| is likely enough: one that is
// right is refused with a probability below 2 10^-11 (Chernoff's bound with the
// moment generating function of |X|, at the best of some points).
func likely(mean float64, n int, b float64) bool {
	best := 0.0
	for i := -400; i < 400; i++ {
		r := float64(i) / 400 / b
		moment := -math.Expm1(-1/b) / (1 + math.Exp(-1/b)) * (1 + 2*math.Exp(r-1/b)/-math.Expm1(r-1/b))
		best = max(best, r*mean-math.Log(moment))
	}
	return float64(n)*best < 25.3
}

// TestDecays: Bernoulli variables of exp(-p/q).
func TestDecays(t *testing.T) {
	const n = 200_000
	s := NewSource(rand.Reader)
	huge := wide{1 << 60, 12345}
	for _, c := range []struct {
		p, q wide
		x    float64
	}{
		{wide{}, wide{lo: 1}, 0}, {wide{lo: 1}, wide{lo: 1}, 1}, {wide{lo: 1}, wide{lo: 3}, 1.0 / 3},
		{wide{lo: 9}, wide{lo: 10}, 0.9},
		{wide{1 << 59, 0}, huge, 0.5}, {wide{lo: 1}, huge, 0}, {huge, huge, 1},
	} {
		k := 0
		for range n {
			if s.decays(c.p, c.q) {
				k++
			}
		}
		if p := math.Exp(-c.x); c.x == 0 && k != n || c.x > 0 && !fits(k, n, p) {
			t.Errorf("%v/%v: %d of %d; the probability is %v", c.p, c.q, k, n, p)
		}
	}
}

// TestBelow: each of the numbers below n as often as any other.
func TestBelow(t *testing.T) {
	const n = 100_000
	s := NewSource(rand.Reader)
	for _, most := range []uint64{1, 2, 3, 7, 8, 200, 256, 257} {
		got := make(map[uint64]int)
		for range n {
			got[s.below(wide{lo: most}).lo]++
		}
		for v, k := range got {
			if v >= most || most > 1 && !fits(k, n, 1/float64(most)) {
				t.Errorf("below %d: %d comes %d times of %d", most, v, k, n)
			}
		}
		if len(got) != int(most) {
			t.Errorf("below %d: %d numbers come", most, len(got))
		}
	}
	for _, most := range []wide{{1, 0}, {1, 1}, {1 << 62, 3}, {0, 1<<64 - 1}} {
		half := wide{most.hi >> 1, most.hi<<63 | most.lo>>1}
		k := 0
		for range n {
			v := s.below(most)
			if !v.less(most) {
				t.Fatalf("%v is not below %v", v, most)
			}
			if v.less(half) {
				k++
			}
		}
		if !fits(k, n, 0.5) {
			t.Errorf("below %v: %d of %d are in the lower half", most, k, n)
		}
	}
}

func (w wide) big() *big.Int {
	b := new(big.Int).SetUint64(w.hi)
	return b.Add(b.Lsh(b, 64), new(big.Int).SetUint64(w.lo))
}

// TestArithmetic holds the 192 bits against math/big.
func TestArithmetic(t *testing.T) {
	rnd := mathrand.New(mathrand.NewPCG(1, 2))
	any := func() uint64 { return rnd.Uint64() >> rnd.IntN(64) }
	for range 100_000 {
		b := Scale{wide{any() >> 1, any()}, any() | 1}
		u, v := wide{any() >> 1, any()}, any()
		sum := new(big.Int).Mul(b.t.big(), new(big.Int).SetUint64(v))
		sum.Add(sum, u.big()).Quo(sum, new(big.Int).SetUint64(b.s))
		low, zero := b.steps(u, v)
		want := new(big.Int).And(sum, new(big.Int).SetUint64(math.MaxUint64)).Uint64()
		if low != want || zero != (sum.Sign() == 0) {
			t.Fatalf("(%v + %v*%d)/%d is %d, %v; want %d of %v", u, b.t, v, b.s, low, zero, want, sum)
		}
	}
}

// TestOver: a scale that is divided is its fraction's, exactly, or none.
func TestOver(t *testing.T) {
	b, err := NewScale(50, 0.3) // 500/3
	if err != nil {
		t.Fatal(err)
	}
	if b, err = b.Over(24); err != nil || b.t != (wide{lo: 500}) || b.s != 72 {
		t.Errorf("a 24th of 500/3 is %+v, %v", b, err)
	}
	for _, n := range []uint64{0, 1 << 60} {
		if c, err := b.Over(n); err == nil {
			t.Errorf("divided by %d it is %+v", n, c)
		}
	}
}

// TestNewScale: t/s is the sensitivity over epsilon's decimal, exactly.
func TestNewScale(t *testing.T) {
	for _, c := range append(scales, struct {
		sensitivity int64
		epsilon     float64
	}{math.MaxInt64, 1e-6}) {
		s, err := NewScale(c.sensitivity, c.epsilon)
		if err != nil {
			t.Fatal(err)
		}
		decimal, _ := new(big.Rat).SetString(fmt.Sprint(c.epsilon))
		want := new(big.Rat).Quo(new(big.Rat).SetInt64(c.sensitivity), decimal)
		if got := new(big.Rat).SetFrac(s.t.big(), new(big.Int).SetUint64(s.s)); got.Cmp(want) != 0 {
			t.Errorf("%d/%v is %v; want %v", c.sensitivity, c.epsilon, got, want)
		}
	}
	for _, c := range []struct {
		sensitivity int64
		epsilon     float64
	}{{0, 1}, {-1, 1}, {1, 0}, {1, -1}, {1, math.NaN()}, {1, math.Inf(1)}, {1, 1e-200}, {1, 1e200},
		{math.MaxInt64, 1.2345e-17}} {
		if s, err := NewScale(c.sensitivity, c.epsilon); err == nil {
			t.Errorf("%d/%v is taken for %v", c.sensitivity, c.epsilon, s)
		}
	}
}

// TestRecorded: from the same bytes the same is drawn, in whatever pieces they come,
// and a source that ends is an error and no number.
func TestRecorded(t *testing.T) {
	recording := make([]byte, 1<<14)
	_, _ = mathrand.NewChaCha8([32]byte{1}).Read(recording)
	small, err1 := NewScale(2, 1)
	large, err2 := NewScale(1e12, 0.3)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	const want = "[-2 -4 -2 3 2 3 1 0 1491886975322 3193124861809 -1052711500737 3450849599578]"
	for _, from := range []io.Reader{bytes.NewReader(recording), single{bytes.NewReader(recording)}} {
		s := NewSource(from)
		var list []int64
		for i := range 12 {
			x, err := s.Draw([]Scale{small, large}[i/8])
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, x)
		}
		if got := fmt.Sprint(list); got != want {
			t.Errorf("drawn: %s; recorded: %s", got, want)
		}
	}
	s, n := NewSource(bytes.NewReader(recording)), 0
	for ; n < len(recording); n++ {
		if x, err := s.Draw(small); err != nil {
			if !errors.Is(err, io.EOF) {
				t.Errorf("at the end: %d, %v", x, err)
			}
			break
		}
	}
	if n < 500 || n > 5000 {
		t.Errorf("%d draws came of %d bytes", n, len(recording))
	}
	if s.buf != [256]byte{} {
		t.Error("bytes that were used are still in the buffer")
	}
}

// single reads one byte at a time.
type single struct{ r io.Reader }

func (s single) Read(p []byte) (int, error) { return s.r.Read(p[:1]) }

// TestNoFloat: only NewScale, which reads what people wrote, knows of
// floating-point numbers.
func TestNoFloat(t *testing.T) {
	for _, name := range []string{"laplace.go", "source.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Name.Name == "NewScale" {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.Ident:
					if n.Name == "float64" || n.Name == "float32" || n.Name == "math" {
						t.Errorf("%s uses %s", f.Name.Name, n.Name)
					}
				case *ast.BasicLit:
					if n.Kind == token.FLOAT {
						t.Errorf("%s has the number %s", f.Name.Name, n.Value)
					}
				}
				return true
			})
		}
	}
}

// TestAllocations: a draw allocates nothing.
func TestAllocations(t *testing.T) {
	s := NewSource(rand.Reader)
	scale, err := NewScale(1e12, 0.3)
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(1000, func() { _, _ = s.Draw(scale) }); n > 0 {
		t.Errorf("%v allocations a draw", n)
	}
}
