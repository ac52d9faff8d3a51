package api

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestEmptyChains: what pages and manifests name is there before anything was released, with
// no line; other files are not.
func TestEmptyChains(t *testing.T) {
	h := serve(files{"releases.jsonl": []byte("{}\n")})
	for path, want := range map[string]string{"ledger.jsonl": "", "archive.jsonl": "", "releases.jsonl": "{}\n"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/books/"+path, http.NoBody))
		if w.Code != http.StatusOK || w.Body.String() != want {
			t.Errorf("%s is %d %q", path, w.Code, w.Body)
		}
	}
	for _, path := range []string{"plans/ledger.jsonl", "none.jsonl", "city.json"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/books/"+path, http.NoBody))
		if w.Code != http.StatusNotFound {
			t.Errorf("%s is %d", path, w.Code)
		}
	}
}
