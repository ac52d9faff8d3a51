package books

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
)

// Shelf is the whole files of a directory and their one writer. It knows how it has
// left each, so that one that is as it was is looked at by stat(2) alone, and one that
// somebody has changed or removed is written again.
type Shelf struct {
	dir  Dir
	left map[string]shelved
}

// shelved is a file as it was left.
type shelved struct {
	sum   string
	stamp stamp
}

// NewShelf returns the writer of a directory's whole files.
func NewShelf(dir Dir) *Shelf { return &Shelf{dir, make(map[string]shelved)} }

// Sum is the SHA-256 of a file's bytes, in hex.
func Sum(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// Has reports whether a file has these bytes still, by their sum: it was left so, and
// nobody has touched it since.
func (s *Shelf) Has(name, sum string) (bool, error) {
	now, err := stampOf(s.path(name))
	was, known := s.left[name]
	return known && was.sum == sum && now.there && now == was.stamp, err
}

// Put makes a file have these bytes and says what it was before, where that is not
// as it was left: Missing or Changed.
func (s *Shelf) Put(name string, raw []byte) (Found, error) {
	sum := Sum(raw)
	if same, err := s.Has(name, sum); same || err != nil {
		return Right, err
	}
	found := Right
	if was, known := s.left[name]; known {
		old, err := s.dir.Get(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			found = Missing
		case err != nil || Sum(old) != was.sum:
			found = Changed
		}
	}
	left, err := s.dir.put(name, raw)
	if err != nil {
		return found, err
	}
	s.left[name] = shelved{sum, left}
	return found, nil
}

// Write writes a file that is too large to hold in memory, without comparing it first.
func (s *Shelf) Write(name string, write func(io.Writer) error) error {
	left, err := s.dir.write(name, write)
	if err == nil {
		s.left[name] = shelved{stamp: left}
	}
	return err
}

// Untouched reports whether a file is as it was left.
func (s *Shelf) Untouched(name string) bool {
	now, err := stampOf(s.path(name))
	was, known := s.left[name]
	return err == nil && known && now.there && now == was.stamp
}

// PutJSON is Put of v as indented JSON.
func (s *Shelf) PutJSON(name string, v any) (Found, error) {
	raw, err := JSON(v)
	if err != nil {
		return Right, err
	}
	return s.Put(name, raw)
}

// JSON encodes a value as the books do: indented, with a final line feed.
func JSON(v any) ([]byte, error) {
	raw, err := json.MarshalIndent(v, "", " ")
	return append(raw, '\n'), err
}

func (s *Shelf) path(name string) string {
	return filepath.Join(string(s.dir), filepath.FromSlash(name))
}
