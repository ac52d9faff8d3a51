package opendata

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/books"
)

// TestArchiveKeys: the archive has a directory, by its path from the file, and a bound; a
// server that ends gives it back.
func TestArchiveKeys(t *testing.T) {
	dir := t.TempDir()
	read := func(text string) (Config, error) {
		t.Helper()
		path := filepath.Join(dir, "opendata.yaml")
		raw := "http: 127.0.0.1:0\nbooks: public\nstore: {sqlite: {path: store.db}}\n" + text + "\n"
		if err := os.WriteFile(path, []byte(raw), 0o600); err != nil {
			t.Fatal(err)
		}
		return ReadConfig(path)
	}
	for text, want := range map[string]Archive{
		"archive: files":                               {Dir: filepath.Join(dir, "files")},
		"archive: {dir: files, max_bytes: 3GiB}":       {Dir: filepath.Join(dir, "files"), MaxBytes: 3 << 30},
		"archive: {dir: /var/files, max_bytes: 70000}": {Dir: "/var/files", MaxBytes: 70000},
		"archive: {max_bytes: 2TiB}":                   {MaxBytes: 2 << 40},
	} {
		if c, err := read(text); err != nil || c.Archive != want {
			t.Errorf("%s: %+v, %v", text, c.Archive, err)
		}
	}
	for _, text := range []string{"archive: ''", "archive: {max_bytes: 0}", "archive: {max_bytes: many}",
		"archive: {max_bytes: 9999999TiB}", "archive: {size: 1}", "archive: [a, b]"} {
		if c, err := read(text); err == nil {
			t.Errorf("%s is taken: %+v", text, c.Archive)
		}
	}
	c, err := read("archive: {dir: files, max_bytes: 1GiB}")
	if err != nil {
		t.Fatal(err)
	}
	y := &year{}
	s, err := Open(c, y, books.Dir(filepath.Join(dir, "public")), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "files", "sluice-archive.json")); err != nil {
		t.Error(err)
	}
	if _, err := Open(c, y, books.Dir(filepath.Join(dir, "public")), slog.New(slog.DiscardHandler)); err == nil ||
		!strings.Contains(err.Error(), "archive") {
		t.Errorf("two servers have one archive: %v", err)
	}
	if err := errors.Join(s.alone.archive.Close(), s.listener.Close()); err != nil {
		t.Fatal(err)
	}
}
