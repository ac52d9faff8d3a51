package books

import (
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
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

// age makes all copies old enough to be asked for again.
func (m *Mirror) age() {
	for name, c := range m.files {
		c.asked = time.Time{}
		m.files[name] = c
	}
}
