package query

import (
	"testing"

	"sluice/books"
)

// TestOnce: of decisions that have a stream one after another, the one in force says
// what the stream is; else what is stopped, then the first to come, then the last to end.
func TestOnce(t *testing.T) {
	by := map[string]books.Standing{
		"ended": {State: books.Past}, "ended-last": {State: books.Past}, "runs": {State: books.InForce}, "halted": {State: books.Suspended},
		"next": {State: books.Coming}, "after-next": {State: books.Coming},
	}
	stream := func(decision, from, until string) books.Stream {
		return books.Stream{ID: "s", Decision: decision, From: from, Until: until}
	}
	ended, last := stream("ended", "2025-01-01", "2025-12-31"), stream("ended-last", "2026-01-01", "2026-12-31")
	runs, halted := stream("runs", "2027-01-01", "2027-12-31"), stream("halted", "2027-01-01", "2027-12-31")
	next, after := stream("next", "2028-01-01", "2028-12-31"), stream("after-next", "2029-01-01", "2029-12-31")
	for _, x := range []struct {
		list []books.Stream
		want string
	}{
		{[]books.Stream{ended, runs}, "runs"}, {[]books.Stream{runs, ended}, "runs"}, {[]books.Stream{ended, last}, "ended-last"},
		{[]books.Stream{last, ended}, "ended-last"}, {[]books.Stream{last, next}, "next"}, {[]books.Stream{after, next}, "next"},
		{[]books.Stream{next, after}, "next"}, {[]books.Stream{next, halted}, "halted"}, {[]books.Stream{halted, runs, next}, "runs"},
		{[]books.Stream{stream("unknown", "", ""), ended}, "unknown"}, {[]books.Stream{ended}, "ended"},
	} {
		other := books.Stream{ID: "t", Decision: "ended"}
		out := once(append([]books.Stream{other}, x.list...), by)
		if len(out) != 2 || out[0].ID != "t" || out[1].Decision != x.want {
			t.Errorf("of %v there is %v; want %s", x.list, out, x.want)
		}
	}
}
