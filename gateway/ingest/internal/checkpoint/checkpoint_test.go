package checkpoint

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"sluice/gateway/ingest/internal/pseudonym"
	"sluice/gateway/ingest/internal/window"
)

func TestEntryRoundTrip(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var want []window.Entry
		var raw []byte
		for range rapid.IntRange(0, 10).Draw(r, "n") {
			e := window.Entry{Sensor: rapid.Uint64().Draw(r, "sensor"), Alive: rapid.Bool().Draw(r, "alive")}
			if !e.Alive {
				e.Accounted, e.Sequenced = rapid.Bool().Draw(r, "home"), rapid.Bool().Draw(r, "sequenced")
				e.Untimed = rapid.Bool().Draw(r, "untimed")
				e.Boot, e.Time, e.Cell = rapid.Uint64().Draw(r, "boot"), rapid.Int64().Draw(r, "time"),
					rapid.Uint32().Draw(r, "cell")
				if e.Sequenced {
					e.Seq = rapid.Uint64().Draw(r, "seq")
				} else {
					e.Message = pseudonym.Tag(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(r, "message"))
				}
				e.Unit = pseudonym.Tag(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(r, "unit"))
				e.Owner = rapid.Uint8().Draw(r, "owner")
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
