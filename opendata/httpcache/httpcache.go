// Package httpcache makes each answer once, caches it for a quarter of a second or for three
// times as long as it takes to make, up to two seconds, and negotiates how it is sent: whole,
// compressed, or not modified.
//
// Nobody waits for one longer than ten seconds, but it is made to its end, and kept for a minute
// more for those who ask in it and have waited for ten seconds, too; who was refused is told to ask
// again. Or each who asks a store that is slow would begin anew what the one before has given up,
// and nobody would ever have it. Where the store is no longer slow, nobody has it.
//
// An answer has a strong ETag, the first 128 bits of the SHA-256 of its body, with "-gzip"
// appended when it is compressed (RFC 9110, sections 8.8.3 and 12.5.3). If-None-Match is
// answered with 304, HEAD with the headers of GET. Since releases never change, the same
// query has the same bytes and the same ETag, also after a restart and with another store.
//
// An answer that is too long to hold is sent in parts while it is made, without an ETag and
// without a length; if it cannot be completed, the connection is reset.
package httpcache

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"sluice/internal/crash"
)

// Reply is an answer with status 200.
type Reply struct {
	Type string // media type
	Body []byte
	Next string // path of the next page; empty for none
	File string // name to save it under; empty to show it
	Lang string // language of the text; empty for none
	// Parts is the body if it is too long to hold; Body is empty then.
	Parts Parts
}

// Maker makes the answer to a request. It may depend on the path, the query and the headers
// Accept and Accept-Language only: these are the cache key.
type Maker func(*http.Request) (*Reply, error)

// Failer answers a request whose Maker has failed.
type Failer func(http.ResponseWriter, *http.Request, error)

// Bounds of the cache. An answer is made again when it is as old as fresh, or later where that
// would cost more than a third of the time, by the first who asks then. None that is as old as
// stale is sent, but to those who have waited for a newer one for as long as they can.
const (
	fresh    = 250 * time.Millisecond
	stale    = 2 * time.Second
	maxBytes = 8 << 20
	maxBody  = 2 << 20
	making   = 8                // at a time
	patience = 10 * time.Second // of who asks
	longest  = 3 * patience     // that an answer is made
	again    = time.Minute      // that one is kept of which nobody could wait for the end
)

// Cache makes answers, each once at a time, and caches them while they are fresh.
type Cache struct {
	flight singleflight.Group
	slots  chan struct{}
	seats  *seats // of long answers

	mu    sync.Mutex
	kept  map[string]*kept // guarded by mu
	bytes int              // of bodies in kept; guarded by mu
	swept time.Time        // guarded by mu
}

// New returns an empty cache.
func New() *Cache {
	return &Cache{slots: make(chan struct{}, making), seats: newSeats(), kept: make(map[string]*kept)}
}

// Handle serves the answers of a Maker.
func (c *Cache) Handle(make Maker, fail Failer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		key := r.URL.EscapedPath() + "?" + r.URL.RawQuery + "\n" + r.Header.Get("Accept") + "\n" +
			r.Header.Get("Accept-Language")
		a, ok := c.find(key)
		if !ok {
			var err error
			if a, err = c.made(key, r, make); err != nil {
				fail(w, r, err)
				return
			}
		}
		if a.parts == nil {
			a.send(w, r)
			return
		}
		zip := gzipped(r.Header.Get("Accept-Encoding"))
		a.head(w)
		if zip {
			w.Header()["Content-Encoding"] = encoding
		}
		if r.Method != http.MethodHead {
			c.long(w, r, a.parts, zip)
		}
	}
}

// ErrSlow says that nobody waits any longer for an answer, which may be there for who asks again.
var ErrSlow = fmt.Errorf(
	"it took more than %v: the store does not answer, or this machine has too much to do; look at both", patience)

// made waits for an answer that is made for all who ask the same at this moment, or that others
// have begun to wait for and are told by now that it takes too long.
func (c *Cache) made(key string, r *http.Request, make Maker) (*kept, error) {
	before := c.before(key)
	done := c.flight.DoChan(key, func() (any, error) {
		var a *kept
		err := crash.Guard(func() (err error) {
			a, err = c.answer(key, r, make)
			return err
		})
		return a, err
	})
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case got := <-done:
		a, _ := got.Val.(*kept)
		return a, got.Err
	case <-late.C:
		if before == nil {
			return nil, ErrSlow
		}
		return before, nil
	}
}

