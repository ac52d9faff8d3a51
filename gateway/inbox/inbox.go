// Package inbox is where motions arrive: a directory, or a web server. It only
// fetches; whether a motion is believed is not decided here.
//
// A path is that of one motion file, NAME.sluice, or of a directory of such. A URL
// is either that of one such file or of a page that names some: a web server's
// listing of a directory, or a text with one name a line.
//
// Each file is read once, however often it is looked for: of a file that was
// judged only its size and times are asked again, of a URL what RFC 9110 section
// 13 has for that (ETag and Last-Modified). One file is in memory at a time, and a
// round takes a minute and one file's time at most.
package inbox

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"sluice/internal/pattern"
)

// Bounds of what is looked at in one round.
const (
	maxFiles = 10_000
	maxPage  = 1 << 20
	maxAll   = 64 << 20
	timeout  = 30 * time.Second
	maxRound = time.Minute
)

// Pauses, so that a server cannot keep the gateway busy: before a name is asked for
// again that failed, which doubles; and before a file is, whose server says nothing
// of whether it has changed.
const (
	firstPause   = time.Minute
	longestPause = time.Hour
	unknownPause = 10 * time.Minute
)

const suffix = ".sluice"

// File is what was found under a name.
type File struct {
	Name string
	Raw  []byte
}

// Verdict is what became of a file.
type Verdict int

// The verdicts. Waiting is for a file that may be judged otherwise when the chain
// of motions has moved on.
const (
	Settled Verdict = iota
	Waiting
)

// Inbox is a place to look for motions. It is not for concurrent use.
type Inbox struct {
	where  string
	limit  int64
	judged map[string]mark
	now    func() time.Time
	http   *http.Client
}

// mark is how a file was when it was judged.
type mark struct {
	stamp          string // of a file: size, times and number; of a URL: the SHA-256
	etag, modified string // of a URL
	verdict        Verdict
	chain          string    // where the chain was
	again          time.Time // not to be asked for before
	pause          time.Duration
}

// New makes an inbox of a path or a URL; files larger than limit bytes are cut
// off after the next byte, so that whoever reads them sees that they are.
func New(where string, limit int64) *Inbox {
	return &Inbox{where: where, limit: limit, judged: make(map[string]mark), now: time.Now, http: &http.Client{
		Timeout: timeout,
		// No proxy, since the environment is not read. A connection for each question: the
		// library would log what a server says unasked on one that is kept.
		Transport: &http.Transport{DisableKeepAlives: true, MaxResponseHeaderBytes: 16 << 10},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // a redirection leads to where nobody has configured
		},
	}}
}

// IsURL reports whether an inbox is behind HTTP or HTTPS.
func IsURL(where string) bool {
	return strings.HasPrefix(where, "http://") || strings.HasPrefix(where, "https://")
}

// Each has every file judged that is new, has changed, or waits and the chain has
// moved since, one after the other in the order of their names. It ends early when
// judge moves the chain, which is for the caller to see, and when it has read
// enough for one round. An error is about the last that could not be read.
func (i *Inbox) Each(ctx context.Context, chain func() string, judge func(File) Verdict) error {
	names, open, err := i.list(ctx)
	if err != nil {
		return err
	}
	i.forget(names)
	began, read, start := chain(), 0, i.now()
	var problem error
	for _, name := range names {
		if ctx.Err() != nil || chain() != began || read > maxAll || i.now().Sub(start) > maxRound {
			break
		}
		old, known := i.judged[name]
		if known && i.now().Before(old.again) && (old.pause > 0 || old.verdict == Settled || old.chain == began) {
			continue
		}
		if known && old.verdict == Waiting && old.chain != began {
			known = false
		}
		raw, m, err := open(name, old, known)
		if errors.Is(err, os.ErrNotExist) {
			continue // it was taken away while we looked
		}
		if err != nil {
			problem = err // and the others are looked at all the same
			if IsURL(i.where) {
				old.pause = min(max(firstPause, 2*old.pause), longestPause)
				old.again = i.now().Add(old.pause)
				i.judged[name] = old
			}
			continue
		}
		m.pause = 0
		if raw == nil {
			i.judged[name] = m
			continue
		}
		read += len(raw)
		m.verdict, m.chain = judge(File{name, raw}), began
		i.judged[name] = m
	}
	return problem
}

var errTooMany = fmt.Errorf(
	"the inbox holds more than %d files; take old motions out that every gateway has taken, or rubbish", maxFiles)

// forget drops what was known of files that are not there any more.
func (i *Inbox) forget(names []string) {
	for name := range i.judged {
		if _, there := slices.BinarySearch(names, name); !there {
			delete(i.judged, name)
		}
	}
}

// opener reads a file, or nothing where it is as it was judged. Known says that
// the old mark counts.
type opener func(name string, old mark, known bool) ([]byte, mark, error)

func (i *Inbox) list(ctx context.Context) ([]string, opener, error) {
	switch {
	case IsURL(i.where):
		return i.listURL(ctx)
	case filepath.Ext(i.where) == suffix:
		return []string{filepath.Base(i.where)}, i.opener(filepath.Dir(i.where)), nil
	}
	dir, err := os.Open(i.where)
	if err != nil {
		return nil, nil, fmt.Errorf("the inbox cannot be opened: %w", err)
	}
	defer dir.Close()
	entries, err := dir.ReadDir(-1)
	if err != nil {
		return nil, nil, fmt.Errorf("the inbox cannot be read: %w", err)
	}
	var names []string
	for _, e := range entries {
		if filepath.Ext(e.Name()) == suffix && e.Type().IsRegular() {
			names = append(names, e.Name())
		}
	}
	if len(names) > maxFiles {
		return nil, nil, errTooMany
	}
	slices.Sort(names)
	return names, i.opener(i.where), nil
}

