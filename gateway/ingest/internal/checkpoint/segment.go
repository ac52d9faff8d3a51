package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// segmentKey begins the names of segments' keys, oldKey those of segments as they
// were before blocks were counted.
const (
	segmentKey = "seg-"
	oldKey     = "log-"
)

func segmentName(n uint64) string { return fmt.Sprintf("segment-%016d.log", n) }

func keyName(n uint64) string { return fmt.Sprintf("%s%016d", segmentKey, n) }

func oldKeyName(n uint64) string { return fmt.Sprintf("%s%016d", oldKey, n) }

// ofSegment reports whether a key is the log's own.
func ofSegment(key string) bool {
	return strings.HasPrefix(key, segmentKey) || strings.HasPrefix(key, oldKey)
}

// numberOf takes a number out of a name; ok when the name is exactly that of it.
func numberOf(name, format string, back func(uint64) string) (n uint64, ok bool) {
	_, err := fmt.Sscanf(name, format, &n)
	return n, err == nil && name == back(n)
}

// segment is one that nothing is appended to any more.
type segment struct {
	number, blocks uint64
	size           int64
	// names are all that something in it may belong to; bytes how much of it each
	// has, as far as it was read or written.
	names map[string]bool
	bytes map[string]int64
	// doomed says that what is in it is lost, and goes with the next commit; bad that
	// it could not be read to be rewritten.
	doomed, bad bool
}

func newSegment(number uint64) *segment {
	return &segment{number: number, names: make(map[string]bool), bytes: make(map[string]int64)}
}

func (s *segment) listed() listed {
	names := make([]string, 0, len(s.names))
	for name := range s.names {
		names = append(names, name)
	}
	slices.Sort(names)
	return listed{Number: s.number, Blocks: s.blocks, Size: s.size, Names: names}
}

// count notes a frame.
func (s *segment) count(f frame) {
	if f.kind.sealed() {
		s.names[f.name] = true
		s.bytes[f.name] += int64(len(f.raw))
	}
}

// live is how many bytes of it some key still opens.
func (s *segment) live(keys *Keys) (n int64) {
	for name, size := range s.bytes {
		if keys.has(name) {
			n += size
		}
	}
	return n
}

// openReader opens a segment with its key.
func openReader(dir string, number uint64, keys *Keys) (*segmentReader, error) {
	seal := keys.seal(keyName(number))
	if seal == nil {
		return nil, errNoKey
	}
	f, err := os.Open(filepath.Join(dir, segmentName(number)))
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errNoFile
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &segmentReader{file: f, number: number, seal: seal, size: info.Size()}, nil
}

var (
	errNoKey  = errors.New("its key is gone")
	errNoFile = errors.New("it is no file")
)

// create makes an empty segment under a name of its own, durably, and its key.
func create(dir string, number uint64, keys *Keys, name string) (*writer, error) {
	if _, err := keys.Make(keyName(number)); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	seal := keys.seal(keyName(number))
	if seal == nil {
		return nil, errors.Join(errNoKey, f.Close())
	}
	return &writer{file: f, number: number, seal: seal}, nil
}

// remove takes a segment's file and keys away, whatever of them there is: the file
// first, so that a crash leaves no file whose key is unknown.
func remove(dir string, number uint64, keys *Keys) error {
	err := ignore(os.Remove(filepath.Join(dir, segmentName(number))), fs.ErrNotExist)
	return errors.Join(err, keys.Shred(keyName(number)), keys.Shred(oldKeyName(number)))
}

// found lists the segments' files of a directory, and takes away what a kill has
// left half made.
func found(dir string) ([]uint64, error) {
	names, err := namesIn(dir)
	if err != nil {
		return nil, err
	}
	var out []uint64
	for _, name := range names {
		if n, ok := numberOf(name, "segment-%d.log", segmentName); ok {
			out = append(out, n)
		} else if strings.HasPrefix(name, "segment-") && strings.HasSuffix(name, partSuffix) {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				return nil, err
			}
		}
	}
	slices.Sort(out)
	return out, nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
