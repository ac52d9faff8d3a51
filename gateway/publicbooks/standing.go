package publicbooks

import (
	"strings"
	"time"

	"sluice/books"
	"sluice/internal/civil"
	"sluice/policy/bundle"
	"sluice/policy/compile"
	"sluice/policy/decision"
	"sluice/policy/explain"
)

// stand says in which state a decision is, since when, and why. What the books said
// before tells since when the charter or the lack of a policy stops it.
func stand(b *books.Decision, set *compile.Set, d *bundle.Decision, running bool, old books.Decision, now time.Time) {
	why := set.Suspension(d.Decision)
	switch {
	case !now.Before(d.Stream.Until):
		b.State, b.Since = books.Past, dayOf(set, d.Stream.Until)
	case !running:
		stopped(b, books.ByPolicy, old, dayOf(set, now))
	case why != nil:
		b.State, b.By, b.Reason = books.Suspended, books.ByCouncil, publicWords(why.Reason)
		if since := why.Since.String(); since <= dayOf(set, now) { // a later day does not put it off
			b.Since = since
		}
		switch { // an earlier day does not undo what was measured
		case old.State == books.InForce && b.Since != "":
			b.Since = dayOf(set, now)
		case old.State == books.Suspended && old.By == books.ByCouncil && old.Since > b.Since:
			b.Since = old.Since
		}
	case len(set.Broken[d.Decision]) > 0:
		stopped(b, books.ByCharter, old, dayOf(set, now))
	case now.Before(d.Stream.From):
		b.State, b.Since = books.Coming, d.From.String()
	default:
		b.State = books.InForce
	}
}

// stopped is a decision that nobody has suspended and that is not run. It is known since
// when only where it was seen to run before.
func stopped(b *books.Decision, by string, old books.Decision, today string) {
	b.State, b.By = books.Suspended, by
	switch {
	case old.State == books.Suspended && old.By == by:
		b.Since = old.Since
	case old.State == books.InForce:
		b.Since = today
	}
}

// gone is a decision that the policy does not have any more: it has ended, also before
// its last day.
func gone(d books.Decision, today string) books.Decision {
	switch {
	case d.State != books.Past:
		d.Since = today
	case d.Since == "" && d.Until < today: // books of old, which did not say it
		if last, err := time.Parse(time.DateOnly, d.Until); err == nil {
			d.Since = last.AddDate(0, 0, 1).Format(time.DateOnly)
		}
	}
	d.State, d.By, d.Reason, d.Problems, d.Next = books.Past, "", nil, nil, nil
	return d
}

// dayOf is the city's day of an instant.
func dayOf(set *compile.Set, t time.Time) string { return t.In(set.Location).Format(time.DateOnly) }

// publicWords are a reason as pages show it. A motion of old may have one that is longer
// than reasons are now, or has characters that show nothing.
func publicWords(w decision.Words) map[string]string {
	out := make(map[string]string, len(w))
	for lang, text := range w {
		if lang == decision.Unsaid {
			lang = books.Unsaid
		}
		if r := []rune(explain.Plain(text)); len(r) > decision.MaxWords {
			out[lang] = string(r[:decision.MaxWords]) + "…"
		} else {
			out[lang] = string(r)
		}
	}
	return out
}

// suspendedWords are what programs read beside the state.
func suspendedWords(s *decision.Suspension) string {
	text, _ := s.Reason.Best("en")
	since := ""
	if s.Since != (civil.Date{}) {
		since = " since " + s.Since.String()
	}
	return "S01: suspended" + since + ": " + explain.Plain(text)
}

// states are those of all decisions as one text, to see whether one has changed.
func states(list []books.Decision) string {
	var b strings.Builder
	for _, d := range list {
		b.WriteString(d.ID + " " + d.State + "\n")
	}
	return b.String()
}
