package api

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path"
	"time"

	"sluice/opendata/query"
	"sluice/opendata/reply"
)

// A file of the books from largeBook on is sent from the disk, in parts if the
// client likes, within longest.
const (
	largeBook = 1 << 20
	longest   = 10 * time.Minute
)

// opener is a source whose files need not be read whole.
type opener interface {
	Open(name string) (*os.File, fs.FileInfo, error)
}

// book is one file of the public books, as it is, for mirrors and for whoever checks
// them. The chains grow for years.
func (a *API) book(small http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		dir, ok := a.source.Books.Source.(opener)
		if !ok {
			small(w, r)
			return
		}
		f, info, err := dir.Open(r.PathValue("name"))
		if err != nil {
			small(w, r) // it says what is wrong
			return
		}
		defer f.Close()
		if info.Size() < largeBook {
			small(w, r)
			return
		}
		// A slow client may take long here; it holds nothing but its connection.
		if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(longest)); err != nil {
			a.log.Error("a file of the books cannot be sent", "error", err)
		}
		h := w.Header()
		h.Set("Content-Type", bookType(info.Name()))
		h.Set("Cache-Control", "public, max-age=5")
		h.Set("ETag", fmt.Sprintf(`"%x-%x"`, info.Size(), info.ModTime().UnixNano()))
		http.ServeContent(w, r, "", info.ModTime(), f)
	}
}

// small is a file that is read whole.
func (a *API) small(r *http.Request) (*reply.Reply, error) {
	name := r.PathValue("name")
	raw, err := a.source.Books.Source.Get(name)
	var at *fs.PathError // no such file, or a directory
	if errors.Is(err, fs.ErrNotExist) || errors.As(err, &at) {
		return nil, query.ErrUnknown
	}
	return &reply.Reply{Type: bookType(name), Body: raw}, err
}

func bookType(name string) string {
	switch path.Ext(name) {
	case ".json":
		return "application/json"
	case ".jsonl":
		return "application/jsonl"
	case ".geojson":
		return "application/geo+json"
	case ".gz", ".sig", "":
		return "application/octet-stream"
	}
	return "text/plain; charset=utf-8"
}
