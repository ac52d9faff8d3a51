package register

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"
	"pgregory.net/rapid"
)

// TestOutlines: which areas can be told from their outlines.
func TestOutlines(t *testing.T) {
	hole := func(rings ...string) string { return featureAt("a", "["+strings.Join(rings, ",")+"]") }
	parts := func(polygons ...string) string { return multiAt("a", "[["+strings.Join(polygons, "],[")+"]]") }
	for name, c := range map[string]struct {
		feature string
		good    bool
	}{
		"square":                     {hole(square(0, 0, 4)), true},
		"turned right":               {hole("[[0,0],[0,4],[4,4],[4,0],[0,0]]"), true},
		"hole":                       {hole(square(0, 0, 4), square(1, 1, 1)), true},
		"two holes":                  {hole(square(0, 0, 4), square(1, 1, 1), square(2.5, 2.5, 1)), true},
		"corner said twice":          {hole("[[0,0],[4,0],[4,0],[4,4],[0,0]]"), true},
		"corner on a straight line":  {hole("[[0,0],[2,0],[4,0],[4,4],[0,0]]"), true},
		"heights":                    {hole("[[0,0,1],[4,0,2],[4,4,3],[0,0,1]]"), true},
		"hole that touches a corner": {hole(square(0, 0, 4), "[[0,0],[2,1],[1,2],[0,0]]"), true},
		"hole along the border":      {hole(square(0, 0, 4), square(0, 1, 1)), true},
		"parts apart":                {parts(square(0, 0, 1), square(2, 2, 1)), true},
		"parts that touch":           {parts(square(0, 0, 1), square(1, 1, 1)), true},
		"parts side by side":         {parts(square(0, 0, 1), square(1, 0, 1)), true},
		"island in a hole": {multiAt("a",
			"[["+square(0, 0, 9)+","+square(1, 1, 6)+"],["+square(2, 2, 3)+"]]"), true},
		"hole filled by a part": {multiAt("a",
			"[["+square(0, 0, 9)+","+square(1, 1, 6)+"],["+square(1, 1, 6)+"]]"), true},

		"bow-tie":                  {hole("[[0,0],[4,4],[4,0],[0,3],[0,0]]"), false},
		"bow-tie through a corner": {hole("[[0,0],[2,1],[4,0],[4,4],[2,1],[0,4],[0,0]]"), false},
		"touches itself":           {hole("[[0,0],[4,0],[4,4],[2,0],[0,4],[0,0]]"), false},
		"spike outward":            {hole("[[0,0],[4,0],[6,0],[4,0],[4,4],[0,0]]"), false},
		"spike inward":             {hole("[[0,0],[4,0],[4,4],[1,1],[4,4],[0,4],[0,0]]"), false},
		"round twice":              {hole("[[0,0],[4,0],[4,4],[0,4],[0,0],[4,0],[4,4],[0,4],[0,0]]"), false},
		"hole outside":             {hole(square(0, 0, 4), square(5, 5, 1)), false},
		"hole across":              {hole(square(0, 0, 4), square(3, 3, 2)), false},
		"hole is all":              {hole(square(0, 0, 4), square(0, 0, 4)), false},
		"hole in a hole":           {hole(square(0, 0, 9), square(1, 1, 6), square(2, 2, 1)), false},
		"holes that cross":         {hole(square(0, 0, 9), square(1, 1, 3), square(2, 2, 3)), false},
		"hole around":              {hole(square(1, 1, 1), square(0, 0, 4)), false},
		"parts that cross":         {parts(square(0, 0, 2), square(1, 1, 2)), false},
		"parts through corners": {parts("[[0,0],[2,2],[0,4],[-2,2],[0,0]]", "[[0,2],[2,0],[4,2],[2,4],[0,2]]"),
			false},
		"part in a part":           {parts(square(0, 0, 4), square(1, 1, 1)), false},
		"part twice":               {parts(square(0, 0, 4), square(0, 0, 4)), false},
		"part inside, on a border": {parts(square(0, 0, 4), square(0, 1, 1)), false},
	} {
		_, err := ParseZones("zones.geojson", collectionOf(c.feature))
		if (err == nil) != c.good || err != nil && !strings.Contains(err.Error(), "feature 1 (a): has ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOverlaps: areas that share ground, and those that share borders only.
func TestOverlaps(t *testing.T) {
	ring := "[" + square(0, 0, 9) + "," + square(1, 1, 6) + "]"
	for name, c := range map[string]struct {
		a, b string
		want bool
	}{
		"apart":               {"[" + square(0, 0, 1) + "]", "[" + square(2, 0, 1) + "]", false},
		"side by side":        {"[" + square(0, 0, 1) + "]", "[" + square(1, 0, 1) + "]", false},
		"along a part":        {"[" + square(0, 0, 1) + "]", "[" + square(1, 0.25, 0.5) + "]", false},
		"corner":              {"[" + square(0, 0, 1) + "]", "[" + square(1, 1, 1) + "]", false},
		"crossing":            {"[" + square(0, 0, 2) + "]", "[" + square(1, 1, 2) + "]", true},
		"inside":              {"[" + square(0, 0, 9) + "]", "[" + square(1, 1, 1) + "]", true},
		"inside, on a border": {"[" + square(0, 0, 9) + "]", "[" + square(0, 1, 1) + "]", true},
		"the same":            {"[" + square(0, 0, 1) + "]", "[" + square(0, 0, 1) + "]", true},
		"the same, turned":    {"[" + square(0, 0, 1) + "]", "[[[0,0],[0,1],[1,1],[1,0],[0,0]]]", true},
		"in the hole":         {ring, "[" + square(2, 2, 1) + "]", false},
		"filling the hole":    {ring, "[" + square(1, 1, 6) + "]", false},
		"over the hole":       {ring, "[" + square(1, 1, 6.5) + "]", true},
		"through corners":     {"[[[0,0],[2,2],[0,4],[-2,2],[0,0]]]", "[[[0,2],[2,0],[4,2],[2,4],[0,2]]]", true},
		"in a bay":            {"[[[0,0],[4,0],[4,4],[3,4],[3,1],[0,1],[0,0]]]", "[[[0,1],[3,1],[3,4],[0,1]]]", false},
		"wide and tall":       {"[[[0,4],[9,4],[9,5],[0,5],[0,4]]]", "[[[4,0],[5,0],[5,9],[4,9],[4,0]]]", true},
	} {
		z, other := zonesOf(t, featureAt("x", c.a)), zonesOf(t, featureAt("y", c.b))
		if z.Overlaps("x", other, "y") != c.want || other.Overlaps("y", z, "x") != c.want {
			t.Errorf("%s: want %v", name, c.want)
		}
		both := zonesOf(t, featureAt("y", c.b), featureAt("x", c.a))
		if list := both.Overlapping(); (len(list) == 1) != c.want || c.want && list[0] != [2]string{"x", "y"} {
			t.Errorf("%s: %v", name, list)
		}
		if z.Overlaps("x", other, "none") || z.Overlaps("none", other, "y") {
			t.Error("what is no zone overlaps")
		}
	}
}

// TestOverlapsByPoints compares with points thrown at random areas.
func TestOverlapsByPoints(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := star(t, 0, 0, 1),
			star(t, rapid.Float64Range(-2, 2).Draw(t, "x"), rapid.Float64Range(-2, 2).Draw(t, "y"), 1)
		one, err := ParseZones("z", collectionOf(featureAt("a", "["+ringOf(a)+"]")))
		two, err2 := ParseZones("z", collectionOf(featureAt("b", "["+ringOf(b)+"]")))
		if err != nil || err2 != nil {
			t.Skip("a triangle around nothing")
		}
		overlap := one.Overlaps("a", two, "b")
		for range 300 {
			p := orb.Point{rapid.Float64Range(-1, 1).Draw(t, "px"), rapid.Float64Range(-1, 1).Draw(t, "py")}
			if planar.RingContains(a, p) && planar.RingContains(b, p) && !overlap {
				t.Fatalf("both hold %v", p)
			}
		}
		if overlap { // then a corner, or a crossing of edges, is in both
			some := false
			for i := 1; i < len(a); i++ {
				some = some || planar.RingContains(b, a[i])
				for j := 1; j < len(b); j++ {
					o := func(p, q, r orb.Point) bool { return orient(p, q, r) > 0 }
					some = some || planar.RingContains(a, b[j]) ||
						o(a[i-1], a[i], b[j-1]) != o(a[i-1], a[i], b[j]) &&
							o(b[j-1], b[j], a[i-1]) != o(b[j-1], b[j], a[i])
				}
			}
			if !some {
				t.Fatal("they share nothing")
			}
		}
	})
}

// TestOrientIsExact: the sign is right where rounding hides it.
func TestOrientIsExact(t *testing.T) {
	// Points of a line through sixteenths are exact; one step of the last bit is not.
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		dx, dy := float64(rnd.IntN(2000)-1000)/16, float64(rnd.IntN(2000)+1)/16
		a, b := orb.Point{0.5, 0.5}, orb.Point{0.5 + 3*dx, 0.5 + 3*dy}
		p := orb.Point{0.5 + dx, 0.5 + dy}
		if orient(a, b, p) != 0 {
			t.Fatalf("%v is not on %v %v", p, a, b)
		}
		left, right := p, p
		left[0], right[0] = math.Nextafter(p[0], -200), math.Nextafter(p[0], 200)
		if orient(a, b, left) <= 0 || orient(a, b, right) >= 0 {
			t.Fatalf("beside %v of %v %v: %v %v", p, a, b, orient(a, b, left), orient(a, b, right))
		}
	}
}
