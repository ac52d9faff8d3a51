package httpcache

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestMount: what is mounted sees its own paths, and says the server's; what is not says the
// same as ever.
func TestMount(t *testing.T) {
	const page = `<a href="/x">x</a><img src="/y.png"><form action="/z"></form><a href='/'>up</a>` +
		`<a href="https://e.example/">e</a><p> href=&#34;/</p>`
	const below = `<a href="/c/a/x">x</a><img src="/c/a/y.png"><form action="/c/a/z"></form><a href='/'>up</a>` +
		`<a href="https://e.example/">e</a><p> href=&#34;/</p>`
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/missing" {
			Problem(w, r, http.StatusNotFound, "unknown", "", "")
			return
		}
		links := Links(r.Context(), []byte(page))
		_, _ = io.WriteString(w, r.URL.Path+" "+At(r.Context(), r.URL.Path)+" "+string(links))
	})
	for _, x := range []struct {
		h          http.Handler
		path, want string
	}{
		{h, "/s", "/s /s " + page},
		{Mount("/c/a", h), "/c/a/s", "/s /c/a/s " + below},
		{Mount("/c/a", h), "/c/a/missing", `{"detail":"","instance":"/c/a/missing","status":404,"title":"",` +
			`"type":"/c/a/problems/unknown"}` + "\n"},
	} {
		w := httptest.NewRecorder()
		x.h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, x.path, nil))
		if got := w.Body.String(); got != x.want {
			t.Errorf("%s is\n%s\nwant\n%s", x.path, got, x.want)
		}
	}
}
