package books

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/store"
	"sluice/store/sqlite"
	"sluice/test/harness"
)

// TestBooksAddUp: a stranger's check passes over what a gateway wrote, over a
// restart and a withdrawal, and finds whatever is touched afterwards.
func TestBooksAddUp(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, harness.Small())
	c.Begin()
	c.Hours(0, 4)
	c.Gateway.Kill()
	c.Run()
	c.Hours(4, 6)
	shown := func() (int, string) { return harness.Verb(t, "verify", c.Opendata) }
	harness.Await(t, 30*time.Second, "the books to hold every window", func() bool {
		code, out := shown()
		return code == 0 && strings.Contains(out, "12 released windows") && strings.Contains(out, "Everything adds up.")
	})
	state := filepath.Join(c.Dir, "state")
	if code, out := harness.Verb(t, "ledger", "verify", state); code != 0 ||
		!strings.Contains(out, "1 line of budget, 12 released windows, 2 plans") {
		t.Errorf("ledger verify: %d\n%s", code, out)
	}
	for _, where := range []string{filepath.Join(state, "public"), c.Opendata} {
		if code, out := harness.Stranger(t, where); code != 0 || !strings.Contains(out, "everything adds up") {
			t.Errorf("a stranger's program: %d\n%s", code, out)
		}
	}
	svg := filepath.Join(c.Dir, "days.svg")
	if code, out := harness.Verb(t, "ledger", "show", state, "--svg", svg, "--ahead", "2"); code != 0 ||
		!strings.Contains(out, harness.Ten.Format("2006-01-02")) || !strings.Contains(out, "20") {
		t.Errorf("ledger show: %d\n%s", code, out)
	}
	if drawn := harness.Read(t, svg); strings.Count(drawn, `class="s"`) != 3 {
		t.Errorf("the chart shows other than three days:\n%s", drawn)
	}
	withdrawn(c, shown)
	touched(c)
	forgedRows(c)
}

// TestBooksWithoutALine: a city that has released nothing, or nothing about anybody, has
// books that add up, and a directory that has none is not taken for one.
func TestBooksWithoutALine(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, harness.Small())
	c.Begin()
	for range 2 {
		harness.Await(t, 20*time.Second, "a stranger's program to be content", func() bool {
			code, out := harness.Stranger(t, c.Opendata)
			// or there is no python3
			return code == 0 &&
				(strings.Contains(out, "nothing has been released yet") ||
					strings.Contains(out, "adds up; something is wrong"))
		})
		if code, out := harness.Verb(t, "verify", c.Opendata); code != 0 {
			t.Errorf("verify: %d\n%s", code, out)
		}
		if err := os.Remove(filepath.Join(c.Dir, "state", "public", "ledger.jsonl")); err != nil &&
			!os.IsNotExist(err) {
			t.Fatal(err)
		}
		c.Link.Publish("city/v1/acme/gate-1/up", []byte(harness.Gate(1, harness.Ten, 7)), false)
		if err := c.Link.Flush(); err != nil {
			t.Fatal(err)
		}
		c.Tick(harness.Ten.Add(30 * time.Minute))
	}
	for _, nowhere := range []string{t.TempDir(), "http://" + harness.FreeAddr(t)} {
		if code, out := harness.Stranger(t, nowhere); code == 0 && !strings.Contains(out, "python3 is not here") &&
			!strings.Contains(out, "is wrong") {
			t.Errorf("%s is taken for books\n%s", nowhere, out)
		}
	}
}

