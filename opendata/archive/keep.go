package archive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// indexName is the archive's own file: what the others are. A directory that has it is an
// archive's, and files in it may be removed, so nothing else may be called so.
const indexName = "sluice-archive.json"

// kept is a file on the disk.
type kept struct {
	File
	Key string `json:"key"` // of what it was made from
}

// take makes the directory ours, and no other server's.
func (a *Archive) take() error {
	if err := os.MkdirAll(a.dir, 0o755); err != nil {
		return fmt.Errorf("its directory cannot be made: %w", err)
	}
	entries, err := os.ReadDir(a.dir)
	if err != nil {
		return err
	}
	if len(entries) > 0 && !a.marked() {
		return fmt.Errorf("%s has other files; give a directory of its own, which is empty or not there", a.dir)
	}
	f, err := os.OpenFile(a.at(indexName), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	lock, err := hold(a.dir)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = fmt.Errorf("%s is another open-data server's; give each its own", a.dir)
	}
	a.lock = lock
	return errors.Join(err, f.Close())
}

// hold takes a directory, until what it returns is closed; EWOULDBLOCK where somebody else has it.
func hold(dir string) (*os.File, error) {
	f, err := os.OpenFile(dir, syscall.O_DIRECTORY, 0) // a pipe in its place would be waited for
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil { //nolint:gosec // it fits
		_ = f.Close() // it was read from at most
		return nil, err
	}
	return f, nil
}

// temporary is how the names of archives begin that are of one run.
const temporary = "sluice-archive-"

// sweep takes away those of runs that were killed: they have a name as os.MkdirTemp gives it, nobody holds them, and
// they are older than the time that one needs to begin. What is another user's stays, also where root may do all.
func sweep(dir string, before time.Time) {
	list, _ := filepath.Glob(filepath.Join(dir, temporary+"[0-9]*"))
	for _, path := range list {
		at, err := os.Lstat(path)
		if err != nil || !at.IsDir() || at.ModTime().After(before) ||
			strings.Trim(filepath.Base(path)[len(temporary):], "0123456789") != "" {
			continue
		}
		if of, ok := at.Sys().(*syscall.Stat_t); !ok || int(of.Uid) != os.Geteuid() {
			continue
		}
		if f, err := hold(path); err == nil {
			_ = os.RemoveAll(path) // if it cannot be, it stays as it was
			_ = f.Close()
		}
	}
}

// marked reports whether the directory has an index of ours, or one that was just begun.
func (a *Archive) marked() bool {
	raw, err := os.ReadFile(a.at(indexName))
	return err == nil && (len(raw) == 0 || json.Unmarshal(raw, new([]*kept)) == nil)
}

// load reads the index, looks whether each file is what it says, and removes the others that
// could be ours: what was being made when the last process ended.
func (a *Archive) load(ctx context.Context) {
	var list []*kept
	if raw, err := os.ReadFile(a.at(indexName)); err == nil {
		_ = json.Unmarshal(raw, &list) // what cannot be read is made again
	}
	sound := make(map[string]*kept)
	for _, k := range list {
		if _, ok := parse(k.Path); !ok || ctx.Err() != nil {
			continue
		}
		if n, sum, err := sumOf(a.at(k.Path)); err == nil && n == k.Bytes && sum == k.SHA256 {
			sound[k.Path] = k
		} else if !errors.Is(err, fs.ErrNotExist) {
			a.log.Warn("a file of the archive is not as it was made, and is made again", "file", k.Path)
		}
	}
	if ctx.Err() != nil {
		return
	}
	_ = filepath.WalkDir(a.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil //nolint:nilerr // what cannot be read is not ours
		}
		rel, err := filepath.Rel(a.dir, path)
		if err != nil {
			return nil //nolint:nilerr // it is below
		}
		name := filepath.ToSlash(rel)
		whole, half := strings.CutSuffix(name, partSuffix)
		if _, ours := parse(whole); ours && (half || sound[name] == nil) {
			_ = os.Remove(path) // at the next start again
		}
		return nil
	})
	a.mu.Lock()
	defer a.mu.Unlock()
	a.files = sound
}

