package picture

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/color"
	"image/png"
	"io"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// sample has one mark of each sort.
func sample() *Sheet {
	s := &Sheet{Wide: 100, High: 60, Title: `<NO₂> & "more"`}
	s.Rect(Style{Class: "gap withheld", Fill: Edge, Hatch: Rising, Stroke: Edge, Width: 0.5}, 0, 50, 40, 10)
	s.Area(Style{Class: "band", Fill: "#0b5d7a", Opacity: 0.22}, Point{10, 10}, Point{90, 10}, Point{90, 30})
	s.Line(Style{Class: "line", Stroke: "#0b5d7a", Width: 2, Dash: []float64{8, 3}}, Point{10, 40}, Point{90, 40})
	s.Dot(Style{Class: "point", Fill: "#a8430b"}, Circle, Point{50, 20}, 3)
	s.Text(Style{Class: "tick", Fill: Ink}, Label{X: 99, Y: 20, Size: 12, Anchor: End, Text: "à < b", Halo: true})
	s.Text(Style{}, Label{})
	return s
}

func TestSVG(t *testing.T) {
	for name, x := range map[string]struct{ got, want string }{
		"embedded": {sample().Embedded("chart", "c1"), `<svg class="chart" viewBox="0 0 100 60" role="img" ` +
			`aria-labelledby="c1"><title id="c1">&lt;NO₂&gt; &amp; &#34;more&#34;</title><defs><pattern ` +
			`id="c1-rising" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path ` +
			`class="hatch" d="M0 0V6"/></pattern></defs><path class="gap withheld" fill="url(#c1-rising)" ` +
			`d="M0 50h40v10h-40z"/><path class="band" d="M10 10L90 10L90 30z"/><path class="line" ` +
			`d="M10 40L90 40"/><circle class="point" cx="50" cy="20" r="3"/><text class="tick halo" x="99" ` +
			`y="20" text-anchor="end">à &lt; b</text></svg>`},
		"file": {string(sample().SVG()), `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 60" width="100" ` +
			`height="60" font-family="system-ui, sans-serif" role="img" aria-labelledby="t"><title ` +
			`id="t">&lt;NO₂&gt; &amp; &#34;more&#34;</title><defs><pattern id="p-rising" width="6" height="6" ` +
			`patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path fill="none" stroke="#7a8490" ` +
			`stroke-width="1.5" d="M0 0V6"/></pattern></defs><path fill="#fbfaf7" d="M0 0h100v60H0z"/><path ` +
			`fill="url(#p-rising)" stroke="#7a8490" stroke-width="0.5" stroke-linejoin="round" ` +
			`d="M0 50h40v10h-40z"/><path fill="#0b5d7a" fill-opacity="0.22" d="M10 10L90 10L90 30z"/><path ` +
			`fill="none" stroke="#0b5d7a" stroke-width="2" stroke-linejoin="round" stroke-dasharray="8 3" ` +
			`d="M10 40L90 40"/><circle fill="#a8430b" cx="50" cy="20" r="3"/><text fill="#1b2330" font-size="12" ` +
			`paint-order="stroke" stroke="#fbfaf7" stroke-width="3" stroke-linejoin="round" x="99" y="20" ` +
			`text-anchor="end">à &lt; b</text></svg>` + "\n"},
	} {
		if x.got != x.want {
			t.Errorf("%s is\n%s\nwant\n%s", name, x.got, x.want)
		}
	}
}