// before is an answer that those before could not wait for, if it is not too old for who begins to
// wait now.
func (c *Cache) before(key string) *kept {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a, ok := c.kept[key]; ok && time.Now().Before(a.last) {
		return a
	}
	return nil
}

// answer makes an answer for all clients that wait for it, which may disconnect.
func (c *Cache) answer(key string, r *http.Request, make Maker) (*kept, error) {
	ctx := context.WithoutCancel(r.Context())
	turn, enough := context.WithTimeout(ctx, patience)
	defer enough()
	if err := c.slot(turn); err != nil {
		c.drop(key)
		return nil, err
	}
	defer func() { <-c.slots }()
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	begun := time.Now()
	out, err := make(r.WithContext(ctx))
	if err != nil {
		c.drop(key)
		return nil, err
	}
	a := newKept(out, begun)
	took := time.Since(begun)
	a.until = begun.Add(goodFor(took))
	if took >= patience {
		a.last = begun.Add(took + again)
	}
	c.keep(key, a)
	return a, nil
}

// goodFor is how long an answer is good from when its making begins, by how long that takes.
func goodFor(took time.Duration) time.Duration {
	return min(max(fresh, 3*took), stale)
}

// find is an answer that is good, or that somebody makes again just now: nobody else waits for
// that unless it is stale.
func (c *Cache) find(key string) (*kept, bool) {
	c.mu.Lock()
	a, ok := c.kept[key]
	c.mu.Unlock()
	now := time.Now()
	return a, ok && (now.Before(a.until) || now.Before(a.begun.Add(stale)) && a.again.Swap(true))
}

// keep adds an answer. Answers age within moments, so a full cache is emptied.
func (c *Cache) keep(key string, a *kept) {
	if len(a.body) > maxBody {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bytes+len(a.body) > maxBytes || time.Since(c.swept) > fresh {
		c.swept = time.Now()
		for old, b := range c.kept {
			if c.bytes+len(a.body) > maxBytes || c.swept.Sub(b.begun) >= stale && c.swept.After(b.last) {
				c.bytes -= len(b.body)
				delete(c.kept, old)
			}
		}
	}
	if old, ok := c.kept[key]; ok {
		c.bytes -= len(old.body)
	}
	c.kept[key] = a
	c.bytes += len(a.body)
}

// drop lets go of an answer that cannot be made again.
func (c *Cache) drop(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, ok := c.kept[key]; ok {
		c.bytes -= len(old.body)
		delete(c.kept, key)
	}
}

// head sets the headers that do not depend on the encoding.
func (a *kept) head(w http.ResponseWriter) {
	h := w.Header()
	h["Content-Type"] = a.mime
	h["Cache-Control"] = cacheControl
	h["Vary"] = vary
	if a.link != nil {
		h["Link"] = a.link
	}
	if a.file != nil {
		h["Content-Disposition"] = a.file
	}
	if a.lang != nil {
		h["Content-Language"] = a.lang
	}
}

// send writes the answer in the form that the client accepts.
func (a *kept) send(w http.ResponseWriter, r *http.Request) {
	a.head(w)
	h := w.Header()
	body, etag := a.body, a.etag
	if len(body) >= minCompress && gzipped(r.Header.Get("Accept-Encoding")) {
		body, etag = a.compressed(), a.etagGzip
		h["Content-Encoding"] = encoding
	}
	h["Etag"] = etag
	if match := r.Header.Get("If-None-Match"); match != "" && a.matches(match) {
		delete(h, "Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client may be gone
	}
}

var (
	cacheControl = []string{"public, max-age=5"}
	vary         = []string{"Accept, Accept-Encoding, Accept-Language"}
	encoding     = []string{"gzip"}
)

// matches compares weakly (RFC 9110, section 13.1.2): the client may have the answer in
// another encoding.
func (a *kept) matches(list string) bool {
	for tag := range strings.SplitSeq(list, ",") {
		tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
		if tag == "*" || tag == a.etag[0] || tag == a.etagGzip[0] {
			return true
		}
	}
	return false
}
