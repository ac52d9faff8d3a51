package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"sluice/internal/civil"
)

// MaxBound limits what one unit may add to a sum, so that fixed-point sums of
// nine million units cannot overflow an int64.
const MaxBound = 1e6

// Finish checks a stream that the rules answered and fills what is derived:
// digest, cells and grids. Whatever is not in the closed vocabulary is refused.
func (s *Stream) Finish() error {
	loc, err := time.LoadLocation(s.Timezone)
	if err != nil {
		return fmt.Errorf("timezone %q is unknown", s.Timezone)
	}
	if err := s.check(); err != nil {
		return fmt.Errorf("decision %s: %w", s.Decision, err)
	}
	s.windows = civil.NewGrid(s.Every.Nominal(), loc)
	s.epochs = civil.NewGrid(s.Forget.Nominal(), loc)
	s.divide()
	for i := range s.Measures {
		s.Measures[i].classify(!s.Unit.None())
	}
	s.Cells = s.Cells[:0]
	values := s.Category.Values
	if s.Category.Field == "" {
		values = []string{""}
	}
	for _, zone := range s.Zones {
		for _, v := range values {
			s.Cells = append(s.Cells, Cell{Zone: zone, Category: v})
		}
	}
	slices.SortFunc(s.Cells, func(a, b Cell) int {
		if a.ID() < b.ID() {
			return -1
		}
		return 1
	})
	// Absent and empty lists mean the same, so they digest the same.
	if len(s.Category.Values) == 0 {
		s.Category.Values = nil
	}
	if s.Protect.Floor == Exact {
		s.Protect.Floor = ""
	}
	s.Keep, s.Where, s.Generalise = present(s.Keep), present(s.Where), present(s.Generalise)
	canonical, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("decision %s: %w", s.Decision, err)
	}
	s.canonical = canonical
	sum := sha256.Sum256(canonical)
	s.Digest = hex.EncodeToString(sum[:])
	return nil
}

func (s *Stream) check() error {
	day := 24 * time.Hour
	every, forget := s.Every.Nominal(), s.Forget.Nominal()
	switch {
	case s.ID == "" || s.Decision == "":
		return errors.New("stream and decision need names")
	case every < time.Second || every > day || day%every != 0:
		return errors.New("every must divide a day, e.g. PT15M, PT1H or P1D")
	case s.Lateness.Nominal() > day:
		return errors.New("lateness is at most P1D")
	case !s.From.Before(s.Until):
		return errors.New("from must be before until")
	case len(s.Zones) == 0:
		return errors.New("a decision needs at least one zone")
	case len(s.Measures) == 0:
		return errors.New("a decision needs at least one measure")
	case len(s.Zones)*max(1, len(s.Category.Values)) > 10_000:
		return errors.New("a stream has at most 10,000 cells")
	case s.Category.Field != "" && len(s.Category.Values) == 0:
		return errors.New("by: a field needs its closed list of values")
	case (s.Place.Lat == "") != (s.Place.Lon == ""):
		return errors.New("place needs both lat and lon")
	}
	if err := s.checkNames(every); err != nil {
		return err
	}
	for _, c := range s.Where {
		if !slices.Contains([]string{"==", "!=", "<", "<=", ">", ">="}, c.Op) {
			return errors.New("where: op is one of == != < <= > >=")
		}
	}
	for _, g := range s.Generalise {
		if (g.Step > 0) == (len(g.To) > 0) || !slices.IsSorted(g.To) {
			return errors.New("generalise: needs either a step above 0 or sorted edges in to")
		}
	}
	if err := s.checkOwners(); err != nil {
		return err
	}
	if s.Unit.None() {
		return nil
	}
	return s.checkProtect(every, forget, day)
}

// checkNames checks the measures, and that nothing is named twice.
func (s *Stream) checkNames(every time.Duration) error {
	for _, list := range [][]string{s.Zones, s.Category.Values, s.Keep} {
		if dup := duplicate(list); dup != "" {
			return fmt.Errorf("%q is named twice", dup)
		}
	}
	var names []string
	for _, m := range s.Measures {
		if err := m.check(s.Unit, every); err != nil {
			return fmt.Errorf("measure %s: %w", m.Name, err)
		}
		for _, part := range m.Parts() {
			names = append(names, part.Name)
		}
		if m.Of == Histogram {
			names = append(names, m.Name)
		}
	}
	if dup := duplicate(names); dup != "" {
		return fmt.Errorf("measure %q is named twice", dup)
	}
	return nil
}

// What is smaller leaves nothing to publish, and the formulas that make thresholds
// of it no digits of a float64.
const (
	leastEpsilon = 1e-6
	leastDelta   = 1e-300
)

