package privacy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
)

// loud is a city with a street's noise, by the hour and by the day.
func loud() map[string]string {
	files := harness.Small()
	files["policy/kinds.yaml"] += `  noise-meter:
    fields: [{name: laeq, type: float, unit: dB(A), class: measurement, valid: [20, 140]}, {name: dry, type: bool, class: measurement}]
`
	decision := func(id, stream, every, measures string) string {
		return fmt.Sprintf(`decision: %q
title: {en: Noise}
stream: %s
purpose: test
applies_to: {kinds: [noise-meter], zones: [square]}
unit: {none: "a meter sends levels"}
keep: [laeq]
publish: {every: %s, lateness: PT2M, by: [zone], measures: [%s]}
from: 2026-01-01
until: 2026-12-31
`, id, stream, every, measures)
	}
	level := func(of string) string { return fmt.Sprintf("{name: %s, of: %[1]s(laeq), between: [20, 140]}", of) }
	files["policy/decisions/noise.yaml"] = decision("7", "noise", "PT1H", level("leq"))
	files["policy/decisions/dry.yaml"] = strings.Replace(decision("9", "dry", "PT1H", "{name: dry, of: share(dry)}"),
		"keep: [laeq]", "keep: [dry]", 1)
	files["policy/decisions/days.yaml"] = decision("8", "days", "P1D",
		strings.Join([]string{level("lday"), level("levening"), level("lnight"), level("lden")}, ", "))
	files["register.yaml"] += "  - {id: noise-1, owner: acme, kind: noise-meter, zone: square, registered: " +
		"2026-01-01}\n"
	return files
}

// TestLevels: decibels are averaged by their energy, and a day has its levels when all its
// parts have been heard. Totals of levels are refused.
func TestLevels(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, loud())
	c.Begin()
	seq := 0
	hear := func(at time.Time, level float64) {
		seq++
		c.Send("noise-1", fmt.Sprintf(`{"ts":%q,"seq":%d,"fields":{"laeq":%v}}`, at.Format(time.RFC3339), seq, level))
	}
	madrid, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		t.Fatal(err)
	}
	midnight := time.Date(2026, 3, 3, 0, 0, 0, 0, madrid).UTC()
	for _, level := range []float64{71.5, 90, 50, 141} { // the last is no level
		hear(harness.Ten, level)
	}
	for i, dry := range []bool{true, false, false, false} {
		c.Send("noise-1",
			fmt.Sprintf(`{"ts":%q,"seq":%d,"fields":{"dry":%v}}`, harness.Ten.Format(time.RFC3339), 1000+i, dry))
	}
	c.Tick(midnight) // the first day has no night
	for hour := range 24 {
		at := midnight.Add(time.Duration(hour) * time.Hour)
		c.Tick(at)
		hear(at, loudness(hour))
	}
	c.Tick(midnight.AddDate(0, 0, 1).Add(time.Hour))
	c.Stored()
	hours := c.Items("noise", harness.Ten, midnight.AddDate(0, 0, 1))
	if got := harness.Value(t, hours, harness.Ten, "leq"); got != 85.29 { // 85.290132, in thousandths
		t.Errorf("71.5, 90 and 50 dB have the level %v", got)
	}
	if got := harness.Value(t, hours, midnight.Add(8*time.Hour), "leq"); got != 65 {
		t.Errorf("65 dB have the level %v", got)
	}
	if got := c.FirstHour("dry", "dry"); got != 0.25 {
		t.Errorf("one of four is %v", got)
	}
	if _, _, body := harness.Get(t, c.Opendata+"/streams/dry?day=2026-03-02"); !strings.Contains(string(body), "25 %") {
		t.Error("the page of a share shows no percentage")
	}
	days := c.Items("days", harness.Ten.AddDate(0, 0, -1), midnight.AddDate(0, 0, 1))
	for measure, want := range map[string]float64{"lday": 65, "levening": 60, "lnight": 55, "lden": 65} {
		if got := harness.Value(t, days, midnight, measure); got != want {
			t.Errorf("%s is %v; want %v", measure, got, want)
		}
	}
	for _, i := range days {
		if i.Start.Before(midnight) && i.Measure != "lday" && (i.Status != "no_data" || i.Value != nil) {
			t.Errorf("a day of which only ten o'clock was heard has %s: %s", i.Measure, i.Status)
		}
	}
	c.Codes(map[string]float64{"E202": 1})
	saysLevels(c)
}

// loudness is a level of each part of the day.
func loudness(hour int) float64 {
	switch {
	case hour < 7 || hour == 23:
		return 55
	case hour < 19:
		return 65
	}
	return 60
}

// saysLevels looks that levels have no totals, and words in each language.
func saysLevels(c *harness.City) {
	t := c.T
	t.Helper()
	for _, over := range []string{"zones", "time"} {
		for stream, measure := range map[string]string{"noise": "leq", "days": "lden"} {
			if status, _, body := harness.Get(t,
				c.Opendata+"/api/v1/streams/"+stream+"/totals?over="+over+"&measure="+measure); status != 400 ||
				!strings.Contains(string(body), "cannot be added up") {
				t.Errorf("a total of %s over %s: %d %s", measure, over, status, body)
			}
		}
	}
	for _, lang := range []string{"en", "ca", "es"} {
		if status, _, body := harness.Get(t, c.Opendata+"/streams/days?lang="+lang); status != 200 ||
			strings.Contains(string(body), "lden(") {
			t.Errorf("the page in %s: %d, or it has no words for a level", lang, status)
		}
	}
}
