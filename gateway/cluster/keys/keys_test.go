package keys

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/gateway/cluster/roster"
	"sluice/internal/civil"
)

// TestByRole: who needs a key has the same as the others, and who does not, whatever it asks for, has none.
func TestByRole(t *testing.T) {
	c := newCity(t, "f1:front", "f2:front", "w1:worker", "w2:worker", "out:releaser", "old:")
	f1 := c.ring("f1", nil)
	f1.tend(t.Context())
	f2, w1, w2, out := c.ring("f2", nil), c.ring("w1", nil), c.ring("w2", nil), c.ring("out", nil)
	seen := map[string]string{}
	for _, use := range dayOf(today).uses(partitions) {
		k := c.must(f1, today, use)
		if other := seen[string(k)]; other != "" {
			t.Errorf("%s and %s have one key", use, other)
		}
		seen[string(k)] = use
		if !bytes.Equal(k, c.must(f2, today, use)) {
			t.Errorf("two fronts have two keys for %s", use)
		}
	}
	for _, r := range []*Ring{w1, w2} {
		for _, use := range []string{"seal-0", "seal-3", "part-3"} {
			if !bytes.Equal(c.must(r, today, use), c.must(f1, today, use)) {
				t.Errorf("a worker has another key for %s", use)
			}
		}
	}
	if !bytes.Equal(c.must(out, today, "part-1"), c.must(w1, today, "part-1")) {
		t.Error("the releaser has another key than the worker")
	}
	for _, no := range []struct {
		who *Ring
		use string
	}{{w1, tagged}, {out, tagged}, {out, "seal-0"}, {f1, "tag"}, {f1, "tag-1-1-x"},
		{f1, strings.TrimSuffix(tagged, "footfall")}, {w1, "seal-4"}, {w1, "seal-00"}, {f1, ""}, {f1, "seal"},
		{f1, "part-"}} {
		if _, err := no.who.Key(today, no.use); err == nil || errors.Is(err, ErrNotYet) || errors.Is(err, ErrGone) {
			t.Errorf("%s asks for %q: %v", no.who.c.Me.Name, no.use, err)
		}
		// And the question itself, from a member that runs another program.
		raw, _, err := ask(c.me[no.who.c.Me.Name], dayOf(today), []string{no.use})
		if err != nil || f2.answer(raw) != nil && no.who != f1 {
			t.Errorf("%s is answered about %q (%v)", no.who.c.Me.Name, no.use, err)
		}
	}
	for _, use := range dayOf(today).uses(partitions) {
		if raw, _, err := ask(c.me["old"], dayOf(today), []string{use}); err != nil || f1.answer(raw) != nil {
			t.Errorf("a member that has left gets %s", use)
		}
	}
	if c.engine.appended != 1 {
		t.Errorf("%d commitments for one epoch", c.engine.appended)
	}
}

// TestOneSecret: fronts that make an epoch's keys at the same time, whose attempt ends unheard, or that start again in
// between, end with the same ones, and nothing was committed twice.
func TestOneSecret(t *testing.T) {
	c := newCity(t, "f1:front", "f2:front")
	dir := t.TempDir()
	kept := func(cfg *Config) { cfg.Dir = dir }
	f1, f2 := c.ring("f1", kept), c.ring("f2", nil)
	for _, r := range []*Ring{f1, f2} { // both have drawn before either has committed
		r.have.due()
		if _, err := r.draft(dayOf(today)); err != nil {
			t.Fatal(err)
		}
	}
	c.engine.unheard = true
	f1.tend(t.Context())
	c.engine.unheard = false
	f2.tend(t.Context())
	if _, err := f2.Key(today, "seal-0"); !errors.Is(err, ErrNotYet) {
		t.Errorf("it has a key that nobody has given it: %v", err)
	}
	again := c.ring("f1", kept) // dies before it has heard, and comes back
	if _, err := os.Stat(filepath.Join(dir, "20784", "seal-0")); err != nil {
		t.Fatal(err)
	}
	one := c.must(again, today, "seal-0")
	if !bytes.Equal(one, c.must(f2, today, "seal-0")) || !bytes.Equal(one, c.must(f1, today, "seal-0")) {
		t.Error("two secrets for one epoch")
	}
	if c.engine.appended != 1 {
		t.Errorf("%d commitments", c.engine.appended)
	}
	// One that could not be written at all is offered again, and is no second one.
	tomorrow := noon.Add(24 * time.Hour)
	c.at(tomorrow)
	c.engine.away = true
	f1.tend(t.Context())
	c.engine.away = false
	two := c.must(f1, today+1, "seal-0")
	if bytes.Equal(one, two) || !bytes.Equal(two, c.must(f2, today+1, "seal-0")) || c.engine.appended != 2 {
		t.Error("the next epoch has no secret of its own, or two")
	}
}