// withdrawn hides a number: nobody sees it any more, and the checks know why.
func withdrawn(c *harness.City, shown func() (int, string)) {
	t, config := c.T, filepath.Join(c.Dir, "gateway.yaml")
	at := harness.Ten.Format(time.RFC3339)
	for what, args := range map[string][]string{
		"without a reason": {"withdraw", "devices", "-c", config, "--start", at},
		"without a start":  {"withdraw", "devices", "-c", config, "--reason", "a mistake"},
	} {
		if code, out := harness.Verb(t, args...); code != 2 {
			t.Errorf("withdraw %s: %d\n%s", what, code, out)
		}
	}
	if code, out := harness.Verb(t, "withdraw", "devices", "-c", config, "--start",
		harness.Ten.Add(time.Minute).Format(time.RFC3339),
		"--reason", "a mistake"); code != 1 {
		t.Errorf("withdraw of nothing: %d\n%s", code, out)
	}
	if code, out := harness.Verb(t, "withdraw", "devices", "-c", config, "--start", at, "--reason",
		"the sensor stood in a shop"); code != 0 {
		t.Fatalf("withdraw: %d\n%s", code, out)
	}
	var got harness.Item
	harness.Await(t, 20*time.Second, "the number to be hidden", func() bool {
		got = c.Items("devices", harness.Ten, harness.Ten.Add(time.Hour))[0]
		return got.Status == "withdrawn"
	})
	if got.Value != nil || got.Low != nil || got.High != nil || got.Reason != "the sensor stood in a shop" {
		t.Errorf("what is withdrawn shows as %+v", got)
	}
	harness.Await(t, 10*time.Second, "the books to say so", func() bool {
		code, out := shown()
		return code == 0 && strings.Contains(out, "1 window withdrawn")
	})
	c.Gateway.Kill()
	c.Run()
	if again := c.Items("devices", harness.Ten, harness.Ten.Add(time.Hour))[0]; again.Status != "withdrawn" ||
		again.Value != nil {
		t.Errorf("after a restart it is %+v", again)
	}
}

// TestNobodyLooksLikeTooFew compares, byte by byte, what is shown of an hour with
// nobody and of one with too few: in JSON, CSV and the page's table, headers and
// all, and in the books.
func TestNobodyLooksLikeTooFew(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, harness.Small())
	c.Begin()
	c.Crowd(1, 4)
	for h := range 3 {
		c.Tick(harness.Ten.Add(time.Duration(h+1)*time.Hour + 3*time.Minute))
	}
	c.Stored()
	for _, format := range []string{"json", "csv"} {
		show := func(h int) string {
			from, to := harness.Ten.Add(time.Duration(h)*time.Hour), harness.Ten.Add(time.Duration(h+1)*time.Hour)
			status, header, body := harness.Get(t,
				c.Opendata+"/api/v1/streams/devices/observations?format="+format+"&from="+from.Format(time.RFC3339)+
					"&to="+to.Format(time.RFC3339))
			header.Del("Date")
			header.Del("Etag") // of the body, which names the hour
			text := string(body)
			for _, at := range []time.Time{from, to, from.In(time.FixedZone("", 3600)),
				to.In(time.FixedZone("", 3600))} {
				text = strings.ReplaceAll(text, at.Format(time.RFC3339), "T")
			}
			return fmt.Sprint(status, header, text)
		}
		if nobody, few := show(0), show(1); nobody != few {
			t.Errorf("nobody is\n%s\ntoo few is\n%s", nobody, few)
		}
	}
	var lines []string
	harness.Await(t, 20*time.Second, "the books to have three hours", func() bool {
		lines = nil
		for line := range strings.Lines(harness.Read(t, filepath.Join(c.Dir, "state", "public", "releases.jsonl"))) {
			if strings.Contains(line, `"devices"`) {
				lines = append(lines, line)
			}
		}
		return len(lines) == 3
	})
	digests := regexp.MustCompile(`"rows":1,"sha256":"[0-9a-f]+"`)
	if a, b := digests.FindString(lines[0]), digests.FindString(lines[1]); a != b || a == "" {
		t.Errorf("the books tell them apart: %s and %s", a, b)
	}
}

