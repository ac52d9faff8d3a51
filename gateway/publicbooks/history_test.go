package publicbooks

import (
	"strings"
	"testing"
	"time"

	"sluice/books"
)

// TestHistory follows a decision: each thing that happens is a line, once, dated by when the
// books said it, and every line stays as it was.
func TestHistory(t *testing.T) {
	now := time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC)
	title := map[string]string{"en": "Steps"}
	reason := map[string]string{"en": "a fault"}
	over := books.Decision{YAML: "b", Motion: "m2", State: books.Past, Since: "2027-01-01", Until: "2026-12-31"}
	var old books.Decision
	var want []string
	for _, step := range []struct {
		d      books.Decision
		motion string
		want   string // the kinds that are new
	}{
		{books.Decision{YAML: "a", Motion: "m1", State: books.InForce}, "m1", "decided/m1"},
		{books.Decision{YAML: "a", Motion: "m1", State: books.InForce}, "m1", ""},
		{books.Decision{YAML: "a", Motion: "m1", State: books.InForce, Next: &books.Next{Motion: "m2"}}, "m1",
			"announced/m2"},
		{books.Decision{YAML: "b", Motion: "m2", State: books.InForce,
			Diff: map[string][]string{"en": {"weaker"}}}, "m2", "changed/m2"},
		{books.Decision{YAML: "b", Motion: "m2", State: books.Suspended, By: books.ByCouncil, Since: "2026-06-29",
			Reason: reason}, "m3", "suspended/m3"},
		{books.Decision{YAML: "b", Motion: "m2", State: books.Suspended, By: books.ByCouncil, Since: "2026-06-29",
			Reason: reason}, "m3", ""},
		{books.Decision{YAML: "b", Motion: "m2", State: books.InForce}, "m4", "lifted/m4"},
		{books.Decision{YAML: "b", Motion: "m2", State: books.Suspended, By: books.ByPolicy}, "m4", "suspended/"},
		{over, "m4", "ended/"},
		{over, "m4", ""},
		{books.Decision{YAML: "b", Motion: "m9", State: books.InForce}, "m9", "decided/m9"},
	} {
		d := step.d
		d.ID, d.Title = "1", title
		remember(&d, old, step.motion, time.UTC, now)
		if step.want != "" {
			want = append(want, step.want)
		}
		var got []string
		for i, h := range d.History {
			got = append(got, h.Kind+"/"+h.Motion)
			if i < len(old.History) && !h.At.Equal(old.History[i].At) {
				t.Errorf("line %d has another time", i)
			}
		}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Fatalf("got %v, want %v", got, want)
		}
		if last := d.History[len(d.History)-1]; step.want != "" && last.Kind != books.Ended && !last.At.Equal(now) &&
			last.Kind != books.Announced {
			t.Errorf("%s is dated %s", last.Kind, last.At)
		}
		old, now = d, now.Add(time.Hour)
	}
	end := old.History[len(old.History)-2]
	if end.Kind != books.Ended || end.At.Format(time.DateOnly) != "2027-01-01" {
		t.Errorf("the end is %+v", end)
	}
}

// TestHistoryOfBefore: books of before had none, and what was known of a decision is its
// first lines; and it is bounded.
func TestHistoryOfBefore(t *testing.T) {
	now := time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC)
	old := books.Decision{ID: "1", YAML: "a", State: books.Suspended, By: books.ByCouncil, Since: "2026-06-20",
		From: "2026-06-01"}
	d := old
	d.State = books.InForce
	remember(&d, old, "m", time.UTC, now)
	if h := d.History; len(h) != 3 || h[0].Kind != books.Decided || h[0].At.Format(time.DateOnly) != "2026-06-01" ||
		h[1].Kind != books.Suspended || h[2].Kind != books.Lifted || !h[2].At.Equal(now) {
		t.Errorf("it is %+v", h)
	}
	for n := range 200 {
		next := d
		next.YAML = strings.Repeat("x", n)
		remember(&next, d, "", time.UTC, now)
		d = next
	}
	if len(d.History) != mostHappened {
		t.Errorf("there are %d", len(d.History))
	}
}
