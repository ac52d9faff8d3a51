package checkpoint

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// TestKnownElsewhere: a log that is empty, or not there, is no new one when something
// else remembers that it was used; and stays so until a commit says that it is lost.
func TestKnownElsewhere(t *testing.T) {
	for name, before := range map[string]bool{"nothing there": false, "begun, and nothing committed": true} {
		dir, mem := t.TempDir(), inMemory(t)
		if before {
			must(t, replayed(t, dir, openKeys(t, mem)).log.Close())
		}
		var l *Log
		for range 2 {
			var err error
			l, err = Open(dir, openKeys(t, mem), true, func(Record) error { return nil })
			if !errors.Is(err, ErrUnreadable) {
				t.Fatalf("%s: it is taken for new: %v", name, err)
			}
		}
		must(t, l.Append(commit(1)))
		settled(t, l)
		must(t, l.Close())
		l, err := Open(dir, openKeys(t, mem), true, func(Record) error { return nil })
		if err != nil {
			t.Errorf("%s: after a commit it is %v", name, err)
		}
		must(t, l.Close())
	}
}

// TestHalfACommit: of a commit of several blocks of which one is damaged nothing is
// handed out, of the next everything.
func TestHalfACommit(t *testing.T) {
	for damaged := range 3 {
		dir, mem := t.TempDir(), inMemory(t)
		l := replayed(t, dir, openKeys(t, mem)).log
		l.limit = 1 << 30
		must(t, l.Append([]Record{
			{Kind: Window, Name: "w-1-s", Body: []byte("one;")},
			{Kind: Window, Name: "w-2-s", Body: bytes.Repeat([]byte("x"), 2*blockMost)},
			{Kind: Window, Name: "w-1-s", Body: []byte("two;")}, {Kind: Account, Body: []byte("lost")},
		}))
		must(t, l.Append(commit(7)))
		must(t, l.Close())
		edit(t, l.path(l.newest.number), flipped(damaged*blockMost+500))
		h := replayed(t, dir, openKeys(t, mem))
		if h.all != nil || !h.lost["w-1-s"] || !h.lost["w-2-s"] || fmt.Sprint(h.bodies["w-1-s"]) != "[entry 7]" ||
			h.state != "state 7" {
			t.Errorf("block %d damaged: %v, lost %v, %q, %v", damaged, h.bodies["w-1-s"], h.lost, h.state, h.all)
		}
	}
}

// TestABrokenKey is said, and replaced when it is needed again.
func TestABrokenKey(t *testing.T) {
	mem := inMemory(t)
	_, err := openKeys(t, mem).Make("w-1-s")
	must(t, err)
	path := filepath.Join(mem, "w-1-s"+keySuffix)
	for _, size := range []int64{0, 31, 33, 1 << 20} {
		must(t, os.Truncate(path, size))
		keys := openKeys(t, mem)
		if list := keys.Broken(); len(list) != 1 || list[0] != path {
			t.Errorf("of a key of %d bytes it is said %v", size, list)
		}
		if key, err := keys.Make("w-1-s"); err != nil || len(key) != keySize {
			t.Errorf("a key of %d bytes is replaced by one of %d: %v", size, len(key), err)
		}
	}
}

// TestTooManyFiles: a directory that somebody has filled is refused, by its name.
func TestTooManyFiles(t *testing.T) {
	dir := inMemory(t)
	first := filepath.Join(dir, "0")
	must(t, os.WriteFile(first, nil, 0o600))
	for n := range maxNames - 1 { // more names of one file are made quicker than more files
		must(t, os.Link(first, filepath.Join(dir, fmt.Sprint(n+1))))
	}
	if _, err := OpenKeys(dir); err == nil || !bytes.Contains([]byte(err.Error()), []byte(dir)) {
		t.Errorf("it says %v", err)
	}
}

// TestMark: one wrong byte in either slot changes nothing, one in each is said, and so
// is a file of the wrong length.
func TestMark(t *testing.T) {
	mem := inMemory(t)
	keys, want := openKeys(t, mem), mark{3, 70_000, 1 << 33}
	path := filepath.Join(mem, markFile)
	for at := range slotSize {
		for other := range slotSize {
			if at%7 != 0 && other != at {
				continue // a seventh of the pairs, and all of equal places
			}
			w := &marker{}
			must(t, w.set(keys, want))
			must(t, w.close())
			edit(t, path, flipped(at))
			if got, err := keys.readMark(); err != nil || got != want {
				t.Fatalf("a bit in byte %d gives %v, %v", at, got, err)
			}
			edit(t, path, flipped(slotSize+other))
			if got, err := keys.readMark(); err == nil {
				t.Fatalf("bits in bytes %d and %d give %v", at, slotSize+other, got)
			}
			edit(t, path, flipped(at))
			if got, err := keys.readMark(); err != nil || got != want {
				t.Fatalf("a bit in byte %d gives %v, %v", slotSize+other, got, err)
			}
		}
	}
}

// TestTheDeadGoWhole: a segment of which nothing lives is removed, not rewritten.
func TestTheDeadGoWhole(t *testing.T) {
	dir, mem := t.TempDir(), inMemory(t)
	keys := openKeys(t, mem)
	l := replayed(t, dir, keys).log
	l.limit = 3 * blockSize
	for n := range 7 {
		must(t, l.Append(commit(n)))
	}
	must(t, errors.Join(keys.Shred("w-1-s"), keys.Shred("e-1-s")))
	next := l.next
	settled(t, l)
	if files, _ := found(dir); len(files) != 1 || len(l.closed) > 0 || l.next > next+1 {
		t.Errorf("there are %v, and %d numbers were used", files, l.next-next)
	}
}
