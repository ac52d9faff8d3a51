package copies

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// TestContradiction: from the line on that two copies have differently no number is shown, whatever
// becomes of either, until they agree again.
func TestContradiction(t *testing.T) {
	one, two := newHall(t, 3), newHall(t, 3)
	c := of(one, two)
	one.releases("")
	await(t, "its fourth hour", func() bool { return lines(t, c) == 4 })
	two.releases("another")
	two.releases("another")
	await(t, "the contradiction", func() bool { return lines(t, c) == 3 })
	said := strings.Join(c.Problems(), "\n")
	if !strings.Contains(said, "hall-1 and hall-2 contradict each other in line 4 of releases.jsonl.") {
		t.Errorf("it is said %q", said)
	}
	one.dies()
	if n := lines(t, c); n != 3 {
		t.Errorf("when one of them is gone, %d lines are shown", n)
	}
	if file, err := c.From(releases, 0); err != nil {
		t.Error(err)
	} else if raw, err := io.ReadAll(file); err != nil || bytes.Count(raw, []byte("\n")) != 3 {
		t.Errorf("it goes on to %q, %v", raw, err)
	}
	if err := os.CopyFS(string(one.dir), os.DirFS(string(two.dir))); err != nil {
		t.Fatal(err)
	}
	one.mu.Lock()
	one.away, one.have = false, midnight.Add(5*time.Hour)
	one.mu.Unlock()
	await(t, "an end of it", func() bool { return lines(t, c) == 5 && len(c.Problems()) == 0 })
}

// TestLedgersContradict: what a line has paid for that copies have differently is not shown either.
func TestLedgersContradict(t *testing.T) {
	one, two := newHall(t, 3), newHall(t, 3)
	c := of(one, two)
	two.line(ledger, map[string]any{"day": "another"})
	one.releases("")
	one.releases("")
	await(t, "the contradiction", func() bool {
		return strings.Contains(strings.Join(c.Problems(), ";"), "line 4 of ledger")
	})
	if n := lines(t, c); n != 3 {
		t.Errorf("%d lines are shown", n)
	}
}

// TestForgotten: a copy that comes back with far more than is remembered is compared with what was shown
// before it is.
func TestForgotten(t *testing.T) {
	for _, word := range []string{"", "another"} {
		one, two := newHall(t, 7), newHall(t, 6)
		two.releases(word)
		for range 2 * remembered {
			two.line(releases, map[string]any{"stream": "noise"})
		}
		c := of(one, two)
		views := func() (out []view) {
			heads := map[string]head{releases: {n: 7}, ledger: {n: 7}}
			for _, p := range c.list {
				out = append(out, p.look(view{where: p.Where}, heads))
			}
			return out
		}()
		x := choose(choice{}, views[:1], nil, time.Now())
		x = choose(x, views, nil, time.Now())
		x = choose(x, views, nil, time.Now().Add(2*Patience))
		said := strings.Join(x.problems, ";")
		if word == "" && (x.at != 1 || x.heads[releases].n != 7+2*remembered) || word != "" &&
			(x.heads[releases].n != 0 && x.heads[releases].n != 6 || !strings.Contains(said, "line 7 of releases")) {
			t.Errorf("%q: it is %d up to line %d, %s", word, x.at, x.heads[releases].n, said)
		}
	}
}

// TestBrokenArchive: an archive's line that follows from none takes no number from residents.
func TestBrokenArchive(t *testing.T) {
	one, two := newHall(t, 3), newHall(t, 3)
	for _, h := range []*hall{one, two} {
		h.line(archived, map[string]any{"month": "2026-01"})
		h.last[archived] = "another"
		h.line(archived, map[string]any{"month": "2026-02"})
	}
	c := of(one, two)
	raw, err := c.Get(archived)
	if err != nil || bytes.Count(raw, []byte("\n")) != 2 || lines(t, c) != 3 || len(c.Problems()) > 0 {
		t.Errorf("it is %s, %v; it is said %q", raw, err, c.Problems())
	}
}
