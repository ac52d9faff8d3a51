package diff

import (
	"slices"
	"time"

	"sluice/policy/bundle"
)

// maxSilence is for how long, in all, times of silence may be added to a zone
// before that is an end: the shorter of a week and a tenth of the decision's time.
const maxSilence = 7 * 24 * time.Hour

// silences reports whether b is silent in a zone for so much longer than a that
// residents lose the series there. Each time of silence is short by the charter;
// any number of them, one after the other, is not.
func silences(a, b *bundle.Decision) bool {
	every := b.Stream.Every.Nominal()
	limit := min(maxSilence, b.Stream.Until.Sub(b.Stream.From)/10) + 2*every // one time rounded outwards
	for _, zone := range b.Stream.Zones {
		before := blackouts(a)
		if silent(b, zone, append(blackouts(b), before...))-silent(b, zone, before) > limit {
			return true
		}
	}
	return false
}

// silent is for how long a zone is silent by some blackouts while a decision is in
// force. A window that one of them touches is withheld whole, so each counts to the
// next windows on both sides; what overlaps counts once.
func silent(d *bundle.Decision, zone string, list []quiet) time.Duration {
	list = slices.DeleteFunc(slices.Clone(list), func(q quiet) bool { return q.zone != zone })
	slices.SortFunc(list, func(x, y quiet) int { return int(min(1, max(-1, x.from-y.from))) })
	var seconds int64
	window := int64(d.Stream.Every.Nominal() / time.Second)
	at, end := d.Stream.From.Unix(), d.Stream.Until.Unix()
	for _, q := range list {
		from, until := max(at, q.from-window+1), min(end, q.until+window-1)
		if until > from {
			seconds += until - from
			at = until
		}
	}
	return time.Duration(seconds) * time.Second
}