// TestAgree: who would part the city otherwise than the others do is told before it does anything.
func TestAgree(t *testing.T) {
	c := newCity(t, "f:front", "w:worker")
	f := c.ring("f", nil)
	same, other := c.ring("w", nil), c.ring("w", func(cfg *Config) { cfg.Partitions = 2 * partitions })
	for _, before := range []*Ring{f, same, other} {
		if err := before.Agree(t.Context()); err != nil {
			t.Error(err)
		}
	}
	f.tend(t.Context())
	if err := same.Agree(t.Context()); err != nil {
		t.Error(err)
	}
	err := other.Agree(t.Context())
	if err == nil || !strings.Contains(err.Error(), "is 8, and the others have 4 today") {
		t.Error(err)
	}
}

// TestAhead: an epoch's keys are there before it begins.
func TestAhead(t *testing.T) {
	c := newCity(t, "f:front")
	f := c.ring("f", nil)
	c.at(dayOf(today).end().Add(-9 * time.Minute))
	f.tend(t.Context())
	if _, err := f.Key(today+1, "seal-0"); err != nil {
		t.Error(err)
	}
	if _, err := f.Key(today+2, "seal-0"); !errors.Is(err, ErrNotYet) {
		t.Error(err)
	}
}

// tagged is the use for tags of a stream whose units are recognised for the day.
var tagged = fmt.Sprintf("tag-%d-86400-footfall", today*secondsOfDay)

// TestTags: fronts have the same key for a stream's tags, each stream and each span its own, nobody else has one, and
// the next one is there before it is needed.
func TestTags(t *testing.T) {
	c := newCity(t, "f:front", "g:front", "w:worker", "out:releaser")
	f, g := c.ring("f", nil), c.ring("g", nil)
	one := c.must(f, today, tagged)
	if !bytes.Equal(one, c.must(g, today, tagged)) {
		t.Error("two fronts have two keys")
	}
	hour := fmt.Sprintf("tag-%d-3600-", noon.Unix())
	seen := [][]byte{one}
	for _, use := range []string{strings.Replace(tagged, "footfall", "bikes", 1), hour + "footfall", hour + "bikes"} {
		k := c.must(f, today, use)
		if slices.ContainsFunc(seen, func(other []byte) bool { return bytes.Equal(k, other) }) {
			t.Errorf("%s has the key of another", use)
		}
		seen = append(seen, k)
	}
	for _, m := range []string{"w", "out"} {
		raw, _, err := ask(c.me[m], span{noon.Unix(), 3600, true}, []string{tagUse})
		if err != nil || f.answer(raw) != nil {
			t.Errorf("%s gets the key for tags (%v)", m, err)
		}
	}
	c.at(noon.Add(51 * time.Minute))
	f.tend(t.Context())
	clear(c.engine.answer)
	if _, err := f.Key(today, fmt.Sprintf("tag-%d-3600-footfall", noon.Add(time.Hour).Unix())); err != nil {
		t.Errorf("the next one: %v", err)
	}
}

