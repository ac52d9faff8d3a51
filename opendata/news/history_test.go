package news

import (
	"testing"
	"time"

	"sluice/books"
)

// TestHistory: what the books remember of a decision is told as it was then, each with an id of
// its own, and what nobody has voted does not sound like a vote.
func TestHistory(t *testing.T) {
	s := city()
	day := time.Date(2026, 2, 1, 9, 0, 0, 0, time.UTC)
	was, is := map[string]string{"en": "Steps"}, map[string]string{"en": "Steps, anew"}
	line := func(kind string, n int, h books.Happening) books.Happening {
		h.Kind, h.At, h.From, h.Until = kind, day.AddDate(0, 0, n), "2026-01-01", "2026-12-31"
		if h.Title = is; n < 2 {
			h.Title = was
		}
		return h
	}
	s["decisions.json"] = []books.Decision{{ID: "3", Title: is, State: books.InForce, From: "2026-01-01",
		Until: "2026-12-31", History: []books.Happening{
			line(books.Decided, 0, books.Happening{}),
			line(books.Announced, 1, books.Happening{Motion: "m1", Begins: day.AddDate(0, 0, 2),
				Changes: map[string][]string{"en": {"weaker: a."}}}),
			line(books.Amended, 2, books.Happening{Motion: "m1",
				Changes: map[string][]string{"en": {"weaker: a", "b", "c"}}}),
			line(books.Suspended, 3, books.Happening{Motion: "m2", Since: "2026-02-02", By: books.ByCouncil,
				Reason: map[string]string{"en": "a fault"}}),
			line(books.Lifted, 4, books.Happening{Motion: "m3", By: books.ByCouncil}),
			line(books.Amended, 5, books.Happening{}),
		}}}
	list, err := desk(s, nil).Events(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"changed/3/20260206T090000Z Changed: Steps, anew | Its text is another one; what it does is the same. " +
			"Nobody has voted it: this is a simulation.",
		"lifted/3/m3 No longer suspended: Steps, anew | " +
			"Since Thursday, 5 February 2026 it is measured and published again.",
		"suspended/3/m2 Suspended: Steps, anew | Suspended since Monday, 2 February 2026: the council has stopped " +
			"it. Nothing of it is measured or published until the council lifts that. Reason: a fault",
		"changed/3/m1 Changed: Steps, anew | weaker: a; b. And 1 more.",
		"changes/3/m1 A change was voted: Steps | From Tuesday, 3 February 2026 on: weaker: a.",
		"decided/3/20260201T090000Z In force, not voted (simulation): Steps | " +
			"Decision 3 holds from Thursday, 1 January 2026 to Thursday, 31 December 2026.",
	}
	for i := range max(len(list), len(want)) {
		if i >= len(list) || i >= len(want) {
			t.Fatalf("%d events; want %d", len(list), len(want))
		}
		if x := list[i].Tell(names("en")); x.ID+" "+x.Title+" | "+x.Text != want[i] {
			t.Errorf("got  %s\nwant %s", x.ID+" "+x.Title+" | "+x.Text, want[i])
		}
	}
}
