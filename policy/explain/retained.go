package explain

import (
	"slices"

	"sluice/internal/retention"
)

// removedSince is the first format of motions whose texts say that numbers are removed:
// earlier versions did not.
const removedSince = 7

// retained is for how long published numbers are kept.
func (t *text) retained() (out []string) {
	own := t.d.Retain.For(t.s.Every)
	if t.format != 0 && t.format < removedSince { // no document of then has terms of hours and days
		if own.Ends() {
			out = append(out, t.say("retain", t.l.Period(own.Period)))
		}
		return out
	}
	out = append(out, t.term(own, "retained", "retained-ever")...)
	if t.d.Days != nil {
		out = append(out, t.say("and-days"))
	}
	if t.d.KeepsDays() {
		out = append(out, t.term(t.d.Retain.Days, "retained-days", "retained-days-ever")...)
	}
	return out
}

// term says one of two sentences, or nothing where nothing was decided.
func (t *text) term(kept retention.Term, ends, ever string) []string {
	switch {
	case kept.Forever:
		return []string{t.say(ever)}
	case kept.Ends():
		return []string{t.say(ends, t.l.Period(kept.Period))}
	}
	return nil
}

// DaysOf is the title of a stream of days, by language, made of that of the stream whose days
// they are; a language of which no sentence is here keeps it.
func DaysOf(title map[string]string) map[string]string {
	out := make(map[string]string, len(title))
	for code, name := range title {
		if out[code] = name; slices.Contains(Languages[:], code) {
			out[code] = say(Lang(slices.Index(Languages[:], code)), "days-of", name)
		}
	}
	return out
}
