package copies

import (
	"encoding/json"
	"slices"
	"time"

	"sluice/books"
)

const decisions = "decisions.json"

// dated are the decisions of the copy that is shown, dated as the first copy that had them dates
// them: each machine takes a motion at a moment of its own, and feeds go by that date.
func dated(raw []byte, views []view) ([]byte, error) {
	var list []books.Decision
	if json.Unmarshal(raw, &list) != nil {
		return raw, nil // whoever reads it says what is wrong
	}
	changed := false
	for i := range list {
		for n := range views {
			for j := range views[n].decisions {
				if d := &views[n].decisions[j]; same(d, &list[i]) {
					changed = earlier(&list[i], d) || changed
				}
			}
		}
	}
	if !changed {
		return raw, nil
	}
	return books.JSON(list)
}

func same(a, b *books.Decision) bool { return a.ID == b.ID && a.YAML == b.YAML && a.Motion == b.Motion }

// earlier gives a decision the dates of another copy's where they are earlier.
func earlier(d *books.Decision, other *books.Decision) (changed bool) {
	take := func(at *time.Time, old time.Time) {
		if !old.IsZero() && old.Before(*at) {
			*at, changed = old, true
		}
	}
	take(&d.Published, other.Published)
	if d.Next != nil && other.Next != nil && d.Next.Motion == other.Next.Motion {
		take(&d.Next.Published, other.Next.Published)
	}
	left := slices.Clone(other.History)
	for i := range d.History {
		h := &d.History[i]
		at := slices.IndexFunc(left, func(x books.Happening) bool {
			return x.Kind == h.Kind && x.Motion == h.Motion && x.From == h.From && x.Until == h.Until
		})
		if at >= 0 {
			take(&h.At, left[at].At)
			left = left[at+1:]
		}
	}
	return changed
}
