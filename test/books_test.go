package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// verb runs a verb that ends and returns its exit code and what it wrote.
func verb(t *testing.T, args ...string) (int, string) {
	t.Helper()
	cmd := exec.Command(sluice, args...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// crowd sends n devices in an hour.
func (c *city) crowd(hour, n int) {
	c.t.Helper()
	at := ten.Add(time.Duration(hour)*time.Hour + time.Minute)
	for i := range n {
		c.link.Publish("city/v1/acme/wifi-1/up",
			fmt.Appendf(nil, `{"ts":%q,"seq":%d,"fields":{"device":"crowd-%d-%d","rssi":-50,"note":"x"}}`,
				at.Format(time.RFC3339), hour*1000+i, hour, i), false)
	}
	if err := c.link.Flush(); err != nil {
		c.t.Fatal(err)
	}
}

// hours lives through some hours, one of them nobody's, and waits for the store.
func (c *city) hours(from, to int) {
	c.t.Helper()
	for h := from; h < to; h++ {
		if h%3 != 2 {
			c.crowd(h, 40)
		}
		c.link.Publish("city/v1/acme/gate-1/up", []byte(gate(h, ten.Add(time.Duration(h)*time.Hour), 7)), false)
		c.tick(ten.Add(time.Duration(h+1)*time.Hour + 3*time.Minute))
	}
	c.stored()
}

// TestBooksAddUp: a stranger's check passes over what a gateway wrote, over a
// restart and a withdrawal, and finds whatever is touched afterwards.
func TestBooksAddUp(t *testing.T) {
	t.Parallel()
	c := found(t, small())
	c.begin()
	c.hours(0, 4)
	c.gateway.kill()
	c.run()
	c.hours(4, 6)
	shown := func() (int, string) { return verb(t, "verify", c.opendata) }
	await(t, 30*time.Second, "the books to hold every window", func() bool {
		code, out := shown()
		return code == 0 && strings.Contains(out, "12 released windows") && strings.Contains(out, "Everything adds up.")
	})
	state := filepath.Join(c.dir, "state")
	if code, out := verb(t, "ledger", "verify", state); code != 0 ||
		!strings.Contains(out, "1 line of budget, 12 released windows, 2 plans") {
		t.Errorf("ledger verify: %d\n%s", code, out)
	}
	for _, where := range []string{filepath.Join(state, "public"), c.opendata} {
		if code, out := stranger(t, where); code != 0 || !strings.Contains(out, "everything adds up") {
			t.Errorf("a stranger's program: %d\n%s", code, out)
		}
	}
	svg := filepath.Join(c.dir, "days.svg")
	if code, out := verb(t, "ledger", "show", state, "--svg", svg, "--ahead", "2"); code != 0 ||
		!strings.Contains(out, ten.Format("2006-01-02")) || !strings.Contains(out, "20") {
		t.Errorf("ledger show: %d\n%s", code, out)
	}
	if drawn := read(t, svg); strings.Count(drawn, `class="s"`) != 3 {
		t.Errorf("the chart shows other than three days:\n%s", drawn)
	}
	c.withdrawn(shown)
	c.touched()
	c.forged()
}

// TestBooksWithoutALine: a city that has released nothing, or nothing about anybody, has
// books that add up, and a directory that has none is not taken for one.
func TestBooksWithoutALine(t *testing.T) {
	t.Parallel()
	c := found(t, small())
	c.begin()
	for range 2 {
		await(t, 20*time.Second, "a stranger's program to be content", func() bool {
			code, out := stranger(t, c.opendata)
			// or there is no python3
			return code == 0 &&
				(strings.Contains(out, "nothing has been released yet") ||
					strings.Contains(out, "adds up; something is wrong"))
		})
		if code, out := verb(t, "verify", c.opendata); code != 0 {
			t.Errorf("verify: %d\n%s", code, out)
		}
		if err := os.Remove(filepath.Join(c.dir, "state", "public", "ledger.jsonl")); err != nil &&
			!os.IsNotExist(err) {
			t.Fatal(err)
		}
		c.link.Publish("city/v1/acme/gate-1/up", []byte(gate(1, ten, 7)), false)
		if err := c.link.Flush(); err != nil {
			t.Fatal(err)
		}
		c.tick(ten.Add(30 * time.Minute))
	}
	for _, nowhere := range []string{t.TempDir(), "http://" + freeAddr(t)} {
		if code, out := stranger(t, nowhere); code == 0 && !strings.Contains(out, "python3 is not here") &&
			!strings.Contains(out, "is wrong") {
			t.Errorf("%s is taken for books\n%s", nowhere, out)
		}
	}
}

// withdrawn hides a number: nobody sees it any more, and the checks know why.
func (c *city) withdrawn(shown func() (int, string)) {
	t, config := c.t, filepath.Join(c.dir, "gateway.yaml")
	at := ten.Format(time.RFC3339)
	for what, args := range map[string][]string{
		"without a reason": {"withdraw", "devices", "-c", config, "--start", at},
		"without a start":  {"withdraw", "devices", "-c", config, "--reason", "a mistake"},
	} {
		if code, out := verb(t, args...); code != 2 {
			t.Errorf("withdraw %s: %d\n%s", what, code, out)
		}
	}
	if code, out := verb(t, "withdraw", "devices", "-c", config, "--start", ten.Add(time.Minute).Format(time.RFC3339),
		"--reason", "a mistake"); code != 1 {
		t.Errorf("withdraw of nothing: %d\n%s", code, out)
	}
	if code, out := verb(t, "withdraw", "devices", "-c", config, "--start", at, "--reason",
		"the sensor stood in a shop"); code != 0 {
		t.Fatalf("withdraw: %d\n%s", code, out)
	}
	var got item
	await(t, 20*time.Second, "the number to be hidden", func() bool {
		got = c.items("devices", ten, ten.Add(time.Hour))[0]
		return got.Status == "withdrawn"
	})
	if got.Value != nil || got.Low != nil || got.High != nil || got.Reason != "the sensor stood in a shop" {
		t.Errorf("what is withdrawn shows as %+v", got)
	}
	await(t, 10*time.Second, "the books to say so", func() bool {
		code, out := shown()
		return code == 0 && strings.Contains(out, "1 windows withdrawn")
	})
	c.gateway.kill()
	c.run()
	if again := c.items("devices", ten, ten.Add(time.Hour))[0]; again.Status != "withdrawn" || again.Value != nil {
		t.Errorf("after a restart it is %+v", again)
	}
}

// stranger runs the checker that has none of our code.
func stranger(t *testing.T, where string) (int, string) {
	t.Helper()
	if _, err := exec.LookPath("python3"); err != nil {
		t.Log("python3 is not here: the stranger's program is not run")
		return 0, "everything adds up; something is wrong"
	}
	cmd := exec.Command("python3", "../docs/verify.py", where)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// TestNobodyLooksLikeTooFew compares, byte by byte, what is shown of an hour with
// nobody and of one with too few: in JSON, CSV and the page's table, headers and
// all, and in the books.
func TestNobodyLooksLikeTooFew(t *testing.T) {
	t.Parallel()
	c := found(t, small())
	c.begin()
	c.crowd(1, 4)
	for h := range 3 {
		c.tick(ten.Add(time.Duration(h+1)*time.Hour + 3*time.Minute))
	}
	c.stored()
	for _, format := range []string{"json", "csv"} {
		show := func(h int) string {
			from, to := ten.Add(time.Duration(h)*time.Hour), ten.Add(time.Duration(h+1)*time.Hour)
			status, header, body := get(t,
				c.opendata+"/api/v1/streams/devices/observations?format="+format+"&from="+from.Format(time.RFC3339)+
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
	await(t, 20*time.Second, "the books to have three hours", func() bool {
		lines = nil
		for line := range strings.Lines(read(t, filepath.Join(c.dir, "state", "public", "releases.jsonl"))) {
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
	c := found(t, small())
	c.begin()
	c.hours(0, 2)
	decision := filepath.Join(c.dir, "policy", "decisions", "devices.yaml")
	write(t, decision, strings.Replace(read(t, decision), "min_units: 5", "min_units: 6", 1))
	c.gateway.find(`a new policy is in force`)
	c.hours(2, 5)
	c.gateway.kill()
	c.run()
	c.hours(5, 7)
	c.tick(ten.Add(2 * time.Hour)) // back: ignored
	c.tick(ten.Add(3 * 24 * time.Hour))
	c.stored()
	var reasons []string
	for _, i := range c.items("devices", ten, ten.Add(7*time.Hour)) {
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
	await(t, 20*time.Second, "the ledger to have five lines", func() bool {
		getJSON(t, c.opendata+"/api/v1/ledger", &ledger)
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
	if code, out := verb(t, "verify", c.opendata); code != 0 {
		t.Errorf("verify: %d\n%s", code, out)
	}
}

// TestBooksWithBrokerAndInflux does the same through a real broker and a real
// InfluxDB, which cannot take a field away: what is withdrawn is not shown, and the
// books add up.
func TestBooksWithBrokerAndInflux(t *testing.T) {
	t.Parallel()
	db := newInflux(t)
	c := found(t, small())
	c.keepIn(db.url)
	c.through(newMosquitto(t, "").addr)
	c.begin()
	for h := range 3 {
		c.crowd(h, 40)
		c.received(float64(40 * (h + 1)))
		c.tick(ten.Add(time.Duration(h+1)*time.Hour + 3*time.Minute))
		c.at(ten.Add(time.Duration(h+1)*time.Hour + 3*time.Minute))
	}
	c.stored()
	check := func() (int, string) { return verb(t, "verify", c.opendata) }
	await(t, 30*time.Second, "the books to hold every window", func() bool {
		code, out := check()
		return code == 0 && strings.Contains(out, "6 released windows")
	})
	c.withdrawn(check)
	if code, out := stranger(t, c.opendata); code != 0 {
		t.Errorf("a stranger's program: %d\n%s", code, out)
	}
}