// TestBudgetOverADay: a decision that changes in mid-day pays again, a charter that
// cannot afford it withholds the rest of the day and says so, a restart pays
// nothing, a clock that jumps back pays nothing, and one that jumps ahead pays each
// day once.
func TestBudgetOverADay(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, harness.Small())
	c.Begin()
	c.Hours(0, 2)
	decision := filepath.Join(c.Dir, "policy", "decisions", "devices.yaml")
	harness.Write(t, decision, strings.Replace(harness.Read(t, decision), "min_units: 5", "min_units: 6", 1))
	c.Gateway.Find(`a new policy is in force`)
	c.Hours(2, 5)
	c.Gateway.Kill()
	c.Run()
	c.Hours(5, 7)
	c.Tick(harness.Ten.Add(2 * time.Hour)) // back: ignored
	c.Tick(harness.Ten.Add(3 * 24 * time.Hour))
	c.Stored()
	var reasons []string
	for _, i := range c.Items("devices", harness.Ten, harness.Ten.Add(7*time.Hour)) {
		reasons = append(reasons, i.Status+" "+i.Reason)
	}
	want := []string{"published ", "published ", "withheld few", "withheld budget", "withheld budget",
		"withheld budget", "withheld budget"}
	if fmt.Sprint(reasons) != fmt.Sprint(want) {
		t.Errorf("the hours are %q; want %q", reasons, want)
	}
	var ledger struct {
		Entries []struct{ Day, Kind, Plan string }
	}
	harness.Await(t, 20*time.Second, "the ledger to have five lines", func() bool {
		harness.GetJSON(t, c.Opendata+"/api/v1/ledger", &ledger)
		return len(ledger.Entries) == 5
	})
	got := ""
	for _, e := range ledger.Entries {
		got += e.Day[8:] + " " + e.Kind + "; "
	}
	if got != "02 reserve; 02 refuse; 03 reserve; 04 reserve; 05 reserve; " ||
		ledger.Entries[0].Plan == ledger.Entries[1].Plan {
		t.Errorf("the ledger has %s", got)
	}
	if code, out := harness.Verb(t, "verify", c.Opendata); code != 0 {
		t.Errorf("verify: %d\n%s", code, out)
	}
}

// TestBooksWithBrokerAndInflux does the same through a real broker and a real
// InfluxDB, which cannot take a field away: what is withdrawn is not shown, and the
// books add up.
func TestBooksWithBrokerAndInflux(t *testing.T) {
	t.Parallel()
	c := harness.Found(t, harness.Small())
	c.KeepShared()
	c.Through(harness.NewMosquitto(t, "").Addr)
	c.Begin()
	for h := range 3 {
		c.Crowd(h, 40)
		c.Received(float64(40 * (h + 1)))
		c.Tick(harness.Ten.Add(time.Duration(h+1)*time.Hour + 3*time.Minute))
		c.At(harness.Ten.Add(time.Duration(h+1)*time.Hour + 3*time.Minute))
	}
	c.Stored()
	check := func() (int, string) { return harness.Verb(t, "verify", c.Opendata) }
	harness.Await(t, 30*time.Second, "the books to hold every window", func() bool {
		code, out := check()
		return code == 0 && strings.Contains(out, "6 released windows")
	})
	withdrawn(c, check)
	if code, out := harness.Stranger(t, c.Opendata); code != 0 {
		t.Errorf("a stranger's program: %d\n%s", code, out)
	}
}

