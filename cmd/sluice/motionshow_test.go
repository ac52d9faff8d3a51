package main

import (
	"bytes"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"sluice/configs/portalba"
	"sluice/policy/bundle"
	"sluice/policy/council"
	"sluice/policy/rego"
)

// enacted is a motion of a chain: its version, when its time comes, and what it
// decides. Only what show reads is there.
func enacted(t *testing.T, version int, from string, files bundle.Files) *council.Enacted {
	t.Helper()
	files, err := rego.WithRules(files)
	if err != nil {
		t.Fatal(err)
	}
	p, err := bundle.Read(files)
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation("2006-01-02 15:04", from, p.Location)
	if err != nil {
		t.Fatal(err)
	}
	return &council.Enacted{
		Motion: council.Motion{ID: fmt.Sprintf("m%d", version), Version: version, NotBefore: at}, Policy: p,
		Ballots: []council.Ballot{{Name: "Anna"}, {Name: "Bru"}}, From: at,
	}
}

// decided is the example policy with footfall only, changed as asked.
func decided(t *testing.T, change ...string) bundle.Files {
	t.Helper()
	files := portalba.Policy()
	maps.DeleteFunc(files, func(name string, _ []byte) bool {
		return strings.HasPrefix(name, "decisions/") && name != "decisions/2026-14-footfall.yaml"
	})
	const name = "decisions/2026-14-footfall.yaml"
	text := string(files[name])
	files[name] = []byte(strings.NewReplacer(change...).Replace(text))
	if len(change) > 0 && string(files[name]) == text {
		t.Fatalf("%q changes nothing", change)
	}
	return files
}

