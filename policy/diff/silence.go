package diff

import (
	"slices"
	"time"

	"sluice/policy/bundle"
)

// mostSilence is for how long, in all, times of silence may be added to a zone
// before that is an end: the shorter of a week and a tenth of the decision's time.
const mostSilence = 7 * 24 * time.Hour

// silences reports whether b is silent in a zone for so much longer than a that
// residents lose the series there. Each time of silence is short by the charter;
// any number of them, one after the other, is not.
func silences(a, b *bundle.Decision) bool {
	most := min(mostSilence, b.Stream.Until.Sub(b.Stream.From)/10)
	for _, zone := range b.Stream.Zones {
		if silent(b, zone)-silent(a, zone) > most {
			return true
		}
	}
	return false
}

// silent is for how long a decision is silent in a zone while it is in force; times
// that overlap count once.
func silent(d *bundle.Decision, zone string) time.Duration {
	list := slices.DeleteFunc(blackouts(d), func(q quiet) bool { return q.zone != zone })
	slices.SortFunc(list, func(x, y quiet) int { return int(min(1, max(-1, x.from-y.from))) })
	var seconds int64
	at, end := d.Stream.From.Unix(), d.Stream.Until.Unix()
	for _, q := range list {
		from, until := max(at, q.from), min(end, q.until)
		if until > from {
			seconds += until - from
			at = until
		}
	}
	return time.Duration(seconds) * time.Second
}
