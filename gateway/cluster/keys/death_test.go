package keys

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// TestDeath: when nothing of an epoch can come any more, nobody has its keys, in no file either, and each who had some
// says so: of tags an hour after the span in which units are recognised, of a day a day after.
func TestDeath(t *testing.T) {
	c := newCity(t, "f:front", "w:worker")
	dir := t.TempDir()
	var receipts []Receipt
	shredded := func(raw []byte) {
		is, err := ReadReceipt(c.roster, raw)
		if err != nil {
			t.Error(err)
		}
		receipts = append(receipts, is)
	}
	f := c.ring("f", func(cfg *Config) { cfg.Dir, cfg.Shredded = dir, shredded })
	c.must(f, today, tagged)
	w := c.ring("w", func(cfg *Config) { cfg.Shredded = shredded })
	c.must(w, today, "seal-0")
	at := span{today * secondsOfDay, secondsOfDay, true}
	tag, seal := f.have.epochs[at].keys["tag"], f.have.epochs[dayOf(today)].keys["seal-0"]
	theirs := w.have.epochs[dayOf(today)].keys["seal-0"]
	gone := func(name string) {
		t.Helper()
		if names, err := os.ReadDir(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("files of %s stay: %v, %v", name, names, err)
		}
	}
	if *tag == (key{}) || *seal == (key{}) {
		t.Fatal("there are none")
	}
	c.at(dayOf(today).end().Add(time.Hour))
	f.tend(t.Context())
	if *tag != (key{}) || *seal == (key{}) {
		t.Error("the key for tags is not overwritten, or another one is")
	}
	if _, err := f.Key(today, tagged); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("when the span is over: %v", err)
	}
	if raw, _, err := ask(c.me["w"], dayOf(today), []string{"seal-0"}); err != nil || f.answer(raw) == nil {
		t.Errorf("what is sealed cannot be opened any more: %v", err)
	}
	gone(at.String())
	if len(receipts) != 1 || receipts[0].Shred != at.String() || receipts[0].Member != "f" {
		t.Errorf("receipts: %+v", receipts)
	}
	c.at(dayOf(today).end().Add(24 * time.Hour))
	if raw, _, err := ask(c.me["w"], dayOf(today), []string{"seal-0"}); err != nil || f.answer(raw) != nil {
		t.Errorf("it is answered about what is over, before it has looked: %v", err)
	}
	for _, r := range []*Ring{f, w} {
		r.tend(t.Context())
		if _, err := r.Key(today, "seal-0"); !errors.Is(err, ErrGone) {
			t.Errorf("when all is over: %v", err)
		}
	}
	if *seal != (key{}) || *theirs != (key{}) {
		t.Error("a key is not overwritten")
	}
	gone("20784")
	for _, who := range []string{"f", "w"} {
		if !slices.ContainsFunc(receipts, func(is Receipt) bool {
			return is.Member == who && is.Shred == "20784" && is.At.Equal(c.clock())
		}) {
			t.Errorf("%s gives no receipt: %+v", who, receipts)
		}
	}
	f.tend(t.Context())
	if f.have.epochs[dayOf(today)] != nil {
		t.Error("an epoch is remembered for ever")
	}
}

// TestAwayForLong: a process that comes back when all is over shreds what its directory has, and says so.
func TestAwayForLong(t *testing.T) {
	c := newCity(t, "f:front")
	dir := t.TempDir()
	n := 0
	kept := func(cfg *Config) { cfg.Dir, cfg.Shredded = dir, func([]byte) { n++ } }
	c.ring("f", kept).tend(t.Context())
	c.at(noon.Add(100 * 24 * time.Hour))
	c.ring("f", kept).tend(t.Context())
	if _, err := os.Stat(filepath.Join(dir, "20784")); !errors.Is(err, fs.ErrNotExist) || n != 1 {
		t.Errorf("%v, %d receipts", err, n)
	}
}

// TestLost: when nobody has an epoch's keys any more, whoever asks for long enough knows that they are lost; they are
// not made anew. A front that comes back with its directory has them.
func TestLost(t *testing.T) {
	c := newCity(t, "f:front", "w:worker")
	dir := t.TempDir()
	kept := func(cfg *Config) { cfg.Dir = dir }
	f := c.ring("f", kept)
	f.tend(t.Context())
	tag := c.must(f, today, "seal-0")
	clear(c.engine.answer) // all processes are gone, and all memory but the directory
	w := c.ring("w", nil)
	other := c.ring("f", nil)
	for i := 0; i < 70; i++ {
		for _, r := range []*Ring{w, other} {
			_, err := c.get(r, today, "seal-0")
			if i < 59 && !errors.Is(err, ErrNotYet) || i > 61 && !errors.Is(err, ErrGone) {
				t.Fatalf("after %d minutes: %v", i, err)
			}
		}
		c.at(c.clock().Add(59 * time.Second))
	}
	if c.engine.appended != 1 || w.Problem() == "" {
		t.Error("keys were made anew, or nothing is said")
	}
	c.at(noon)
	if !bytes.Equal(tag, c.must(c.ring("f", kept), today, "seal-0")) {
		t.Error("a front comes back with another key")
	}
}

// TestEarliestLimit: keys die when the commitment says, or when the member's own configuration does, if that is before.
func TestEarliestLimit(t *testing.T) {
	c := newCity(t, "long:front", "short:front")
	long := c.ring("long", func(cfg *Config) { cfg.Opens = 100 * 24 * time.Hour })
	long.tend(t.Context())
	short := c.ring("short", nil)
	c.must(short, today, "seal-0")
	c.at(dayOf(today).end().Add(short.c.Opens))
	short.tend(t.Context())
	if _, err := short.Key(today, "seal-0"); !errors.Is(err, ErrGone) {
		t.Errorf("it outlives what this member was told: %v", err)
	}
	c.must(long, today, "seal-0")

	c = newCity(t, "long:front", "short:front")
	c.ring("short", nil).tend(t.Context())
	long = c.ring("long", func(cfg *Config) { cfg.Opens = 100 * 24 * time.Hour })
	c.must(long, today, "seal-0")
	c.at(dayOf(today).end().Add(24 * time.Hour))
	if _, err := long.Key(today, "seal-0"); !errors.Is(err, ErrGone) {
		t.Errorf("it outlives its commitment: %v", err)
	}
	if _, err := Open(Config{Partitions: 1, Opens: 401 * 24 * time.Hour}); err == nil {
		t.Error("keys may live for ever")
	}
}
