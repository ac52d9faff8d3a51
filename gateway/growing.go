package gateway

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"sluice/books"
)

// batch is how many lines of a book are in memory at a time, and longestLine how long
// one may be.
const (
	bookBatch   = 1000
	longestLine = 1 << 20
)

// errAhead says that a copy of a book has more, or other lines than the ledger.
var errAhead = errors.New("it is not a copy of this gateway's book; move it away, and it is written anew")

// growing is a growing book in one directory, as it was left. Whoever has touched it
// since shows, and then it is compared with the ledger from its first line on.
type growing struct {
	dir  books.Dir
	name string
	// own says that it is in the gateway's own public/: derived from the ledger, and
	// written anew where it is not what the ledger says. A copy outside is a witness,
	// and only ever added to.
	own  bool
	read func(ctx context.Context, after, most int64) ([]string, error)

	lines, bytes int64
	left         fs.FileInfo // nil until it was compared
}

func (b *growing) path() string { return filepath.Join(string(b.dir), b.name) }

// update brings the file up to date and reports whether it had to be written anew.
func (b *growing) update(ctx context.Context, trusted bool) (anew bool, err error) {
	if !b.untouched() {
		same, err := b.compare(ctx)
		switch {
		case err != nil:
			return false, err
		case !same && !b.own:
			return false, fmt.Errorf("%s: %w", b.path(), errAhead)
		case !same && !trusted:
			return false, nil // it may know better than this ledger, and trust asks it
		case !same:
			if err := b.anew(ctx); err != nil {
				return false, err
			}
			anew = true
		}
	}
	grown := false
	for {
		lines, err := b.read(ctx, b.lines, bookBatch)
		if err != nil {
			return anew, err
		}
		if len(lines) == 0 {
			break
		}
		if b.bytes, err = b.dir.Append(b.name, b.bytes, lines); err != nil {
			b.left = nil
			return anew, err
		}
		b.lines += int64(len(lines))
		grown = true
	}
	if grown || b.left == nil {
		if b.left, err = os.Stat(b.path()); errors.Is(err, fs.ErrNotExist) && b.lines == 0 {
			err = nil // no line yet, and no file
		}
	}
	return anew, err
}

// untouched reports whether the file is still as it was left.
func (b *growing) untouched() bool {
	now, err := os.Stat(b.path())
	if err != nil {
		return errors.Is(err, fs.ErrNotExist) && b.left == nil && b.lines == 0
	}
	return b.left != nil && os.SameFile(now, b.left) && now.Size() == b.left.Size() && now.ModTime().Equal(b.left.ModTime())
}

// compare counts the lines that are as the ledger has them, and reports whether that
// is all there is but for the half of a line that a crash has left, which the next
// line cuts off.
func (b *growing) compare(ctx context.Context) (same bool, err error) {
	b.left, b.lines, b.bytes = nil, 0, 0
	f, err := os.Open(b.path())
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	return b.count(ctx, bufio.NewReaderSize(f, 64<<10))
}

// count walks the file beside the ledger, and reports whether nothing but the half of
// a line follows what they have in common.
func (b *growing) count(ctx context.Context, r *bufio.Reader) (same bool, err error) {
	var want []string
	for {
		line, err := bounded(r)
		if errors.Is(err, io.EOF) {
			return !strings.ContainsRune(line, 0), nil // a hole is no half of a line
		}
		if err != nil {
			return false, err
		}
		if len(want) == 0 {
			if want, err = b.read(ctx, b.lines, bookBatch); err != nil {
				return false, err
			}
		}
		if len(want) == 0 || want[0]+"\n" != line {
			return false, nil
		}
		want = want[1:]
		b.lines++
		b.bytes += int64(len(line))
	}
}

// bounded reads a line with its line feed, or io.EOF and what is there without one. A
// line that is too long is no line of ours.
func bounded(r *bufio.Reader) (string, error) {
	var line strings.Builder
	for {
		part, err := r.ReadSlice('\n')
		line.Write(part)
		if !errors.Is(err, bufio.ErrBufferFull) || line.Len() > longestLine {
			if errors.Is(err, bufio.ErrBufferFull) {
				err = nil
			}
			return line.String(), err
		}
	}
}

// anew writes the whole book from the ledger beside the old file, and puts it in its
// place.
func (b *growing) anew(ctx context.Context) error {
	part := b.name + ".part"
	_ = os.Remove(filepath.Join(string(b.dir), part)) // of a crash
	b.lines, b.bytes = 0, 0
	var size int64
	for {
		lines, err := b.read(ctx, b.lines, bookBatch)
		if err != nil {
			return err
		}
		if len(lines) == 0 {
			break
		}
		if size, err = b.dir.Append(part, size, lines); err != nil {
			return err
		}
		b.lines += int64(len(lines))
	}
	b.bytes = size
	if size == 0 {
		return os.Remove(b.path())
	}
	return os.Rename(filepath.Join(string(b.dir), part), b.path())
}
