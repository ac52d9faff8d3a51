package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestTakingOver: a gateway withdraws its own numbers alone; one dies for good, its zone is
// given to a new one with the same store, which releases at once, and the city is whole: the
// dead one's old numbers stand, and what is final goes on.
func TestTakingOver(t *testing.T) {
	t.Parallel()
	p := &pair{t: t, one: named(t, "edge-1"), two: named(t, "edge-2")}
	next := named(t, "edge-3")
	p.keepIn("sqlite")
	shared := filepath.Join(p.one.dir, "state/store.db")
	appendTo(t, filepath.Join(next.dir, "gateway.yaml"), fmt.Sprintf("store: {sqlite: {path: %q}}\n", shared))
	path := filepath.Join(p.one.dir, "opendata.yaml")
	write(t, path,
		strings.Replace(read(t, path), "books: state/public\n",
			fmt.Sprintf("books: [state/public, %q, %q]\n", filepath.Join(p.two.dir, "state/public"),
				filepath.Join(next.dir, "state/public")), 1))
	for _, c := range []*city{p.one, p.two} {
		c.run()
		c.connect()
		c.tick(ten)
	}
	for h := range 2 {
		p.hour(ten.Add(time.Duration(h) * time.Hour))
	}
	p.one.stored()
	p.two.stored()
	p.one.serve()
	run(t, sluice, "withdraw", "gates", "-c", filepath.Join(p.two.dir, "gateway.yaml"), "--start",
		ten.Format(time.RFC3339), "--reason", "it stood in a shop")
	await(t, time.Minute, "the withdrawal", func() bool {
		return slices.ContainsFunc(p.one.items("gates", ten, ten.Add(time.Hour)), func(i item) bool {
			return i.Status == "withdrawn"
		})
	})
	for _, i := range p.one.items("gates", ten, ten.Add(time.Hour)) {
		if (i.Status == "withdrawn") != (i.Cell == "park") {
			t.Errorf("edge-2 has withdrawn, and %s is %s", i.Cell, i.Status)
		}
	}
	p.honest("a withdrawal")

	p.two.gateway.kill()
	for _, c := range []*city{p.one, next} {
		zones := filepath.Join(c.dir, "policy/zones.geojson")
		write(t, zones, strings.Replace(read(t, zones), `"gateway":"edge-2"`, `"gateway":"edge-3"`, 1))
	}
	next.run()
	next.connect()
	at := ten.Add(3 * time.Hour)
	next.tick(at)
	p.one.tick(at)
	await(t, time.Minute, "the new zones", func() bool {
		return strings.Contains(string(p.one.body("/books/zones.geojson")), "edge-3")
	})
	p.two = next
	p.hour(at)
	p.one.stored()
	next.stored()
	await(t, time.Minute, "the new gateway's numbers", func() bool {
		return len(p.one.items("gates", at, at.Add(time.Hour))) == 4
	})
	await(t, time.Minute, "what is final to go on", func() bool {
		return p.stream("gates").ClosedUntil.Equal(at.Add(time.Hour))
	})
	if ok, hints := next.ready(); !ok {
		t.Errorf("the new gateway is not ready: %v", hints)
	}
	if n := len(p.one.items("gates", ten, at)); n < 8 {
		t.Errorf("of the hours before %d numbers are left", n)
	}
	p.honest("a takeover")
	p.afterAReboot(at.Add(time.Hour))
}

// afterAReboot: the second gateway has come further than the first and ends for good; the
// first is given its zone, and its machine is restarted, so that it knows only from the
// store how far it had come: the other's later numbers are not taken for its own.
func (p *pair) afterAReboot(at time.Time) {
	t, c := p.t, p.one
	t.Helper()
	p.pass(p.two, "2", 20, at)
	p.two.stored()
	p.two.gateway.kill()
	c.gateway.kill()
	zones := filepath.Join(c.dir, "policy/zones.geojson")
	write(t, zones, strings.Replace(read(t, zones), `"gateway":"edge-3"`, `"gateway":"edge-1"`, 1))
	fine(t, os.RemoveAll(c.keys))
	fine(t, os.Mkdir(c.keys, 0o700))
	c.run()
	c.link.Close()
	c.connect()
	c.tick(at.Add(time.Hour + 2*time.Minute))
	await(t, time.Minute, "the new zones", func() bool {
		return !strings.Contains(string(c.body("/books/zones.geojson")), "edge-3")
	})
	p.pass(c, "2", 20, at.Add(2*time.Hour))
	await(t, time.Minute, "the first gateway's numbers of both zones", func() bool {
		ok, hints := c.ready()
		return (ok || hints["ledger"] == "") && len(c.items("gates", at.Add(2*time.Hour), at.Add(3*time.Hour))) == 4
	})
}

// honest has strangers check a city of three gateways' books.
func (p *pair) honest(after string) {
	p.t.Helper()
	if code, said := p.verify(); code != 0 {
		p.t.Errorf("after %s it ends with %d:\n%s", after, code, said)
	}
	if out, err := exec.Command("python3", "../docs/verify.py", p.one.opendata).CombinedOutput(); err != nil {
		p.t.Errorf("after %s docs/verify.py: %v\n%s", after, err, out)
	}
}
