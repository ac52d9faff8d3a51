package explain

import "math"

// days says what many days tell of somebody who is there on each of them.
func (t *text) days() string {
	var list []any
	delta := 0.0
	for _, days := range []int{7, 30, 365} {
		var epsilon float64
		epsilon, delta = t.mech.Days(days)
		list = append(list, t.l.Number(up(epsilon)))
	}
	return t.say("g-days", append(list, t.l.Number(up(delta)))...)
}

// up keeps three digits, and is never less.
func up(f float64) float64 {
	scale := math.Pow(10, 2-math.Floor(math.Log10(f)))
	return math.Ceil(f*scale-1e-9) / scale
}