// TestEnemies: what others put in the place of answers, questions and commitments is nobody's key.
func TestEnemies(t *testing.T) {
	c := newCity(t, "f:front", "w:worker")
	f := c.ring("f", nil)
	f.tend(t.Context())
	w := c.ring("w", nil)
	earlier := [][]byte{}
	for what, instead := range map[string]func([][]byte) [][]byte{
		"noise":      func([][]byte) [][]byte { return [][]byte{nil, []byte("x"), bytes.Repeat([]byte("x"), 1<<20+1)} },
		"a bit":      func(a [][]byte) [][]byte { b := bytes.Clone(a[0]); b[len(b)-20] ^= 1; return [][]byte{b} },
		"an earlier": func(a [][]byte) [][]byte { earlier = append(earlier, a...); return earlier[:1] },
	} {
		if what == "an earlier" {
			raw, _, err := ask(c.me["w"], dayOf(today), []string{"seal-0"})
			if err != nil {
				t.Fatal(err)
			}
			earlier = append(earlier, f.answer(raw))
		}
		c.engine.instead = instead
		if _, err := c.get(w, today, "seal-0"); !errors.Is(err, ErrNotYet) {
			t.Errorf("%s: %v", what, err)
		}
	}
	// Keys of somebody else's, well sealed for the question: they are not those of the commitment.
	c.engine.instead = nil
	false1, err := draw(dayOf(today), partitions)
	if err != nil {
		t.Fatal(err)
	}
	forge := func(raw []byte) []byte {
		_, at, q, err := readQuestion(c.roster, raw)
		if err != nil {
			return nil
		}
		sealed, err := answer(raw, q, digestsOf(false1, at, partitions), false1, at.uses(partitions))
		if err != nil {
			t.Error(err)
		}
		return sealed
	}
	clear(c.engine.answer)
	if _, err := c.engine.Answer(t.Context(), subject, forge); err != nil {
		t.Fatal(err)
	}
	if _, err := c.get(w, today, "seal-0"); !errors.Is(err, ErrNotYet) {
		t.Errorf("an enemy's own keys: %v", err)
	}
	if _, err := c.engine.Answer(t.Context(), subject, f.answer); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(c.must(w, today, "seal-0"), c.must(f, today, "seal-0")) {
		t.Error("an enemy among those who answer keeps a key back")
	}
}

// commit appends a commitment to an epoch's keys as a member signs it, with whatever is wrong with it.
func (c *city) commit(who string, at span, edit func(*commitment)) {
	c.t.Helper()
	b, err := draw(at, partitions)
	if err != nil {
		c.t.Fatal(err)
	}
	is := commitment{at.String(), partitions, at.end(), digestsOf(b, at, partitions).sum()}
	edit(&is)
	raw, err := line(&is)
	if err != nil {
		c.t.Fatal(err)
	}
	signed, err := c.me[who].Sign(commitmentSpace, raw)
	if err != nil {
		c.t.Fatal(err)
	}
	c.put(at, signed)
}

// put appends whatever somebody puts there.
func (c *city) put(at span, body []byte) {
	c.t.Helper()
	n := uint64(len(c.engine.log[at.subject()]))
	if _, err := c.engine.Append(c.t.Context(), at.subject(), n, fmt.Sprint("enemy-", n), body); err != nil {
		c.t.Fatal(err)
	}
}

// TestCommitments: what stands before an epoch's commitment and is none is passed over by all members, and there is one
// secret.
func TestCommitments(t *testing.T) {
	good := func(*commitment) {}
	for what, enemy := range map[string]func(*city){
		"nothing":    func(c *city) { c.put(dayOf(today), nil) },
		"noise":      func(c *city) { c.put(dayOf(today), bytes.Repeat([]byte("x\n"), 1000)) },
		"a worker's": func(c *city) { c.commit("w", dayOf(today), good) },
		"who speaks": func(c *city) { c.commit("out", dayOf(today), good) },
		"who left":   func(c *city) { c.commit("left", dayOf(today), good) },
		"another epoch's": func(c *city) {
			c.commit("f", dayOf(today), func(is *commitment) { is.Epoch = dayOf(today - 1).String() })
		},
		"for ever": func(c *city) {
			c.commit("f", dayOf(today), func(is *commitment) { is.Until = is.Until.Add(mostUntil + 1) })
		},
		"over at once": func(c *city) {
			c.commit("f", dayOf(today), func(is *commitment) { is.Until = is.Until.Add(-1) })
		},
		"no partitions": func(c *city) {
			c.commit("f", dayOf(today), func(is *commitment) { is.Partitions = 0 })
		},
		"many": func(c *city) {
			for range 100 {
				c.put(dayOf(today), []byte("x"))
			}
		},
	} {
		c := newCity(t, "f:front", "g:front", "w:worker", "out:releaser", "left:")
		c.roster.Members[4].FrontUntil = civil.Date{Year: 2026, Month: 11, Day: 26} // the day before
		enemy(c)
		before := c.engine.appended
		f, g, w := c.ring("f", nil), c.ring("g", nil), c.ring("w", nil)
		one := c.must(f, today, "seal-0")
		if !bytes.Equal(one, c.must(g, today, "seal-0")) || !bytes.Equal(one, c.must(w, today, "seal-0")) ||
			c.engine.appended != before+1 {
			t.Errorf("%s: two secrets", what)
		}
	}
	c := newCity(t, "f:front", "g:front")
	f := c.ring("f", nil)
	tag := c.must(f, today, "seal-0")
	clear(c.engine.log) // it comes back shorter than it was
	g := c.ring("g", nil)
	g.tend(t.Context())
	f.have.mu.Lock()
	f.have.epochs[dayOf(today)].keys.wipe(func(use string) bool { return use == "part-0" }) // so that it looks again
	f.have.mu.Unlock()
	f.tend(t.Context())
	if !strings.Contains(f.Problem(), "lost entries") || !bytes.Equal(tag, c.must(f, today, "seal-0")) {
		t.Errorf("a log that has lost its commitment: %q", f.Problem())
	}
}

