package books

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Bounds of a mirror's files and of how often one is asked for.
const (
	mirrorFresh   = 2 * time.Second
	mirrorTimeout = 5 * time.Second
	mirrorMost    = 64 << 20
)

// Mirror is the books behind a URL: any web server that serves the gateway's
// public/ directory. While it is out of reach, what it said last still holds.
type Mirror struct {
	base   string
	client *http.Client

	mu    sync.Mutex
	files map[string]copied // guarded by mu
}

// copied is a file as a mirror last gave it.
type copied struct {
	raw   []byte
	etag  string
	asked time.Time
}

// NewMirror reads the books at a URL such as https://mirror.example/books.
func NewMirror(base string) *Mirror {
	return &Mirror{base: strings.TrimSuffix(base, "/"), files: make(map[string]copied), client: &http.Client{
		Timeout:       mirrorTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute}, // no proxy: the environment is not read
	}}
}

// Get returns a file; fs.ErrNotExist where the mirror has none of that name.
func (m *Mirror) Get(name string) ([]byte, error) {
	if !named(name) {
		return nil, fs.ErrNotExist
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	old, known := m.files[name]
	if known && time.Since(old.asked) < mirrorFresh {
		return old.raw, nil
	}
	now, err := m.fetch(name, old)
	if err != nil && known {
		old.asked = time.Now() // do not make every reader wait for a dead mirror
		m.files[name] = old
		return old.raw, nil
	}
	if err != nil {
		return nil, err
	}
	m.files[name] = now
	return now.raw, nil
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
	return copied{raw, resp.Header.Get("ETag"), time.Now()}, nil
}
