package released

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sluice/books"
)

// TestABookThatIsCut: when a mirror's books are made anew, and the answer breaks off in the
// middle, they are read from their beginning again: nothing of the old ones is left, and
// no line of the new ones is missed.
func TestABookThatIsCut(t *testing.T) {
	dir, anew := books.Dir(t.TempDir()), books.Dir(t.TempDir())
	enter(t, dir, hours(0, 3))
	enter(t, anew, hours(3, 12))
	var cut atomic.Bool
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := filepath.Join(string(dir), filepath.FromSlash(strings.TrimPrefix(r.URL.Path, "/")))
		if filepath.Base(path) != bookName || r.Header.Get("Range") != "" || !cut.CompareAndSwap(true, false) {
			http.ServeFile(w, r, path)
			return
		}
		raw, err := dir.Get(bookName)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Length", "1000000")
		_, _ = w.Write(raw[:len(raw)/2])
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		time.Sleep(50 * time.Millisecond) // it is read as far
		panic(http.ErrAbortHandler)
	}))
	defer srv.Close()
	s := New(&shelf{}, books.NewMirror(srv.URL), slog.New(slog.DiscardHandler))
	s.fresh = 0
	if err := s.refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	raw, err := anew.Get(bookName)
	if err == nil {
		err = dir.Put(bookName, raw)
	}
	if err != nil {
		t.Fatal(err)
	}
	cut.Store(true)
	for deadline := time.Now().Add(20 * time.Second); cut.Load() || s.refresh(t.Context()) != nil; {
		if time.Now().After(deadline) {
			t.Fatal("the books are not read again")
		}
		_ = s.refresh(t.Context())
	}
	for h := range 12 {
		s.mu.RLock()
		has := s.index.find(lane{"s", "edge-1"}, row(h, "a", 1).Start.UnixNano()) != nil
		s.mu.RUnlock()
		if has != (h >= 3) {
			t.Errorf("hour %d has a line: %v", h, has)
		}
	}
}
