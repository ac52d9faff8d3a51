package publicbooks

import (
	"strings"
	"testing"
	"time"

	"sluice/books"
	"sluice/configs/portalba"
	"sluice/internal/civil"
	"sluice/policy/bundle"
	"sluice/policy/compile"
	"sluice/policy/decision"
)

// TestStand: in which state a decision is, since when, and by whom, from the policy, the
// clock and what the books said before.
func TestStand(t *testing.T) {
	files := portalba.Policy()
	p, err := bundle.Read(files)
	if err != nil {
		t.Fatal(err)
	}
	d := p.Decision("2026-14") // from 2026-06-01 until 2027-05-31
	day := func(s string) time.Time {
		at, err := time.ParseInLocation(time.DateOnly, s, p.Location)
		if err != nil {
			t.Fatal(err)
		}
		return at.Add(12 * time.Hour)
	}
	why := []decision.Suspension{{Decision: "2026-14", Reason: decision.Words{"": "a\u202e fault"}}}
	later := []decision.Suspension{{Decision: "2026-14", Since: civil.Date{Year: 2026, Month: 7, Day: 2},
		Reason: why[0].Reason}}
	broken := map[string][]compile.Reason{"2026-14": {{Rule: "C05"}}}
	ran := books.Decision{State: books.InForce}
	for name, x := range map[string]struct {
		now       string
		suspended []decision.Suspension
		broken    map[string][]compile.Reason
		away      bool
		old       books.Decision
		state     string
		since, by string
	}{
		"before":                    {now: "2026-05-31", state: books.Coming, since: "2026-06-01"},
		"the first day":             {now: "2026-06-01", state: books.InForce},
		"the last day":              {now: "2027-05-31", state: books.InForce},
		"after":                     {now: "2027-06-01", state: books.Past, since: "2027-06-01"},
		"suspended":                 {now: "2026-07-01", suspended: why, state: books.Suspended, by: books.ByCouncil},
		"suspended before it began": {now: "2026-05-01", suspended: why, state: books.Suspended, by: books.ByCouncil},
		"ended while suspended":     {now: "2027-07-01", suspended: why, state: books.Past, since: "2027-06-01"},
		"suspended, of tomorrow":    {now: "2026-07-01", suspended: later, state: books.Suspended, by: books.ByCouncil},
		"suspended, of today": {now: "2026-07-02", suspended: later, state: books.Suspended, since: "2026-07-02",
			by: books.ByCouncil},
		"suspended, of a day before": {now: "2026-07-05", suspended: later, old: ran, state: books.Suspended,
			since: "2026-07-05", by: books.ByCouncil},
		"suspended, of before, still": {now: "2026-07-09", suspended: later,
			old:   books.Decision{State: books.Suspended, By: books.ByCouncil, Since: "2026-07-05"},
			state: books.Suspended, since: "2026-07-05", by: books.ByCouncil},
		"below the charter": {now: "2026-07-01", broken: broken, old: ran, state: books.Suspended,
			since: "2026-07-01", by: books.ByCharter},
		"below it as before": {now: "2026-07-09", broken: broken,
			old:   books.Decision{State: books.Suspended, By: books.ByCharter, Since: "2026-07-01"},
			state: books.Suspended, since: "2026-07-01", by: books.ByCharter},
		"below it from the start": {now: "2026-07-01", broken: broken, state: books.Suspended, by: books.ByCharter},
		"no policy": {now: "2026-07-01", away: true, old: ran, state: books.Suspended,
			since: "2026-07-01", by: books.ByPolicy},
		"no policy, ended": {now: "2027-07-01", away: true, old: ran, state: books.Past, since: "2027-06-01"},
	} {
		q := *p
		q.Suspended = x.suspended
		set := compile.Words(&q)
		set.Broken = x.broken
		var b books.Decision
		stand(&b, set, d, !x.away, x.old, day(x.now))
		if b.State != x.state || b.Since != x.since || b.By != x.by ||
			(len(b.Reason) > 0) != (x.by == books.ByCouncil) {
			t.Errorf("%s: it is %s since %q by %q, %v", name, b.State, b.Since, b.By, b.Reason)
		}
		if x.by == books.ByCouncil && b.Reason[books.Unsaid] != "a fault" {
			t.Errorf("%s: the reason is %q", name, b.Reason)
		}
	}
}

// TestGone: what the policy does not have any more ended on the day on which that was
// seen first, and stays so.
func TestGone(t *testing.T) {
	for name, x := range map[string]struct {
		d     books.Decision
		since string
	}{
		"today": {books.Decision{State: books.InForce, Until: "2026-12-31"}, "2026-07-01"},
		"while suspended": {books.Decision{State: books.Suspended, By: books.ByCouncil, Since: "2026-06-30",
			Until: "2026-12-31", Reason: map[string]string{"en": "x"}}, "2026-07-01"},
		"before": {books.Decision{State: books.Past, Since: "2026-06-02", Until: "2026-12-31"},
			"2026-06-02"},
		"in books of old":       {books.Decision{State: books.Past, Until: "2026-03-31"}, "2026-04-01"},
		"in books of old, soon": {books.Decision{State: books.Past, Until: "2026-12-31"}, ""},
	} {
		if d := gone(x.d, "2026-07-01"); d.State != books.Past || d.Since != x.since || d.By != "" || d.Reason != nil {
			t.Errorf("%s: it is %+v; want since %q", name, d, x.since)
		}
	}
}

// TestOldReasons: a motion of old may have a reason that is longer than pages show.
func TestOldReasons(t *testing.T) {
	got := publicWords(decision.Words{"": strings.Repeat("à", 600)})[books.Unsaid]
	if want := strings.Repeat("à", decision.MaxWords) + "…"; got != want {
		t.Errorf("a long reason is %d bytes", len(got))
	}
}
