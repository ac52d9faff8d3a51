package publicbooks

import (
	"maps"
	"time"

	"sluice/books"
)

// Bounds of what is remembered of one decision.
const (
	mostHappened = 50
	mostChanges  = 10
)

// remember adds to a decision's history what has happened since the books were written last:
// new words, a change that was voted, a suspension and its end, the end. What stands there
// stays, so that whoever follows the city finds it again. The motion is the one in force;
// empty for none.
func remember(e *books.Decision, old books.Decision, motion string, place *time.Location, now time.Time) {
	now = now.UTC().Truncate(time.Second)
	e.History = old.History
	if old.ID != "" && len(old.History) == 0 {
		e.History = began(old, place, now)
	}
	add := func(h books.Happening) {
		h.Title, h.From, h.Until = e.Title, e.From, e.Until
		e.History = append(e.History[:len(e.History):len(e.History)], h)
	}
	words(add, e, old, now)
	if n := e.Next; n != nil && (old.Next == nil || old.Next.Motion != n.Motion) {
		add(books.Happening{Kind: books.Announced, At: n.Published, Motion: n.Motion, Begins: n.From,
			Changes: few(n.Changes)})
	}
	if e.By != books.ByCouncil && old.By != books.ByCouncil {
		motion = "" // it is not what stopped it
	}
	stands(add, e, old, motion, place, now)
	if n := len(e.History) - mostHappened; n > 0 {
		e.History = e.History[n:]
	}
}

// words tells of a decision that is new, or has other words.
func words(add func(books.Happening), e *books.Decision, old books.Decision, now time.Time) {
	voted := old.Motion == "" && e.Motion != ""
	switch {
	case e.State == books.Past && old.State == books.Past:
	case old.ID == "" || old.State == books.Past || voted:
		add(books.Happening{Kind: books.Decided, At: now, Motion: e.Motion})
	case old.YAML != e.YAML:
		add(books.Happening{Kind: books.Amended, At: now, Motion: e.Motion, Changes: few(e.Diff)})
	}
}

// stands tells of what is stopped, runs again or has ended.
func stands(
	add func(books.Happening), e *books.Decision, old books.Decision, motion string, place *time.Location,
	now time.Time,
) {
	switch was := old.State == books.Suspended; {
	case e.State == books.Suspended && (!was || old.By != e.By || !maps.Equal(old.Reason, e.Reason)):
		add(books.Happening{Kind: books.Suspended, At: now, Motion: motion, Since: e.Since, By: e.By,
			Reason: e.Reason})
	case e.State == books.Past && old.State != books.Past:
		at := now
		if day, err := time.ParseInLocation(time.DateOnly, e.Since, place); err == nil && !e.Standing().Early() {
			at = day.UTC() // everybody could know it
		}
		add(books.Happening{Kind: books.Ended, At: at, Since: e.Since})
	case was && (e.State == books.InForce || e.State == books.Coming):
		add(books.Happening{Kind: books.Lifted, At: now, Motion: motion, By: old.By})
	}
}

// began is the history of a decision in books of before, which had none.
func began(old books.Decision, place *time.Location, now time.Time) (out []books.Happening) {
	at := func(day string) time.Time {
		t, err := time.ParseInLocation(time.DateOnly, day, place)
		if err != nil || t.After(now) {
			return now
		}
		return t.UTC()
	}
	h := books.Happening{Kind: books.Decided, At: old.Published, Motion: old.Motion, Title: old.Title, From: old.From,
		Until: old.Until}
	if h.At.IsZero() {
		h.At = at(old.From)
	}
	out = append(out, h)
	h = books.Happening{Title: old.Title, From: old.From, Until: old.Until, Since: old.Since}
	switch old.State {
	case books.Suspended:
		h.Kind, h.At, h.By, h.Reason = books.Suspended, at(old.Since), old.By, old.Reason
		out = append(out, h)
	case books.Past:
		h.Kind, h.At = books.Ended, at(old.Since)
		out = append(out, h)
	}
	return out
}

// few bounds the lines of changes in each language.
func few(changes map[string][]string) map[string][]string {
	out := make(map[string][]string, len(changes))
	for lang, lines := range changes {
		out[lang] = lines[:min(len(lines), mostChanges)]
	}
	return out
}
