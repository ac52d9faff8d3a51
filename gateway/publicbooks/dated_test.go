package publicbooks

import (
	"testing"
	"time"

	"sluice/books"
)

// TestDated: words keep the time at which they were first in the books, and new ones have
// their own; a decision that comes back after its end is new.
func TestDated(t *testing.T) {
	first, later := time.Unix(1_000_000, 5).UTC(), time.Unix(2_000_000, 0).UTC()
	old := books.Decision{ID: "1", YAML: "a", State: books.InForce, Next: &books.Next{Motion: "m"}}
	date(&old, books.Decision{}, first)
	if want := first.Truncate(time.Second); !old.Published.Equal(want) || !old.Next.Published.Equal(want) {
		t.Fatalf("first %s, next %s; want %s", old.Published, old.Next.Published, want)
	}
	past := old
	past.State = books.Past
	for name, x := range map[string]struct {
		old        books.Decision
		yaml, next string
		words      time.Time
		change     time.Time
	}{
		"as before":          {old, "a", "m", old.Published, old.Published},
		"new words":          {old, "b", "m", later, old.Published},
		"another change":     {old, "a", "n", old.Published, later},
		"it was over":        {past, "a", "m", later, old.Published},
		"of an earlier book": {books.Decision{ID: "1", YAML: "a", State: books.InForce}, "a", "m", time.Time{}, later},
	} {
		d := books.Decision{ID: "1", YAML: x.yaml, State: books.InForce, Next: &books.Next{Motion: x.next}}
		date(&d, x.old, later)
		if !d.Published.Equal(x.words) || !d.Next.Published.Equal(x.change) {
			t.Errorf("%s: %s, next %s; want %s, %s", name, d.Published, d.Next.Published, x.words, x.change)
		}
	}
}
