package simulate

import (
	"math"

	"sluice/plan"
)

// addLevel adds a sound level to its part of the day.
func (t *truth) addLevel(x plan.Measure, level float64, hour int) {
	key := x.Name + partOfDay(hour)
	t.sum[key] += math.Pow(10, math.Min(math.Max(level, x.Low), x.High)/10)
	t.n[key]++
}

// partOfDay is the part of the day, by Directive 2002/49/EC, annex I, that an hour belongs to.
func partOfDay(hour int) string {
	switch {
	case hour >= 7 && hour < 19:
		return " day"
	case hour >= 19 && hour < 23:
		return " evening"
	}
	return " night"
}

// level is the true level; ok is false if a part of the day is missing.
func (t *truth) level(x plan.Measure) (float64, bool) {
	energy := func(parts ...string) float64 {
		sum, n := 0.0, 0
		for _, p := range parts {
			sum, n = sum+t.sum[x.Name+p], n+t.n[x.Name+p]
		}
		return sum / float64(n) // not a number where there are none
	}
	day, evening, night := energy(" day"), energy(" evening"), energy(" night")
	e := map[plan.Aggregation]float64{
		plan.Leq: energy(" day", " evening", " night"), plan.Lday: day, plan.Levening: evening, plan.Lnight: night,
		plan.Lden: (12*day + 4*evening*math.Pow(10, 0.5) + 8*night*10) / 24,
	}[x.Of]
	return 10 * math.Log10(e), !math.IsNaN(e)
}