func (s *Stream) checkProtect(every, forget, day time.Duration) error {
	p := s.Protect
	finite := !math.IsNaN(p.Epsilon) && !math.IsInf(p.Epsilon, 0)
	switch {
	case (s.Unit.Field == "") == !s.Unit.Sensor:
		return errors.New("unit needs either a field or the sensor")
	case s.Unit.StandsFor == "":
		return errors.New("unit needs stands_for")
	case forget < every || forget > day || day%forget != 0 || forget%every != 0:
		return errors.New("forget_after must be a multiple of every and divide a day")
	case !finite || p.Epsilon < leastEpsilon || p.Epsilon > 100:
		return errors.New("protect: epsilon must be from 0.000001 to 100")
	case !(p.Delta >= leastDelta && p.Delta < 1):
		return errors.New("protect: delta must be at least 1e-300 and below 1")
	case p.MinUnits < 1 || p.MinUnits > 1_000_000:
		return errors.New("protect: min_units must be at least 1")
	case p.MaxContributions < 1 || p.MaxContributions > 10_000:
		return errors.New("protect: max_contributions must be at least 1")
	case p.Floor != "" && p.Floor != Exact && p.Floor != Noisy:
		return errors.New("protect: floor is exact or noisy")
	}
	return s.checkMembership()
}

// checkMembership refuses public membership where it would not be known from the
// register alone who takes part, and where.
func (s *Stream) checkMembership() error {
	switch {
	case s.Protect.Membership == "":
		return nil
	case s.Protect.Membership != Public:
		return errors.New("protect: membership is public, or left out")
	case !s.Unit.Sensor || s.Unit.StandsFor != "home":
		return errors.New("protect: membership is public of homes only: unit: {sensor: home}")
	case s.Place.ByPoint():
		return errors.New("protect: with public membership a home counts where it is registered: place: sensor")
	case s.Protect.Floor == Noisy:
		return errors.New(
			"protect: with public membership the number of homes is that of the register, without noise: take floor " +
				"out")
	}
	for _, m := range s.Measures {
		if m.Of == Distinct {
			return errors.New(
				"protect: with public membership distinct(unit) says what the register says: take the measure out")
		}
	}
	return nil
}

func (m Measure) check(u Unit, every time.Duration) error {
	switch m.Name {
	case "":
		return errors.New("needs a name")
	case "units_epoch", "units_bounded": // store.EpochMeasures
		return errors.New("its name is that of a number that is released of each epoch; give it another")
	}
	if m.Bounded && (!(m.Low <= m.High) || math.Abs(m.Low) > MaxBound || math.Abs(m.High) > MaxBound) {
		return errors.New("between needs [low, high] with low at most high, each within 1,000,000")
	}
	if m.Share && (m.Of != Mean || !m.Bounded || m.Low != 0 || m.High != 1) {
		return errors.New("a share is from 0 to 1")
	}
	switch m.Of {
	case Distinct:
		if u.None() {
			return errors.New("distinct(unit) needs a unit")
		}
	case Count:
		if !u.None() && (!m.Bounded || m.Low != 0 || m.High < 1 || m.High != math.Trunc(m.High)) {
			return errors.New("count() about a unit needs between: [0, N]")
		}
	case Sum, Mean:
		if m.Field == "" {
			return errors.New("needs a field")
		}
		if !u.None() && !m.Bounded {
			return errors.New("needs between: [low, high]")
		}
		if !u.None() && m.Of == Sum && max(math.Abs(m.Low), math.Abs(m.High)) < 1.0/Fixed ||
			!u.None() && m.Of == Mean && m.High-m.Low < 2.0/Fixed {
			return errors.New("between is too narrow")
		}
	case Histogram:
		return m.checkEdges()
	case Quantile:
		return m.checkQuantile()
	case Leq, Lday, Levening, Lnight, Lden:
		return m.checkLevel(u, every)
	default:
		return errors.New("of is one of count(), distinct(unit), sum(f), mean(f), histogram(f), quantile(f, q), " +
			"leq(f), lday(f), levening(f), lnight(f), lden(f), share(f)")
	}
	if len(m.Edges) > 0 {
		return errors.New("edges are for histogram(f) only")
	}
	return nil
}

func (m Measure) checkEdges() error {
	switch {
	case m.Field == "":
		return errors.New("needs a field")
	case m.Bounded:
		return errors.New("a histogram has edges, and no between")
	case len(m.Edges) < 2 || len(m.Edges) > MaxEdges:
		return fmt.Errorf("a histogram needs edges: 2 to %d rising numbers", MaxEdges)
	}
	for i, e := range m.Edges {
		if !(math.Abs(e) <= MaxBound) || i > 0 && e-m.Edges[i-1] < 2.0/Fixed {
			return errors.New("edges rise, each within 1,000,000")
		}
	}
	return nil
}

func (m Measure) checkQuantile() error {
	switch {
	case m.Field == "":
		return errors.New("needs a field")
	case !(m.Q > 0 && m.Q < 1):
		return errors.New("quantile(f, q) needs a q above 0 and below 1")
	case !m.Bounded || m.High-m.Low < 2*exactClasses/float64(Fixed):
		return errors.New("a quantile needs between: [low, high], further apart than a thousandth")
	case len(m.Edges) > 0:
		return errors.New("edges are for histogram(f) only")
	}
	return nil
}

func duplicate(list []string) string {
	seen := make(map[string]bool, len(list))
	for _, s := range list {
		if seen[s] {
			return s
		}
		seen[s] = true
	}
	return ""
}

func present[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
