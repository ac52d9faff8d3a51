package main

import (
	"fmt"
)

// verdicts is what was found.
type verdicts struct {
	Trials, Lost, Doubled, Twice, Wrong, Refused, Mended, Gaps int
	notes                                                      []string
}

func (v *verdicts) note(format string, args ...any) {
	if len(v.notes) < 400 {
		v.notes = append(v.notes, fmt.Sprintf(format, args...))
	}
}

func (v *verdicts) lost(format string, args ...any) { v.Lost++; v.note("LOST "+format, args...) }

func (v *verdicts) doubled(format string, args ...any) {
	v.Doubled++
	v.note("DOUBLED "+format, args...)
}

func (v *verdicts) twice(format string, args ...any) { v.Twice++; v.note("TWICE "+format, args...) }

func (v *verdicts) wrong(format string, args ...any) { v.Wrong++; v.note("WRONG "+format, args...) }

func (v *verdicts) plus(w verdicts) {
	v.Trials += w.Trials
	v.Lost += w.Lost
	v.Doubled += w.Doubled
	v.Twice += w.Twice
	v.Wrong += w.Wrong
	v.Refused += w.Refused
	v.Mended += w.Mended
	v.Gaps += w.Gaps
}
