package query

import (
	"testing"
	"time"

	"sluice/books"
)

// TestOnce: of decisions that have a stream one after another, the one in force says
// what the stream is; else what is stopped, then the first to come, then the last to end.
func TestOnce(t *testing.T) {
	by := map[string]books.Standing{
		"ended": {State: books.Past}, "ended-last": {State: books.Past}, "runs": {State: books.InForce},
		"halted": {State: books.Suspended},
		"next":   {State: books.Coming}, "after-next": {State: books.Coming},
	}
	stream := func(decision, from, until string) books.Stream {
		return books.Stream{ID: "s", Decision: decision, From: from, Until: until}
	}
	ended, last := stream("ended", "2025-01-01", "2025-12-31"), stream("ended-last", "2026-01-01", "2026-12-31")
	runs, halted := stream("runs", "2027-01-01", "2027-12-31"), stream("halted", "2027-01-01", "2027-12-31")
	left := runs // its decision is in force and makes another series
	left.Stopped = true
	next, after := stream("next", "2028-01-01", "2028-12-31"), stream("after-next", "2029-01-01", "2029-12-31")
	for _, x := range []struct {
		list []books.Stream
		want string
	}{
		{[]books.Stream{ended, runs}, "runs"}, {[]books.Stream{runs, ended}, "runs"},
		{[]books.Stream{ended, last}, "ended-last"},
		{[]books.Stream{last, ended}, "ended-last"}, {[]books.Stream{last, next}, "next"},
		{[]books.Stream{after, next}, "next"},
		{[]books.Stream{next, after}, "next"}, {[]books.Stream{next, halted}, "halted"},
		{[]books.Stream{halted, runs, next}, "runs"},
		{[]books.Stream{stream("unknown", "", ""), ended}, "unknown"}, {[]books.Stream{ended}, "ended"},
		{[]books.Stream{left, next}, "next"}, {[]books.Stream{halted, left}, "halted"}, {[]books.Stream{left}, "runs"},
	} {
		other := books.Stream{ID: "t", Decision: "ended"}
		out := once(append([]books.Stream{other}, x.list...), by)
		if len(out) != 2 || out[0].ID != "t" || out[1].Decision != x.want {
			t.Errorf("of %v there is %v; want %s", x.list, out, x.want)
		}
	}
}

// TestStandingOfWhatIsNotRun: a series whose decision is in force, but makes another one by
// now, has ended, on a day that the books do not say; else its state is its decision's.
// It ended on the day of its last window where it has one.
func TestStandingOfWhatIsNotRun(t *testing.T) {
	by := map[string]books.Standing{
		"runs":   {State: books.InForce, Until: "2027-12-31"},
		"halted": {State: books.Suspended, By: books.ByCharter, Since: "2027-01-01"},
		"ended":  {State: books.Past, Since: "2027-02-01", Until: "2027-12-31"},
	}
	for _, x := range []struct {
		decision, state, last string
		stopped               bool
	}{
		{"runs", books.InForce, "", false}, {"runs", books.Past, "", true}, {"halted", books.Suspended, "", true},
		{"ended", books.Past, "2027-02-01", true},
		{"unknown", "", "", true},
	} {
		st := standing(books.Stream{ID: "s", Decision: x.decision, Stopped: x.stopped}, by)
		if st.State != x.state || st.LastDay() != x.last || x.stopped && x.state != "" && !st.Idle() {
			t.Errorf("%v: it is %+v", x, st)
		}
		midnight := time.Date(2027, 3, 4, 23, 0, 0, 0, time.UTC) // in Madrid
		run := At(books.Stream{ID: "s", Decision: x.decision, Stopped: x.stopped, Timezone: "Europe/Madrid"}, midnight)
		want := x.last
		if x.decision == "runs" && x.stopped {
			want = "2027-03-04"
		}
		if st := run.standing(by); st.State != x.state || st.LastDay() != want {
			t.Errorf("%v: with numbers it is %+v; want its last day to be %q", x, st, want)
		}
	}
}
