package main

import (
	"fmt"
	"math"
)

// near: numbers near the threshold are shown only where the noise goes up, so that
// fewer of their intervals hold what was counted. They do so as often as the noise,
// given that it reached the threshold, says, at each number of units.
func near(r *report, what string, list []shown) {
	half := -1.0
	for _, s := range list {
		if s.Value != nil && *s.Low > 0 {
			half = math.Round((*s.High - *s.Low) / 2)
			break
		}
	}
	wrong, worst, at, looked := "", 1.0, 0, 0
	for n := minUnits; n <= 30; n++ {
		shown, covered := 0, 0
		for _, s := range list {
			if unitsIn(s.cell) == n && s.Value != nil {
				shown++
				if *s.Low <= float64(n) && float64(n) <= *s.High {
					covered++
				}
			}
		}
		looked += shown
		p := givenShown(list[0], n, half)
		if shown > 0 && p < worst {
			worst, at = p, n
		}
		if !likely(covered, shown, p, alpha/28) {
			wrong = fmt.Sprintf("; not so: %d of %d at %d units, and should with probability %.4f", covered, shown, n, p)
		}
	}
	r.judge(half >= 0 && looked > 0 && wrong == "", what+": coverage given that it is shown", "as the noise above the threshold, least %.1f %% at %d units, of %d numbers%s", 100*worst, at, looked, wrong)
}

// givenShown is P(|noise| <= half | noise >= threshold - n).
func givenShown(s shown, n int, half float64) float64 {
	least := s.Threshold - float64(n)
	if least > half {
		return 0
	}
	law := func(t float64) float64 { return tail(s.Mechanism, s.Scale, t) }
	return (law(max(least, -half)) - law(half+1)) / law(least)
}
