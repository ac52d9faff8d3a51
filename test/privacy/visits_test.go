package privacy

import (
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/test/harness"
)

// visit is a reading of a door, and whom it saw.
type visit struct {
	TS      time.Time `json:"ts"`
	Sensor  string    `json:"sensor"`
	Visitor string    `json:"visitor"`
}

// coverage is how often stated intervals have the truth in them, and how often the mechanism says they do.
type coverage struct {
	mu                     sync.Mutex
	covered, counted, rate float64
}

// TestVisitsOfAWeek checks in 75 runs that nothing small is published and that
// the stated intervals cover the truth as often as the mechanism says: the
// smallest whole interval of a discrete Laplace with at least 95 %. At a rate of
// 0.9625 over 3,375 cells a standard deviation is 0.33 points, so a right
// mechanism crosses 1.5 points in fewer than one of 100,000 test runs.
//
// A run is a shop that all visitors of the week come to. Each of five cities has fifteen, with visitors of their
// own, so that noise is drawn for each shop as if it were alone.
func TestVisitsOfAWeek(t *testing.T) {
	t.Parallel()
	const cities, shops = 5, 15
	week := visitsOf(t, realData(t, "google_dp_visits/week_data.csv"))
	truth := firstHours(week)
	file := filepath.Join(t.TempDir(), "visits.jsonl")
	var lines strings.Builder
	for shop := range shops {
		for _, v := range week {
			raw, err := json.Marshal(visit{v.TS, fmt.Sprint("door-", shop), fmt.Sprint(v.Visitor, "-", shop)})
			harness.NoError(t, err)
			lines.Write(append(raw, '\n'))
		}
	}
	harness.Write(t, file, lines.String())
	var all coverage
	t.Run("cities", func(t *testing.T) {
		for n := range cities {
			t.Run(fmt.Sprint(n), func(t *testing.T) {
				t.Parallel()
				c := shopping(t, shops)
				replayed(c, file, "--map", "ts=ts,sensor=sensor,field.visitor=visitor:string", "--step", "1h")
				all.look(c, truth, shops)
			})
		}
	})
	if all.counted < 3125 {
		t.Fatalf("only %v cells are well above the threshold; want 3,125", all.counted)
	}
	got := all.covered / all.counted
	if math.Abs(got-all.rate) > 0.015 {
		t.Errorf("the intervals cover the truth in %.4f of %v cells; the mechanism's rate is %.4f", got, all.counted,
			all.rate)
	}
	t.Logf("coverage %.4f of %v cells; exact rate %.4f", got, all.counted, all.rate)
}

// monday is when the week begins.
var monday = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// visitsOf reads a week of visits.
func visitsOf(t *testing.T, path string) (week []visit) {
	t.Helper()
	for _, r := range rows(t, path) {
		at, err := time.Parse("3:04PM", r["Time entered"])
		harness.NoError(t, err)
		day, err := strconv.Atoi(r["Day"])
		harness.NoError(t, err)
		week = append(week, visit{TS: monday.AddDate(0, 0, day-1).Add(time.Duration(at.Hour())*time.Hour +
			time.Duration(at.Minute())*time.Minute), Visitor: r["VisitorId"]})
	}
	return week
}

// firstHours are how many count in each hour: a visitor in the first hour of a day only, one contribution.
func firstHours(week []visit) map[time.Time]float64 {
	first := map[string]time.Time{}
	for _, v := range week {
		key, hour := v.Visitor+v.TS.Format(time.DateOnly), v.TS.Truncate(time.Hour)
		if old, ok := first[key]; !ok || hour.Before(old) {
			first[key] = hour
		}
	}
	truth := map[time.Time]float64{}
	for _, hour := range first {
		truth[hour]++
	}
	return truth
}

// shopping is a city of shops, each with a door that sees visitors.
func shopping(t *testing.T, shops int) *harness.City {
	t.Helper()
	var zones []string
	register := "sensors:\n"
	for n := range shops {
		zones = append(zones, fmt.Sprint("shop-", n))
		register += fmt.Sprintf(
			"  - {id: door-%d, owner: replay, kind: door, zone: shop-%[1]d, registered: 2026-01-01}\n", n)
	}
	c := harness.Found(t, map[string]string{
		"policy/charter.yaml":  charterFor("UTC", "kinds_about_people: [door]\n"),
		"policy/zones.geojson": harness.Squares(zones),
		"policy/kinds.yaml": "kinds:\n  door:\n    units: [{field: visitor, stands_for: person}]\n    " +
			"fields: [{name: visitor, type: string, class: identifier}]\n",
		"policy/decisions/v.yaml": `decision: "1"
title: {en: Visits}
stream: visits
purpose: test
applies_to: {kinds: [door], zones: [` + strings.Join(zones, ", ") + `]}
unit: {field: visitor, stands_for: person}
keep: [visitor]
publish:
  every: PT1H
  by: [zone]
  measures: [{name: visitors, of: distinct(unit)}]
protect: {min_units: 10, epsilon: 2, delta: 1e-6, max_contributions: 1}
forget_after: P1D
from: 2026-01-01
until: 2026-12-31
`,
		"register.yaml": register,
	})
	harness.AppendTo(t, filepath.Join(c.Dir, "gateway.yaml"), "windows: {future: PT1H}\n")
	c.Run()
	c.Serve()
	return c
}

// look holds what a city says of each shop and hour against the truth.
func (a *coverage) look(c *harness.City, truth map[time.Time]float64, shops int) {
	c.T.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	visited := 0
	for _, i := range c.Items("visits", monday, monday.AddDate(0, 0, 7)) {
		n := truth[i.Start]
		if n > 0 {
			visited++
		}
		if i.Status != "published" {
			continue
		}
		if n < 10 {
			c.T.Fatalf("%s at %s is published with %v visitors", i.Cell, i.Start, n)
		}
		if n <= i.Threshold+4*i.Scale {
			continue
		}
		a.counted++
		if *i.Low <= n && n <= *i.High {
			a.covered++
		}
		if *i.Value > i.Threshold+8*i.Scale { // nearer, being shown says something
			half := (*i.High - *i.Low) / 2
			r := math.Exp(-1 / i.Scale) // the discrete Laplace's ratio
			a.rate = 1 - 2*math.Pow(r, half+1)/(1+r)
		}
	}
	if visited != len(truth)*shops {
		c.T.Errorf("there are %d hours of shops; want %d of each of %d", visited, len(truth), shops)
	}
}
