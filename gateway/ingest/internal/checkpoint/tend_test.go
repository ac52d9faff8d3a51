package checkpoint

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// keysIn are keys in a directory in memory, which the test may take away.
func keysIn(t *testing.T) (*Keys, string) {
	t.Helper()
	base, err := os.MkdirTemp("/dev/shm", "sluice-test-")
	if err != nil {
		t.Skip("there is no /dev/shm here")
	}
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	dir := filepath.Join(base, "keys")
	k, err := OpenKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	return k, dir
}

// away puts a file where the directory was, so that nobody, root neither, can write
// keys there; back ends that.
func away(t *testing.T, dir string) (back func()) {
	t.Helper()
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(dir); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(dir+".away", dir); err != nil {
			t.Fatal(err)
		}
	}
}

// TestKeysThatCannotBeWritten: a key is there at once, and lasts after a Save that
// succeeds. A directory that has gone, also for good, is made anew.
func TestKeysThatCannotBeWritten(t *testing.T) {
	k, dir := keysIn(t)
	back := away(t, dir)
	key, err := k.Hold("w-1-s")
	if err != nil {
		t.Fatal(err)
	}
	if k.Save() == nil {
		t.Fatal("a key was saved although its directory is gone")
	}
	if _, err := k.Make("log-1"); err == nil {
		t.Fatal("a key that must last was made although its directory is gone")
	}
	if _, known := k.Get("log-1"); known {
		t.Error("a key that was not made is there")
	}
	back()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := k.Save(); err != nil {
		t.Fatal(err)
	}
	again, err := OpenKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := again.Get("w-1-s"); !bytes.Equal(got, key) {
		t.Error("the key has not lasted")
	}
}

// TestKeysNeverOnADisk: what is where the key directory was must be in memory, too.
func TestKeysNeverOnADisk(t *testing.T) {
	disk, err := os.MkdirTemp(".", "disk-")
	if err != nil {
		t.Skip("this directory cannot be written: ", err)
	}
	defer os.RemoveAll(disk)
	if MemoryBacked(disk) {
		t.Skip("this directory is in memory")
	}
	k, dir := keysIn(t)
	if _, err := k.Hold("w-1-s"); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	disk, err = filepath.Abs(disk)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(disk, dir); err != nil {
		t.Fatal(err)
	}
	if err := k.Save(); err == nil || !strings.Contains(err.Error(), "on a disk") {
		t.Errorf("saving says %v", err)
	}
	if list, _ := os.ReadDir(disk); len(list) > 0 {
		t.Error("there is a key on a disk")
	}
}

// TestTend: keys that were removed, cut or changed are found and written again; one
// that could not be shredded goes when it can.
func TestTend(t *testing.T) {
	k, dir := keysIn(t)
	for _, name := range []string{"w-1-s", "w-2-s", "w-3-s", "w-4-s", "e-1-s"} {
		if _, err := k.Make(name); err != nil {
			t.Fatal(err)
		}
	}
	path := func(name string) string { return filepath.Join(dir, name+".key") }
	if err := os.Remove(path("w-1-s")); err != nil {
		t.Fatal(err)
	}
	for name, raw := range map[string][]byte{"w-2-s": {1, 2, 3}, "w-3-s": make([]byte, keySize)} {
		if err := os.WriteFile(path(name), raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// A directory in its place can neither be overwritten nor removed.
	if err := os.Remove(path("e-1-s")); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(path("e-1-s"), "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if k.Shred("e-1-s") == nil {
		t.Fatal("a directory was shredded")
	}
	if mended, err := k.Tend(); mended != 3 || err == nil {
		t.Errorf("%d keys are to be mended, %v; want 3, and that one cannot be shredded", mended, err)
	}
	if mended, _ := k.Tend(); mended != 0 {
		t.Errorf("%d more are to be mended before the first were written", mended)
	}
	if err := k.Save(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(path("e-1-s")); err != nil {
		t.Fatal(err)
	}
	if mended, err := k.Tend(); mended != 0 || err != nil || len(k.dead) > 0 {
		t.Errorf("at the end %d are to be mended, %v, dead %v", mended, err, k.dead)
	}
	again, err := OpenKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range k.Names() {
		want, _ := k.Get(name)
		if got, _ := again.Get(name); !bytes.Equal(got, want) {
			t.Errorf("%s is not in the directory as it is in memory", name)
		}
	}
}

// TestHalfAKey: what a full directory has left of a key goes at the next start.
func TestHalfAKey(t *testing.T) {
	_, dir := keysIn(t)
	if err := os.WriteFile(filepath.Join(dir, partPrefix+"00"), []byte{1}, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenKeys(dir); err != nil {
		t.Fatal(err)
	}
	if list, _ := os.ReadDir(dir); len(list) > 0 {
		t.Error("half a key is left")
	}
}
