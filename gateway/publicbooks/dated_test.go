package publicbooks

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"sluice/books"
	"sluice/configs/portalba"
	"sluice/gateway/activation"
	"sluice/gateway/ingest"
	"sluice/policy/compile"
	"sluice/policy/rego"
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

// TestDatedByTheGatewaysTime: what is written before the gateway knows the time, as before the
// first tick of a simulated clock, is dated by that clock as soon as it ticks.
func TestDatedByTheGatewaysTime(t *testing.T) {
	w, v, _, _ := written(t)
	files := portalba.Policy()
	const file = "decisions/2026-16-noise.yaml"
	files[file] = bytes.Replace(files[file], []byte("retain: P5Y"), []byte("retain: P2Y"), 1)
	set, err := compile.Files(t.Context(), rego.InProcess(), files)
	if err != nil {
		t.Fatal(err)
	}
	*v = activation.View{Register: v.Register, Current: set, Latest: set, Versions: 2,
		Sets: map[string]*compile.Set{set.Digest: set}}
	ticked := time.Date(2026, 7, 2, 10, 0, 0, 0, time.UTC)
	for _, now := range []time.Time{{}, {}, ticked, ticked.Add(time.Hour)} {
		w.src.Report = func() ingest.Report { return ingest.Report{Now: now} }
		if err := w.Write(t.Context()); err != nil {
			t.Fatal(err)
		}
		list, err := (books.Reader{Source: w.files.public}).Decisions()
		at := slices.IndexFunc(list, func(d books.Decision) bool { return d.ID == "2026-16" })
		if err != nil || at < 0 || len(list[at].History) != 2 || list[at].History[1].Kind != books.Amended {
			t.Fatalf("it is %+v, %v", list, err)
		}
		if d := list[at]; !now.IsZero() && (!d.History[1].At.Equal(ticked) || !d.Published.Equal(ticked)) {
			t.Errorf("at %s it is dated %s and %s", now, d.History[1].At, d.Published)
		}
	}
}
