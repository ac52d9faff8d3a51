package checkpoint

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"sluice/gateway/ingest/internal/pseudonym"
	"sluice/gateway/ingest/internal/window"
)

func memoryKeys(t testing.TB) *Keys {
	t.Helper()
	k, err := OpenKeys("")
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestEntryRoundTrip(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var want []window.Entry
		var raw []byte
		for range rapid.IntRange(0, 10).Draw(r, "n") {
			e := window.Entry{Sensor: rapid.Uint64().Draw(r, "sensor"), Alive: rapid.Bool().Draw(r, "alive")}
			if !e.Alive {
				e.Home, e.Sequenced = rapid.Bool().Draw(r, "home"), rapid.Bool().Draw(r, "sequenced")
				e.Untimed = rapid.Bool().Draw(r, "untimed")
				e.Boot, e.Time, e.Cell = rapid.Uint64().Draw(r, "boot"), rapid.Int64().Draw(r, "time"), rapid.Uint32().Draw(r, "cell")
				if e.Sequenced {
					e.Seq = rapid.Uint64().Draw(r, "seq")
				} else {
					e.Message = pseudonym.Tag(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(r, "message"))
				}
				e.Unit = pseudonym.Tag(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(r, "unit"))
				e.Has = rapid.Uint8().Draw(r, "has")
				for i := range e.Values {
					if e.Has&(1<<i) != 0 {
						e.Values[i] = rapid.Int64().Draw(r, "value")
					}
				}
			}
			want = append(want, e)
			raw = AppendEntry(raw, &e)
		}
		var got []window.Entry
		if err := Entries(raw, func(e *window.Entry) { got = append(got, *e) }); err != nil {
			r.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			r.Fatalf("got %d entries back that differ from the %d written", len(got), len(want))
		}
	})
}

func FuzzEntries(f *testing.F) {
	f.Add(AppendEntry(nil, &window.Entry{Sequenced: true, Seq: 1, Has: 3}))
	f.Fuzz(func(_ *testing.T, raw []byte) {
		_ = Entries(raw, func(*window.Entry) {})
	})
}

// replayed reads a directory back as text.
func replayed(t testing.TB, dir string, keys *Keys) (string, *Log) {
	t.Helper()
	var b bytes.Buffer
	l, err := Open(dir, keys, func(r Record) error {
		fmt.Fprintf(&b, "%d %s %s %v\n", r.Kind, r.Name, r.Body, r.Lost)
		return nil
	})
	if err != nil && !errors.Is(err, ErrUnreadable) {
		t.Fatal(err)
	}
	return b.String(), l
}

func commit(n int) []Record {
	return []Record{
		{Kind: Window, Name: "w-1-s", Body: fmt.Appendf(nil, "entry %d", n)},
		{Kind: Epoch, Name: "e-1-s", Body: fmt.Appendf(nil, "tag %d", n)},
		{Kind: State, Name: "state", Body: fmt.Appendf(nil, "state %d", n)},
	}
}

// TestTornTail cuts the log at every length: what is read back is always a
// prefix of whole commits, and what was synchronised before the cut is there.
func TestTornTail(t *testing.T) {
	dir := t.TempDir()
	keys := memoryKeys(t)
	_, l := replayed(t, dir, keys)
	want := []string{""}
	var sizes []int64
	for n := range 3 {
		if err := l.Append(commit(n)); err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, l.size)
		text := ""
		for m := range n + 1 {
			text += fmt.Sprintf("1 w-1-s entry %d false\n2 e-1-s tag %d false\n3 state state %d false\n", m, m, m)
		}
		want = append(want, text)
	}
	whole, err := os.ReadFile(filepath.Join(dir, segmentName(l.number)))
	if err != nil {
		t.Fatal(err)
	}
	key := bytes.Clone(keys.keys[keyName(l.number)])
	for cut := 0; cut <= len(whole); cut += 97 {
		d := t.TempDir()
		if err := os.WriteFile(filepath.Join(d, segmentName(1)), whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		k := memoryKeys(t)
		for name, key := range keys.keys {
			k.keys[name] = bytes.Clone(key)
		}
		k.keys[keyName(1)] = bytes.Clone(key)
		complete := 0
		for _, s := range sizes {
			if int64(cut) >= s {
				complete++
			}
		}
		got, again := replayed(t, d, k)
		if got != want[complete] {
			t.Fatalf("cut at %d: got\n%s\nwant\n%s", cut, got, want[complete])
		}
		if err := again.Append(commit(9)); err != nil {
			t.Fatalf("cut at %d: the log cannot go on: %v", cut, err)
		}
	}
}

