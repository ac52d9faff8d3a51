package publicbooks

import (
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/books"
)

// TestPastStreams: a stream whose decision is gone, or is not run, is described as it was;
// one that is there is described as it is.
func TestPastStreams(t *testing.T) {
	before := []books.Stream{{ID: "noise", Plan: "old"}, {ID: "air", Plan: "last"}}
	ids := func(list []books.Stream) (out []string) {
		for _, s := range list {
			out = append(out,
				strings.TrimSuffix(s.ID+" "+s.Plan+" stopped", map[bool]string{false: " stopped"}[s.Stopped]))
		}
		return out
	}
	now := []books.Stream{{ID: "noise", Plan: "new"}}
	if got := ids(withPast(now, before)); !slices.Equal(got, []string{"noise new", "air last stopped"}) {
		t.Errorf("%q", got)
	}
	if got := ids(withPast(nil, before)); !slices.Equal(got, []string{"noise old stopped", "air last stopped"}) {
		t.Errorf("without any decision %q", got)
	}
	through := map[string]time.Time{"air": {}}
	past := append(before, books.Stream{ID: "never"})
	want := []string{"noise new", "air last stopped"}
	if got := ids(withReleases(withPast(now, past), through)); !slices.Equal(got, want) {
		t.Errorf("of those of which one has released something %q", got)
	}
	if got := ids(withPast(before, withPast(nil, before))); !slices.Equal(got, []string{"noise old", "air last"}) {
		t.Errorf("run again %q", got)
	}
	if got := withPast([]books.Stream{}, nil); got == nil || len(got) != 0 {
		t.Error("an empty list must be one in JSON, too")
	}
}
