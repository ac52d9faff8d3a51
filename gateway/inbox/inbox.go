// Package inbox is where motions arrive: a directory, or a web server. It only
// fetches; whether a motion is believed is not decided here.
//
// A path is that of one motion file, NAME.sluice, or of a directory of such. A URL is either that of one such
// file or of a page that names some: a web server's listing of a directory, or a
// text with one name a line. What has not changed is not fetched again (ETag and
// Last-Modified, RFC 9110 section 13).
package inbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Bounds of what is taken at a time.
const (
	maxFiles = 1000
	maxPage  = 1 << 20
	maxAll   = 64 << 20
	timeout  = 30 * time.Second
)

const suffix = ".sluice"

// File is what was found under a name.
type File struct {
	Name string
	Raw  []byte
}

// Inbox is a place to look for motions. It is not for concurrent use.
type Inbox struct {
	where string
	most  int64
	kept  map[string]fetched // by URL
	http  *http.Client
}

// fetched is what a server gave last.
type fetched struct {
	raw            []byte
	etag, modified string
}

// New makes an inbox of a path or a URL; files larger than most bytes are cut
// off after the next byte, so that whoever reads them sees that they are.
func New(where string, most int64) *Inbox {
	return &Inbox{where: where, most: most, kept: make(map[string]fetched), http: &http.Client{
		Timeout:   timeout,
		Transport: &http.Transport{IdleConnTimeout: time.Minute}, // no proxy: the environment is not read
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // a redirection leads to where nobody has configured
		},
	}}
}

// IsURL reports whether an inbox is behind HTTP or HTTPS.
func IsURL(where string) bool {
	return strings.HasPrefix(where, "http://") || strings.HasPrefix(where, "https://")
}

// Look returns what is there now, by name.
func (i *Inbox) Look(ctx context.Context) ([]File, error) {
	if IsURL(i.where) {
		return i.fetchAll(ctx)
	}
	return i.read()
}

func (i *Inbox) read() ([]File, error) {
	if filepath.Ext(i.where) == suffix {
		f, err := os.Open(i.where)
		if err != nil {
			return nil, fmt.Errorf("the inbox cannot be opened: %w", err)
		}
		defer f.Close()
		raw, err := io.ReadAll(io.LimitReader(f, i.most+1))
		return []File{{filepath.Base(i.where), raw}}, err
	}
	root, err := os.OpenRoot(i.where)
	if err != nil {
		return nil, fmt.Errorf("the inbox cannot be opened: %w", err)
	}
	defer root.Close()
	dir, err := root.Open(".")
	if err != nil {
		return nil, fmt.Errorf("the inbox cannot be opened: %w", err)
	}
	defer dir.Close()
	entries, err := dir.ReadDir(-1)
	if err != nil {
		return nil, fmt.Errorf("the inbox cannot be read: %w", err)
	}
	var list []File
	for _, e := range entries {
		if filepath.Ext(e.Name()) != suffix || !e.Type().IsRegular() || len(list) == maxFiles {
			continue
		}
		f, err := root.Open(e.Name())
		if errors.Is(err, os.ErrNotExist) {
			continue // it was taken away while we looked
		}
		if err != nil {
			return nil, fmt.Errorf("the inbox cannot be read: %w", err)
		}
		raw, err := io.ReadAll(io.LimitReader(f, i.most+1))
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, fmt.Errorf("the inbox cannot be read: %w", err)
		}
		list = append(list, File{e.Name(), raw})
		if tooMuch(list) {
			return nil, errTooMuch
		}
	}
	slices.SortFunc(list, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// named finds file names in a listing; they are names only, without any path.
var named = regexp.MustCompile(`[A-Za-z0-9][A-Za-z0-9._-]{0,120}\.sluice\b`)

func (i *Inbox) fetchAll(ctx context.Context) ([]File, error) {
	base, err := url.Parse(i.where)
	if err != nil {
		return nil, fmt.Errorf("the inbox's URL: %w", err)
	}
	if strings.HasSuffix(base.Path, suffix) {
		raw, err := i.fetch(ctx, base.String(), i.most)
		if err != nil {
			return nil, err
		}
		return []File{{filepath.Base(base.Path), raw}}, nil
	}
	page, err := i.fetch(ctx, base.String(), maxPage)
	if err != nil {
		return nil, err
	}
	if !strings.HasSuffix(base.Path, "/") && filepath.Ext(base.Path) == "" {
		base.Path += "/" // a directory, whose server left the slash out
	}
	names := named.FindAllString(string(page), -1)
	slices.Sort(names)
	names = slices.Compact(names)
	var list []File
	for _, name := range names[:min(len(names), maxFiles)] {
		raw, err := i.fetch(ctx, base.ResolveReference(&url.URL{Path: name}).String(), i.most)
		if err != nil {
			return list, err
		}
		list = append(list, File{name, raw})
		if tooMuch(list) {
			clear(i.kept)
			return nil, errTooMuch
		}
	}
	return list, nil
}

var errTooMuch = errors.New("the inbox holds more than 64 MiB; take old motions out, or rubbish")

func tooMuch(list []File) bool {
	n := 0
	for _, f := range list {
		n += len(f.Raw)
	}
	return n > maxAll
}

func (i *Inbox) fetch(ctx context.Context, from string, most int64) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, fmt.Errorf("the inbox's URL: %w", err)
	}
	old, known := i.kept[from]
	if known && old.etag != "" {
		req.Header.Set("If-None-Match", old.etag)
	} else if known && old.modified != "" {
		req.Header.Set("If-Modified-Since", old.modified)
	}
	resp, err := i.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("the inbox is out of reach: %w", err)
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotModified && known:
		return old.raw, nil
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		return nil, fmt.Errorf("the inbox answers %d; give its final URL, with the slash at the end if it is a directory", resp.StatusCode)
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("the inbox answers %d", resp.StatusCode)
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	if err != nil {
		return nil, fmt.Errorf("reading the inbox: %w", err)
	}
	i.kept[from] = fetched{raw, resp.Header.Get("ETag"), resp.Header.Get("Last-Modified")}
	return raw, nil
}