// TestPNG looks at pixels: what is drawn is where it is drawn, in its colour.
func TestPNG(t *testing.T) {
	raw, err := sample().PNG(2)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := sample().PNG(2)
	if !bytes.Equal(raw, again) {
		t.Error("the same sheet has other bytes")
	}
	img, err := png.Decode(bytes.NewReader(raw))
	if err != nil || img.Bounds().Dx() != 200 || img.Bounds().Dy() != 120 {
		t.Fatal(err, img.Bounds())
	}
	near := func(x, y int, want string, opacity float64) bool {
		w, p := hex(want, 0), hex(Paper, 0)
		mix := func(a, b uint8) float64 { return float64(a)*opacity + float64(b)*(1-opacity) }
		c, _ := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
		return math.Abs(float64(c.R)-mix(w.R, p.R)) < 4 && math.Abs(float64(c.G)-mix(w.G, p.G)) < 4 &&
			math.Abs(float64(c.B)-mix(w.B, p.B)) < 4
	}
	for name, ok := range map[string]bool{
		"paper": near(4, 4, Paper, 1), "area": near(100, 24, "#0b5d7a", 0.22), "line": near(24, 80, "#0b5d7a", 1),
		"gap of a dash": near(20+19, 80, Paper, 1), "dot": near(100, 40, "#a8430b", 1),
	} {
		if !ok {
			t.Errorf("there is no %s where it should be", name)
		}
	}
	dark := 0 // pixels of letters
	for y := 22; y < 44; y++ {
		for x := 130; x < 200; x++ {
			if r, _, _, _ := img.At(x, y).RGBA(); r < 0x6000 {
				dark++
			}
		}
	}
	if dark < 40 {
		t.Errorf("the text has %d dark pixels", dark)
	}
	for _, s := range []Sheet{{}, {Wide: 1e9, High: 1e9}, {Wide: 9000, High: 9000}} {
		if _, err := s.PNG(1); err == nil {
			t.Errorf("a picture of %v by %v is made", s.Wide, s.High)
		}
	}
}

// TestLetters: the typefaces have what the three languages and our units need.
func TestLetters(t *testing.T) {
	for _, heavy := range []bool{false, true} {
		f, err := typeface(heavy)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range "aàáèéíïòóúüçñÀÉÍÓŀ·’“”«»–—…₀₁₂₃₁₀²³µ°%€≥←↑→" {
			if n, err := f.GlyphIndex(nil, r); err != nil || n == 0 {
				t.Errorf("there is no %q", r)
			}
		}
	}
	if w := Width("La Rambla", 12, false); w < 45 || w > 65 {
		t.Errorf("La Rambla is %v wide", w)
	}
	for _, x := range []struct {
		wide float64
		want string
	}{{100, "La Rambla"}, {40, "La R…"}, {5, ""}} {
		if got := Fit("La Rambla", 12, x.wide, false); got != x.want {
			t.Errorf("within %v it is %q; want %q", x.wide, got, x.want)
		}
	}
	if got := Wrap("one two three four five", 12, 60, false, 2); len(got) != 2 || got[0] != "one two" ||
		!strings.HasSuffix(got[1], "…") {
		t.Errorf("it wraps to %q", got)
	}
}

// TestAnything draws whatever numbers come: the SVG is well-formed and the PNG is made.
func TestAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.OneOf(rapid.Float64(), rapid.Float64Range(-500, 500), rapid.Just(math.NaN()),
			rapid.Just(math.Inf(1)))
		var points []Point
		for range rapid.IntRange(1, 20).Draw(t, "points") {
			points = append(points, Point{v.Draw(t, "x"), v.Draw(t, "y")})
		}
		s := &Sheet{Wide: 50, High: 50, Title: rapid.String().Draw(t, "title")}
		st := Style{Stroke: "#000000", Fill: rapid.SampledFrom([]string{"", "#ff0000", "x"}).Draw(t, "fill"), Width: 2,
			Dash: []float64{3, 0}}
		s.Line(st, points...)
		s.Area(st, points...)
		s.Dot(st, ShapeOf(rapid.IntRange(0, 99).Draw(t, "shape")), points[0], 3)
		s.Text(st, Label{X: points[0].X, Y: points[0].Y, Size: 9, Text: rapid.String().Draw(t, "text"), Halo: true})
		d := xml.NewDecoder(bytes.NewReader(s.SVG()))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.PNG(1); err != nil {
			t.Fatal(err)
		}
	})
}
