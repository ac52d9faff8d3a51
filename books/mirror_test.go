package books

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestMirror(t *testing.T) {
	dir := Dir(t.TempDir())
	if err := dir.Put("city.json", []byte(`{"id":"a"}`)); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.FileServer(http.Dir(string(dir))))
	m := NewMirror(server.URL + "/")
	city, err := Reader{Source: m}.City()
	if err != nil || city.ID != "a" {
		t.Fatalf("got %v, %v", city, err)
	}
	if _, err := m.Get("none.json"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there gives %v; want ErrNotExist", err)
	}
	for _, name := range []string{"../secret", "/etc/passwd", ""} {
		if _, err := m.Get(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q gives %v; want ErrNotExist", name, err)
		}
	}
	if err := dir.Put("city.json", []byte(`{"id":"b"}`)); err != nil {
		t.Fatal(err)
	}
	m.age()
	if city, err = (Reader{Source: m}).City(); err != nil || city.ID != "b" {
		t.Errorf("after a change: %v, %v; want b", city, err)
	}
	server.Close()
	m.age()
	if city, err = (Reader{Source: m}).City(); err != nil || city.ID != "b" {
		t.Errorf("while the mirror is away: %v, %v; want what it said last", city, err)
	}
	if _, err := NewMirror(server.URL).Get("city.json"); err == nil {
		t.Error("a mirror that was never there gives no error")
	}
}

// TestMirrorAndStrangers asks for names that a mirror does not have: each at most once
// in a while, whoever asks, a slow one keeps nobody from another, and their number is
// bounded.
func TestMirrorAndStrangers(t *testing.T) {
	var asked atomic.Int32
	slow := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		switch r.URL.Path {
		case "/slow.json":
			<-slow
		case "/city.json":
			_, _ = w.Write([]byte("{}"))
			return
		}
		http.NotFound(w, r)
	}))
	defer server.Close()
	m := NewMirror(server.URL)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := m.Get("slow.json"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("what is not there gives %v", err)
			}
		})
	}
	if _, err := m.Get("city.json"); err != nil {
		t.Errorf("while another name is slow: %v", err)
	}
	close(slow)
	wg.Wait()
	for range 20 {
		if _, err := m.Get("slow.json"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("again it gives %v", err)
		}
	}
	if n := asked.Load(); n > 4 {
		t.Errorf("the mirror was asked %d times; want twice", n)
	}
	for n := range mirrorNames + 100 {
		m.files[fmt.Sprint(n)] = copied{missing: true}
	}
	if _, err := m.Get("one.more"); !errors.Is(err, fs.ErrNotExist) || len(m.files) > 10 {
		t.Errorf("%d names are known (%v)", len(m.files), err)
	}
	if _, err := m.Get("city.json"); err != nil {
		t.Errorf("what is there was forgotten: %v", err)
	}
}

// age makes all copies old enough to be asked for again.
func (m *Mirror) age() {
	for name, c := range m.files {
		c.asked = time.Time{}
		m.files[name] = c
	}
}

// served is a mirror of a directory, of a server that knows ranges or does not.
func served(t *testing.T, dir Dir, ranges bool) *Mirror {
	t.Helper()
	files := http.FileServer(http.Dir(string(dir)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !ranges {
			r.Header.Del("Range")
		}
		files.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return NewMirror(server.URL)
}

// TestMirrorIsAlone: a mirror that points elsewhere has nobody else asked, whoever is there.
func TestMirrorIsAlone(t *testing.T) {
	var asked atomic.Int64
	inside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_, _ = w.Write([]byte(`{"id":"inside"}`))
	}))
	defer inside.Close()
	mirror := httptest.NewServer(http.RedirectHandler(inside.URL+"/city.json", http.StatusFound))
	defer mirror.Close()
	m := NewMirror(mirror.URL)
	if raw, err := m.Get("city.json"); err == nil {
		t.Errorf("it gives %s", raw)
	}
	if err := m.Each("ledger.jsonl", func(string) error { return nil }); err == nil {
		t.Error("it gives lines")
	}
	if _, _, err := m.Tail("ledger.jsonl", 10); err == nil {
		t.Error("it gives an end")
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("somebody else was asked %d times", n)
	}
}
