package picture

import (
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

var (
	regular = sync.OnceValues(func() (*sfnt.Font, error) { return opentype.Parse(goregular.TTF) })
	bold    = sync.OnceValues(func() (*sfnt.Font, error) { return opentype.Parse(gobold.TTF) })
)

func typeface(heavy bool) (*sfnt.Font, error) {
	if heavy {
		return bold()
	}
	return regular()
}

// face is a typeface in a size of pixels, for one goroutine.
func face(size float64, heavy bool) (font.Face, error) {
	f, err := typeface(heavy)
	if err != nil {
		return nil, err
	}
	return opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72})
}

// measured is how wide runes are in a thousand pixels an em.
type measured struct {
	once sync.Once
	mu   sync.Mutex
	f    *sfnt.Font
	buf  sfnt.Buffer // guarded by mu
}

var measures [2]measured

// Width is about how wide a text is in a size; readers' own typefaces differ by a little.
func Width(words string, size float64, heavy bool) float64 {
	m := &measures[0]
	if heavy {
		m = &measures[1]
	}
	m.once.Do(func() { m.f, _ = typeface(heavy) }) // the typefaces are in the program, and tests parse them
	m.mu.Lock()
	defer m.mu.Unlock()
	sum := 0.0
	for _, r := range words {
		sum += m.advance(r)
	}
	return sum * size
}

// advance is how wide a rune is, in ems.
func (m *measured) advance(r rune) float64 {
	const em = 1000
	if m.f == nil {
		return 0.6
	}
	glyph, err := m.f.GlyphIndex(&m.buf, r)
	if err != nil {
		return 0.6
	}
	long, err := m.f.GlyphAdvance(&m.buf, glyph, fixed.I(em), font.HintingNone)
	if err != nil {
		return 0.6
	}
	return float64(long) / 64 / em
}