// opener reads the plain files of a directory.
func (i *Inbox) opener(dir string) opener {
	return func(name string, old mark, known bool) ([]byte, mark, error) {
		root, err := os.OpenRoot(dir)
		if err != nil {
			return nil, old, fmt.Errorf("the inbox cannot be opened: %w", err)
		}
		defer root.Close()
		f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe would keep us waiting
		if err != nil {
			return nil, old, fmt.Errorf("the inbox cannot be read: %w", err)
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil || !info.Mode().IsRegular() {
			return nil, old, fmt.Errorf("the inbox cannot be read: %s is no plain file", name)
		}
		m := mark{stamp: stamp(info)}
		if known && m.stamp == old.stamp {
			return nil, old, nil
		}
		raw, err := i.read(f, info.Size())
		return raw, m, err
	}
}

// stamp tells one state of a file from another.
func stamp(info os.FileInfo) string {
	s := fmt.Sprint(info.Size(), info.ModTime().UnixNano())
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		s += fmt.Sprint(" ", st.Ino, st.Dev, st.Ctim)
	}
	return s
}

// read takes all there is, and no more memory than that; size may be wrong, or -1
// for not known.
func (i *Inbox) read(r io.Reader, size int64) ([]byte, error) {
	if size < 0 || size > i.limit {
		size = i.limit
	}
	buf := make([]byte, size+1)
	n, err := io.ReadFull(r, buf)
	if err == nil && size < i.limit { // it has grown
		var more []byte
		more, err = io.ReadAll(io.LimitReader(r, i.limit+1-int64(n)))
		return append(buf, more...), err
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the inbox: %w", err)
	}
	return buf[:n:n], nil
}

// named finds file names in a listing; they are names only, without any path.
var named = pattern.New(`[A-Za-z0-9][A-Za-z0-9._-]{0,120}\.sluice\b`)

func (i *Inbox) listURL(ctx context.Context) ([]string, opener, error) {
	base, err := url.Parse(i.where)
	if err != nil {
		return nil, nil, fmt.Errorf("the inbox's URL: %w", err)
	}
	open := func(name string, old mark, known bool) ([]byte, mark, error) {
		at := base
		if !strings.HasSuffix(base.Path, suffix) {
			at = base.ResolveReference(&url.URL{Path: name})
		}
		return i.fetch(ctx, at.String(), old, known)
	}
	if strings.HasSuffix(base.Path, suffix) {
		return []string{filepath.Base(base.Path)}, open, nil
	}
	page, err := i.get(ctx, base.String(), mark{})
	if err != nil {
		return nil, nil, err
	}
	defer page.Body.Close()
	text, err := io.ReadAll(io.LimitReader(page.Body, maxPage))
	if err != nil {
		return nil, nil, fmt.Errorf("reading the inbox: %w", err)
	}
	if !strings.HasSuffix(base.Path, "/") && filepath.Ext(base.Path) == "" {
		base.Path += "/" // a directory, whose server left the slash out
	}
	names := named.FindAllString(string(text), -1)
	slices.Sort(names)
	if names = slices.Compact(names); len(names) > maxFiles {
		return nil, nil, errTooMany
	}
	return names, open, nil
}

// get asks, with the conditions that the old mark has.
func (i *Inbox) get(ctx context.Context, from string, old mark) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, fmt.Errorf("the inbox's URL: %w", err)
	}
	if old.etag != "" {
		req.Header.Set("If-None-Match", old.etag)
	} else if old.modified != "" {
		req.Header.Set("If-Modified-Since", old.modified)
	}
	resp, err := i.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("the inbox is out of reach: %w", err)
	}
	switch {
	case resp.StatusCode == http.StatusNotModified &&
		(old.etag != "" || old.modified != ""), resp.StatusCode == http.StatusOK:
		return resp, nil
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		err = fmt.Errorf("the inbox answers %d; give its final URL, with the slash at the end if it is a directory",
			resp.StatusCode)
	default:
		err = fmt.Errorf("the inbox answers %d", resp.StatusCode)
	}
	return nil, errors.Join(err, resp.Body.Close())
}

func (i *Inbox) fetch(ctx context.Context, from string, old mark, known bool) ([]byte, mark, error) {
	if !known {
		old.etag, old.modified = "", ""
	}
	resp, err := i.get(ctx, from, old)
	if err != nil {
		return nil, old, err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNotModified {
		return nil, old, nil
	}
	raw, err := i.read(resp.Body, resp.ContentLength)
	if err != nil {
		return nil, old, err
	}
	sum := sha256.Sum256(raw)
	m := mark{stamp: string(sum[:]), etag: resp.Header.Get("ETag"), modified: resp.Header.Get("Last-Modified"),
		verdict: old.verdict, chain: old.chain}
	if m.etag == "" && m.modified == "" {
		m.again = i.now().Add(unknownPause)
	}
	if known && m.stamp == old.stamp {
		return nil, m, nil
	}
	return raw, m, nil
}
