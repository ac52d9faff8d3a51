package books

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"time"
)

// End is where a growing book ends: how many lines it has and the SHA-256 of the last.
// No lines give the zero End.
type End struct {
	N      int64
	SHA256 string
}

// ErrBroken says that the last lines of a copy do not follow from each other: it is
// not what was written.
var ErrBroken = errors.New("its last lines do not follow from each other")

// Bounds of what is read to see where a book ends: the longest two lines there can be,
// and how long a whole book may take from a server that cannot send the end alone.
const (
	tailBytes = 256 << 10
	tailTime  = time.Minute
)

// Tailer is a Source that can show the end of a file without the rest.
type Tailer interface {
	// tail returns the file's last bytes and whether they are the whole file.
	tail(name string, most int64) (raw []byte, whole bool, err error)
}

// EndOf finds where ledger.jsonl or releases.jsonl ends in a copy. It reads no more
// than the last lines. What a crash left half written behind them does not count.
func EndOf(t Tailer, name string) (End, error) {
	raw, whole, err := t.tail(name, tailBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return End{}, nil
	}
	if err != nil {
		return End{}, err
	}
	raw = raw[:bytes.LastIndexByte(raw, '\n')+1]
	if len(raw) == 0 && whole {
		return End{}, nil
	}
	lines := strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n")
	if !whole {
		lines = lines[1:] // its beginning is not here
	}
	if len(lines) > 2 {
		lines = lines[len(lines)-2:]
	}
	if len(lines) == 0 {
		return End{}, fmt.Errorf("%s: %w", name, ErrBroken)
	}
	end, prev := End{}, ""
	for i, text := range lines {
		var e struct {
			N          int64  `json:"n"`
			PrevSHA256 string `json:"prev_sha256"`
		}
		if json.Unmarshal([]byte(text), &e) != nil || e.N < 1 || i > 0 && (e.N != end.N+1 || e.PrevSHA256 != prev) || e.N == 1 != (e.PrevSHA256 == "") {
			return End{}, fmt.Errorf("%s: %w", name, ErrBroken)
		}
		prev = Hash(text)
		end = End{N: e.N, SHA256: prev}
	}
	return end, nil
}

func (d Dir) tail(name string, most int64) ([]byte, bool, error) {
	f, info, err := d.Open(name)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	from := max(0, info.Size()-most)
	raw, err := io.ReadAll(io.NewSectionReader(f, from, most))
	return raw, from == 0, err
}

// tail asks for the last bytes alone (RFC 9110, section 14.1.2). From a server that
// sends everything all the same it keeps the end only.
func (m *Mirror) tail(name string, most int64) ([]byte, bool, error) {
	ctx, cancel := context.WithTimeout(context.Background(), tailTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, m.base+"/"+name, nil)
	if err != nil {
		return nil, false, err
	}
	req.Header.Set("Range", fmt.Sprintf("bytes=-%d", most))
	patient := *m.client
	patient.Timeout = tailTime
	resp, err := patient.Do(req)
	if err != nil {
		return nil, false, fmt.Errorf("the mirror of the books is out of reach: %w", err)
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusNotFound, http.StatusRequestedRangeNotSatisfiable: // an empty file has no last byte
		return nil, false, fs.ErrNotExist
	case http.StatusOK, http.StatusPartialContent:
	default:
		return nil, false, fmt.Errorf("the mirror of the books answers %d", resp.StatusCode)
	}
	raw, cut, err := last(resp.Body, int(most))
	if err != nil {
		return nil, false, fmt.Errorf("reading the mirror of the books: %w", err)
	}
	whole := resp.StatusCode == http.StatusOK && !cut || strings.HasPrefix(resp.Header.Get("Content-Range"), "bytes 0-")
	return raw, whole, nil
}

// last reads to the end and keeps the last most bytes; cut says that there were more.
func last(r io.Reader, most int) (raw []byte, cut bool, err error) {
	buf := make([]byte, 0, 2*most)
	for {
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if len(buf) == cap(buf) {
			buf, cut = append(buf[:0], buf[len(buf)-most:]...), true
		}
		if errors.Is(err, io.EOF) {
			if len(buf) > most {
				buf, cut = buf[len(buf)-most:], true
			}
			return buf, cut, nil
		}
		if err != nil {
			return nil, false, err
		}
	}
}
