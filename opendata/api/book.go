package api

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"slices"
	"time"

	"sluice/books"
	"sluice/door"
	"sluice/opendata/httpcache"
	"sluice/opendata/query"
)

// A file of the books of at least largeBook bytes is sent from the disk, with ranges,
// within longest.
const (
	largeBook = 1 << 20
	longest   = 10 * time.Minute
)

// opener is a source whose files can be read in parts.
type opener interface {
	Open(name string) (*os.File, fs.FileInfo, error)
}

// whose tells where one gateway's books are.
type whose struct {
	Gateway string `json:"gateway"` // empty where the books do not say it
	Books   string `json:"books"`   // their path
}

// gateways lists where each gateway's books are, so that verifiers find all of them.
func (a *API) gateways(r *http.Request) (*httpcache.Reply, error) {
	list, err := a.source.Books.Gateways()
	if err != nil {
		return nil, err
	}
	out := struct {
		Gateways []whose `json:"gateways"`
	}{}
	for _, g := range list {
		w := whose{g.Name, httpcache.At(r.Context(), "/books")}
		if len(list) > 1 {
			w.Books += "/gateways/" + url.PathEscape(g.Name)
		}
		out.Gateways = append(out.Gateways, w)
	}
	return asJSON(out)
}

// booksOf returns the books that a request names: a gateway's, or the first one's.
func (a *API) booksOf(r *http.Request) (books.Source, error) {
	name := r.PathValue("gateway")
	if name == "" {
		return a.source.Books.First(), nil
	}
	list, err := a.source.Books.Gateways()
	for _, g := range list {
		if name == g.Name {
			return g.Source, nil
		}
	}
	return nil, cmp.Or(err, query.ErrUnknown)
}

// book serves one file of the public books as it is, for mirrors and verifiers. The chains
// grow for years.
func (a *API) book(small http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		source, err := a.booksOf(r)
		dir, ok := source.(opener)
		if !ok || err != nil {
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
		// A slow client may take long: it holds nothing but its connection.
		if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(longest)); err != nil {
			a.log.Error("a file of the books cannot be sent", "error", err)
		}
		door.Patient(r, time.Minute)
		h := w.Header()
		h.Set("Content-Type", bookType(info.Name()))
		h.Set("Cache-Control", "public, max-age=5")
		part, modified := io.NewSectionReader(f, 0, info.Size()), info.ModTime()
		if slices.Contains(chains, r.PathValue("name")) {
			modified = time.Time{} // it is the same on other machines, whenever those wrote it
			h.Set("ETag", chainTag(part))
		} else {
			h.Set("ETag", fmt.Sprintf(`"%x-%x"`, info.Size(), modified.UnixNano()))
		}
		http.ServeContent(w, r, "", modified, part)
	}
}

// chainTag is a validator for a chain: its end names the hashes of all that is before.
func chainTag(file *io.SectionReader) string {
	end := make([]byte, 8<<10)
	from := max(0, file.Size()-int64(len(end)))
	n, _ := file.ReadAt(end, from) // what cannot be read is not sent either
	sum := sha256.Sum256(end[:n])
	return fmt.Sprintf(`"%x-%x"`, file.Size(), sum[:12])
}

// chains are the files that pages and manifests name and that have no line before anything
// was released: they are empty then.
var chains = []string{"ledger.jsonl", "releases.jsonl", "archive.jsonl"}

// small serves a file that is read whole.
func (a *API) small(r *http.Request) (*httpcache.Reply, error) {
	name := r.PathValue("name")
	source, err := a.booksOf(r)
	if err != nil {
		return nil, err
	}
	raw, err := source.Get(name)
	var at *fs.PathError // no such file, or a directory
	switch {
	case errors.Is(err, fs.ErrNotExist) && slices.Contains(chains, name):
		raw, err = []byte{}, nil
	case errors.Is(err, fs.ErrNotExist) || errors.As(err, &at):
		return nil, query.ErrUnknown
	}
	return &httpcache.Reply{Type: bookType(name), Body: raw}, err
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
