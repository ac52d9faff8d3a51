package workspace

import (
	"os"
	"path/filepath"
	"testing"
)

// TestNothingIsWrittenThroughALink: whoever may write into the desk or into an inbox can have no
// other file written, neither by a link under the file's name, nor by one under the name that it
// once had until it was whole, nor by a directory that is a link.
func TestNothingIsWrittenThroughALink(t *testing.T) {
	outside := t.TempDir()
	victim := filepath.Join(outside, "victim")
	if err := os.WriteFile(victim, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	desk, inbox := Dir(t.TempDir()), t.TempDir()
	link := func(to, at string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(to, at); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{desk.Motion("m"), inbox} {
		link(victim, filepath.Join(dir, "m.sluice"))
		link(victim, filepath.Join(dir, "m.sluice.part"))
	}
	if _, err := desk.put("m", []byte("motion"), []string{inbox}); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{desk.Motion("m"), inbox} {
		info, err := os.Lstat(filepath.Join(dir, "m.sluice"))
		if err != nil || !info.Mode().IsRegular() {
			t.Errorf("in %s: %v, %v", dir, info, err)
		}
	}
	for name, dir := range map[string]Dir{"desk": Dir(t.TempDir()), "inbox": Dir(inbox)} {
		link(outside, filepath.Join(string(dir), "motions"))
		if err := dir.Put("motions/n/motion.txt", []byte("x")); err == nil {
			t.Errorf("%s: a file is written behind a directory that is a link", name)
		}
	}
	link(victim, filepath.Join(string(desk), suspendedName))
	if err := desk.Put(suspendedName, []byte("suspended: []")); err != nil {
		t.Error(err)
	}
	left, err := os.ReadDir(outside)
	if raw, _ := os.ReadFile(victim); err != nil || len(left) != 1 || string(raw) != "before" {
		t.Errorf("outside is %v, %q, %v", left, raw, err)
	}
}

// TestAFileKeepsItsMode: what only some may read stays so, and a new one is for all.
func TestAFileKeepsItsMode(t *testing.T) {
	d := Dir(t.TempDir())
	if err := os.WriteFile(filepath.Join(string(d), "kept"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"kept", "below/new"} {
		if err := d.Put(name, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]os.FileMode{"kept": 0o600, "below/new": 0o644} {
		info, err := os.Stat(filepath.Join(string(d), name))
		if err != nil || info.Mode().Perm()&^0o022 != want&^0o022 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	if left, err := os.ReadDir(string(d)); err != nil || len(left) != 2 {
		t.Errorf("left are %v, %v", left, err)
	}
}