// TestShow: what show says of a decision in each state that a motion and its own
// days can put it into. The decision is from 1 June 2026 until 31 May 2027.
func TestShow(t *testing.T) {
	none := decided(t)
	delete(none, "decisions/2026-14-footfall.yaml")
	stopped := decided(t)
	stopped["suspended.yaml"] = []byte(
		"suspended:\n  - {decision: \"2026-14\", since: 2026-12-20, reason: \"a fault\"}\n")
	bare := decided(t)
	bare["suspended.yaml"] = []byte("suspended:\n  - {decision: \"2026-14\", reason: \"a fault\"}\n")
	first := enacted(t, 1, "2026-12-10 00:00", decided(t))
	hasty := enacted(t, 2, "2026-11-26 00:00", decided(t, "epsilon: 1 ", "epsilon: 0.5 "))
	hasty.From = first.From
	for name, c := range map[string]struct {
		chain []*council.Enacted
		at    string
		says  []string
		not   string
	}{
		"before its notice is over": {[]*council.Enacted{first}, "2026-11-25 12:00", []string{
			"Nothing is in force yet",
			"Version 1, motion m1, is in force from 10 December 2026, 00:00 on, signed by Anna and Bru.",
			"(coming, from 10 December 2026)",
		}, "(in force)"},
		"one that follows it": {[]*council.Enacted{first, hasty}, "2026-12-01 12:00",
			[]string{"Nothing is in force yet", "Version 2, motion m2, is in force from 10 December 2026, 00:00 on",
				"(coming, from 10 December 2026)"}, "in force since"},
		"a second before": {[]*council.Enacted{first}, "2026-12-09 23:59",
			[]string{"(coming, from 10 December 2026)"}, "(in force)"},
		"from its midnight": {[]*council.Enacted{first}, "2026-12-10 00:00",
			[]string{"Version 1, motion m1, is in force since 10 December 2026, 00:00", "(in force)",
				"from 1 June 2026 until 31 May 2027, by motion m1 with Anna and Bru"}, "REMINDER"},
		"a later day its own": {
			[]*council.Enacted{enacted(t, 1, "2026-12-10 00:00", decided(t, "from: 2026-06-01", "from: 2027-01-15"))},
			"2026-12-11 12:00", []string{"(coming, from 15 January 2027)"}, "(in force)"},
		"a day its own, before its motion": {
			[]*council.Enacted{enacted(t, 1, "2026-12-10 00:00", decided(t, "from: 2026-06-01", "from: 2027-01-15"))},
			"2026-12-01 12:00",
			[]string{"(coming, from 15 January 2027)"},
			"",
		},
		"its last weeks": {[]*council.Enacted{first}, "2027-05-01 12:00",
			[]string{"(in force)", "REMINDER: it ends in 30 days"}, ""},
		"its last day": {[]*council.Enacted{first}, "2027-05-31 12:00",
			[]string{"(in force)", "REMINDER: it ends today"}, ""},
		"after it": {[]*council.Enacted{first}, "2027-06-01 00:00",
			[]string{"(ended; its last day was 31 May 2027)"}, "REMINDER"},
		"suspended": {[]*council.Enacted{first, enacted(t, 2, "2026-12-20 15:00", stopped)}, "2026-12-21 00:00",
			[]string{"Version 2, motion m2, is in force since 20 December 2026, 15:00",
				"(suspended since 20 December 2026: a fault)", "by motion m1"}, ""},
		"without a day": {[]*council.Enacted{first, enacted(t, 2, "2026-12-20 15:00", bare)}, "2026-12-21 00:00",
			[]string{"(suspended: a fault)"}, "since :"},
		"to be resumed": {
			[]*council.Enacted{first, enacted(t, 2, "2026-12-20 15:00", stopped),
				enacted(t, 3, "2027-01-10 00:00", decided(t))},
			"2026-12-28 00:00",
			[]string{"(suspended since", "motion m3 lifts the suspension on 10 January 2027, 00:00"},
			"",
		},
		"to be suspended": {[]*council.Enacted{first, enacted(t, 2, "2026-12-20 15:00", stopped)}, "2026-12-15 00:00",
			[]string{"(in force)", "motion m2 suspends it on 20 December 2026, 15:00"}, ""},
		"to be changed": {[]*council.Enacted{first,
			enacted(t, 2, "2027-01-10 00:00", decided(t, "epsilon: 1 ", "epsilon: 0.5 "))}, "2026-12-28 00:00",
			[]string{
				"Version 1, motion m1, is in force since",
				"Version 2, motion m2, is in force from 10 January 2027, 00:00 on", "(in force)", "by motion m1",
				"motion m2 changes it on 10 January 2027, 00:00",
			}, ""},
		"changed": {[]*council.Enacted{first,
			enacted(t, 2, "2027-01-10 00:00", decided(t, "epsilon: 1 ", "epsilon: 0.5 "))}, "2027-01-10 00:00",
			[]string{"(in force)", "by motion m2"}, "changes it"},
		"to be ended": {[]*council.Enacted{first, enacted(t, 2, "2027-01-10 00:00", none)}, "2026-12-28 00:00",
			[]string{"(in force)", "motion m2 ends it on 10 January 2027, 00:00"}, "There is no decision"},
		"ended": {[]*council.Enacted{first, enacted(t, 2, "2027-01-10 00:00", none)}, "2027-01-11 00:00",
			[]string{"(ended on 10 January 2027)"}, "(in force)"},
		"decided anew": {[]*council.Enacted{first, enacted(t, 2, "2027-01-10 00:00", none),
			enacted(t, 3, "2027-02-01 00:00", decided(t))}, "2027-02-02 00:00", []string{"(in force)", "by motion m3"},
			"ended"},
		"no decision": {[]*council.Enacted{enacted(t, 1, "2026-12-10 00:00", none)}, "2026-12-11 00:00",
			[]string{"There is no decision, so nothing flows."}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			now, err := time.ParseInLocation("2006-01-02 15:04", c.at, first.Policy.Location)
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			printInForce(&b, newLocale(0), c.chain, now)
			for _, want := range c.says {
				if !strings.Contains(b.String(), want) {
					t.Errorf("%q is not said:\n%s", want, b.String())
				}
			}
			if c.not != "" && strings.Contains(b.String(), c.not) {
				t.Errorf("%q is said:\n%s", c.not, b.String())
			}
		})
	}
}
