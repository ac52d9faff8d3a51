package simulate

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"sluice/firmware-sim/street"
	"sluice/internal/civil"
	"sluice/plan"
	"sluice/policy/bundle"
)

// holdsEnough is the share of the shown intervals that should contain what passed.
const holdsEnough = 0.9

// maxTried bounds the contribution bounds that are tried beyond what the charter allows.
const maxTried = 64

// Choice is a pair of max_contributions and every, with its results for a day of the traffic, under
// the noise that the decision would have.
type Choice struct {
	MaxContributions int64  `json:"max_contributions"`
	Every            string `json:"every"`
	// Error is the root mean square, in units of the first number, by which what is
	// shown misses what passed in one zone and Slot: bias squared plus variance of
	// the noise, each number weighted by how likely it is shown.
	Error float64 `json:"error"`
	Slot  string  `json:"slot"`
	// Inside is the expected share of the shown intervals that hold what passed, and
	// BiasShare the mean of (counted - passed) / passed over them.
	Inside    float64 `json:"inside"`
	BiasShare float64 `json:"bias_share"`
	// Shown is the share of what passed that is in windows that are shown.
	Shown      float64 `json:"shown"`
	PublicFrom int64   `json:"public_from"`

	loss    float64 // mean over the numbers of squared error over mean square
	allowed bool    // by the charter
}

// Holds reports whether its intervals contain what passed often enough.
func (c Choice) Holds() bool { return c.Inside >= holdsEnough }

// Proposal is the best choice that the charter allows, beside the draft's own.
type Proposal struct {
	Choice
	Draft Choice `json:"draft"`
	// Beyond is what would hold what passed often enough, where the charter allows no such choice;
	// nil where it does, or nothing would.
	Beyond *Choice `json:"beyond,omitempty"`
	// Why is a sentence or two.
	Why string `json:"why"`
}

// search has a model for each length of window, over the same day.
type search struct {
	p      *bundle.Policy
	d      *bundle.Decision
	slot   *model // what is told about: an hour, or the draft's window where that is no multiple of it
	models []*model
}

// lengths are the windows that are tried. Windows shorter than the slot would cost more contributions
// and tell no more about it.
var lengths = []string{"PT15M", "PT30M", "PT1H", "PT2H", "PT3H", "PT4H", "PT6H", "PT12H", "P1D"}

func newSearch(p *bundle.Policy, d *bundle.Decision, tr Traffic) (*search, error) {
	return searchOver(p, d, func(s *plan.Stream) *model {
		m := newModel(p, d, tr.Sensors)
		m.s = s
		return m
	})
}

// searchOver is a search over the models that are given for streams of several windows.
func searchOver(p *bundle.Policy, d *bundle.Decision, of func(*plan.Stream) *model) (*search, error) {
	s := &search{p: p, d: d}
	if d.Stream.Unit.None() {
		return s, nil
	}
	slot := time.Hour
	if d.Stream.Every.Nominal()%slot != 0 {
		slot = d.Stream.Every.Nominal()
	}
	tried := []civil.Period{d.Stream.Every}
	for _, text := range lengths {
		w, err := civil.ParsePeriod(text)
		if err != nil {
			return nil, err
		}
		fits := d.Stream.Forget.Nominal()%w.Nominal() == 0 && w.Nominal()%slot == 0
		if fits && w.Nominal() != d.Stream.Every.Nominal() {
			tried = append(tried, w)
		}
	}
	for _, w := range tried {
		stream := *d.Stream
		stream.Every, stream.Measures, stream.Cells = w, slices.Clone(stream.Measures), nil
		if err := stream.Finish(); err != nil {
			return nil, err
		}
		m := of(&stream)
		s.models = append(s.models, m)
		if w.Nominal() == slot {
			s.slot = m
		}
	}
	return s, nil
}

// Windows are the lengths of windows that a decision could have, shortest first, with its own among
// them.
func Windows(d *bundle.Decision) []civil.Period {
	list := []civil.Period{d.Stream.Every}
	for _, text := range lengths {
		s := *d.Stream
		s.Every, s.Measures, s.Cells = civil.MustPeriod(text), slices.Clone(s.Measures), nil
		if s.Every.Nominal() != d.Stream.Every.Nominal() && s.Finish() == nil {
			list = append(list, s.Every)
		}
	}
	slices.SortFunc(list, func(a, b civil.Period) int { return cmp.Compare(a.Nominal(), b.Nominal()) })
	return list
}

