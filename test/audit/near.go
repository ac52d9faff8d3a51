package main

import "fmt"

// near: numbers near the threshold are shown only where the noise goes up. Of every number
// of units that is shown in at least one of 100 windows, the interval holds it in 95 of 100
// of those in which it is shown.
func near(r *report, what string, list []shown) {
	wrong, least, at, looked := "", 1.0, 0, 0
	for n := minUnits; n <= 30; n++ {
		if tail(list[0].Mechanism, list[0].Scale, list[0].Threshold-float64(n)) < 0.01 {
			continue
		}
		shown, missed := 0, 0
		for _, s := range list {
			if s.units == n && s.Value != nil {
				shown++
				if *s.Low > float64(n) || float64(n) > *s.High {
					missed++
				}
			}
		}
		looked += shown
		if shown == 0 {
			continue
		}
		if p := 1 - float64(missed)/float64(shown); p < least {
			least, at = p, n
		}
		if lower(missed, shown, alpha/28) > 0.05 {
			wrong = fmt.Sprintf("; not so: %d of %d miss at %d units", missed, shown, n)
		}
	}
	r.judge(looked > 0 && wrong == "", what+": coverage given that it is shown",
		"at least 95 %% are promised; least %.1f %% at %d units, of %d numbers%s", 100*least, at, looked, wrong)
}
