package mechanism

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"sluice/plan"
)

// TestFiguresOfTheDocs: what README, docs and the API's example say of the example
// decision's noise, threshold and intervals is what the mechanism does.
func TestFiguresOfTheDocs(t *testing.T) {
	with := func(pairs int64) *plan.Stream {
		return stream(t, func(s *plan.Stream) { s.Protect.MaxContributions = pairs })
	}
	m, err := New(with(4))
	if err != nil {
		t.Fatal(err)
	}
	epsilon, scale, least := m.Parameters(m.stream.Measures[0])
	half, l := m.TypicalError(m.stream.Measures[0]), m.count.Law()
	interval := func(v float64) []any {
		low, high := l.Interval(v, m.threshold)
		return []any{v, low, high}
	}
	far, near := interval(794), interval(least)
	lap, gauss := draft(with(8), Method, false), draft(with(8), Method, true)
	for file, says := range map[string][]string{
		"README.md": {
			fmt.Sprintf("%v device, between %v and %v", far...), fmt.Sprintf("%v device, between %v and %v", near...),
			fmt.Sprintf("**between %v and %v**", far[1:]...),
		},
		"docs/residents.md": {fmt.Sprintf("%v with %v to %v", far...)},
		"docs/policy.md": {
			fmt.Sprintf("Gaussian of sigma %.1f, threshold %v, 95 of 100 values within %v of what was counted, "+
				"published from about %d devices", scale, least, half, m.PublicFrom()),
		},
		"docs/release.md": {
			fmt.Sprintf("%v is shown as %v to %v", near...),
			fmt.Sprintf("published from %d with Laplace noise and from %d with Gaussian, within %v and %v of",
				lap.PublicFrom(), gauss.PublicFrom(), lap.count.Law().HalfWidth(Confidence),
				gauss.count.Law().HalfWidth(Confidence)),
		},
		"opendata/api/describe.go": {
			fmt.Sprintf(`"public_from":%d,"typical_error":%v`, m.PublicFrom(), half),
			fmt.Sprintf(`"bounded_share_from":%d`, m.ShareFrom()),
			fmt.Sprintf(`"epsilon":%v,"scale":%.2f,"threshold":%v`, epsilon, scale, least),
		},
	} {
		raw, err := os.ReadFile("../../" + file)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.NewReplacer("`+ `", "", "` + `", "").Replace(strings.Join(strings.Fields(string(raw)), " "))
		for _, want := range says {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not say %q", file, want)
			}
		}
	}
}
