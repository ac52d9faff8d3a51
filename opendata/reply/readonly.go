package reply

import "net/http"

// ReadOnly refuses every method but GET and HEAD.
func ReadOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			Problem(w, r, http.StatusMethodNotAllowed, "method", "Only GET and HEAD", "this interface is for reading")
			return
		}
		next.ServeHTTP(w, r)
	})
}
