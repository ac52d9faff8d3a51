package books

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Pages is where a growing file's lines come from: those behind a position, which is
// 0 at the beginning, and the position behind them; none at the end.
type Pages func(ctx context.Context, at int64) (lines []string, next int64, err error)

// Found is the state in which Bring found a growing file.
type Found string

// States of a file. Behind lacks lines at its end, as after a restart.
const (
	Right   Found = ""
	Behind  Found = "behind"
	Missing Found = "missing"
	Changed Found = "changed by somebody else"
	Wrong   Found = "different from the ledger"
)

// Growing is a growing file and its one writer. The file is derived from where its
// lines come from: what is missing, is more, or is different in it is written anew.
//
// The file is read once, at the first Bring, and again whenever it is not as it was
// left. While it is, a Bring looks at it by stat(2) alone.
type Growing struct {
	dir   Dir
	name  string
	known bool  // it was read since the start
	at    int64 // position in the source behind what the file has
	size  int64 // bytes of that
	left  stamp // what the file was then
}

// NewGrowing returns the writer of a growing file in a directory.
func NewGrowing(dir Dir, name string) *Growing { return &Growing{dir: dir, name: name} }

// stamp is what stat(2) tells of a file. Whoever writes into it changes the time. It
// is taken before a file gets its name, or before it is read, so that no change after
// that is missed.
type stamp struct {
	there bool
	size  int64
	inode uint64
	mtime syscall.Timespec
}

// date gives a file that was just written a time of its own. The kernel's clock for files
// goes in steps of some milliseconds, so that a change right after ours would have our time;
// this one has nanoseconds. Whoever may write into a file need not be allowed to date it
// (utimensat(2)): then the kernel's time has to do.
func date(path string) error {
	if err := os.Chtimes(path, time.Time{}, time.Now()); !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return nil
}

func stampOf(path string) (stamp, error) {
	var st syscall.Stat_t
	err := syscall.Stat(path, &st)
	if errors.Is(err, fs.ErrNotExist) {
		return stamp{}, nil
	}
	if err != nil {
		return stamp{}, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	return stamp{true, st.Size, st.Ino, st.Mtim}, nil
}

func (g *Growing) path() string { return filepath.Join(string(g.dir), filepath.FromSlash(g.name)) }

// Bring brings the file up to date and returns the state that it was in. Lines that have
// been added to the source since the last Bring do not count as a difference.
func (g *Growing) Bring(ctx context.Context, source Pages) (found Found, err error) {
	now, err := stampOf(g.path())
	if err != nil {
		return Right, err
	}
	if g.known && now == g.left {
		_, err := g.more(ctx, source)
		return Right, err
	}
	first, was := !g.known, g.size
	g.known = false
	sound, err := g.compare(ctx, source)
	if err != nil {
		return Right, err
	}
	if !sound {
		return Wrong, g.rewrite(ctx, source)
	}
	g.left, g.known = now, true
	more, err := g.more(ctx, source)
	switch {
	case err != nil, first && more == 0:
		return Right, err
	case !now.there && (first || was > 0):
		return Missing, nil
	case first:
		return Behind, nil
	case !now.there:
		return Right, nil
	}
	return Changed, nil
}

// compare reads the file beside its source, up to where either ends; sound is that
// they agree so far, and that the file has no more.
func (g *Growing) compare(ctx context.Context, source Pages) (sound bool, err error) {
	g.at, g.size = 0, 0
	f, err := os.Open(g.path())
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 64<<10)
	for {
		lines, next, err := source(ctx, g.at)
		if err != nil {
			return false, err
		}
		if len(lines) == 0 {
			_, err := r.ReadByte()
			return errors.Is(err, io.EOF), unlessEOF(err)
		}
		size := g.size
		for _, want := range lines {
			line, err := readLine(r)
			if errors.Is(err, io.EOF) {
				return strings.HasPrefix(want, string(line)), nil // a last line may be half written
			}
			if errors.Is(err, errLong) || err == nil && string(line[:len(line)-1]) != want {
				return false, nil
			}
			if err != nil {
				return false, err
			}
			size += int64(len(line))
		}
		g.at, g.size = next, size
	}
}

func unlessEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// more writes what the source has behind g.at, from the byte g.size on, where some
// of it may stand already, and returns how many lines were not there.
func (g *Growing) more(ctx context.Context, source Pages) (int, error) {
	lines, next, err := source(ctx, g.at)
	if err != nil || len(lines) == 0 {
		return 0, err
	}
	if err := os.MkdirAll(filepath.Dir(g.path()), 0o755); err != nil {
		return 0, err
	}
	f, err := os.OpenFile(g.path(), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return 0, err
	}
	g.known = false
	info, err := f.Stat()
	if err == nil && info.Size() < g.size {
		err = errors.New(g.name + " has become shorter while it was written; it is read again") // and gets no hole
	}
	n := 0
	for err == nil && len(lines) > 0 {
		text := strings.Join(lines, "\n") + "\n"
		if have := info.Size() - g.size; have < int64(len(text)) {
			n += strings.Count(text[max(0, have):], "\n")
		}
		if _, err = f.WriteAt([]byte(text), g.size); err != nil {
			break
		}
		g.at, g.size = next, g.size+int64(len(text))
		lines, next, err = source(ctx, g.at)
	}
	if err == nil {
		err = f.Truncate(g.size) // never longer than what we wrote, so never with a hole
	}
	if err == nil {
		err = date(g.path())
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return n, err
	}
	g.left, err = stampOf(g.path())
	g.known = err == nil && g.left.size == g.size // otherwise somebody wrote, too
	return n, err
}

// rewrite writes the whole file beside the old one and renames it into place, so that
// readers see one or the other.
func (g *Growing) rewrite(ctx context.Context, source Pages) error {
	part := NewGrowing(g.dir, g.name+".part")
	if err := os.Remove(part.path()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, err := part.more(ctx, source); err != nil {
		return err
	}
	var err error
	if !part.left.there { // the source has nothing
		err = os.Remove(g.path())
	} else {
		err = os.Rename(part.path(), g.path())
	}
	if err != nil {
		return err
	}
	g.at, g.size, g.left, g.known = part.at, part.size, part.left, true
	return nil
}
