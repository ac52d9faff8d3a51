package checkpoint

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// town is a log with several segments, killed, and what was acknowledged in it.
type town struct {
	dir, mem string
	// older are copies of both directories, and of what was acknowledged, half way.
	olderDir, olderMem string
	bodies             map[string][]string
	state              string
	newest             uint64
	closed             []uint64
	marked             mark
}

const townLimit = 64 << 10

// found makes a town: commits that touch different windows in different segments,
// and one epoch that all touch.
func foundTown(t testing.TB) *town {
	t.Helper()
	c := &town{dir: t.TempDir(), mem: inMemory(t), olderDir: t.TempDir(), olderMem: inMemory(t),
		bodies: map[string][]string{}}
	l := replayed(t, c.dir, openKeys(t, c.mem)).log
	l.limit = townLimit
	add := func(name string, n int) Record {
		body := fmt.Sprint(name, " ", n)
		c.bodies[name] = append(c.bodies[name], body)
		kind := Window
		if name[0] == 'e' {
			kind = Epoch
		}
		return Record{Kind: kind, Name: name, Body: []byte(body + ";")}
	}
	for n := range 54 {
		c.state = fmt.Sprint("state ", n)
		name := fmt.Sprintf("w-%d-early", n/10)
		records := []Record{add(name, n), {Kind: Account, Body: []byte(c.state)}}
		if n < 20 {
			records = append(records, add("e-1-early", n))
		}
		must(t, l.Append(records))
		if n == 51 {
			must(t, os.CopyFS(c.olderDir, os.DirFS(c.dir)))
			must(t, os.CopyFS(c.olderMem, os.DirFS(c.mem)))
		}
	}
	c.newest, c.marked = l.newest.number, mark{l.newest.number, l.newest.blocks, uint64(l.newest.size)}
	for _, s := range l.closed {
		c.closed = append(c.closed, s.number)
	}
	must(t, l.Close())
	if len(c.closed) != 3 || c.marked.blocks < 6 {
		t.Fatalf("there are the closed segments %v and %d blocks in the newest; the tests want 3, and 6", c.closed,
			c.marked.blocks)
	}
	return c
}

// copied is the same town in other directories.
func (c *town) copied(t testing.TB) *town {
	t.Helper()
	d := *c
	d.dir, d.mem = t.TempDir(), inMemory(t)
	must(t, os.CopyFS(d.dir, os.DirFS(c.dir)))
	must(t, os.CopyFS(d.mem, os.DirFS(c.mem)))
	return &d
}

func (c *town) segment(n int) string {
	if n < len(c.closed) {
		return filepath.Join(c.dir, segmentName(c.closed[n]))
	}
	return filepath.Join(c.dir, segmentName(c.newest))
}

// look opens the town as a start does, and holds what must hold of any damage: all
// that was acknowledged is there once, or its window or epoch is said to be lost, or
// all are. It goes on from there, and the next start has the same to say of what is
// lost, and all the rest.
func (c *town) look(t testing.TB) held {
	t.Helper()
	h := replayed(t, c.dir, openKeys(t, c.mem))
	c.holds(t, h)
	if h.all != nil && len(h.log.Findings()) == 0 {
		t.Error("everything is lost, and no file is named")
	}
	must(t, h.log.Close())
	// Killed before the first commit: the same again.
	again := replayed(t, c.dir, openKeys(t, c.mem))
	if (again.all == nil) != (h.all == nil) || !maps.Equal(again.lost, h.lost) {
		t.Errorf("a second start finds %v and lost %v; the first found %v and %v", again.all, again.lost, h.all, h.lost)
	}
	// With a commit that says what is lost: no damage any more.
	must(t,
		again.log.Append([]Record{{Kind: Window, Name: "w-7-late", Body: []byte("after;")},
			{Kind: Account, Body: []byte("after")}}))
	settled(t, again.log)
	must(t, again.log.Close())
	after := replayed(t, c.dir, openKeys(t, c.mem))
	for name := range after.lost {
		if !h.lost[name] { // what has no key, or a wrong one, is so until its segment goes
			t.Errorf("%s is lost after a commit", name)
		}
	}
	if after.all != nil || after.state != "after" || len(after.bodies["w-7-late"]) != 1 {
		t.Errorf("after a commit it is %v, %v lost, %q", after.all, after.lost, after.state)
	}
	if h.all == nil {
		for name, want := range c.bodies {
			if !h.lost[name] && len(after.bodies[name]) != len(want) {
				t.Errorf("%s has %d records later; want %d", name, len(after.bodies[name]), len(want))
			}
		}
	}
	clean(t, after, c.mem)
	return h
}

