package checkpoint

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// oldLog writes a log as versions before 2 did: one segment of blocks.
func oldLog(t *testing.T, dir string, keys *Keys, commits int) {
	t.Helper()
	_, err := keys.Make(oldKeyName(3))
	must(t, err)
	seal := keys.seal(oldKeyName(3))
	var raw []byte
	for n := range commits {
		var plain []byte
		for _, r := range commit(n) {
			if r.Kind == Account {
				r.Kind, r.Name = State, "state"
			}
			plain, err = keys.appendFrame(plain, &r)
			must(t, err)
		}
		overhead := 4 + seal.Overhead()
		padded := (len(plain) + overhead + blockSize - 1) / blockSize * blockSize
		plain = append(plain, make([]byte, padded-overhead-len(plain))...)
		head := binary.BigEndian.AppendUint32(nil, uint32(padded-4))
		raw = append(raw, seal.Seal(head, nil, plain, head)...)
	}
	must(t, os.WriteFile(filepath.Join(dir, segmentName(3)), raw, 0o600))
}

// TestOldLog: a log of an earlier version is read once, moved, and complete from then
// on, also when the move was cut off; a torn end is cut, damage is said.
func TestOldLog(t *testing.T) {
	for name, c := range map[string]struct {
		hurt    func(b []byte) []byte
		commits int
		all     bool
	}{
		"whole":               {func(b []byte) []byte { return b }, 5, false},
		"torn":                {func(b []byte) []byte { return b[:len(b)-5000] }, 3, false},
		"torn in its length":  {func(b []byte) []byte { return append(b, 0, 0) }, 5, false},
		"a bit in its middle": {func(b []byte) []byte { b[6000] ^= 1; return b }, 1, true},
		"a length of zero":    {func(b []byte) []byte { clear(b[4096:4100]); return b }, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir, mem := t.TempDir(), inMemory(t)
			keys := openKeys(t, mem)
			oldLog(t, dir, keys, 5)
			edit(t, filepath.Join(dir, segmentName(3)), c.hurt)
			// Cut off: the copy is there, and no list names it.
			cut := &Log{dir: dir, keys: keys, next: 4}
			half, err := cut.copier(4)
			must(t, err)
			_, err = half.finish()
			must(t, err)
			for start := range 3 { // twice before the first commit, once after
				h := replayed(t, dir, openKeys(t, mem))
				if (h.all != nil) != c.all {
					t.Fatalf("start %d finds %v", start, h.all)
				}
				if !c.all &&
					(len(h.bodies["w-1-s"]) != c.commits || len(h.bodies["e-1-s"]) != c.commits ||
						start < 2 && h.state != fmt.Sprint("state ", c.commits-1)) {
					t.Fatalf("start %d: %d records and %q; want %d", start, len(h.bodies["w-1-s"]), h.state, c.commits)
				}
				if start == 1 {
					must(t, h.log.Append([]Record{{Kind: Account, Body: []byte("new")}}))
					settled(t, h.log)
					c.all = false
					if h.all != nil {
						c.commits = 0
					}
				}
				if start == 2 {
					clean(t, h, mem)
				}
				must(t, h.log.Close())
			}
		})
	}
}

// TestTendTheLog: list and mark that are lost while the log is open are written again.
func TestTendTheLog(t *testing.T) {
	for _, file := range []string{markFile, listFile} {
		for name, hurt := range map[string]func(string){
			"gone": func(path string) { must(t, os.Remove(path)) },
			"cut":  func(path string) { must(t, os.Truncate(path, 10)) },
			"wrong": func(path string) {
				edit(t, path, func(b []byte) []byte { return flipped(20)(flipped(min(len(b)-1, 84))(b)) })
			},
		} {
			dir, mem := t.TempDir(), inMemory(t)
			l := replayed(t, dir, openKeys(t, mem)).log
			must(t, l.Append(commit(0)))
			if mended, err := l.Tend(); mended || err != nil {
				t.Fatalf("something is mended although nothing was lost: %v", err)
			}
			hurt(filepath.Join(mem, file))
			if mended, err := l.Tend(); !mended || err != nil {
				t.Errorf("%s %s: mended %v, %v", file, name, mended, err)
			}
			must(t, l.Append(commit(1)))
			must(t, l.Close())
			if h := replayed(t, dir, openKeys(t, mem)); h.all != nil || len(h.bodies["w-1-s"]) != 2 {
				t.Errorf("%s %s: after a restart %d records, %v", file, name, len(h.bodies["w-1-s"]), h.all)
			}
		}
	}
}
