package templates

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"sluice/internal/locales"
	"sluice/policy/bundle"
	"sluice/policy/explain"
)

// Decision is the template as a decision of a city, with comments in a language. What stands in
// < > is still to be written. It fits the policy once that has what Add adds.
func (t Template) Decision(l explain.Lang, p *bundle.Policy, id string, now time.Time) []byte {
	c := p.Charter
	var b strings.Builder
	put := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	say := func(key string, args ...any) string { return locales.In(int(l)).Say("templates."+key, args...) }
	zones := p.Zones.IDs()
	zone := "ZONE"
	if len(zones) > 0 {
		zone = zones[0]
	}
	put("# yaml-language-server: $schema=../schema/decision.schema.json")
	put("# %s", l.Title(t.About))
	put("# %s", say("fill", id))
	put("decision: %q", id)
	put("title:")
	for _, lang := range spoken(c.City.Languages) {
		put("  %s: %q", lang, t.Title[lang])
	}
	put("stream: %s", freeStream(p, t.Stream))
	put("purpose: %s", t.Purpose.ID)
	put("legal_basis: %q", say("law", l.Title(t.Law)))
	put("applies_to: {kinds: [%s], zones: [%s]}   # %s", t.Kind.ID, zone, say("zones", some(zones)))
	put("%s", strings.TrimRight(t.Terms, "\n"))
	from, until := Term(p, now)
	if t.Days > 0 && from.AddDate(0, 0, t.Days-1).Before(until) {
		until = from.AddDate(0, 0, t.Days-1)
	}
	if t.Protect.StandsFor != "" {
		t.protect(put, say, p, from, until)
	}
	put("retain: P5Y   # %s", say("retain"))
	put("from: %s", from.Format(time.DateOnly))
	put("until: %s   # %s", until.Format(time.DateOnly), say("until", l.Period(c.SunsetMax)))
	put("review: %s   # %s", Review(from, until).Format(time.DateOnly), say("review"))
	return []byte(b.String())
}

func (t Template) protect(
	put func(string, ...any), say func(string, ...any) string, p *bundle.Policy, from, until time.Time,
) {
	c := p.Charter
	left, why := Left(p, t.Protect.StandsFor, from, until), say("left")
	if cap := c.EpsilonPerDay[t.Protect.StandsFor]; cap == 0 {
		left = addedEpsilon // what Add adds
	} else if left <= 0 {
		left, why = 0.1, say("spent")
	}
	put("protect:")
	put("  min_units: %d   # %s", max(1, c.MinUnits), say("min"))
	put("  epsilon: %s   # %s", explain.Lang(0).Number(left), why)
	put("  delta: 1e-6")
	put("  max_contributions: %d   # %s", min(t.Protect.Contributions, max(1, c.MaxContributions)), say("most"))
	if t.Protect.Membership != "" {
		put("  membership: %s   # %s", t.Protect.Membership, say("membership"))
	}
	put("forget_after: P1D   # %s", say("forget"))
}

// spoken are the languages that a decision is written in.
func spoken(langs []string) (out []string) {
	for _, l := range langs {
		if slices.Contains(explain.Languages, l) {
			out = append(out, l)
		}
	}
	if len(out) == 0 {
		return []string{"en"}
	}
	return out
}

// freeStream is a name of a series that no decision has.
func freeStream(p *bundle.Policy, name string) string {
	taken := func(s string) bool {
		return slices.ContainsFunc(p.Decisions, func(d bundle.Decision) bool { return d.Stream.ID == s })
	}
	for n, base := 2, name; taken(name); n++ {
		name = fmt.Sprintf("%s-%d", base, n)
	}
	return name
}

// some are names as a comment has room for.
func some(names []string) string {
	const most = 12
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}

// Left is what the decisions of some time leave of the charter's epsilon a day for a kind of unit.
func Left(p *bundle.Policy, standsFor string, from, until time.Time) float64 {
	left := p.Charter.EpsilonPerDay[standsFor]
	for _, d := range p.Decisions {
		s := d.Stream
		if s.Unit.StandsFor == standsFor && !s.Unit.None() && s.From.Before(until) && from.Before(s.Until) {
			left -= d.Protect.Epsilon * float64(d.EpochsPerDay())
		}
	}
	return left
}

// Term is the first and the last day of a decision written today: a year at most, and no longer
// than the charter allows. The notice and two weeks to vote come before it.
func Term(p *bundle.Policy, now time.Time) (from, until time.Time) {
	const toVote = 14
	from = now.In(p.Location).AddDate(0, 0, p.Charter.NoticeDays+toVote)
	until = from.Add(p.Charter.SunsetMax.Nominal()).AddDate(0, 0, -1)
	if latest := from.AddDate(1, 0, -1); until.After(latest) {
		until = latest
	}
	return from, until
}

// Review is when a new decision is reviewed: after half a year, or half its term if that is
// shorter.
func Review(from, until time.Time) time.Time {
	half := from.Add(until.Sub(from) / 2)
	if months := from.AddDate(0, 6, 0); months.Before(half) {
		return months
	}
	return half
}
