package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"sluice/internal/locales"
	"sluice/policy/explain"
)

// Text is the summary on one line of a language: the typical errors, from how many units on
// something is published, and what it costs. What a measure is called there is the reader's: its
// id, where nil.
func (s Summary) Text(l explain.Lang, called func(measure string) string) string {
	say := locales.In(int(l))
	if s.Unit == "none" {
		return say.Say("check.summary.exact")
	}
	line := ""
	if errs := s.errors(l, called); len(errs) > 0 {
		line = say.Say("check.summary.error", strings.Join(errs, ", ")) + "; "
	}
	gender := l.Gender(s.Unit, "m", "f")
	line += say.Say("check.summary.published."+gender, s.PublicFrom, l.Many(s.Unit), l.Number(s.CostPerDay),
		l.Number(s.Cap))
	if s.ShareFrom == 0 {
		return line
	}
	return line + ", " + say.Say("check.summary.share."+gender, s.MaxContributions, s.ShareFrom)
}

// errors are the typical errors of the measures that have one, by id.
func (s Summary) errors(l explain.Lang, called func(string) string) (list []string) {
	for _, id := range slices.Sorted(maps.Keys(s.Errors)) {
		if s.Errors[id] <= 0 {
			continue
		}
		name := id
		if called != nil {
			name = called(id)
		}
		list = append(list, fmt.Sprintf("%s ±%s", name, l.Number(s.Errors[id])))
	}
	return list
}
