package checkpoint

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
)

// inMemory is a directory for keys.
func inMemory(t testing.TB) string {
	t.Helper()
	if !MemoryBacked("/dev/shm") {
		t.Skip("there is no /dev/shm here")
	}
	dir, err := os.MkdirTemp("/dev/shm", "sluice-test-")
	if err != nil {
		t.Skip("keys need memory: ", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func openKeys(t testing.TB, dir string) *Keys {
	t.Helper()
	k, err := OpenKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// held is what a log gave back.
type held struct {
	bodies map[string][]string // by name
	lost   map[string]bool
	state  string
	heard  int
	all    error // ErrUnreadable
	log    *Log
}

// replayed opens a log and keeps what it hands out.
func replayed(t testing.TB, dir string, keys *Keys) held {
	t.Helper()
	h := held{bodies: map[string][]string{}, lost: map[string]bool{}}
	var err error
	h.log, err = Open(dir, keys, false, func(r Record) error {
		switch {
		case r.Lost:
			h.lost[r.Name] = true
		case r.Kind == State || r.Kind == Account:
			h.state = string(r.Body)
		case r.Kind == Heard:
			h.heard += len(r.Body)
		case r.Kind == Parts:
			h.bodies["parts of "+r.Name] = append(h.bodies["parts of "+r.Name],
				strings.FieldsFunc(string(r.Body), func(c rune) bool { return c == ';' })...)
		case r.Kind.sealed():
			// Records end with a semicolon: rewritten, they may be one.
			h.bodies[r.Name] = append(h.bodies[r.Name], strings.FieldsFunc(string(r.Body), func(c rune) bool {
				return c == ';'
			})...)
		}
		return nil
	})
	if err != nil && !errors.Is(err, ErrUnreadable) {
		t.Fatal(err)
	}
	h.all = err
	t.Cleanup(func() { _ = h.log.Close() })
	return h
}

func commit(n int) []Record {
	return []Record{
		{Kind: Window, Name: "w-1-s", Body: fmt.Appendf(nil, "entry %d;", n)},
		{Kind: Epoch, Name: "e-1-s", Body: fmt.Appendf(nil, "tag %d;", n)},
		{Kind: Account, Body: fmt.Appendf(nil, "state %d", n)},
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// settled waits until nothing is rewritten or removed any more.
func settled(t testing.TB, l *Log) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		must(t, l.Tidy())
		if !l.busy && len(l.trash) == 0 && l.looked == (look{l.keys.shreds(), len(l.closed)}) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the log does not come to rest")
		}
		time.Sleep(time.Millisecond)
	}
}

// TestTornTail cuts a log at every length behind what was acknowledged, and in a
// copy whose mark stands before it: what is read back is whole commits, and all
// that the mark knows of.
func TestTornTail(t *testing.T) {
	dir, mem := t.TempDir(), inMemory(t)
	l := replayed(t, dir, openKeys(t, mem)).log
	var marks []mark
	for n := range 3 {
		must(t, l.Append(commit(n)))
		marks = append(marks, mark{l.newest.number, l.newest.blocks, uint64(l.newest.size)})
	}
	whole, err := os.ReadFile(l.path(l.newest.number))
	must(t, err)
	for acknowledged, m := range marks {
		for cut := int(m.size); cut <= len(whole); cut += 97 {
			d, k := t.TempDir(), inMemory(t)
			must(t, os.CopyFS(k, os.DirFS(mem)))
			must(t, os.WriteFile(filepath.Join(d, segmentName(m.number)), whole[:cut], 0o600))
			keys := openKeys(t, k)
			must(t, (&marker{}).set(keys, m))
			h := replayed(t, d, keys)
			complete := 0
			for _, other := range marks {
				if cut >= int(other.size) {
					complete++
				}
			}
			if h.all != nil || len(h.lost) > 0 || len(h.bodies["w-1-s"]) != complete || complete <= acknowledged ||
				h.state != fmt.Sprint("state ", complete-1) {
				t.Fatalf("cut at %d with %d acknowledged: %d commits, %q, %v; want %d", cut, acknowledged+1,
					len(h.bodies["w-1-s"]), h.state, h.all, complete)
			}
			must(t, h.log.Append(commit(9)))
			must(t, h.log.Close())
			if again := replayed(t, d, openKeys(t, k)); again.all != nil || len(again.bodies["w-1-s"]) != complete+1 {
				t.Fatalf("cut at %d: the log cannot go on: %v", cut, again.all)
			}
		}
	}
}

// TestNoCommitIsTooLarge appends one commit of more bytes than a block may have, and
// tears another: it is there whole, or not at all.
func TestNoCommitIsTooLarge(t *testing.T) {
	dir, mem := t.TempDir(), inMemory(t)
	l := replayed(t, dir, openKeys(t, mem)).log
	var records []Record
	for n := range 5 {
		records = append(records,
			Record{Kind: Window, Name: fmt.Sprint("w-", n, "-s"),
				Body: bytes.Repeat([]byte{byte('a' + n)}, blockMost/2)})
	}
	records = append(records, Record{Kind: Window, Name: "w-9-s", Body: bytes.Repeat([]byte("z"), 2*blockMost)},
		Record{Kind: Account, Body: []byte("one")})
	l.limit = 1 << 30
	must(t, l.Append(records))
	if l.newest.blocks < 5 {
		t.Errorf("the commit has %d blocks; it was to be cut into several", l.newest.blocks)
	}
	m := mark{l.newest.number, l.newest.blocks, uint64(l.newest.size)}
	must(t,
		l.Append([]Record{{Kind: Window, Name: "w-9-s", Body: bytes.Repeat([]byte("y"), 3*blockMost)},
			{Kind: Account, Body: []byte("two")}}))
	end := l.newest.size
	must(t, l.mark.set(l.keys, m))
	must(t, l.Close())
	for cut := end; cut >= int64(m.size); cut -= blockMost {
		must(t, os.Truncate(l.path(m.number), cut))
		want, state := 1, "one"
		if cut == end {
			want, state = 2, "two"
		}
		h := replayed(t, dir, openKeys(t, mem))
		if h.all != nil || len(h.bodies["w-9-s"]) != want || len(h.bodies["w-4-s"]) != 1 || h.state != state {
			t.Errorf("cut at %d of %d: %d and %d records, %q, %v", cut, end, len(h.bodies["w-9-s"]),
				len(h.bodies["w-4-s"]), h.state, h.all)
		}
		if h.bodies["w-9-s"][0] != string(records[5].Body) {
			t.Error("a body of several blocks came back changed")
		}
	}
}

// TestShredded: what a dead key sealed is not read back, whatever copy is kept.
func TestShredded(t *testing.T) {
	dir, mem := t.TempDir(), inMemory(t)
	keys := openKeys(t, mem)
	l := replayed(t, dir, keys).log
	must(t, l.Append(commit(1)))
	must(t, keys.Shred("w-1-s"))
	if h := replayed(t, dir, openKeys(t, mem)); len(h.bodies["w-1-s"]) > 0 || !h.lost["w-1-s"] ||
		len(h.bodies["e-1-s"]) != 1 || h.state != "state 1" || h.all != nil {
		t.Errorf("after shredding there is %v", h.bodies)
	}
	raw := readAll(t, dir)
	for _, secret := range []string{"entry 1", "tag 1", "state 1", "w-1-s"} {
		if bytes.Contains(raw, []byte(secret)) {
			t.Errorf("%q is on the disk in clear", secret)
		}
	}
	if h := replayed(t, dir, openKeys(t, inMemory(t))); h.all == nil || len(h.bodies) > 0 {
		t.Errorf("without keys there is %v, and %v", h.bodies, h.all)
	}
}

// TestOnlyWhatLives: what is dead goes, what is mostly dead is rewritten, and what
// lives is there after each start; the log stays within twice what lives and some
// segments, and nothing else is left in either directory.
func TestOnlyWhatLives(t *testing.T) {
	dir, mem := t.TempDir(), inMemory(t)
	keys := openKeys(t, mem)
	l := replayed(t, dir, keys).log
	l.limit = 256 << 10
	want := map[string]int{}
	for n := range 400 {
		dying, living := fmt.Sprintf("w-%d-dies", n/10), fmt.Sprintf("w-%d-lives", n%7)
		must(t, l.Append([]Record{
			{Kind: Window, Name: dying, Body: bytes.Repeat([]byte("x"), 20<<10)},
			{Kind: Window, Name: living, Body: append(bytes.Repeat([]byte("y"), 1<<10), ';')},
			{Kind: Epoch, Name: "e-1-lives", Body: fmt.Append(nil, n, ";")},
			{Kind: Parts, Name: "e-1-lives", Body: fmt.Append(nil, n, ";")}, {Kind: Account, Body: fmt.Append(nil, n)},
		}))
		want[living]++
		want["e-1-lives"]++
		want["parts of e-1-lives"]++
		if n%10 == 9 {
			must(t, keys.Shred(dying))
		}
		must(t, l.Tidy())
		if n%90 == 0 { // killed
			if n%180 == 0 {
				settled(t, l)
			}
			must(t, l.Close()) // what is being rewritten is given up
			keys = openKeys(t, mem)
			l = replayed(t, dir, keys).log
			l.limit = 256 << 10
		}
	}
	settled(t, l)
	must(t, l.Close())
	size := len(readAll(t, dir))
	if live := 400 << 10; size > 2*live+4*256<<10 {
		t.Errorf("the log has %d bytes; %d of them live", size, live)
	}
	h := replayed(t, dir, openKeys(t, mem))
	if h.all != nil || h.state != "399" {
		t.Fatalf("state %s, %v", h.state, h.all)
	}
	for name, n := range want {
		if len(h.bodies[name]) != n {
			t.Errorf("%s has %d records; want %d", name, len(h.bodies[name]), n)
		}
	}
	clean(t, h, mem)
}

// clean holds that after a commit there are the listed segments and their keys, and
// nothing else of the log's.
func clean(t testing.TB, h held, mem string) {
	t.Helper()
	l := h.log
	must(t, l.Append([]Record{{Kind: Account, Body: []byte("clean")}}))
	settled(t, l)
	var numbers []uint64
	for _, s := range l.closed {
		if s.live(l.keys) == 0 {
			t.Errorf("segment %d is kept although nothing in it lives", s.number)
		}
	}
	for _, s := range append(slices.Clone(l.closed), l.holds) {
		numbers = append(numbers, s.number)
	}
	slices.Sort(numbers)
	files, err := namesIn(l.dir)
	must(t, err)
	var want []string
	for _, n := range numbers {
		want = append(want, segmentName(n))
	}
	slices.Sort(files)
	if !slices.Equal(files, want) {
		t.Errorf("the directory holds %v; want %v", files, want)
	}
	if keys := l.keys.list(ofSegment); len(keys) != len(numbers) {
		t.Errorf("there are the keys %v; want those of %v", keys, numbers)
	}
	inDir, err := namesIn(mem)
	must(t, err)
	for _, name := range inDir {
		if filepath.Ext(name) != keySuffix && name != markFile && name != listFile {
			t.Errorf("%s is left beside the keys", name)
		}
	}
}
