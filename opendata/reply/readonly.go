package reply

import (
	"net/http"

	"sluice/door"
)

// ReadOnly refuses every method but GET and HEAD, and a request with a body. Where
// one has a body, the connection ends: what is in front of this server may have
// seen another end of it.
func ReadOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			door.Drop(w, r)
			Problem(w, r, http.StatusMethodNotAllowed, "method", "Only GET and HEAD", "this interface is for reading")
		case door.HasBody(r):
			door.Drop(w, r)
			Problem(w, r, http.StatusBadRequest, "body", "A request to read has no body", "leave out the body, Content-Length and Transfer-Encoding")
		default:
			next.ServeHTTP(w, r)
		}
	})
}
