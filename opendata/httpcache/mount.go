package httpcache

import (
	"bytes"
	"context"
	"net/http"
)

// mounted is the key of the path below which a handler is mounted.
type mounted struct{}

// Mount serves a handler below a path, such as /c/portalba. The handler sees addresses as if
// it were alone; what it says of them goes through At or Links.
func Mount(below string, h http.Handler) http.Handler {
	inner := http.StripPrefix(below, h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inner.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), mounted{}, below)))
	})
}

// At is where a path of the handler is on the server, given a request's context: below where
// the handler is mounted.
func At(ctx context.Context, path string) string {
	below, _ := ctx.Value(mounted{}).(string)
	return below + path
}

// links are the attributes that lead somewhere, each with the beginning of a path. Templates
// escape quotes, so nothing else of a page reads so. A link in single quotes stays as it is: it
// leads to the server's own page.
var links = [][]byte{[]byte(` href="/`), []byte(` src="/`), []byte(` action="/`)}

// Links puts the paths of a page's links below where the handler is mounted.
func Links(ctx context.Context, page []byte) []byte {
	below := At(ctx, "")
	if below == "" {
		return page
	}
	for _, link := range links {
		to := append(bytes.TrimSuffix(bytes.Clone(link), []byte("/")), below+"/"...)
		page = bytes.ReplaceAll(page, link, to)
	}
	return page
}