// TestLeft: what a front has committed to for the days on which it was one holds on, and nothing for later ones.
func TestLeft(t *testing.T) {
	c := newCity(t, "f:front", "g:front")
	c.ring("f", nil).tend(t.Context())
	c.commit("f", dayOf(today+1), func(*commitment) {}) // of its own keys, for when it will have left
	c.roster = &roster.Roster{Version: 2, Members: slices.Clone(c.roster.Members)}
	c.roster.Members[0].Roles, c.roster.Members[0].FrontUntil = nil, civil.Date{Year: 2026, Month: 11, Day: 27}
	raw, _, err := ask(c.me["f"], dayOf(today), []string{"seal-0"})
	if err != nil || c.ring("g", nil).answer(raw) != nil {
		t.Error("who has left gets keys")
	}
	g := c.ring("g", nil)
	g.tend(t.Context())
	c.must(g, today, "seal-0")
	if c.engine.appended != 2 {
		t.Error("another secret for today")
	}
	c.at(noon.Add(24 * time.Hour))
	c.must(g, today+1, "seal-0")
	if c.engine.appended != 3 {
		t.Error("who has left says what tomorrow's secret is")
	}
}

// TestCrowd: any number of answers that are none keep nobody from a key.
func TestCrowd(t *testing.T) {
	c := newCity(t, "f:front", "w:worker")
	c.ring("f", nil).tend(t.Context())
	c.engine.instead = func(honest [][]byte) [][]byte {
		return append(slices.Repeat([][]byte{make([]byte, 2000), nil}, 500), honest...)
	}
	c.must(c.ring("w", nil), today, "seal-0")
}

// TestNothingIsShown: neither errors nor what passes over the channel has a key in it.
func TestNothingIsShown(t *testing.T) {
	c := newCity(t, "f:front", "w:worker")
	f := c.ring("f", nil)
	f.tend(t.Context())
	w := c.ring("w", nil)
	seal := c.must(w, today, "seal-0")
	if k := f.have.epochs[dayOf(today)].keys["seal-0"]; k.String() != "key" {
		t.Error("a key says what it is")
	}
	if len(c.engine.passed) < 2 {
		t.Fatal("nothing has passed")
	}
	for _, m := range c.engine.passed {
		if bytes.Contains(m, seal) {
			t.Error("a key passes in clear")
		}
	}
	for _, list := range c.engine.log {
		for _, e := range list {
			if bytes.Contains(e.Body, seal) {
				t.Error("a key stands in the log")
			}
		}
	}
}

func TestEpochOf(t *testing.T) {
	for at, want := range map[time.Time]int64{
		noon: today, dayOf(today).end(): today + 1, dayOf(today).end().Add(-1): today, time.Unix(-1, 0): -1,
		time.Unix(0, 0):      0,
		time.Unix(-86400, 0): -1,
	} {
		if got := EpochOf(at); got != want {
			t.Errorf("%s is of epoch %d, want %d", at, got, want)
		}
	}
}
