package picture

import (
	"encoding/xml"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sluice/simulate"
	"sluice/store"
)

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// day is a day of hours: nobody, few, and many with some who are missed.
func day(loc *time.Location) (list []simulate.Point) {
	at := time.Date(2026, 6, 1, 0, 0, 0, 0, loc)
	for h := range 24 {
		p := simulate.Point{Start: at.Add(time.Duration(h) * time.Hour), Status: store.Withheld}
		switch {
		case h > 12:
			p = simulate.Point{Start: p.Start, Status: store.Published, Truth: 480, Counted: 450, Value: 452, Low: 439,
				High: 465}
		case h > 6:
			p.Truth, p.Counted = 20, 20
		}
		list = append(list, p)
	}
	return list
}

func picture(points []simulate.Point) Picture {
	return Picture{ID: "a", Title: "Devices & <cards>", About: "x", Points: points, Every: time.Hour, Top: Top(points),
		Loc: time.UTC, Number: number}
}

// TestPicture: what is withheld, published and missed is drawn, and the text of the page cannot become
// markup.
func TestPicture(t *testing.T) {
	svg := string(picture(day(time.UTC)).SVG())
	for text, want := range map[string]int{
		`class="withheld"`: 1, `class="band"`: 11, `class="shown"`: 11, `class="missed"`: 11, `class="passed"`: 1,
		">0 h<": 1, ">6 h<": 1, ">18 h<": 1, ">24 h<": 1, ">500<": 1, ">100<": 1, "&lt;cards&gt;": 1, "style=": 0,
	} {
		if got := strings.Count(svg, text); got != want {
			t.Errorf("%d times %s; want %d", got, text, want)
		}
	}
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// TestNothing: no points, and values that no scale expects, give a picture all the same.
func TestNothing(t *testing.T) {
	if svg := string(picture(nil).SVG()); !strings.Contains(svg, "</svg>") || strings.Contains(svg, "NaN") {
		t.Error(svg)
	}
}

// TestTopIsRound: a scale ends at most a line above what is highest, with three to six lines at round
// numbers.
func TestTopIsRound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Float64Range(0, 1e9).Draw(t, "v")
		top := Top([]simulate.Point{{Truth: v}})
		s := step(top)
		lines := top / s
		if top < v || top > max(5, v)+2*s || lines < 1.99 || lines > 5.01 || math.Abs(lines-math.Round(lines)) > 1e-6 {
			t.Fatalf("%v: %v by %v", v, top, s)
		}
		digits := strings.ReplaceAll(number(s), ".", "")
		if digits = strings.Trim(digits, "0"); len(digits) > 2 {
			t.Fatalf("%v: lines every %v", v, s)
		}
	})
}
