package door

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// adminConnections are open at most; operators and monitoring need few.
const adminConnections = 64

// ListenAdmin wraps the listener of an admin address.
func ListenAdmin(l net.Listener) *Listener { return Listen(l, Limits{Total: adminConnections}) }

// Admin serves an admin address: to GET and HEAD only, with answers that nobody
// keeps or takes for a page. On loopback it answers only to whom calls it by a
// loopback address, localhost, or the name in the configuration. A page from elsewhere
// whose name was made to lead here, in a browser on this machine, would call it by
// that name.
func Admin(listening net.Addr, configured string, next http.Handler) http.Handler {
	name, _, _ := net.SplitHostPort(configured)
	closed := Loopback(listening)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		switch {
		case closed && !calls(r.Host, name):
			http.Error(w, "this address answers to localhost and to the host of admin: in the configuration",
				http.StatusMisdirectedRequest)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			h.Set("Allow", "GET, HEAD")
			Drop(w, r)
			http.Error(w, "this address is for reading", http.StatusMethodNotAllowed)
		case HasBody(r):
			Drop(w, r)
			http.Error(w, "a request to read has no body", http.StatusBadRequest)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// calls reports whether a Host header names this machine or is the configured name.
func calls(host, name string) bool {
	if only, _, err := net.SplitHostPort(host); err == nil {
		host = only
	}
	host = strings.TrimSuffix(strings.ToLower(strings.Trim(host, "[]")), ".")
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().IsLoopback()
	}
	return host == "localhost" || host != "" && host == strings.ToLower(name)
}

// Here serves what only somebody at this machine may see, wherever the address can be reached
// from: to connections of loopback, which call it by a loopback address or localhost, and which
// neither a proxy nor a page of elsewhere has brought.
func Here(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		h := r.Header
		site := h.Get("Sec-Fetch-Site")
		switch {
		case err != nil || !peer.Addr().Unmap().IsLoopback() || !calls(r.Host, ""),
			h.Get("Forwarded") != "" || h.Get("X-Forwarded-For") != "" || h.Get("Via") != "",
			site != "" && site != "none" && site != "same-origin":
			http.Error(w, "this is shown at the machine itself only, under localhost or 127.0.0.1",
				http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// Loopback reports whether only this machine can reach an address.
func Loopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// HasBody reports whether a request brings a body, or says that it does. What only
// reads has no use for one, and what is in front of a server may not see where it ends
// (RFC 9110, section 9.3.1). Where a request has both Content-Length and
// Transfer-Encoding, net/http shows the latter only; this refuses either.
func HasBody(r *http.Request) bool { return r.ContentLength != 0 || len(r.TransferEncoding) > 0 }

// Drop closes the connection after this answer if the request has a body: reading it could
// take long, and the connection would not be free for others.
func Drop(w http.ResponseWriter, r *http.Request) {
	if HasBody(r) {
		w.Header().Set("Connection", "close")
		_ = http.NewResponseController(w).SetReadDeadline(time.Now()) // or it waits for the request's own
	}
}
