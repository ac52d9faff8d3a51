package inbox

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func names(list []File) string {
	var out []string
	for _, f := range list {
		out = append(out, f.Name+"="+string(f.Raw))
	}
	return strings.Join(out, " ")
}

func TestDirectory(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"b.sluice": "two", "a.sluice": "one", "c.sluice.part": "half", "note.txt": "x", "big.sluice": "123456789"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/etc/hostname", filepath.Join(dir, "link.sluice")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "dir.sluice"), 0o755); err != nil {
		t.Fatal(err)
	}
	list, err := New(dir, 5).Look(context.Background())
	if got := names(list); err != nil || got != "a.sluice=one b.sluice=two big.sluice=123456" {
		t.Errorf("found %s (%v)", got, err)
	}
	if list, err := New(filepath.Join(dir, "a.sluice"), 5).Look(context.Background()); err != nil || names(list) != "a.sluice=one" {
		t.Errorf("a file: %s (%v)", names(list), err)
	}
	if _, err := New(filepath.Join(dir, "none"), 5).Look(context.Background()); err == nil {
		t.Error("a directory that is not there is read")
	}
}

func TestServer(t *testing.T) {
	asked := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked[r.URL.Path+" "+r.Header.Get("If-None-Match")+r.Header.Get("If-Modified-Since")]++
		switch r.URL.Path {
		case "/in/":
			w.Write([]byte(`<a href="a.sluice">a.sluice</a> <a href="../b.sluice">x</a> <a href="http://elsewhere.invalid/c.sluice?x">`))
		case "/in/a.sluice":
			if r.Header.Get("If-None-Match") == `"1"` {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			w.Header().Set("ETag", `"1"`)
			w.Write([]byte("one"))
		case "/in/b.sluice", "/in/c.sluice":
			w.Write([]byte("two"))
		case "/moved/":
			http.Redirect(w, r, "/in/", http.StatusMovedPermanently)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer server.Close()
	in := New(server.URL+"/in/", 100)
	for range 2 {
		list, err := in.Look(context.Background())
		// Names only: nothing is fetched from outside the inbox.
		if got := names(list); err != nil || got != "a.sluice=one b.sluice=two c.sluice=two" {
			t.Errorf("found %s (%v)", got, err)
		}
	}
	if asked[`/in/a.sluice "1"`] != 1 {
		t.Errorf("asked %v", asked)
	}
	if list, err := New(server.URL+"/in/a.sluice", 100).Look(context.Background()); err != nil || names(list) != "a.sluice=one" {
		t.Errorf("a file's URL: %s (%v)", names(list), err)
	}
	for path, says := range map[string]string{"/none/": "404", "/moved/": "final URL"} {
		if _, err := New(server.URL+path, 100).Look(context.Background()); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", path, err)
		}
	}
	server.Close()
	if _, err := in.Look(context.Background()); err == nil {
		t.Error("a server that is gone is read")
	}
}
