package faults

import (
	"bufio"
	"context"
	"database/sql"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/books"
	"sluice/opendata/archive"
	"sluice/store/sqlite"
	"sluice/test/harness"
)

// TestRetainHolds: when the time is over for which a decision keeps its hours, they are gone
// from the store, the archive, the API, SensorThings and live events; the days, which it
// publishes beside them, are still there. The books say it, and nobody calls it wrong.
func TestRetainHolds(t *testing.T) {
	t.Parallel()
	files := harness.Small()
	delete(files, "policy/decisions/devices.yaml")
	files["policy/decisions/gates.yaml"] += "retain: {hours: P40D, days: forever}\n"
	c := harness.Found(t, files)
	c.Edit("opendata.yaml", "http:", "archive: {dir: archive}\nhttp:")
	c.Begin()
	for h := range 3 {
		at := harness.Ten.Add(time.Duration(h) * time.Hour)
		c.Link.Publish("city/v1/acme/gate-1/up", []byte(harness.Gate(h, at, 7)), false)
		c.Tick(at.Add(time.Hour + 3*time.Minute))
	}
	day := time.Date(2026, 3, 1, 23, 0, 0, 0, time.UTC) // a midnight of the city
	next := day.AddDate(0, 0, 1)
	hours := func() int { return len(c.Items("gates", day, next)) }

	until := func(now time.Time) { // what ended before it is released, and shown
		c.Tick(now)
		c.At(now)
		c.Stored()
	}
	until(time.Date(2026, 4, 2, 0, 10, 0, 0, time.UTC))
	offers := func(path string) (offered bool, why string) {
		var m archive.Manifest
		harness.GetJSON(t, c.Opendata+"/archive/manifest.json", &m)
		for _, f := range m.Files {
			offered = offered || f.Path == path
		}
		for _, l := range m.LeftOut {
			if l.Path == path {
				why = l.Why
			}
		}
		return offered, why
	}
	var list struct {
		Streams []struct {
			ID, Of, Every, Decision string
			Title                   map[string]string
		}
	}
	harness.GetJSON(t, c.Opendata+"/api/v1/streams", &list)
	if s := list.Streams; len(s) != 2 || s[1].ID != "gates-days" || s[1].Of != "gates" || s[1].Every != "P1D" ||
		s[1].Decision != "1" || s[1].Title["en"] != "Gates, day by day" {
		t.Errorf("the streams are %+v", s)
	}
	const month, days = "gates/2026/03.csv.gz", "gates-days/2026/03.csv.gz"
	harness.Await(t, 3*time.Minute, "the archive to have March", func() bool {
		a, _ := offers(month)
		b, _ := offers(days)
		return a && b
	})
	until(time.Date(2026, 4, 11, 12, 0, 0, 0, time.UTC))
	if n := hours(); n != 2*13 {
		t.Fatalf("before the time is over %d numbers are shown; want those of 13 hours", n)
	}

	until(time.Date(2026, 4, 12, 0, 10, 0, 0, time.UTC))
	harness.Await(t, 3*time.Minute, "the hours to be gone", func() bool { return hours() == 0 })
	gone, err := books.Reader{Source: books.Dir(filepath.Join(c.Dir, "state/public"))}.Removals()
	if err != nil || len(gone) != 1 || gone[0].Stream != "gates" || gone[0].Decision != "1" ||
		gone[0].Retain != "P40D" || !gone[0].Until.Equal(next) {
		t.Errorf("the books say %+v, %v", gone, err)
	}
	for measure, want := range map[string]float64{"passed": 21, "turns": 3} {
		if got := harness.Value(t, c.Items("gates-days", day, next), day, measure); got != want {
			t.Errorf("%s of the day is %v; want %v", measure, got, want)
		}
	}
	if len(c.Items("gates", next, next.AddDate(0, 0, 1))) != 2*24 {
		t.Error("the hours of the next day are gone, too")
	}
	db, err := sql.Open("sqlite", sqlite.DSN(filepath.Join(c.Dir, "state/store.db"), true))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	harness.Await(t, time.Minute, "the store to have lost them", func() bool {
		var n int
		err := db.QueryRow("SELECT count(*) FROM released WHERE stream = 'gates' AND stop <= ?",
			next.UnixNano()).Scan(&n)
		return err == nil && n == 0
	})
	harness.Await(t, 3*time.Minute, "the archive to have lost March", func() bool {
		there, why := offers(month)
		return !there && why == archive.Removed
	})
	if there, _ := offers(days); !there {
		t.Error("the archive has lost March of the days, too")
	}
	var observations struct {
		Count int `json:"@iot.count"`
	}
	for stream, want := range map[string]int{"gates": 0, "gates-days": 2} {
		harness.GetJSON(t, c.Opendata+"/v1.1/Observations?$count=true&$top=1&$filter="+
			"phenomenonTime%20lt%20"+next.Format(time.RFC3339)+"%20and%20Datastream/properties/stream%20eq%20'"+
			stream+"'", &observations)
		if observations.Count != want {
			t.Errorf("SensorThings has %d observations of %s; want %d", observations.Count, stream, want)
		}
	}
	if missed := heard(t, c.Opendata+"/api/v1/live?after=0", `"start":"2026-04-11T23:00`); strings.Contains(missed, `"start":"2026-03-02T1`) {
		t.Errorf("who listens hears of them:\n%s", missed)
	}
	if page := string(c.Body("/decisions/1?lang=en")); !strings.Contains(page,
		"Published numbers are kept for 40 days, and then removed.") || !strings.Contains(page, "for ever") {
		t.Error("the decision's page does not say for how long numbers are kept")
	}
	if said := string(c.Body("/api/v1/decisions/1")); !strings.Contains(said,
		`"retain":{"hours":"P40D","days":"forever"}`) {
		t.Errorf("the API says\n%s", said)
	}
	if code, out := harness.Verb(t, "verify", c.Opendata); code != 0 ||
		!strings.Contains(out, "13 released windows are not shown: removed as their decision asks") {
		t.Errorf("verify: %d\n%s", code, out)
	}
	if code, out := harness.Stranger(t, c.Opendata); code != 0 || !strings.Contains(out, "everything adds up") {
		t.Errorf("a stranger's program: %d\n%s", code, out)
	}
}

// heard is what a listener is sent until it has had a text.
func heard(t *testing.T, url, last string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var all strings.Builder
	for in := bufio.NewScanner(resp.Body); in.Scan(); {
		all.WriteString(in.Text() + "\n")
		if strings.Contains(in.Text(), last) {
			return all.String()
		}
	}
	t.Errorf("who listens does not hear of %s:\n%s", last, all.String())
	return all.String()
}
