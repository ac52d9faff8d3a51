package books

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
)

// Follower reads the new lines of a growing file. From a directory or a mirror it reads
// only those; a file of a directory that has not changed is not opened.
type Follower struct {
	source Source
	name   string
	at     int64  // where the last line begins
	last   string // that line; empty before the first
	stamp  string // of a directory's file as it was read
}

// NewFollower starts before the first line of a growing file.
func NewFollower(source Source, name string) *Follower {
	return &Follower{source: source, name: name}
}

// onward is a source that gives a file from an offset on.
type onward interface {
	From(name string, at int64) (io.ReadCloser, error)
}

// Next gives each every whole line that is new. Where the file is not the one any more
// that was read before (its last line then is not where it was), begin is called, and
// all lines are new; so it is before the first. A line for which each fails is not
// taken as read. A file that is not there has nothing new.
func (f *Follower) Next(begin func(), each func(line string) error) error {
	stamp := ""
	if d, ok := f.source.(Dir); ok {
		if stamp = d.Stamp(f.name); stamp != "" && stamp == f.stamp {
			return nil
		}
	}
	same, err := f.read(begin, each)
	if err == nil && !same {
		f.at, f.last = 0, ""
		_, err = f.read(begin, each)
	}
	if err == nil {
		f.stamp = stamp
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// read reads on; same is false where the last line is not where it was.
func (f *Follower) read(begin func(), each func(line string) error) (same bool, err error) {
	from, err := f.open()
	if err != nil {
		return true, err
	}
	defer from.Close()
	r := bufio.NewReaderSize(from, 64<<10)
	at := f.at
	if f.last == "" {
		begin()
	} else {
		line, err := readLine(r)
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, errLong) {
			return true, fmt.Errorf("%s: %w", f.name, err)
		}
		if err != nil || string(line[:len(line)-1]) != f.last {
			return false, nil
		}
		at += int64(len(line))
	}
	for {
		line, err := readLine(r)
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		if err != nil {
			return true, fmt.Errorf("%s: %w", f.name, err)
		}
		text := string(line[:len(line)-1])
		if err := each(text); err != nil {
			return true, err
		}
		f.at, f.last = at, text
		at += int64(len(line))
	}
}

// open is the file from the last line on.
func (f *Follower) open() (io.ReadCloser, error) {
	return From(f.source, f.name, f.at)
}

// From opens a file at an offset, of which a directory, a mirror and what stands for them give
// only what is behind it.
func From(source Source, name string, at int64) (io.ReadCloser, error) {
	if s, ok := source.(onward); ok {
		return s.From(name, at)
	}
	raw, err := source.Get(name)
	return io.NopCloser(bytes.NewReader(raw[min(at, int64(len(raw))):])), err
}

// Near reports whether a source is a directory, or stands for some: it can be asked often.
func Near(source Source) bool {
	switch s := source.(type) {
	case Dir:
		return true
	case interface{ Near() bool }:
		return s.Near()
	}
	return false
}

// From opens a file at an offset.
func (d Dir) From(name string, at int64) (io.ReadCloser, error) {
	file, _, err := d.Open(name)
	if err != nil {
		return nil, err
	}
	if _, err := file.Seek(at, io.SeekStart); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// From requests a file from an offset on. A server without range support sends all of it,
// and the beginning is skipped.
func (m *Mirror) From(name string, at int64) (io.ReadCloser, error) {
	want := ""
	if at > 0 {
		want = fmt.Sprintf("bytes=%d-", at)
	}
	resp, err := m.stream(name, want)
	if err != nil {
		return nil, err
	}
	switch resp.StatusCode {
	case http.StatusPartialContent:
		return resp.Body, nil
	case http.StatusOK:
		if _, err := io.CopyN(io.Discard, resp.Body, at); err != nil && !errors.Is(err, io.EOF) {
			return nil, errors.Join(fmt.Errorf("reading the mirror of the books: %w", err), resp.Body.Close())
		}
		return resp.Body, nil
	case http.StatusRequestedRangeNotSatisfiable: // it is shorter than it was
		return io.NopCloser(bytes.NewReader(nil)), resp.Body.Close()
	case http.StatusNotFound:
		return nil, errors.Join(fs.ErrNotExist, resp.Body.Close())
	}
	return nil, errors.Join(fmt.Errorf("the mirror of the books answers %d", resp.StatusCode), resp.Body.Close())
}
