package web

import (
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"sluice/opendata/chart"
)

// TestColours: the style sheet has the chart's colours, and others in the dark; a name and a
// line in each can be read on the page (WCAG 2.2, 1.4.3 and 1.4.11).
func TestColours(t *testing.T) {
	raw, err := os.ReadFile("page/style.css")
	if err != nil {
		t.Fatal(err)
	}
	light, rest, _ := strings.Cut(string(raw), "@media")
	dark, _, _ := strings.Cut(rest, "* {")
	variable := func(css, name string) string {
		m := regexp.MustCompile(`--` + name + `: (#[0-9a-f]{3,6})`).FindStringSubmatch(css)
		if m == nil {
			t.Fatalf("the style sheet has no --%s", name)
		}
		return m[1]
	}
	for n, colour := range chart.Colours {
		name := "s" + strconv.Itoa(n)
		if got := variable(light, name); got != colour {
			t.Errorf("--%s is %s; the chart's files have %s", name, got, colour)
		}
		for theme, css := range map[string]string{"light": light, "dark": dark} {
			if c := contrast(variable(css, name), variable(css, "paper")); c < 4.5 {
				t.Errorf("--%s has a contrast of %.1f in the %s", name, c, theme)
			}
		}
	}
}

// contrast is that of two colours (WCAG 2.2, definition of contrast ratio).
func contrast(a, b string) float64 {
	light := func(colour string) (l float64) {
		v, _ := strconv.ParseUint(colour[1:], 16, 32)
		for n, weight := range []float64{0.0722, 0.7152, 0.2126} {
			c := float64(v>>(8*n)&0xff) / 255
			if c <= 0.04045 {
				l += weight * c / 12.92
			} else {
				l += weight * math.Pow((c+0.055)/1.055, 2.4)
			}
		}
		return l
	}
	x, y := light(a), light(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}
