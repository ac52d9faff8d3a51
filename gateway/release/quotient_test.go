package release

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"sluice/plan"
	"sluice/policy/mechanism"
	"sluice/store"
	"sluice/test/chance"
)

// TestMeans: published means are distributed like the sum with its noise over the
// number with its own, drawn by another sampler, from the least scale to the
// greatest, and lie in their intervals in at least 95 of 100. Units are few and off
// the middle, so that the noise of both decides.
func TestMeans(t *testing.T) {
	const cells, others = 8_000, 30_000
	rnd := rand.New(rand.NewPCG(1, 2))
	tried := 0
	for _, width := range []float64{2e-6, 2e6} {
		for _, p := range prices {
			x := plan.Measure{Name: "m", Of: plan.Mean, Field: "x", Bounded: true, Low: -width / 2, High: width / 2}
			s := protected(t, p, x)
			m, err := mechanism.By(s, steered)
			if err != nil {
				continue // above the greatest scale
			}
			tried++
			bound := float64(x.Bound())
			sum, number := law(p.gaussian, bound*float64(p.pairs)*4/p.epsilon),
				law(p.gaussian, float64(p.pairs)*4/p.epsilon)
			if p.gaussian {
				root := math.Sqrt(float64(p.pairs)*4) * chance.Sigma(p.epsilon, p.delta)
				sum, number = law(true, bound*root), law(true, root)
			}
			sums := NewSums(s)
			sums.Alive, sums.Units = true, int64(m.Threshold()+20*m.Units().Law().Deviation())+100
			n := int64(12*number.Scale) + 3
			total := int64(0.6 * bound * float64(n))
			sums.Weight[0], sums.Total[0][0] = n, total
			truth := float64(total) / float64(n) / plan.Fixed
			var got, want []float64
			inside := 0
			for _, o := range many(t, s, cells, sums)["m"] {
				if o.Status != store.Published {
					continue // with a probability below 10^-8
				}
				got = append(got, *o.Value)
				if *o.Low <= truth && truth <= *o.High {
					inside++
				}
			}
			for range others {
				noisy := (float64(total) + chance.Noise(sum).Sample(rnd)) / plan.Fixed / max(1,
					float64(n)+chance.Noise(number).Sample(rnd))
				want = append(want, min(x.High, max(x.Low, noisy)))
			}
			what := fmt.Sprintf("width %v, %+v", width, p)
			if len(got) < cells-20 || !chance.Alike(got, want) {
				t.Errorf("%s: %d means are not those of a noisy sum over a noisy number", what, len(got))
			}
			if !chance.Often(inside, len(got), mechanism.Confidence) {
				t.Errorf("%s: the interval holds in %d of %d", what, inside, len(got))
			}
		}
	}
	if tried < 18 {
		t.Errorf("only %d streams were tried", tried)
	}
}

// TestQuantiles: the same for quantiles, whose classes have the noise of one unit
// each.
func TestQuantiles(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for _, q := range []float64{0.85} {
		for _, p := range prices {
			cells, others := 4_000, 8_000
			if p.gaussian {
				cells = 2_000 // which take ten times as long
			}
			s := protected(t, p,
				plan.Measure{Name: "m", Of: plan.Quantile, Field: "x", Q: q, Bounded: true, Low: 0, High: 32})
			m, err := mechanism.By(s, steered)
			if err != nil {
				t.Fatal(err)
			}
			x := &s.Measures[0]
			l := law(p.gaussian, float64(p.pairs)*2/p.epsilon)
			if p.gaussian {
				l.Scale = math.Sqrt(float64(p.pairs)*2) * chance.Sigma(p.epsilon, p.delta)
			}
			sums := NewSums(s)
			sums.Alive, sums.Units = true, int64(m.Threshold()+20*m.Units().Law().Deviation())+100
			// A hill around 12; the truth is in the class where a share q is reached.
			total, below, truth := int64(0), int64(0), -1.0
			for k := range sums.Total[0] {
				sums.Total[0][k] = int64(math.Round((3 + 8*l.Scale) * math.Exp(-math.Pow(float64(k)-12, 2)/50)))
				total += sums.Total[0][k]
			}
			for k, v := range sums.Total[0] {
				if below += v; truth < 0 && float64(below) >= q*float64(total) {
					truth = float64(k) + 0.5
				}
			}
			var got, want []float64
			inside := 0
			for _, o := range many(t, s, cells, sums)["m"] {
				if o.Status != store.Published {
					continue
				}
				got = append(got, *o.Value)
				if *o.Low <= truth && truth <= *o.High {
					inside++
				}
			}
			for range others {
				noisy := make([]int64, len(sums.Total[0]))
				for k, v := range sums.Total[0] {
					noisy[k] = v + int64(chance.Noise(l).Sample(rnd))
				}
				want = append(want, quantile(*x, noisy, m.Measure(0).Edges()).value)
			}
			what := fmt.Sprintf("q %v, %+v", q, p)
			if len(got) < cells-20 || !chance.Alike(got, want) {
				t.Errorf("%s: %d quantiles are not those of noisy classes", what, len(got))
			}
			if !chance.Often(inside, len(got), mechanism.Confidence) {
				t.Errorf("%s: the interval holds in %d of %d", what, inside, len(got))
			}
		}
	}
}

// TestAppearances: with so many units near the threshold, a number appears as often
// as the law says, and below min_units never.
func TestAppearances(t *testing.T) {
	const cells = 4_000
	for _, p := range prices {
		s := protected(t, p, plan.Measure{Name: "m", Of: plan.Distinct})
		m, err := mechanism.By(s, steered)
		if err != nil {
			t.Fatal(err)
		}
		l := law(p.gaussian, float64(p.pairs)/p.epsilon)
		if p.gaussian {
			l.Scale = math.Sqrt(float64(p.pairs)) * chance.Sigma(p.epsilon, p.delta)
		}
		for _, below := range []float64{-2 * l.Scale, -1, 0, 1, l.Scale, 2 * l.Scale, math.Inf(1)} {
			n, short := int64(1), 0.0
			if below < m.Threshold()-1 {
				n = int64(math.Round(m.Threshold() - below))
				short = m.Threshold() - float64(n)
			}
			shown := 0
			for _, o := range many(t, s, cells, counted(s, n))["m"] {
				if o.Status == store.Published {
					shown++
				}
			}
			likely := 1 - l.Tail(1-short)
			if short > 0 {
				likely = l.Tail(short)
			}
			switch {
			case n < s.Protect.MinUnits && shown > 0:
				t.Errorf("%+v: %d of %d with %d units are shown", p, shown, cells, n)
			case n >= s.Protect.MinUnits && !chance.Fits(shown, cells, likely):
				t.Errorf("%+v: %d of %d with %d units are shown, at a threshold of %v; the probability is %v", p, shown,
					cells, n, m.Threshold(), likely)
			}
		}
	}
}
