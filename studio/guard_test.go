package studio

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/configs/portalba"
	"sluice/policy/rego"
	"sluice/test/raced"
)

// open is a studio for tests that ask one thing after the other, in which the race detector finds nothing.
func open(t *testing.T) *Server {
	t.Helper()
	raced.Skip(t)
	return openShared(t)
}

// openShared is a studio over a copy of the example city, which nobody serves: tests ask its handler.
func openShared(t testing.TB) *Server {
	t.Helper()
	dir := t.TempDir()
	if err := portalba.Policy().Write(dir); err != nil {
		t.Fatal(err)
	}
	s, err := Open(Options{Dir: dir, Addr: "127.0.0.1:0", Rules: rego.InProcess(),
		Now: func() time.Time { return time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = s.listener.Close()
		_ = s.desk.Close()
	})
	return s
}

// request is one to a page, as a browser that is on a page of the studio sends it; body is a form's.
func (s *Server) request(method, path, body string) *http.Request {
	r := httptest.NewRequest(method, s.base(0)+path, strings.NewReader(body))
	r.Host = s.listener.Addr().String()
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if method == http.MethodPost {
		r.Header.Set("Origin", "http://"+r.Host)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r
}

// answer is what the studio says to a request.
func (s *Server) answer(r *http.Request) (int, string) {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// TestStrangersAreRefused tries what a page elsewhere, a name that was made to mean this machine, and
// a program without the secret can do. The same request without the change is answered.
func TestStrangersAreRefused(t *testing.T) {
	s := open(t)
	_, port, _ := strings.Cut(s.listener.Addr().String(), ":")
	for _, c := range []struct {
		what, method string
		change       func(*http.Request)
		want         int
	}{
		{"its own page", "GET", func(*http.Request) {}, 200},
		{"its own form", "POST", func(*http.Request) {}, 404},
		{"localhost", "GET", func(r *http.Request) { r.Host = "localhost:" + port }, 200},
		{"typed", "GET", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "none") }, 200},
		{"an old browser", "GET", func(r *http.Request) { r.Header.Del("Sec-Fetch-Site") }, 200},
		{"an old browser's form", "POST", func(r *http.Request) { r.Header.Del("Sec-Fetch-Site") }, 404},
		{"a link elsewhere", "GET", func(r *http.Request) {
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			r.Header.Set("Sec-Fetch-Mode", "navigate")
			r.Header.Set("Sec-Fetch-Dest", "document")
		}, 200},

		{"DNS rebinding", "GET", func(r *http.Request) { r.Host = "evil.example:" + port }, 421},
		{"DNS rebinding with the name first", "GET",
			func(r *http.Request) { r.Host = "127.0.0.1.evil.example:" + port }, 421},
		{"DNS rebinding of a form", "POST", func(r *http.Request) {
			r.Host = "evil.example:" + port
			r.Header.Set("Origin", "http://evil.example:"+port)
		}, 421},
		{"another port", "GET", func(r *http.Request) { r.Host = "127.0.0.1:1" }, 421},
		{"no Host", "GET", func(r *http.Request) { r.Host = "" }, 421},
		{"a frame", "GET", func(r *http.Request) {
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			r.Header.Set("Sec-Fetch-Mode", "navigate")
			r.Header.Set("Sec-Fetch-Dest", "iframe")
		}, 403},
		{"a picture", "GET", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, 403},
		{"another port's script", "GET", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") }, 403},
		{"another site's form", "POST", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, 403},
		{"another site's form that leads here", "POST", func(r *http.Request) {
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			r.Header.Set("Sec-Fetch-Mode", "navigate")
			r.Header.Set("Sec-Fetch-Dest", "document")
		}, 403},
		{"another origin's form", "POST", func(r *http.Request) {
			r.Header.Del("Sec-Fetch-Site")
			r.Header.Set("Origin", "http://evil.example")
		}, 403},
		{"a form of nowhere", "POST", func(r *http.Request) {
			r.Header.Del("Sec-Fetch-Site")
			r.Header.Del("Origin")
		}, 403},
		{"a sandbox's form", "POST", func(r *http.Request) { r.Header.Set("Origin", "null") }, 403},
		{"another port's form", "POST", func(r *http.Request) { r.Header.Set("Origin", "http://127.0.0.1:1") }, 403},
		{"no secret", "GET", func(r *http.Request) { r.URL.Path = "/en/" }, 403},
		{"another secret", "GET", func(r *http.Request) { r.URL.Path = "/" + strings.Repeat("A", 26) + "/en/" }, 403},
		{"the secret's beginning", "GET", func(r *http.Request) { r.URL.Path = "/" + s.secret[:25] + "/en/" }, 403},
	} {
		path := "/"
		if c.method == "POST" {
			path = "/nowhere"
		}
		r := s.request(c.method, path, "")
		c.change(r)
		if got, body := s.answer(r); got != c.want || got >= 403 && got != 404 && strings.Contains(body, s.secret) {
			t.Errorf("%s: %d, want %d: %.300s", c.what, got, c.want, body)
		}
	}
}

// TestNothingOutside asks for files that are not the policy's, by every way of writing a path.
func TestNothingOutside(t *testing.T) {
	s := open(t)
	outside := filepath.Join(filepath.Dir(s.o.Dir), "outside.yaml")
	if err := os.WriteFile(outside, []byte("decision: \"stolen\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/draft/../../outside", "/draft/..%2F..%2Foutside", "/draft/..%2f..%2foutside",
		"/draft/%2e%2e%2f%2e%2e%2foutside", "/draft/....//outside", "/draft/" + outside[1:], "/draft/charter",
		"/static/..%2fstudio.go", "/static/style.css%2f..%2f..", "/static/templates"} {
		r := s.request("GET", "/", "")
		r.URL.RawPath, r.URL.Path = "", s.base(0)+strings.NewReplacer("%2F", "/", "%2f", "/", "%2e", ".").Replace(path)
		if got, body := s.answer(r); got == 200 || strings.Contains(body, "stolen") {
			t.Errorf("%s: %d %.300s", path, got, body)
		}
	}
	if err := os.Symlink(outside, filepath.Join(s.o.Dir, "decisions", "link.yaml")); err != nil {
		t.Fatal(err)
	}
	if raw, _, err := s.desk.Read("decisions/link.yaml"); err == nil {
		t.Errorf("a link out of the directory is read: %s", raw)
	}
	if err := s.desk.Write("../outside.yaml", none, []byte("x: 1\n")); err == nil {
		t.Error("a file outside is written")
	}
	if err := s.desk.Write("decisions/link.yaml", none, []byte("x: 1\n")); err == nil {
		t.Error("a link's end is written")
	}
	if raw, err := os.ReadFile(outside); err != nil || string(raw) != "decision: \"stolen\"\n" {
		t.Errorf("what is outside is now %q, %v", raw, err)
	}
}

// TestWriteOnlyWhatWasRead: a file is replaced whole, and only if nobody else has changed it.
func TestWriteOnlyWhatWasRead(t *testing.T) {
	s := open(t)
	const name = "decisions/2026-17-air.yaml"
	_, sum, err := s.desk.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.desk.Write(name, sum, []byte("a: 1\n")); err != nil {
		t.Fatal(err)
	}
	if err := s.desk.Write(name, sum, []byte("a: 2\n")); err != errChanged {
		t.Errorf("a file that was changed is replaced: %v", err)
	}
	if err := s.desk.Write("decisions/new.yaml", none, []byte("a: 1\n")); err != nil {
		t.Error(err)
	}
	if err := s.desk.Write("decisions/new.yaml", none, []byte("a: 2\n")); err != errChanged {
		t.Errorf("a file that is there is replaced by a new one: %v", err)
	}
	if raw, err := os.ReadFile(filepath.Join(s.o.Dir, name)); err != nil || string(raw) != "a: 1\n" {
		t.Errorf("it has %q, %v", raw, err)
	}
	left, err := filepath.Glob(filepath.Join(s.o.Dir, "decisions", ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("%v are left, %v", left, err)
	}
}

// TestNoLinkIsWrittenThrough: a link within the policy, which a repository can bring, leads what is
// saved into no other file of it.
func TestNoLinkIsWrittenThrough(t *testing.T) {
	s := open(t)
	charter, _, err := s.desk.Read("charter.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"decisions/.new.yaml.part", "decisions/link.yaml"} {
		if err := os.Symlink("../charter.yaml", filepath.Join(s.o.Dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	_, sum, err := s.desk.Read("decisions/link.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, was := range map[string]string{"decisions/new.yaml": none, "decisions/link.yaml": sum} {
		if err := s.desk.Write(name, was, []byte("a: 1\n")); err != nil {
			t.Error(err)
		}
		info, err := os.Lstat(filepath.Join(s.o.Dir, name))
		if err != nil || !info.Mode().IsRegular() {
			t.Errorf("%s is no file: %v, %v", name, info, err)
		}
	}
	if now, _, err := s.desk.Read("charter.yaml"); err != nil || string(now) != string(charter) {
		t.Errorf("the charter is now %q, %v", now, err)
	}
}

// TestBodiesAreBounded: a form that is too long is refused without being kept.
func TestBodiesAreBounded(t *testing.T) {
	s := open(t)
	var sent error
	s.page("POST /length", func(_ http.ResponseWriter, r *http.Request) error {
		_, sent = io.Copy(io.Discard, r.Body)
		return sent
	})
	if got, _ := s.answer(s.request("POST", "/length", strings.Repeat("x", maxBody))); got != 200 || sent != nil {
		t.Errorf("of the longest form: %d, %v", got, sent)
	}
	if got, _ := s.answer(s.request("POST", "/length", strings.Repeat("x", maxBody+1))); got != 413 || sent == nil {
		t.Errorf("of a longer form: %d, %v", got, sent)
	}
}

// TestAnOldAddress: the address of an earlier start says in its own language what to do.
func TestAnOldAddress(t *testing.T) {
	s := open(t)
	for code, want := range map[string]string{"ca": "Obriu l'adreça", "es": "Abra la dirección",
		"en": "Open the address", "xx": "Open the address", "": "Open the address"} {
		r := s.request("GET", "/", "")
		r.URL.Path = "/" + strings.Repeat("A", 26) + "/" + code + "/vote"
		if got, body := s.answer(r); got != http.StatusForbidden || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", code, got, body)
		}
	}
}
