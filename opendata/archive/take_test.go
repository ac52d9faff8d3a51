package archive

import (
	"log/slog"
	"os"
	"path/filepath"
	"slices"
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

// TestSweep takes away what nobody holds and is old, and nothing else.
func TestSweep(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	for name, age := range map[string]time.Duration{
		temporary + "old": 2 * time.Hour, temporary + "held": 2 * time.Hour, temporary + "new": 0,
		"other": 2 * time.Hour,
	} {
		path := filepath.Join(dir, name)
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	f, err := hold(filepath.Join(dir, temporary+"held"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sweep(dir, now.Add(-time.Hour))
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range left {
		names = append(names, e.Name())
	}
	if want := []string{"other", temporary + "held", temporary + "new"}; !slices.Equal(names, want) {
		t.Errorf("left are %q; want %q", names, want)
	}
}