// sumOf is a file's size and SHA-256.
func sumOf(path string) (n int64, sum string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, "", err
	}
	defer f.Close()
	h := sha256.New()
	n, err = io.Copy(h, f)
	return n, hex.EncodeToString(h.Sum(nil)), err
}

// save writes the index. The caller holds mu.
func (a *Archive) save() error {
	list := slices.Collect(maps.Values(a.files))
	slices.SortFunc(list, func(x, y *kept) int { return strings.Compare(x.Path, y.Path) })
	raw, err := json.Marshal(list)
	if err != nil {
		return err
	}
	if err := os.WriteFile(a.at(indexName+partSuffix), raw, 0o644); err != nil {
		return err
	}
	return os.Rename(a.at(indexName+partSuffix), a.at(indexName))
}

// remove takes files away.
func (a *Archive) remove(list []string) error {
	if len(list) == 0 {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, path := range list {
		delete(a.files, path)
	}
	err := a.save() // first, so that nothing is offered after a crash
	for _, path := range list {
		if gone := os.Remove(a.at(path)); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}
	return err
}

const partSuffix = ".part"

// errFull means that the files would take more bytes than they may.
var errFull = errors.New("the archive is full")

// work is one or two files while they are made.
type work struct {
	of    *Archive
	parts []*part
}

// part is a file that has no name yet.
type part struct {
	File
	at    string
	file  *os.File
	sum   hash.Hash
	left  *int64 // bytes that may still be written
	other bool   // somebody else writes into it, by its name
}

// begin opens the files of an item under other names.
func (a *Archive) begin(i item) (*work, error) {
	a.mu.RLock()
	left := a.max
	for path, k := range a.files {
		if !slices.Contains(i.paths, path) {
			left -= k.Bytes
		}
	}
	a.mu.RUnlock()
	w := &work{of: a}
	for _, path := range i.paths {
		at, ok := parse(path)
		if !ok {
			return w, errors.Join(fmt.Errorf("%s is no file of the archive", path), w.end())
		}
		p := &part{File: File{Path: path, Stream: at.stream, Month: at.month, Format: at.format,
			Type: types[at.format]}, at: a.at(path) + partSuffix, sum: sha256.New(), left: &left}
		if err := os.MkdirAll(filepath.Dir(p.at), 0o755); err != nil {
			return w, errors.Join(err, w.end())
		}
		var err error
		if p.file, err = os.OpenFile(p.at, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644); err != nil {
			return w, errors.Join(err, w.end())
		}
		w.parts = append(w.parts, p)
	}
	return w, nil
}

// Write implements io.Writer.
func (p *part) Write(b []byte) (int, error) {
	if *p.left -= int64(len(b)); *p.left < 0 {
		return 0, errFull
	}
	n, err := p.file.Write(b)
	p.Bytes += int64(n)
	p.sum.Write(b[:n])
	return n, err
}

// commit gives the files their names, both or, after a crash, perhaps one, which the index
// does not have then.
func (w *work) commit(key string) error {
	for _, p := range w.parts {
		p.SHA256 = hex.EncodeToString(p.sum.Sum(nil))
		if p.other {
			var err error
			if p.Bytes, p.SHA256, err = sumOf(p.at); err != nil {
				return err
			}
			if *p.left -= p.Bytes; *p.left < 0 {
				return errFull
			}
		}
		if err := p.file.Sync(); err != nil {
			return err
		}
	}
	a := w.of
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, p := range w.parts {
		if err := os.Rename(p.at, a.at(p.Path)); err != nil {
			return err
		}
		a.files[p.Path] = &kept{p.File, key}
	}
	return a.save()
}

// end closes the files, and removes what has no name.
func (w *work) end() error {
	var errs []error
	for _, p := range w.parts {
		errs = append(errs, p.file.Close())
		if err := os.Remove(p.at); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
