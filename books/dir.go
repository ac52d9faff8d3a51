package books

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Dir is the books as a directory, for reading and for the one writer.
type Dir string

// Put writes a whole file by rename; the same bytes are not written again.
func (d Dir) Put(name string, raw []byte) error {
	to := filepath.Join(string(d), filepath.FromSlash(name))
	if old, err := os.ReadFile(to); err == nil && bytes.Equal(old, raw) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	part := to + ".part"
	if err := os.WriteFile(part, raw, 0o644); err != nil {
		return err
	}
	return os.Rename(part, to)
}

// Only removes every file of a directory that is not named: what was there before
// and is no longer true. A directory that is not there is left so.
func (d Dir) Only(dir string, names ...string) error {
	base := filepath.Join(string(d), filepath.FromSlash(dir))
	entries, err := os.ReadDir(base)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		if !slices.Contains(names, e.Name()) {
			errs = append(errs, os.Remove(filepath.Join(base, e.Name())))
		}
	}
	return errors.Join(errs...)
}

// PutJSON writes v as indented JSON.
func (d Dir) PutJSON(name string, v any) error {
	raw, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err
	}
	return d.Put(name, append(raw, '\n'))
}

// Append makes a growing file hold exactly these lines after the first have
// ones: what a crash left half written is cut off first.
func (d Dir) Append(name string, have int64, lines []string) error {
	if len(lines) == 0 {
		return nil
	}
	to := filepath.Join(string(d), name)
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(to, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(to)
	if err == nil {
		at := lineOffset(raw, have)
		if at < 0 {
			err = errors.New(name + " is shorter than the ledger says")
		} else if err = f.Truncate(at); err == nil {
			_, err = f.WriteAt([]byte(strings.Join(lines, "\n")+"\n"), at)
		}
	}
	return errors.Join(err, f.Close())
}

// Lines counts the whole lines of a growing file.
func (d Dir) Lines(name string) (int64, error) {
	raw, err := os.ReadFile(filepath.Join(string(d), name))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	return int64(bytes.Count(raw, []byte("\n"))), err
}

func lineOffset(raw []byte, n int64) int64 {
	at := int64(0)
	for ; n > 0; n-- {
		i := bytes.IndexByte(raw[at:], '\n')
		if i < 0 {
			return -1
		}
		at += int64(i) + 1
	}
	return at
}

// Get reads one file.
func (d Dir) Get(name string) ([]byte, error) {
	if !fs.ValidPath(name) {
		return nil, fs.ErrNotExist
	}
	return os.ReadFile(filepath.Join(string(d), filepath.FromSlash(name)))
}
