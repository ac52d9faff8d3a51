package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// wounds are what happens to files. Old is the file of an hour before, nil where
// there was none.
var wounds = []struct {
	name string
	do   func(w *world, path string, old []byte) error
}{
	{"removed", func(_ *world, path string, _ []byte) error { return os.Remove(path) }},
	{"emptied", func(_ *world, path string, _ []byte) error { return os.Truncate(path, 0) }},
	{"cut", func(w *world, path string, _ []byte) error {
		raw, err := os.ReadFile(path)
		if err != nil || len(raw) < 2 {
			return err
		}
		return os.Truncate(path, int64(1+w.rnd.IntN(len(raw)-1)))
	}},
	{"cut at a page", func(_ *world, path string, _ []byte) error {
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.Truncate(path, int64(max(0, (len(raw)-1)/4096*4096)))
	}},
	{"flipped", func(w *world, path string, _ []byte) error {
		return change(path, func(raw []byte) []byte { raw[w.rnd.IntN(len(raw))] ^= 1 << w.rnd.IntN(8); return raw })
	}},
	{"zeroed", func(w *world, path string, _ []byte) error {
		return change(path, func(raw []byte) []byte {
			at := w.rnd.IntN(len(raw)) / 4096 * 4096
			clear(raw[at:min(at+4096, len(raw))])
			return raw
		})
	}},
	{"garbled", func(w *world, path string, _ []byte) error {
		return change(path, func(raw []byte) []byte {
			for i := range raw {
				raw[i] = byte(w.rnd.IntN(256))
			}
			return raw
		})
	}},
	{"older", func(_ *world, path string, old []byte) error {
		if old == nil {
			return os.Remove(path) // so it was, an hour before
		}
		return change(path, func([]byte) []byte { return old })
	}},
}

// change rewrites a file in its place; an empty one stays.
func change(path string, how func([]byte) []byte) error {
	raw, err := os.ReadFile(path)
	if err != nil || len(raw) == 0 {
		return err
	}
	return os.WriteFile(path, how(raw), 0o600)
}

// snapshot is a world's files at rest.
type snapshot map[string][]byte

func (w *world) snapshot() snapshot {
	s := snapshot{}
	for _, dir := range []string{w.state(), w.keys} {
		_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				if raw, err := os.ReadFile(path); err == nil {
					s[path] = raw
				}
			}
			return nil
		})
	}
	return s
}

// restore makes the files what they were.
func (w *world) restore(s snapshot) {
	for path := range w.snapshot() {
		if _, there := s[path]; !there {
			_ = os.Remove(path)
		}
	}
	for path, raw := range s {
		if now, err := os.ReadFile(path); err == nil && bytes.Equal(now, raw) {
			continue
		}
		mode := fs.FileMode(0o600)
		if strings.Contains(path, "/public/") || strings.Contains(path, "/store.db") {
			mode = 0o644
		}
		_ = os.MkdirAll(filepath.Dir(path), 0o755)
		_ = os.WriteFile(path, raw, mode)
	}
}
