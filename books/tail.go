package books

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
)

// MaxLine is the most bytes of a line of a growing file. Ours have some hundred.
const MaxLine = 1 << 20

// End is the last whole line of a growing file.
type End struct {
	N    int64  // its number; 0 for a file without one
	Line string // without its line feed
}

// Tail is a source that can tell a growing file's last line without all the others.
type Tail interface {
	// Tail returns at most the last n bytes of a file, and whether that is all of it;
	// fs.ErrNotExist where there is none of that name.
	Tail(name string, n int64) (raw []byte, whole bool, err error)
}

// ErrTorn says that a growing file has no whole last line that can be read.
var ErrTorn = errors.New("its last line cannot be read")

// Last reads the last whole line of a chained file; the zero End where the file is
// not there or has none. It reads little of a file of any length.
func Last(s Tail, name string) (End, error) {
	for size := int64(16 << 10); ; size *= 8 {
		raw, whole, err := s.Tail(name, size)
		if errors.Is(err, fs.ErrNotExist) {
			return End{}, nil
		}
		if err != nil {
			return End{}, err
		}
		raw = raw[:bytes.LastIndexByte(raw, '\n')+1] // the writer may be in the middle of the next
		if len(raw) == 0 && whole {
			return End{}, nil
		}
		begin := -1
		if len(raw) > 0 {
			begin = bytes.LastIndexByte(raw[:len(raw)-1], '\n')
		}
		if begin < 0 && !whole {
			if size > MaxLine {
				return End{}, fmt.Errorf("%s: %w: it is longer than %d bytes", name, ErrTorn, MaxLine)
			}
			continue
		}
		line := raw[begin+1 : len(raw)-1]
		var e struct {
			N int64 `json:"n"`
		}
		if err := json.Unmarshal(line, &e); err != nil || e.N <= 0 {
			return End{}, fmt.Errorf("%s: %w", name, ErrTorn)
		}
		return End{e.N, string(line)}, nil
	}
}

// Tail implements Tail.
func (d Dir) Tail(name string, n int64) ([]byte, bool, error) {
	f, info, err := d.Open(name)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	from := max(0, info.Size()-n)
	raw := make([]byte, info.Size()-from)
	if _, err := f.ReadAt(raw, from); err != nil && !errors.Is(err, io.EOF) {
		return nil, false, err
	}
	return raw, from == 0, nil
}

// Tail implements Tail by a range request (RFC 9110, section 14). Of a server that
// knows no ranges all is read, and the end kept.
func (m *Mirror) Tail(name string, n int64) ([]byte, bool, error) {
	resp, err := m.stream(name, fmt.Sprintf("bytes=-%d", n))
	if err != nil {
		return nil, false, err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusPartialContent, http.StatusOK:
	case http.StatusNotFound:
		return nil, false, fs.ErrNotExist
	case http.StatusRequestedRangeNotSatisfiable:
		return nil, true, nil // it is empty
	default:
		return nil, false, fmt.Errorf("the mirror of the books answers %d", resp.StatusCode)
	}
	raw, total, err := keepEnd(resp.Body, n)
	if err != nil {
		return nil, false, fmt.Errorf("reading the mirror of the books: %w", err)
	}
	var first, last, all int64
	if resp.StatusCode == http.StatusPartialContent {
		if _, err := fmt.Sscanf(resp.Header.Get("Content-Range"), "bytes %d-%d/%d", &first, &last, &all); err != nil {
			return nil, false, errors.New("the mirror of the books answers with a range that cannot be read")
		}
		return raw, first == 0 && total <= n, nil
	}
	return raw, total <= n, nil
}

// keepEnd reads all and keeps the last n bytes.
func keepEnd(r io.Reader, n int64) (end []byte, total int64, err error) {
	chunk := make([]byte, 32<<10)
	for {
		k, err := r.Read(chunk)
		total += int64(k)
		if end = append(end, chunk[:k]...); int64(len(end)) > 2*n {
			end = append([]byte(nil), end[int64(len(end))-n:]...)
		}
		if errors.Is(err, io.EOF) {
			return end[max(0, int64(len(end))-n):], total, nil
		}
		if err != nil {
			return nil, total, err
		}
	}
}

// stream asks for a file of any length.
func (m *Mirror) stream(name, want string) (*http.Response, error) {
	if !named(name) {
		return nil, fs.ErrNotExist
	}
	req, err := http.NewRequest(http.MethodGet, m.base+"/"+name, nil) //nolint:noctx // the client has a time limit
	if err != nil {
		return nil, err
	}
	if want != "" {
		req.Header.Set("Range", want)
	}
	resp, err := m.long.Do(req)
	if err != nil {
		return nil, fmt.Errorf("the mirror of the books is out of reach: %w", err)
	}
	return resp, nil
}

// Each is Dir's Each for a mirror, of which it keeps nothing.
func (m *Mirror) Each(name string, f func(line string) error) error {
	resp, err := m.stream(name, "")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
		return EachLine(resp.Body, name, f)
	case http.StatusNotFound:
		return nil
	}
	return fmt.Errorf("the mirror of the books answers %d", resp.StatusCode)
}

// Each gives f every whole line of a growing file of a directory in turn, and holds
// one of them at a time. A file that is not there has none.
func (d Dir) Each(name string, f func(line string) error) error {
	file, err := os.Open(filepath.Join(string(d), filepath.FromSlash(name)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	return EachLine(file, name, f)
}

// EachLine gives f every whole line of a growing file of a name in turn, and holds one of
// them at a time.
func EachLine(from io.Reader, name string, f func(line string) error) error {
	r := bufio.NewReaderSize(from, 64<<10)
	for n := 1; ; n++ {
		line, err := readLine(r)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s, line %d: %w", name, n, err)
		}
		if err := f(string(line[:len(line)-1])); err != nil {
			return err
		}
	}
}

var errLong = fmt.Errorf("it is longer than %d bytes", MaxLine)

// readLine reads a line with its line feed; io.EOF where there is no whole one.
func readLine(r *bufio.Reader) (line []byte, err error) {
	for {
		part, err := r.ReadSlice('\n')
		if line = append(line, part...); len(line) > MaxLine {
			return nil, errLong
		}
		if err == nil || !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}
