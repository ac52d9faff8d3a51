package keys

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestOverwritten: what is shredded is zeros in the very pages that it was in.
func TestOverwritten(t *testing.T) {
	c := newCity(t, "f:front")
	dir, link := t.TempDir(), filepath.Join(t.TempDir(), "link")
	f := c.ring("f", func(cfg *Config) { cfg.Dir = dir })
	seal := c.must(f, today, "seal-0")
	if err := os.Link(filepath.Join(dir, "20784", "seal-0"), link); err != nil {
		t.Fatal(err)
	}
	if raw, err := os.ReadFile(link); err != nil || !bytes.Equal(raw, seal) {
		t.Fatal("the file has another key", err)
	}
	c.at(dayOf(today).end().Add(c.clock().Sub(noon) + f.c.Opens))
	f.tend(t.Context())
	if raw, err := os.ReadFile(link); err != nil || !bytes.Equal(raw, make([]byte, Size)) {
		t.Errorf("the file's pages have %d bytes that are not zeros (%v)", len(raw), err)
	}
}

// TestDrawnOnce: a front whose commitment may still come to be, and that starts again, offers the same.
func TestDrawnOnce(t *testing.T) {
	c := newCity(t, "f:front")
	dir := t.TempDir()
	kept := func(cfg *Config) { cfg.Dir = dir }
	f := c.ring("f", kept)
	f.have.due()
	d, err := f.draft(dayOf(today))
	if err != nil {
		t.Fatal(err)
	}
	again := c.ring("f", kept)
	c.must(again, today, "seal-0")
	if e := c.engine.log[dayOf(today).subject()]; len(e) != 1 || !bytes.Equal(e[0].Body, d.signed) {
		t.Error("it has drawn anew")
	}
}

// TestAnothersEpoch: a front that was not the first keeps nothing of what it had drawn, and what it gets instead.
func TestAnothersEpoch(t *testing.T) {
	c := newCity(t, "f:front", "g:front")
	dir := t.TempDir()
	kept := func(cfg *Config) { cfg.Dir = dir }
	g := c.ring("g", kept)
	g.have.due()
	d, err := g.draft(dayOf(today))
	if err != nil {
		t.Fatal(err)
	}
	own := d.keys["seal-0"]
	f := c.ring("f", nil)
	seal := c.must(f, today, "seal-0")
	for _, r := range []*Ring{g, c.ring("g", kept)} {
		if !bytes.Equal(seal, c.must(r, today, "seal-0")) {
			t.Error("two secrets")
		}
		clear(c.engine.answer) // the second time it has only its directory
	}
	if *own != (key{}) {
		t.Error("what it had drawn is not overwritten")
	}
}

// TestHalves: what a kill has left half written is as if it were not there, and does not stand in the way.
func TestHalves(t *testing.T) {
	c := newCity(t, "f:front", "w:worker")
	dir := t.TempDir()
	kept := func(cfg *Config) { cfg.Dir = dir }
	f := c.ring("f", nil)
	f.tend(t.Context())
	seal := c.must(c.ring("w", kept), today, "seal-0")
	file := filepath.Join(dir, "20784", "seal-0")
	for _, half := range [][]byte{{}, seal[:10], append(bytes.Clone(seal), 0), make([]byte, Size)} {
		if err := os.WriteFile(file, half, 0o600); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(seal, c.must(c.ring("w", kept), today, "seal-0")) {
			t.Error("another key")
		}
		if raw, err := os.ReadFile(file); err != nil || !bytes.Equal(raw, seal) {
			t.Errorf("of %d bytes: the whole is not kept (%v)", len(half), err)
		}
	}
}

// TestBoundAnswer: an answer opens for the question that it was to, and each of its keys is the commitment's.
func TestBoundAnswer(t *testing.T) {
	c := newCity(t, "f:front", "w:worker")
	at := dayOf(today)
	b, err := draw(at, partitions)
	if err != nil {
		t.Fatal(err)
	}
	all, names := digestsOf(b, at, partitions), at.uses(partitions)
	signed, private, err := ask(c.me["w"], at, []string{"seal-0"})
	if err != nil {
		t.Fatal(err)
	}
	_, _, q, err := readQuestion(c.roster, signed)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := answer(signed, q, all, b, names)
	if err != nil {
		t.Fatal(err)
	}
	if _, got, err := open(private, signed, sealed, names, all.sum()); err != nil || len(got) != len(names) {
		t.Fatal(err)
	}
	if _, _, err := open(private, append(signed, 'x'), sealed, names, all.sum()); err == nil {
		t.Error("it opens for another question")
	}
	plain := write(all, b, names)
	for i := range plain {
		plain[i] ^= 1
		if _, _, err := parse(plain, names, all.sum()); err == nil {
			t.Fatalf("with another byte %d it is taken", i)
		}
		plain[i] ^= 1
	}
}

// TestReceiptsAreOnesOwn: a member signs for itself, and for nobody else.
func TestReceiptsAreOnesOwn(t *testing.T) {
	c := newCity(t, "f:front", "w:worker")
	for member, good := range map[string]bool{"w": true, "f": false, "": false} {
		is := Receipt{"20784", member, noon, "00"}
		signed, err := is.sign(c.me["w"])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ReadReceipt(c.roster, signed); (err == nil) != good {
			t.Errorf("w signs for %q: %v", member, err)
		}
	}
}
