package decision

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sluice/internal/civil"
	"sluice/internal/names"
)

// Names are words for ids that residents see, by id and language. Kinds, fields and
// measures have theirs beside them.
type Names struct {
	Purposes map[string]map[string]string `yaml:"purposes" json:"purposes,omitempty"`
	Units    map[string]map[string]string `yaml:"units" json:"units,omitempty"`
}

// maxNames bounds each list of Names.
const maxNames = 200

func (n Names) check() error {
	for what, list := range map[string]map[string]map[string]string{"purposes": n.Purposes, "units": n.Units} {
		if len(list) > maxNames {
			return fmt.Errorf("names.%s has more than %d entries", what, maxNames)
		}
		for _, id := range slices.Sorted(maps.Keys(list)) {
			if err := names.CheckWords(list[id]); err != nil {
				return fmt.Errorf("names.%s: %s: %w", what, shown(id), err)
			}
		}
	}
	return nil
}

// shown quotes an id for an error where it is none.
func shown(id string) string {
	if idPattern.MatchString(id) {
		return id
	}
	return fmt.Sprintf("%+.60q", id)
}

// Limit is a value that a measure is compared with, such as a legal one, in the measure's
// unit. Over is the period whose mean it is about; zero for the window itself.
type Limit struct {
	Value  *float64          `yaml:"value" json:"value"`
	Title  map[string]string `yaml:"title" json:"title"`
	Source Words             `yaml:"source" json:"source"`
	Over   civil.Period      `yaml:"over" json:"over,omitzero"`
}

// Bounds of a measure's limits and of what is written in one.
const (
	MaxLimits = 4
	maxSource = 200 // characters
	// MaxLimit bounds a limit's value, either way.
	MaxLimit = 1e9
)

// checkLimits reports limits that no page could draw.
func (m Measure) checkLimits(every civil.Period) error {
	switch {
	case len(m.Limits) > MaxLimits:
		return fmt.Errorf("has more than %d limits", MaxLimits)
	case len(m.Limits) > 0 && strings.HasPrefix(m.Of, "histogram"):
		return errors.New("a histogram has no limits: its numbers are how many there are in a class")
	}
	for i, l := range m.Limits {
		if err := l.check(every); err != nil {
			return fmt.Errorf("limit %d %w", i+1, err)
		}
	}
	return nil
}

func (l Limit) check(every civil.Period) error {
	switch {
	case l.Value == nil:
		return errors.New("needs a value: a number in the measure's unit")
	case !(*l.Value >= -MaxLimit && *l.Value <= MaxLimit):
		return fmt.Errorf("has a value that is not from -%g to %[1]g", MaxLimit)
	case len(l.Title) == 0:
		return errors.New("needs a title in at least one language")
	case l.Source.none():
		return errors.New("needs a source: the law or guideline that it is from")
	case !l.Source.fit(maxSource):
		return fmt.Errorf("has a source that is not 1 to %d visible characters", maxSource)
	case !l.Over.IsZero() && l.Over.Nominal() < every.Nominal():
		return errors.New("is over less than a window; take over out, or write a longer one such as P1D")
	}
	if err := names.CheckWords(l.Title); err != nil {
		return fmt.Errorf("has a title that cannot be read: %w", err)
	}
	return nil
}