// TestDamage flips bits in each block: in the last it is a torn write, before that
// it is said.
func TestDamage(t *testing.T) {
	dir := t.TempDir()
	keys := memoryKeys(t)
	_, l := replayed(t, dir, keys)
	for n := range 3 {
		if err := l.Append(commit(n)); err != nil {
			t.Fatal(err)
		}
	}
	whole, err := os.ReadFile(filepath.Join(dir, segmentName(l.number)))
	if err != nil {
		t.Fatal(err)
	}
	for block, want := range []error{ErrUnreadable, ErrUnreadable, nil} {
		d, k := t.TempDir(), memoryKeys(t)
		for name, key := range keys.keys {
			k.keys[name] = bytes.Clone(key)
		}
		bad := bytes.Clone(whole)
		bad[block*len(whole)/3+100] ^= 1
		if err := os.WriteFile(filepath.Join(d, segmentName(l.number)), bad, 0o600); err != nil {
			t.Fatal(err)
		}
		seen := 0
		if _, err := Open(d, k, func(Record) error { seen++; return nil }); !errors.Is(err, want) || seen != 3*block {
			t.Errorf("damage in block %d gives %v after %d records; want %v after %d", block, err, seen, want, 3*block)
		}
	}
}

// TestShredded: what a dead key sealed is not read back, whatever copy is kept.
func TestShredded(t *testing.T) {
	dir := t.TempDir()
	keys := memoryKeys(t)
	_, l := replayed(t, dir, keys)
	if err := l.Append(commit(1)); err != nil {
		t.Fatal(err)
	}
	if err := keys.Shred("w-1-s"); err != nil {
		t.Fatal(err)
	}
	if got, _ := replayed(t, dir, keys); got != "1 w-1-s  true\n2 e-1-s tag 1 false\n3 state state 1 false\n" {
		t.Errorf("after shredding there is\n%s", got)
	}
	raw := readAll(t, dir)
	for _, secret := range []string{"entry 1", "tag 1", "state 1", "w-1-s"} {
		if bytes.Contains(raw, []byte(secret)) {
			t.Errorf("%q is on the disk in clear", secret)
		}
	}
	if got, _ := replayed(t, dir, memoryKeys(t)); got != "" {
		t.Errorf("without keys there is\n%s", got)
	}
}

func readAll(t *testing.T, dir string) (all []byte) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		raw, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, raw...)
	}
	return all
}

// TestCompact: what lives survives, what is dead goes, and the log stays small.
func TestCompact(t *testing.T) {
	dir := t.TempDir()
	keys := memoryKeys(t)
	_, l := replayed(t, dir, keys)
	big := bytes.Repeat([]byte("x"), 1<<20)
	if err := l.Append(commit(1)); err != nil {
		t.Fatal(err)
	}
	for n := range 40 {
		name := fmt.Sprintf("w-%d-dead", n)
		if err := l.Append([]Record{{Kind: Window, Name: name, Body: big}}); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(keys.Shred(name), l.Compact()); err != nil {
			t.Fatal(err)
		}
	}
	if l.size > growth+2<<20 {
		t.Errorf("the log has %d bytes", l.size)
	}
	got, _ := replayed(t, dir, keys)
	if n := bytes.Count([]byte(got), []byte("entry 1 false")); n != 1 {
		t.Errorf("the living window is there %d times", n)
	}
}

func TestKeysOnDiskAreRefused(t *testing.T) {
	dir := t.TempDir()
	if MemoryBacked(dir) {
		t.Skip("the temporary directory is memory-backed here")
	}
	if _, err := OpenKeys(dir); err == nil {
		t.Error("keys may be kept on a disk")
	}
}

func TestKeysInMemoryBackedDirectory(t *testing.T) {
	if !MemoryBacked("/dev/shm") {
		t.Skip("there is no /dev/shm here")
	}
	dir, err := os.MkdirTemp("/dev/shm", "sluice-test-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	k, err := OpenKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	key, err := k.Make("w-1-s")
	if err != nil {
		t.Fatal(err)
	}
	want := bytes.Clone(key)
	again, err := OpenKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := again.Get("w-1-s"); !ok || !bytes.Equal(got, want) {
		t.Error("a key does not survive a restart")
	}
	if err := again.Shred("w-1-s"); err != nil {
		t.Fatal(err)
	}
	if raw := readAll(t, dir); len(raw) > 0 {
		t.Error("a shredded key is still there")
	}
}
