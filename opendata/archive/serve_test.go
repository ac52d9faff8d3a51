package archive

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/opendata/httpcache"
	"sluice/opendata/query"
	"sluice/store"
)

// TestBound: all files together have a bound. What does not fit is said.
func TestBound(t *testing.T) {
	w := newTown(t)
	a := w.opened(t.TempDir(), 40_000)
	m, by := looks(t, a)
	total := int64(0)
	for _, f := range by {
		total += f.Bytes
	}
	if total > 40_000 || len(by) == 0 || len(m.LeftOut) == 0 || m.LeftOut[0].Why != TooLarge {
		t.Errorf("%d bytes: %v; left out %v", total, names(by), m.LeftOut)
	}
	half, err := filepath.Glob(filepath.Join(a.dir, "*"+partSuffix))
	if err != nil || len(half) > 0 {
		t.Errorf("it leaves %v, %v", half, err)
	}
}

// TestKilled: whoever ends while files are made leaves nothing half, and the next one makes
// the same bytes.
func TestKilled(t *testing.T) {
	w := newTown(t)
	_, want := looks(t, w.opened(t.TempDir(), 0))
	dir := t.TempDir()
	for after := range 12 {
		a := w.opened(dir, 0)
		ctx, cancel := context.WithCancel(t.Context())
		a.source.Store = &dying{a.source.Store, cancel, after}
		_ = a.look(ctx)
		cancel()
		for path, k := range a.files {
			if want[path].SHA256 != k.SHA256 && k.Closed {
				t.Fatalf("after %d questions %s has other bytes", after, path)
			}
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
	}
	_, by := looks(t, w.opened(dir, 0))
	for path, f := range want {
		if by[path].SHA256 != f.SHA256 {
			t.Errorf("%s has other bytes", path)
		}
	}
}

// dying is a store that has its asker killed at a question.
type dying struct {
	query.Store
	kill  func()
	after int
}

func (d *dying) Observations(ctx context.Context, q store.Query) ([]store.Observation, error) {
	if d.after--; d.after < 0 {
		d.kill()
	}
	return d.Store.Observations(ctx, q)
}

// TestDirectory: it is the archive's own, and one server's.
func TestDirectory(t *testing.T) {
	w := newTown(t)
	if _, err := Open(Config{Dir: w.Archive.dir}, nil, "", slog.Default()); err == nil ||
		!strings.Contains(err.Error(), "another open-data server's") {
		t.Errorf("two servers have it: %v", err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "thesis.txt"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Config{Dir: dir}, nil, "", slog.Default()); err == nil ||
		!strings.Contains(err.Error(), "other files") {
		t.Errorf("it takes a directory with other files: %v", err)
	}
}

// TestSending: whole, in ranges, and not modified; nothing that is no file of the archive.
func TestSending(t *testing.T) {
	w := newTown(t)
	_, by := looks(t, w.Archive)
	mux := http.NewServeMux()
	w.Routes(mux, httpcache.New(), func(w http.ResponseWriter, _ *http.Request, err error) {
		if !errors.Is(err, query.ErrUnknown) {
			t.Error(err)
		}
		w.WriteHeader(http.StatusNotFound)
	})
	get := func(path string, head ...string) *http.Response {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		for i := 0; i < len(head); i += 2 {
			r.Header.Set(head[i], head[i+1])
		}
		rec := httptest.NewRecorder()
		mux.ServeHTTP(rec, r)
		return rec.Result()
	}
	body := func(r *http.Response) string {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	const path = "/archive/steps/2026/06.csv.gz"
	f := by["steps/2026/06.csv.gz"]
	r := get(path, "Accept-Encoding", "gzip")
	all := body(r)
	if sum(all) != f.SHA256 || r.Header.Get("Content-Type") != "application/gzip" ||
		r.Header.Get("Content-Encoding") != "" || !strings.Contains(r.Header.Get("Cache-Control"), "immutable") {
		t.Errorf("it is sent with %v", r.Header)
	}
	tag := r.Header.Get("ETag")
	r = get(path, "Range", "bytes=100-199", "If-Range", tag)
	if part := body(r); r.StatusCode != http.StatusPartialContent || part != all[100:200] {
		t.Errorf("a range: %d, %d bytes", r.StatusCode, len(part))
	}
	if r = get(path, "If-None-Match", tag); r.StatusCode != http.StatusNotModified {
		t.Errorf("it was not modified: %d", r.StatusCode)
	}
	if r = get("/archive/steps/latest.parquet"); strings.Contains(r.Header.Get("Cache-Control"), "immutable") {
		t.Error("the latest is immutable")
	}
	for _, path := range []string{"/archive/sluice-archive.json", "/archive/steps/2026/05.csv.gz",
		"/archive/steps/2026/06.csv",
		"/archive/%2e%2e/sluice-archive.json", "/archive/steps/2026/06.csv.gz.part", "/archive/2025.db",
		"/archive/steps"} {
		if r := get(path); r.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
	for _, path := range []string{"/archive/manifest.json", "/archive/datapackage.json", "/archive/schema.json"} {
		if r := get(path); r.StatusCode != http.StatusOK || !json.Valid([]byte(body(r))) {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
}

// FuzzPath: what parse takes is written back as it was, and stays below the directory.
func FuzzPath(f *testing.F) {
	for _, path := range []string{"steps/2026/06.csv.gz", "steps/latest.parquet", "2026.db", "../2026.db", "a/b/c",
		"steps/2026/13.csv.gz", "2026.db\n", "/2026.db", "steps//06.csv.gz", "sluice-archive.json"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		at, ok := parse(path)
		if ok && (at.path() != path || !filepath.IsLocal(path) || filepath.Clean(path) != path) {
			t.Errorf("%q is %+v, which is %q", path, at, at.path())
		}
	})
}
