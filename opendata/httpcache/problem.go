package httpcache

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// maxPath is the longest path that a problem repeats, in bytes.
const maxPath = 1024

// Problem answers with a problem document (RFC 9457). The detail says what is wrong with a
// request and never repeats its content. A path that is longer than any of ours is left
// out.
func Problem(w http.ResponseWriter, r *http.Request, status int, code, title, detail string) {
	doc := map[string]any{"type": At(r.Context(), "/problems/"+code), "title": title, "status": status,
		"detail": detail}
	if path := r.URL.EscapedPath(); len(path) <= maxPath {
		doc["instance"] = At(r.Context(), path)
	}
	raw, err := json.Marshal(doc)
	if err != nil {
		raw = []byte("{}") // cannot be: it is text and a number
	}
	raw = append(raw, '\n')
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(raw)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(raw) // the client may be gone
	}
}
