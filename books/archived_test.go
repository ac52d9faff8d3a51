package books

import (
	"strings"
	"testing"
	"time"
)

// TestMonths: a month is the calendar's in the city's time zone, through both changes of the
// clock.
func TestMonths(t *testing.T) {
	for _, c := range []struct{ zone, at, month, from, to string }{
		{"Europe/Madrid", "2026-10-31T22:59:59Z", "2026-10", "2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z"},
		{"Europe/Madrid", "2026-10-31T23:00:00Z", "2026-11", "2026-10-31T23:00:00Z", "2026-11-30T23:00:00Z"},
		{"UTC", "2026-12-31T23:59:59Z", "2026-12", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"},
	} {
		loc, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		at, _ := time.Parse(time.RFC3339, c.at)
		month, from, to := MonthOf(at, loc)
		if month != c.month || from.Format(time.RFC3339) != c.from || to.Format(time.RFC3339) != c.to {
			t.Errorf("%s in %s is in %s, %s to %s", c.at, c.zone, month, from, to)
		}
	}
}

// TestArchivedCheck: a line that cannot be is told from one that can.
func TestArchivedCheck(t *testing.T) {
	good := Archived{N: 2, Month: "2026-07", Timezone: "UTC", From: time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC),
		To: time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC), Windows: 3, Rows: 4, SHA256: strings.Repeat("a", 64)}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Archived){
		"zone":     func(a *Archived) { a.Timezone = "Mars/Olympus" },
		"no zone":  func(a *Archived) { a.Timezone = "" },
		"its own":  func(a *Archived) { a.Timezone = "Local" },
		"month":    func(a *Archived) { a.Month = "2026-08" },
		"from":     func(a *Archived) { a.From = a.From.Add(1) },
		"to":       func(a *Archived) { a.To = a.To.Add(-1) },
		"windows":  func(a *Archived) { a.Windows = 0 },
		"lost":     func(a *Archived) { a.Lost = 4 },
		"rows":     func(a *Archived) { a.Rows = -1 },
		"digest":   func(a *Archived) { a.SHA256 = "a" },
		"replaces": func(a *Archived) { a.Replaces = 2 },
	} {
		a := good
		if change(&a); a.Check() == nil {
			t.Errorf("%s: %+v", name, a)
		}
	}
}