func (c *town) holds(t testing.TB, h held) {
	t.Helper()
	if h.all != nil {
		return
	}
	if h.state != c.state {
		t.Errorf("the state is %q; %q was acknowledged", h.state, c.state)
	}
	for name, want := range c.bodies {
		got := slices.Clone(h.bodies[name])
		slices.Sort(got)
		wanted := slices.Clone(want)
		slices.Sort(wanted)
		if !h.lost[name] && !slices.Equal(got, wanted) {
			t.Errorf("%s has %d records of %d, and is not said to be lost", name, len(got), len(want))
		}
	}
}

// edit changes a file's bytes.
func edit(t testing.TB, path string, change func([]byte) []byte) {
	t.Helper()
	raw, err := os.ReadFile(path)
	must(t, err)
	must(t, os.WriteFile(path, change(raw), 0o600))
}

func flipped(at int) func([]byte) []byte {
	return func(b []byte) []byte { b[at] ^= 4; return b }
}

func cutTo(n int) func([]byte) []byte { return func(b []byte) []byte { return b[:n] } }

func swapFiles(t testing.TB, a, b string) {
	t.Helper()
	one, err := os.ReadFile(a)
	must(t, err)
	two, err := os.ReadFile(b)
	must(t, err)
	must(t, os.WriteFile(a, two, 0o600))
	must(t, os.WriteFile(b, one, 0o600))
}

func replaceDir(t testing.TB, dir, by string) {
	t.Helper()
	must(t, os.RemoveAll(dir))
	must(t, os.CopyFS(dir, os.DirFS(by)))
}

// What may come of damage.
const (
	whole = "whole"      // nothing is missing
	some  = "some lost"  // windows or epochs, by name
	all   = "unreadable" // everything
)

// TestDamage does each kind of damage to each file that it can befall.
func TestDamage(t *testing.T) {
	template := foundTown(t)
	rows := append(ofDirectories(t), ofKeys(t)...)
	for n, name := range map[int]string{0: "the first segment", 1: "a middle segment", 3: "the newest segment"} {
		rows = append(rows, ofSegments(t, n, name)...)
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			c := template.copied(t)
			r.do(c)
			h := c.look(t)
			got := whole
			if h.all != nil {
				got = all
			} else if len(h.lost) > 0 {
				got = some
			}
			if got != r.want {
				t.Errorf("it is %s; want %s (lost %v, found %v)", got, r.want, slices.Sorted(maps.Keys(h.lost)),
					h.log.Findings())
			}
			if got == some && len(h.log.Findings()) == 0 && !strings.Contains(r.name, "'s key") {
				t.Error("something is lost, and no file is named")
			}
			if got == some && len(h.lost) == len(c.bodies) {
				t.Error("everything is lost by damage to one segment")
			}
		})
	}
}

// FuzzDamage does damage of every kind, in any number, to segments, keys and list.
func FuzzDamage(f *testing.F) {
	f.Add([]byte{0, 0, 10, 1, 3, 200, 4, 5, 6})
	f.Add([]byte{2, 1, 1, 3, 2, 2, 5, 0, 0})
	template := foundTown(f)
	f.Fuzz(func(t *testing.T, ops []byte) {
		c := template.copied(t)
		for n := 0; len(ops) >= 3 && n < 8; n, ops = n+1, ops[3:] {
			c.hurt(t, ops[0], ops[1], ops[2])
		}
		c.look(t)
	})
}

// hurt does one piece of damage, where there is still something to be hurt.
func (c *town) hurt(t *testing.T, kind, which, at byte) {
	files, err := namesIn(c.dir)
	must(t, err)
	for n := range files {
		files[n] = filepath.Join(c.dir, files[n])
	}
	keys, err := namesIn(c.mem)
	must(t, err)
	for _, key := range keys {
		files = append(files, filepath.Join(c.mem, key))
	}
	slices.Sort(files)
	if len(files) == 0 {
		return
	}
	path := files[int(which)%len(files)]
	raw, err := os.ReadFile(path)
	must(t, err)
	place := min(len(raw)*int(at)/256, max(0, len(raw)-1))
	switch kind % 6 {
	case 0:
		must(t, os.Truncate(path, int64(place)))
	case 1:
		end := min(len(raw), place+blockSize)
		clear(raw[place:end])
		must(t, os.WriteFile(path, raw, 0o600))
	case 2:
		if len(raw) > 0 {
			raw[place] ^= 1 << (at % 8)
		}
		must(t, os.WriteFile(path, raw, 0o600))
	case 3:
		must(t, os.Remove(path))
	case 4:
		if other := files[int(at)%len(files)]; other != path {
			swapFiles(t, path, other)
		}
	case 5:
		if old, err := os.ReadFile(filepath.Join(c.olderDir, filepath.Base(path))); err == nil &&
			filepath.Dir(path) == c.dir {
			must(t, os.WriteFile(path, old, 0o600))
		}
	}
}
