package books

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// Bounds of a mirror's files and of how often one is asked for.
const (
	mirrorFresh   = 2 * time.Second
	mirrorTimeout = 5 * time.Second
	mirrorLong    = 10 * time.Minute
	mirrorMost    = 64 << 20
	mirrorNames   = 5000 // those that it does not have are forgotten then
)

// Mirror reads the books from a URL: any web server that serves the gateway's public/
// directory. While it is unreachable, its last answers hold.
type Mirror struct {
	base   string
	client *http.Client
	long   *http.Client // for files of any length, read by line or at their ends

	flight singleflight.Group

	mu    sync.Mutex
	files map[string]copied // guarded by mu
	away  error             // of who asked last; nil where it answered; guarded by mu
}

// copied is a file as a mirror last gave it.
type copied struct {
	raw     []byte
	etag    string
	asked   time.Time
	changed time.Time
	missing bool
}

// NewMirror reads the books at a URL such as https://mirror.example/books.
func NewMirror(base string) *Mirror {
	client := http.Client{
		Timeout:       mirrorTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{ // no proxy: the environment is not read
			DialContext:         (&net.Dialer{Timeout: mirrorTimeout}).DialContext,
			MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute, ResponseHeaderTimeout: mirrorTimeout,
		},
	}
	long := client
	long.Timeout = mirrorLong
	return &Mirror{base: strings.TrimSuffix(base, "/"), files: make(map[string]copied), client: &client, long: &long}
}

// Get returns a file; fs.ErrNotExist where the mirror has none of that name. Each
// name is asked for by one reader at a time, who keeps nobody from other names:
// strangers choose some of them.
func (m *Mirror) Get(name string) ([]byte, error) {
	if !named(name) {
		return nil, fs.ErrNotExist
	}
	if old, known := m.have(name); known && time.Since(old.asked) < mirrorFresh {
		return old.bytes()
	}
	v, err, _ := m.flight.Do(name, func() (any, error) { return m.again(name) })
	if err != nil {
		return nil, err
	}
	now, _ := v.(copied)
	return now.bytes()
}

func (m *Mirror) have(name string) (copied, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, known := m.files[name]
	return c, known
}

// again asks the mirror; while it is unreachable, the last copy is returned.
func (m *Mirror) again(name string) (copied, error) {
	old, known := m.have(name)
	now, err := m.fetch(name, old)
	away := err
	if errors.Is(err, fs.ErrNotExist) {
		away = nil // it answers
	}
	switch {
	case errors.Is(err, fs.ErrNotExist) && (!known || old.missing):
		now = copied{missing: true, asked: time.Now()}
	case err != nil && known:
		old.asked = time.Now() // do not make every reader wait for a dead mirror
		now = old
	case err != nil:
		m.mu.Lock()
		defer m.mu.Unlock()
		m.away = away
		return copied{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.away = away
	if len(m.files) > mirrorNames {
		maps.DeleteFunc(m.files, func(_ string, c copied) bool { return c.missing })
	}
	m.files[name] = now
	return now, nil
}

// Away is the error of the last request, if the mirror did not answer it and older copies
// are in use; nil if it did.
func (m *Mirror) Away() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.away
}

func (c copied) bytes() ([]byte, error) {
	if c.missing {
		return nil, fs.ErrNotExist
	}
	return c.raw, nil
}

func (m *Mirror) fetch(name string, old copied) (copied, error) {
	ctx, cancel := context.WithTimeout(context.Background(), mirrorTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, m.base+"/"+name, nil)
	if err != nil {
		return old, err
	}
	if old.etag != "" {
		req.Header.Set("If-None-Match", old.etag)
	}
	resp, err := m.client.Do(req)
	if err != nil {
		return old, fmt.Errorf("the mirror of the books is out of reach: %w", err)
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusNotModified:
		old.asked = time.Now()
		return old, nil
	case http.StatusNotFound:
		return old, fs.ErrNotExist
	case http.StatusOK:
	default:
		return old, fmt.Errorf("the mirror of the books answers %d", resp.StatusCode)
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, mirrorMost+1))
	if err != nil {
		return old, fmt.Errorf("reading the mirror of the books: %w", err)
	}
	if len(raw) > mirrorMost {
		return old, fmt.Errorf("the mirror's %s is larger than 64 MiB", name)
	}
	now := time.Now()
	return copied{raw: raw, etag: resp.Header.Get("ETag"), asked: now, changed: now}, nil
}
