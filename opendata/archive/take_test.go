package archive

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestTake: a directory in which somebody else has files is not taken, whatever they are called,
// and nothing in it is removed.
func TestTake(t *testing.T) {
	for name, text := range map[string]string{"index.json": "[]", indexName: `{"my": "own"}`, "notes.txt": ""} {
		dir := t.TempDir()
		for path, text := range map[string]string{name: text, "2024.db": "mine", "photos/2024/01.csv.gz": "mine"} {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, path)), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, path), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Open(Config{Dir: dir}, nil, "", slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("a directory with %s is taken", name)
		}
		for _, path := range []string{name, "2024.db", "photos/2024/01.csv.gz"} {
			if _, err := os.Stat(filepath.Join(dir, path)); err != nil {
				t.Errorf("beside %s: %v", name, err)
			}
		}
	}
	for _, text := range []string{"", "[]", "null"} { // ours, the first from before the first file
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, indexName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		a, err := Open(Config{Dir: dir}, nil, "", slog.New(slog.DiscardHandler))
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		_ = a.Close()
	}
}

// TestSweep takes away what nobody holds, is old and has a name as they have, and nothing else.
func TestSweep(t *testing.T) {
	dir, old := t.TempDir(), time.Now().Add(-2*time.Hour)
	at := func(name string) string { return filepath.Join(dir, temporary+name) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	stay := []string{"2", "3", "4-mine", "5", "6", "mine"}
	for _, name := range append(stay, "1") {
		if name == "6" {
			must(syscall.Mkfifo(at(name), 0o600))
		} else {
			must(os.Mkdir(at(name), 0o700))
		}
		must(os.Chtimes(at(name), old, old))
	}
	must(os.Chtimes(at("2"), time.Now(), time.Now())) // it may be beginning
	f, err := hold(at("3"))
	must(err)
	defer f.Close()
	if os.Geteuid() == 0 {
		must(os.Chown(at("5"), 4711, 4711))
	} else {
		must(os.Remove(at("5")))
		stay = slices.Delete(stay, 3, 4)
	}
	sweep(dir, time.Now().Add(-time.Hour))
	left, err := filepath.Glob(at("*"))
	must(err)
	for i := range left {
		left[i] = strings.TrimPrefix(left[i], at(""))
	}
	if !slices.Equal(left, stay) {
		t.Errorf("left are %q; want %q", left, stay)
	}
}

// TestHold: a pipe in a directory's place is no directory, and nobody waits for it.
func TestHold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := hold(path); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("it is held: %v", err)
	}
}
