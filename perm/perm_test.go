package perm_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"sluice/perm"
)

// file makes a file or directory of exactly this mode.
func file(t *testing.T, dir, name string, mode fs.FileMode) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if strings.HasSuffix(name, "/") {
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
	} else if err := os.WriteFile(path, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func modeOf(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

// TestRules: each rule with each mode, for a file and a directory.
func TestRules(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rule  perm.Rule
		fine  []fs.FileMode
		wrong []fs.FileMode
	}{
		{perm.Trusted, []fs.FileMode{0o700, 0o755, 0o775, 0o744}, []fs.FileMode{0o757, 0o777, 0o702}},
		{perm.Secret, []fs.FileMode{0o700, 0o600, 0o640, 0o440}, []fs.FileMode{0o644, 0o604, 0o660, 0o602, 0o620}},
		{perm.Ours, []fs.FileMode{0o700, 0o755, 0o711}, []fs.FileMode{0o775, 0o777, 0o702, 0o720}},
		{perm.Private, []fs.FileMode{0o700}, []fs.FileMode{0o710, 0o701, 0o750, 0o755, 0o777}},
	} {
		for _, name := range []string{"file", "dir/"} {
			for want, list := range map[bool][]fs.FileMode{true: c.fine, false: c.wrong} {
				for _, mode := range list {
					path := file(t, t.TempDir(), name, mode|0o400)
					err := perm.Check(path, c.rule)
					var w *perm.Error
					if (err == nil) != want || err != nil && !errors.As(err, &w) {
						t.Errorf("rule %d, %s of %04o: %v", c.rule, name, mode, err)
					}
					if w != nil &&
						(!strings.Contains(w.Fix, "chmod") || !strings.Contains(w.Fix, filepath.Clean(path))) {
						t.Errorf("what is said does not mend it: %v", err)
					}
				}
			}
		}
	}
}

// TestWhoseItIs: what another user owns is refused where it must be ours.
func TestWhoseItIs(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		if err := perm.Check("/etc", perm.Ours); err != nil {
			t.Errorf("what is root's is refused: %v", err)
		}
		if err := perm.Check("/etc", perm.Private); err == nil {
			t.Error("what is root's is private to somebody else")
		}
		return
	}
	path := file(t, t.TempDir(), "file", 0o600)
	if err := os.Chown(path, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	for rule, fine := range map[perm.Rule]bool{perm.Trusted: true, perm.Secret: true, perm.Ours: false,
		perm.Private: false} {
		if err := perm.Check(path, rule); (err == nil) != fine {
			t.Errorf("rule %d for another's file: %v", rule, err)
		}
	}
	if err := perm.Replace(path, []byte("more"), 0o644); err != nil || modeOf(t, path) != 0o600 {
		t.Errorf("root replaces another's file: %v, %04o", err, modeOf(t, path))
	}
	var st syscall.Stat_t
	if err := syscall.Stat(path, &st); err != nil || st.Uid != 65534 {
		t.Errorf("its owner is %d now: %v", st.Uid, err)
	}
}

// TestAbove: a file is as trusted as the directories that it is in.
func TestAbove(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open := file(t, dir, "open/", 0o777)
	inner := file(t, open, "inner/", 0o755)
	path := file(t, inner, "file", 0o600)
	if _, err := perm.Read(path, perm.Trusted); err == nil || !strings.Contains(err.Error(), "chmod o-w "+open) {
		t.Errorf("a file that others may exchange: %v", err)
	}
	if err := os.Symlink(path, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if _, err := perm.Read(filepath.Join(dir, "link"), perm.Trusted); err == nil {
		t.Error("a link hides where the file lies")
	}
	if err := os.Chmod(open, 0o777|fs.ModeSticky); err != nil {
		t.Fatal(err)
	}
	if raw, err := perm.Read(path, perm.Trusted); err != nil || string(raw) != "text" {
		t.Errorf("a file in a directory like /tmp: %q, %v", raw, err)
	}
}

// TestOdd: what is no plain file is refused and makes nobody wait; a link is judged
// by what it leads to, and refused where it is somebody else's work.
func TestOdd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pipe, link, long := filepath.Join(dir, "pipe"), filepath.Join(dir, "link"), file(t, dir, "long", 0o600)
	if err := errors.Join(syscall.Mkfifo(pipe, 0o600), os.Symlink(file(t, dir, "wide", 0o666), link),
		os.Truncate(long, perm.MaxFile+1)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{pipe, dir, link, long} {
		var w *perm.Error
		if _, err := perm.Read(path, perm.Trusted); !errors.As(err, &w) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if err := perm.CheckHere(link, perm.Ours); err == nil || !strings.Contains(err.Error(), "rm ") {
		t.Errorf("a link: %v", err)
	}
	if err := perm.Check(filepath.Join(dir, "none"), perm.Private); err != nil {
		t.Errorf("what is not there: %v", err)
	}
}

// TestWriting: the mode is the one that was asked for; nothing is followed, and what
// is there is not made wider.
func TestWriting(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	target := file(t, dir, "target", 0o600)
	link := filepath.Join(dir, "link")
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	if err := perm.Create(link, []byte("secret"), 0o600); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a link is written through: %v", err)
	}
	if err := perm.Replace(link, []byte("secret"), 0o600); err == nil {
		t.Error("a link is replaced")
	}
	if raw, err := os.ReadFile(target); err != nil || string(raw) != "text" {
		t.Errorf("the link's target is %q, %v", raw, err)
	}
	for _, mode := range []fs.FileMode{0o600, 0o644, 0o666} {
		path := filepath.Join(dir, fmt.Sprintf("new-%o", mode))
		if err := perm.Create(path, []byte("x"), mode); err != nil || modeOf(t, path) != mode {
			t.Errorf("%04o: %v, %04o", mode, err, modeOf(t, path))
		}
	}
	for old, want := range map[fs.FileMode]fs.FileMode{0o640: 0o600, 0o400: 0o400, 0o666: 0o600} {
		path := file(t, dir, fmt.Sprintf("old-%o", old), old)
		if err := perm.Replace(path, []byte("x"), 0o600); err != nil || modeOf(t, path) != want {
			t.Errorf("over %04o: %v, %04o", old, err, modeOf(t, path))
		}
	}
	wide := file(t, dir, "wide", 0o644)
	if changed, err := perm.Tighten(wide, 0o600); !changed || err != nil || modeOf(t, wide) != 0o600 {
		t.Errorf("tightened: %v, %v, %04o", changed, err, modeOf(t, wide))
	}
	if changed, err := perm.Tighten(wide, 0o644); changed || err != nil || modeOf(t, wide) != 0o600 {
		t.Errorf("tightened again: %v, %v, %04o", changed, err, modeOf(t, wide))
	}
	left, err := filepath.Glob(filepath.Join(dir, ".*.part"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
