package books

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Dir is the books as a directory, for reading and for the one writer.
type Dir string

// Put writes a file atomically, by rename. It does nothing if the file already has these
// bytes.
func (d Dir) Put(name string, raw []byte) error {
	_, err := d.put(name, raw)
	return err
}

// put is Put, and returns what the file was when it had these bytes.
func (d Dir) put(name string, raw []byte) (stamp, error) {
	to := filepath.Join(string(d), filepath.FromSlash(name))
	now, err := stampOf(to)
	if err != nil {
		return now, err
	}
	if old, err := os.ReadFile(to); err == nil && bytes.Equal(old, raw) {
		return now, nil
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return now, err
	}
	part := to + ".part"
	if err := os.WriteFile(part, raw, 0o644); err != nil {
		return now, err
	}
	return rename(part, to)
}

// Write is Put for a file that is too long to be held at once: fill writes it.
func (d Dir) Write(name string, fill func(io.Writer) error) error {
	_, err := d.write(name, fill)
	return err
}

// write is Write, and returns what the file was before it had its name.
func (d Dir) write(name string, fill func(io.Writer) error) (now stamp, err error) {
	to := filepath.Join(string(d), filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return now, err
	}
	part := to + ".part"
	f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return now, err
	}
	w := bufio.NewWriterSize(f, 1<<16)
	err = fill(w)
	if err == nil {
		err = w.Flush()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return now, err
	}
	return rename(part, to)
}

// rename gives a written file its name, and returns what it was right before.
func rename(part, to string) (stamp, error) {
	if err := date(part); err != nil {
		return stamp{}, err
	}
	now, err := stampOf(part)
	if err != nil {
		return now, err
	}
	return now, os.Rename(part, to)
}

// Open opens a file, for callers that want a part of it or must not hold all of it. It
// refuses directories.
func (d Dir) Open(name string) (*os.File, fs.FileInfo, error) {
	if !named(name) {
		return nil, nil, fs.ErrNotExist
	}
	f, err := os.Open(filepath.Join(string(d), filepath.FromSlash(name)))
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, info, nil
}

// named reports whether a file of the books can have a name. Names come from
// strangers, and an error of the file system would quote them.
func named(name string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:/"
	return fs.ValidPath(name) && len(name) <= 300 && !strings.ContainsFunc(name, func(r rune) bool {
		return !strings.ContainsRune(letters, r)
	})
}

// Only removes every file of a directory whose name is not given: files of an earlier
// state. A missing directory is no error.
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

// Get reads one file.
func (d Dir) Get(name string) ([]byte, error) {
	if !named(name) {
		return nil, fs.ErrNotExist
	}
	return os.ReadFile(filepath.Join(string(d), filepath.FromSlash(name)))
}