// forged puts a window that was never released into the store, first where there is
// none and then between two: it is not shown, and that it is there is said. Where
// another program shows it, both checks object. A number that is changed is not shown
// either, soon.
func forgedRows(c *harness.City) {
	t, ctx := c.T, context.Background()
	db, err := sqlite.Open(ctx, filepath.Join(c.Dir, "state", "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Observations(ctx,
		store.Query{Stream: "gates", From: harness.Ten, To: harness.Ten.Add(time.Hour), Limit: 2})
	if err != nil || len(rows) != 2 {
		t.Fatal(rows, err)
	}
	before := harness.ReadAll(t, c.Opendata, "/api/v1/streams/gates/observations?limit=1&from=1971-01-01&to=2199-01-01")
	for _, years := range []int{-20, 20} {
		for i := range rows {
			rows[i].Start, rows[i].End = rows[i].Start.AddDate(years, 0, 0), rows[i].End.AddDate(years, 0, 0)
		}
		if err := db.Write(ctx, rows); err != nil {
			t.Fatal(err)
		}
		if code, out := harness.Verb(t, "verify", c.Opendata); code != 0 {
			t.Errorf("verify, with a window forged: %d\n%s", code, out)
		}
		at, liar := rows[0].Start.Format(time.RFC3339), liar(c, rows)
		if code, out := harness.Verb(t, "verify", liar); code != 1 ||
			!strings.Contains(out, "gates at "+at+": it is shown and was never released") {
			t.Errorf("verify, with a window forged at %s: %d\n%s", at, code, out)
		}
		if code, out := harness.Stranger(t, liar); !strings.Contains(out, "is wrong") ||
			code == 0 && strings.Contains(out, "WRONG") {
			t.Errorf("a stranger's program, with a window forged: %d\n%s", code, out)
		}
		for i := range rows { // and back
			rows[i].Start, rows[i].End = rows[i].Start.AddDate(-years, 0, 0), rows[i].End.AddDate(-years, 0, 0)
		}
	}
	after := func() int {
		return len(harness.ReadAll(t, c.Opendata,
			"/api/v1/streams/gates/observations?limit=1&from=1971-01-01&to=2199-01-01"))
	}
	if got := after(); got != len(before) {
		t.Errorf("%d numbers are shown; want the %d that were released", got, len(before))
	}
	harness.Await(t, 30*time.Second, "it to be said", func() bool {
		_, _, body := harness.Get(t, c.Opendata+"/readyz")
		return after() == len(before) &&
			strings.Contains(string(body), "the store has rows of 2 windows that have no line in the books")
	})
	raw, err := sql.Open("sqlite", sqlite.DSN(filepath.Join(c.Dir, "state", "store.db"), false))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if _, err := raw.Exec("UPDATE released SET value = 777, low = 777, high = 777 WHERE stream = 'gates' AND start = ?",
		harness.Ten.UnixNano()); err != nil {
		t.Fatal(err)
	}
	harness.Await(t, 100*time.Second, "the window that is not what was released to be left out", func() bool {
		return after() < len(before)
	})
	harness.Await(t, 30*time.Second, "verify to miss the number that was changed", func() bool {
		code, out := harness.Verb(t, "verify", c.Opendata)
		return code == 1 && strings.Contains(out, "it was released and is not shown")
	})
	c.Gateway.Stop(20 * time.Second)
	c.Run()
	c.Gateway.Find(`the store has what the journal has not" problem="the store has 2 windows of 1 stream`)
	if _, _, body := harness.Get(t, c.Admin+"/readyz"); !strings.Contains(string(body),
		`"notes":["the store has 2 windows`) {
		t.Errorf("readiness does not note it: %s", body)
	}
	if !strings.Contains(c.Metrics(), `sluice_store_differs_windows{how="extra"} 2`) {
		t.Error("the metrics do not have it")
	}
}

// touched changes one byte of each book in a copy: every change is found.
func touched(c *harness.City) {
	t := c.T
	books := filepath.Join(c.Dir, "state", "public")
	for name, change := range map[string][2]string{
		"ledger.jsonl":   {`"epsilon":20`, `"epsilon":2`},
		"releases.jsonl": {`"rows":1`, `"rows":3`},
		"streams.json":   {`"public_from": `, `"public_from": 1`},
	} {
		copied := filepath.Join(t.TempDir(), "books")
		if err := os.CopyFS(copied, os.DirFS(books)); err != nil {
			t.Fatal(err)
		}
		old := harness.Read(t, filepath.Join(copied, name))
		harness.Write(t, filepath.Join(copied, name), strings.Replace(old, change[0], change[1], 1))
		if code, out := harness.Verb(t, "ledger", "verify", copied); code != 1 || !strings.Contains(out, "WRONG") {
			t.Errorf("with %s touched: %d\n%s", name, code, out)
		}
		if code, out := harness.Stranger(t, copied); name != "streams.json" &&
			(code == 0 && !strings.Contains(out, "is wrong")) {
			t.Errorf("with %s touched, a stranger's program says %d\n%s", name, code, out)
		}
	}
	plans, err := filepath.Glob(filepath.Join(books, "plans", "*.json"))
	if err != nil || len(plans) != 2 {
		t.Fatal(plans, err)
	}
}
