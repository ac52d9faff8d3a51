package httpcache

import (
	"net/http"

	"sluice/door"
)

// allowed are the methods that are answered (RFC 9110, section 10.2.1).
const allowed = "GET, HEAD, OPTIONS"

// ReadOnly refuses every method but GET and HEAD, and every request with a body. A request
// with a body also ends its connection, since a proxy in front may disagree about where it
// ends. OPTIONS is answered with the allowed methods: browsers ask before a script of
// another site sends headers of its own.
func ReadOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodOptions && !door.HasBody(r):
			preflight(w.Header())
			w.WriteHeader(http.StatusNoContent)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", allowed)
			door.Drop(w, r)
			Problem(w, r, http.StatusMethodNotAllowed, "method", "Only GET and HEAD", "this interface is for reading")
		case door.HasBody(r):
			door.Drop(w, r)
			Problem(w, r, http.StatusBadRequest, "body", "A request to read has no body",
				"leave out the body, Content-Length and Transfer-Encoding")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// preflight allows scripts of all sites to read, with any header (Fetch, CORS-preflight
// fetch): only headers of HTTP itself change an answer. Credentials are not allowed, and *
// does not cover Authorization.
func preflight(h http.Header) {
	h.Set("Allow", allowed)
	h.Set("Access-Control-Allow-Methods", "GET, HEAD")
	h.Set("Access-Control-Allow-Headers", "*")
	h.Set("Access-Control-Max-Age", "86400")
}
