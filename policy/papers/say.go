package papers

import (
	"strings"
	"time"

	"sluice/internal/civil"
	"sluice/internal/locales"
	"sluice/policy/ballot"
	"sluice/policy/council"
	"sluice/policy/explain"
)

// say is a sentence of papers.yaml, with its parts in place.
func say(l explain.Lang, key string, parts ...any) string {
	return explain.Elide(l, locales.In(int(l)).Say("papers."+key, parts...))
}

// sayN is a sentence of papers.yaml in the form that its number wants.
func sayN(l explain.Lang, key string, n int) string {
	form := locales.In(int(l)).Form("papers."+key, n)
	return say(l, strings.TrimPrefix(form, "papers."), n)
}

// dayOf is the local day of an instant.
func dayOf(t time.Time, loc *time.Location) civil.Date {
	y, m, d := t.In(loc).Date()
	return civil.Date{Year: y, Month: int(m), Day: d}
}

// moment is an instant in words: 10 December 2026, 00:00.
func (p *Papers) moment(l explain.Lang, t time.Time) string {
	return l.Date(dayOf(t, p.location())) + ", " + t.In(p.location()).Format("15:04")
}

// stated is what a statement says, in a word.
func stated(l explain.Lang, c ballot.Choice) string {
	if c == ballot.Against {
		return say(l, "against")
	}
	return say(l, "abstains")
}

// because is a member's reason, where there is one, before the fingerprint of their key.
func because(s *council.Statement, key string) string {
	if s == nil || s.Reason == "" {
		return key
	}
	return "«" + s.Reason + "» " + key
}