// Outlook gives the results of a decision about units on the first day of the traffic, with its own
// windows, for each max_contributions that the charter allows, from 1 on.
func Outlook(ctx context.Context, p *bundle.Policy, d *bundle.Decision, tr Traffic) ([]Choice, error) {
	m := newModel(p, d, tr.Sensors)
	tr.Minutes = min(tr.Minutes, 1440)
	if err := tr.each(ctx, func(int) {}, m.see); err != nil {
		return nil, err
	}
	var out []Choice
	s := &search{p: p, d: d, slot: m, models: []*model{m}}
	for pairs := range p.Charter.MaxContributions {
		if c, ok := s.evaluate(m, pairs+1); ok {
			out = append(out, c)
		}
	}
	return out, nil
}

func (s *search) see(o street.Observation) {
	for _, m := range s.models {
		m.see(o)
	}
}

// propose tries all pairs and returns the best.
func (s *search) propose(sp Speech) *Proposal {
	if s.slot == nil {
		return nil
	}
	limit := s.p.Charter.MaxContributions
	var list []Choice
	var draft Choice
	for i, m := range s.models {
		own := s.d.Stream.Protect.MaxContributions
		first, last := int64(1), int64(min(maxTried, max(m.maxPairs, 1)))
		if len(s.d.Stream.OwnerParts()) > 0 {
			first, last = own, own // the parts of by_owner are parts of it
		}
		for pairs := first; pairs <= last; pairs++ {
			if c, ok := s.evaluate(m, pairs); ok {
				c.allowed = c.MaxContributions <= limit
				list = append(list, c)
			}
		}
		if i == 0 {
			draft, _ = s.evaluate(m, own)
		}
	}
	best, ok := choose(list, func(c Choice) bool { return c.allowed })
	if !ok {
		return nil
	}
	p := &Proposal{Choice: best, Draft: draft}
	if beyond, ok := choose(list, func(c Choice) bool { return c.Inside >= holdsEnough && c.Shown >= .5 }); ok &&
		!best.Holds() {
		p.Beyond = &beyond
	}
	p.Why = s.why(sp, p)
	return p
}

// choose returns the choice with the least error: of those whose intervals contain what passed often
// enough and that show at least half of it; or else of those that show at least half; or else of all.
func choose(list []Choice, may func(Choice) bool) (Choice, bool) {
	list = slices.DeleteFunc(slices.Clone(list), func(c Choice) bool { return !may(c) })
	if len(list) == 0 {
		return Choice{}, false
	}
	rank := func(c Choice) int {
		switch {
		case c.Shown < .5:
			return 2
		case c.Inside < holdsEnough:
			return 1
		}
		return 0
	}
	return slices.MinFunc(list, func(a, b Choice) int {
		return cmp.Or(rank(a)-rank(b), cmp.Compare(a.loss, b.loss))
	}), true
}

// evaluate computes the error and coverage of one contribution bound.
func (s *search) evaluate(m *model, pairs int64) (Choice, bool) {
	stream := *m.s
	stream.Protect.MaxContributions = pairs
	noise, err := newNoises(&stream)
	if err != nil {
		return Choice{}, false // more noise than there is
	}
	c := Choice{MaxContributions: pairs, Every: stream.Every.String(), Slot: s.slot.s.Every.String(),
		PublicFrom: noise.mech.PublicFrom()}
	numbers := m.numbers()
	for i, x := range numbers {
		e := s.errors(m, x, int(pairs), noise)
		c.loss += e.loss() / float64(len(numbers))
		if i == 0 {
			c.Error = math.Sqrt(e.square / max(1e-9, e.n))
		}
	}
	s.shown(m, &c, noise)
	return c, true
}

