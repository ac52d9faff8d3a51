package gateway

import (
	"slices"
	"testing"

	"sluice/books"
)

// TestPastStreams: a stream whose decision is gone, or is not run, is described as it was;
// one that is there is described as it is.
func TestPastStreams(t *testing.T) {
	before := []books.Stream{{ID: "noise", Plan: "old"}, {ID: "air", Plan: "last"}}
	ids := func(list []books.Stream) (out []string) {
		for _, s := range list {
			out = append(out, s.ID+" "+s.Plan)
		}
		return out
	}
	now := []books.Stream{{ID: "noise", Plan: "new"}}
	if got := ids(withPast(now, before)); !slices.Equal(got, []string{"noise new", "air last"}) {
		t.Errorf("%q", got)
	}
	if got := ids(withPast(nil, before)); !slices.Equal(got, []string{"noise old", "air last"}) {
		t.Errorf("without any decision %q", got)
	}
	if got := withPast([]books.Stream{}, nil); got == nil || len(got) != 0 {
		t.Error("an empty list must be one in JSON, too")
	}
}
