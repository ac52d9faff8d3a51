package reply

import (
	"encoding/json"
	"net/http"
)

// Problem answers with a problem document (RFC 9457). The detail names what is
// wrong with a request, never what was in it.
func Problem(w http.ResponseWriter, r *http.Request, status int, code, title, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{ // the client may be gone
		"type": "/problems/" + code, "title": title, "status": status, "detail": detail, "instance": r.URL.EscapedPath(),
	})
}