// shown computes how often intervals contain what passed, and how much of it is shown.
func (s *search) shown(m *model, c *Choice, noise *noises) {
	var seen, inside, bias, units, all float64
	for key := range m.cells {
		passed, _ := m.passed(key, unitsOf)
		counted, _ := m.within(key, unitsOf, int(c.MaxContributions))
		p := noise.shown(counted)
		units, all = units+p*passed, all+passed
		for _, x := range m.numbers() {
			half := noise.mech.TypicalError(x.Measure)
			if half == 0 { // of a mean or quantile: how well its units are known
				x, half = unitsOf, noise.mech.TypicalError(unitsOf.Measure)
			}
			want, _ := m.passed(key, x)
			have, _ := m.within(key, x, int(c.MaxContributions))
			if x.Of == plan.Distinct {
				inside += noise.insideShown(counted, want, half)
			} else {
				inside += p * noise.of(x.Measure).between(want-have-half, want-have+half)
			}
			seen += p
			if want != 0 {
				bias += p * (have - want) / math.Abs(want)
			}
		}
	}
	if seen > 0 {
		c.Inside, c.BiasShare = inside/seen, bias/seen
	}
	if all > 0 {
		c.Shown = units / all
	}
}

// squares sums squared errors and the squares of what passed, over shown numbers.
type squares struct{ square, passed, n float64 }

func (e squares) loss() float64 {
	if e.passed == 0 {
		return 0
	}
	return e.square / e.passed
}

// errors compares what is shown for each slot with what passed in it. A longer window's number is
// divided among its slots equally, by the average size of a part.
func (s *search) errors(m *model, x published, pairs int, noise *noises) (e squares) {
	if x.Of == plan.Quantile {
		x = unitsOf // what its error depends on
	}
	part := 1.0
	if m != s.slot && x.Of != plan.Mean {
		part = s.part(m, x)
	}
	for key := range s.slot.cells {
		want, ok := s.slot.passed(key, x)
		if !ok {
			continue
		}
		start, _ := m.s.Window(time.Unix(key.start, 0))
		window := cell{key.id, start.Unix()}
		have, _ := m.within(window, x, pairs)
		units, _ := m.within(window, unitsOf, pairs)
		p := noise.shown(units)
		bias := part*have - want
		e.square += p * (bias*bias + part*part*noise.variance(x, units, have))
		e.passed += p * want * want
		e.n += p
	}
	return e
}

// part is the average ratio of a slot's number to its window's.
func (s *search) part(m *model, x published) float64 {
	var slots, windows float64
	for key := range s.slot.cells {
		start, _ := m.s.Window(time.Unix(key.start, 0))
		v, _ := s.slot.passed(key, x)
		w, _ := m.passed(cell{key.id, start.Unix()}, x)
		slots, windows = slots+v, windows+w
	}
	if windows == 0 {
		return 1
	}
	return slots / windows
}

// why explains the proposal beside the draft's own pair.
func (s *search) why(sp Speech, p *Proposal) string {
	best, draft := p.Choice, p.Draft
	first := s.models[0].numbers()[0].part.Name
	slot := sp.Say("a zone and hour")
	if best.Slot != "PT1H" {
		slot = sp.Say("a zone and window of %s", best.Slot)
	}
	text := sp.Say("With max_contributions %d and every %s, what is shown misses what passed in %s by %v (%s; the "+
		"root of bias squared plus variance), and %.0f of 100 shown intervals hold what passed",
		best.MaxContributions, best.Every, slot, threeDigits(best.Error), first, 100*best.Inside)
	if best.MaxContributions == draft.MaxContributions && best.Every == draft.Every {
		text += sp.Say("; the charter allows nothing better, and it is what the draft says.")
	} else {
		text += sp.Say("; with the draft's %d and %s it is %v, and %.0f of 100.", draft.MaxContributions, draft.Every,
			threeDigits(draft.Error), 100*draft.Inside)
	}
	if best.Holds() {
		return text
	}
	if b := p.Beyond; b != nil {
		return text + " " +
			sp.Say("The charter allows %d at most; with max_contributions %d and every %s, %.0f of 100 would hold it.",
				s.p.Charter.MaxContributions, b.MaxContributions, b.Every, 100*b.Inside)
	}
	return text + " " + sp.Say("No number would make 90 of 100 hold it.")
}
