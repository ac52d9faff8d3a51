package archive

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"time"

	"sluice/door"
	"sluice/opendata/httpcache"
	"sluice/opendata/query"
)

// How long a client may take for a file, and for each part of it.
const (
	longest  = time.Hour
	partTime = time.Minute
)

// What a cache may do with a file. A closed month is asked for again after a day, since
// something in it may have been withdrawn.
const (
	forClosed = "public, max-age=86400, immutable"
	forLatest = "public, max-age=60"
)

// Routes adds the files to a mux. Fail answers where there is none.
func (a *Archive) Routes(mux *http.ServeMux, cache *httpcache.Cache, fail httpcache.Failer) {
	for path, make := range map[string]httpcache.Maker{
		"/archive/manifest.json": a.manifest, "/archive/datapackage.json": a.dataPackage,
		"/archive/schema.json": schema,
	} {
		mux.HandleFunc(path, cache.Handle(make, fail))
	}
	mux.HandleFunc("/archive/{path...}", func(w http.ResponseWriter, r *http.Request) { a.file(w, r, fail) })
}

// open opens a file that is offered.
func (a *Archive) open(path string) (*os.File, File, error) {
	if _, ok := parse(path); !ok {
		return nil, File{}, query.ErrUnknown
	}
	a.mu.RLock()
	defer a.mu.RUnlock() // held while it is opened: the name may be another file's right after
	k := a.files[path]
	if k == nil {
		return nil, File{}, query.ErrUnknown
	}
	f, err := os.Open(a.at(path))
	if errors.Is(err, fs.ErrNotExist) {
		err = query.ErrUnknown // somebody has removed it
	}
	return f, k.File, err
}

// file sends a file, or parts of it (RFC 9110, section 14), from the disk.
func (a *Archive) file(w http.ResponseWriter, r *http.Request, fail httpcache.Failer) {
	f, is, err := a.open(r.PathValue("path"))
	if err != nil {
		fail(w, r, err)
		return
	}
	defer f.Close()
	// A slow client may take long: it holds nothing but its connection.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(longest)) // a recorder of a test has none
	door.Patient(r, partTime)
	h := w.Header()
	h.Set("Content-Type", is.Type)
	h.Set("Cache-Control", forLatest)
	if is.Closed {
		h.Set("Cache-Control", forClosed)
	}
	h.Set("ETag", `"`+is.SHA256[:32]+`"`)
	http.ServeContent(w, r, "", time.Time{}, f)
}
