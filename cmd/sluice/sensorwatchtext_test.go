package main

import (
	"strings"
	"testing"
	"time"

	"sluice/gateway/admin"
)

// TestWatchRows: of a sensor about people, and of one that nobody has decided about, a line says
// which of both it is, and nothing of how it sends.
func TestWatchRows(t *testing.T) {
	at, rate, count := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC), 1.5, int64(4711)
	for want, s := range map[string]admin.Sensor{
		"5s ago 1.5 4711": {Heard: at, PerMinute: &rate, Readings: &count},
		"never 1.5 4711":  {PerMinute: &rate, Readings: &count},
		"(about people)":  {People: true},
		"(no decision)":   {People: true, Undecided: true},
	} {
		s.ID, s.Kind, s.Zone = "a", "k", "z"
		if got := strings.Join(strings.Fields(rows(&s, at.Add(5*time.Second), false)), " "); got != "a k z - "+want {
			t.Errorf("got %q; want %q", got, want)
		}
	}
}
