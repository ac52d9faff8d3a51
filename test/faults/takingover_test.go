package faults

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
)

// TestTakingOver: a gateway withdraws its own numbers alone; one dies for good, its zone is
// given to a new one with the same store, which releases at once, and the city is whole: the
// dead one's old numbers stand, and what is final goes on.
func TestTakingOver(t *testing.T) {
	t.Parallel()
	p := &harness.Pair{T: t, One: harness.Named(t, "edge-1"), Two: harness.Named(t, "edge-2")}
	next := harness.Named(t, "edge-3")
	p.KeepIn("sqlite")
	shared := filepath.Join(p.One.Dir, "state/store.db")
	harness.AppendTo(t, filepath.Join(next.Dir, "gateway.yaml"), fmt.Sprintf("store: {sqlite: {path: %q}}\n", shared))
	path := filepath.Join(p.One.Dir, "opendata.yaml")
	harness.Write(t, path,
		strings.Replace(harness.Read(t, path), "books: state/public\n",
			fmt.Sprintf("books: [state/public, %q, %q]\n", filepath.Join(p.Two.Dir, "state/public"),
				filepath.Join(next.Dir, "state/public")), 1))
	for _, c := range []*harness.City{p.One, p.Two} {
		c.Run()
		c.Connect()
		c.Tick(harness.Ten)
	}
	for h := range 2 {
		p.Hour(harness.Ten.Add(time.Duration(h) * time.Hour))
	}
	p.One.Stored()
	p.Two.Stored()
	p.One.Serve()
	harness.Run(t, harness.Sluice, "withdraw", "gates", "-c", filepath.Join(p.Two.Dir, "gateway.yaml"), "--start",
		harness.Ten.Format(time.RFC3339), "--reason", "it stood in a shop")
	harness.Await(t, time.Minute, "the withdrawal", func() bool {
		return slices.ContainsFunc(p.One.Items("gates", harness.Ten, harness.Ten.Add(time.Hour)),
			func(i harness.Item) bool {
				return i.Status == "withdrawn"
			})
	})
	harness.Await(t, time.Minute, "its line in the books", func() bool { // another process wrote it
		_, _, lines := harness.Get(t, p.One.Opendata+"/books/gateways/edge-2/withdrawals.jsonl")
		return strings.Contains(string(lines), "it stood in a shop")
	})
	for _, i := range p.One.Items("gates", harness.Ten, harness.Ten.Add(time.Hour)) {
		if (i.Status == "withdrawn") != (i.Cell == "park") {
			t.Errorf("edge-2 has withdrawn, and %s is %s", i.Cell, i.Status)
		}
	}
	honest(p, "a withdrawal")

	p.Two.Gateway.Kill()
	for _, c := range []*harness.City{p.One, next} {
		zones := filepath.Join(c.Dir, "policy/zones.geojson")
		harness.Write(t, zones, strings.Replace(harness.Read(t, zones), `"gateway":"edge-2"`, `"gateway":"edge-3"`, 1))
	}
	next.Run()
	next.Connect()
	at := harness.Ten.Add(3 * time.Hour)
	next.Tick(at)
	p.One.Tick(at)
	harness.Await(t, time.Minute, "the new zones", func() bool {
		return strings.Contains(string(p.One.Body("/books/zones.geojson")), "edge-3")
	})
	p.Two = next
	p.Hour(at)
	p.One.Stored()
	next.Stored()
	harness.Await(t, time.Minute, "the new gateway's numbers", func() bool {
		return len(p.One.Items("gates", at, at.Add(time.Hour))) == 4
	})
	harness.Await(t, time.Minute, "what is final to go on", func() bool {
		return p.Stream("gates").ClosedUntil.Equal(at.Add(time.Hour))
	})
	next.BecomesReady()
	if n := len(p.One.Items("gates", harness.Ten, at)); n < 8 {
		t.Errorf("of the hours before %d numbers are left", n)
	}
	honest(p, "a takeover")
	afterAReboot(p, at.Add(time.Hour))
}

// afterAReboot: the second gateway has come further than the first and ends for good; the
// first is given its zone, and its machine is restarted, so that it knows only from the
// store how far it had come: the other's later numbers are not taken for its own.
func afterAReboot(p *harness.Pair, at time.Time) {
	t, c := p.T, p.One
	t.Helper()
	p.Pass(p.Two, "2", 20, at)
	p.Two.Stored()
	p.Two.Gateway.Kill()
	c.Gateway.Kill()
	zones := filepath.Join(c.Dir, "policy/zones.geojson")
	harness.Write(t, zones, strings.Replace(harness.Read(t, zones), `"gateway":"edge-3"`, `"gateway":"edge-1"`, 1))
	harness.NoError(t, os.RemoveAll(c.Keys))
	harness.NoError(t, os.Mkdir(c.Keys, 0o700))
	c.Run()
	c.Link.Close()
	c.Connect()
	c.Tick(at.Add(time.Hour + 2*time.Minute))
	harness.Await(t, time.Minute, "the new zones", func() bool {
		return !strings.Contains(string(c.Body("/books/zones.geojson")), "edge-3")
	})
	p.Pass(c, "2", 20, at.Add(2*time.Hour))
	harness.Await(t, time.Minute, "the first gateway's numbers of both zones", func() bool {
		ok, hints := c.Ready()
		return (ok || hints["ledger"] == "") && len(c.Items("gates", at.Add(2*time.Hour), at.Add(3*time.Hour))) == 4
	})
}

// honest has strangers check a city of three gateways' books.
func honest(p *harness.Pair, after string) {
	p.T.Helper()
	if code, said := p.Verify(); code != 0 {
		p.T.Errorf("after %s it ends with %d:\n%s", after, code, said)
	}
	if out, err := exec.Command("python3", "../../docs/verify.py", p.One.Opendata).CombinedOutput(); err != nil {
		p.T.Errorf("after %s docs/verify.py: %v\n%s", after, err, out)
	}
}
