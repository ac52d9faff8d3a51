package plan

import (
	"errors"
	"math"
	"time"
)

// Levels are decibels, of which the mean is that of the energy behind them and not that
// of the numbers: 10 lg (mean of 10^(L/10)).
//
// Energies are added up as whole numbers, in which the lowest level of between is 2^23.
// between spans 120 dB at most, so that no energy is above 10^12 * 2^23 < 2^63, and as
// many as an int64 can count of them fit into 128 bits. Rounding to whole numbers changes
// an energy by at most a part in 2^24, which is 0.26 millionths of a decibel; so does
// rounding their mean. The level, rounded to millionths, is therefore right to two
// millionths of a decibel, in whatever order the readings came.
//
// Levels of the day are those of Directive 2002/49/EC, annex I: day from 7 to 19, evening
// from 19 to 23, night from 23 to 7, by local time. A window is a local day, so its night
// is 0 to 7 and 23 to 24 of that day; the night of a day on which clocks change has an
// hour less or more. Lden weighs the three with 12, 4 and 8 hours on every day, as the
// directive does, after 5 dB more in the evening and 10 dB more in the night.
const (
	lowestEnergy = 1 << 23
	// MaxLevels is how far apart the bounds of levels can be, in decibels.
	MaxLevels = 120
)

// Level reports whether a measure averages decibels by their energy.
func (a Aggregation) Level() bool { return a == Leq || a.Daily() }

// Daily reports whether a measure is a level of a whole day.
func (a Aggregation) Daily() bool { return a == Lday || a == Levening || a == Lnight || a == Lden }

// PartOfDay is where in the day a level counts.
type PartOfDay int

// The parts of Directive 2002/49/EC.
const (
	Day PartOfDay = iota
	Evening
	Night
	partsOfDay
)

// Energy is what a level, in millionths of a decibel, adds: at least 2^23, at most
// 10^12 * 2^23. What is outside between is taken as at its end.
func (m *Measure) Energy(level int64) int64 {
	low, high := m.Bounds()
	above := float64(min(high, max(low, level))-low) / Fixed
	return int64(math.Round(lowestEnergy * math.Pow(10, above/10)))
}

// LevelSlot is which of a level's sums a reading of a part of the day is added to; -1 for
// none.
func (m *Measure) LevelSlot(p PartOfDay) int {
	switch {
	case m.Of == Lden:
		return int(p)
	case m.Of == Leq, m.Of == Lday && p == Day, m.Of == Levening && p == Evening, m.Of == Lnight && p == Night:
		return 0
	}
	return -1
}

// Decibels is the level of mean energies, one for each slot, rounded to millionths. Each
// is of at least one reading.
func (m *Measure) Decibels(energies []int64) float64 {
	e := float64(energies[0])
	if m.Of == Lden {
		e = (12*e + 4*math.Pow(10, 0.5)*float64(energies[Evening]) + 8*10*float64(energies[Night])) / 24
	}
	low, _ := m.Bounds()
	return math.Round(float64(low)+10*Fixed*math.Log10(e/lowestEnergy)) / Fixed
}

// DayClock finds the part of one local day in which an instant lies.
type DayClock struct{ day, evening, night int64 }

// ClockOf is the clock of the local day that holds t.
func (s *Stream) ClockOf(t time.Time) DayClock {
	loc := s.windows.Location()
	y, m, d := t.In(loc).Date()
	at := func(hour int) int64 { return time.Date(y, m, d, hour, 0, 0, 0, loc).UnixNano() }
	return DayClock{at(7), at(19), at(23)}
}

// Part of the day of an instant, in nanoseconds since 1970.
func (c DayClock) Part(t int64) PartOfDay {
	switch {
	case t < c.day || t >= c.night:
		return Night
	case t < c.evening:
		return Day
	}
	return Evening
}

func (m Measure) checkLevel(u Unit, every time.Duration) error {
	switch {
	case m.Field == "":
		return errors.New("needs a field")
	case !u.None():
		return errors.New("levels of decibels are of streams about nobody: one unit's loudest reading would " +
			"outweigh all others, and noise that hides it would drown the level; use quantile(f, 0.5)")
	case !m.Bounded || !(m.High-m.Low > 0 && m.High-m.Low <= MaxLevels):
		return errors.New("a level needs between: [low, high] in decibels, at most 120 apart, e.g. [20, 140]")
	case m.Of.Daily() && every != 24*time.Hour:
		return errors.New("a level of the day needs every: P1D")
	case len(m.Edges) > 0:
		return errors.New("edges are for histogram(f) only")
	}
	return nil
}
