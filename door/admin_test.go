package door

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestHash(t *testing.T) {
	h := NewHash()
	for _, x := range []struct {
		a, b string
		same bool
	}{
		{"192.0.2.1:1", "192.0.2.1:2", true}, {"192.0.2.1:1", "192.0.2.2:1", false},
		{"[2001:db8::1]:1", "[2001:db8::2:2]:1", true}, {"[2001:db8::1]:1", "[2001:db8:0:1::1]:1", false},
		{"[::ffff:192.0.2.1]:1", "192.0.2.1:1", true}, {"[fe80::1%eth0]:1", "[fe80::2%eth1]:1", true},
		{"nonsense", "", true},
	} {
		if (h.Of(x.a) == h.Of(x.b)) != x.same {
			t.Errorf("%s and %s are one client: want %v", x.a, x.b, x.same)
		}
	}
	if h.Of("192.0.2.1:1") == NewHash().Of("192.0.2.1:1") {
		t.Error("another process has the same hash")
	}
}

func TestAdmin(t *testing.T) {
	here := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}
	everywhere := &net.TCPAddr{IP: net.IPv4zero}
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	for _, x := range []struct {
		at           net.Addr
		configured   string
		method, host string
		status       int
	}{
		{here, "127.0.0.1:9090", "GET", "127.0.0.1:9090", 200}, {here, "127.0.0.1:9090", "HEAD", "localhost:9090", 200},
		{here, "127.0.0.1:9090", "GET", "LOCALHOST.", 200},
		{here, "127.0.0.1:9090", "GET", "[::1]:9090", 200}, {here, "127.0.0.1:9090", "GET", "[::ffff:127.0.0.1]", 200},
		{here, "127.0.0.1:9090", "GET", "127.9.9.9", 200},
		{here, "edge-1:9090", "GET", "Edge-1:9090", 200}, {here, "edge-1:9090", "GET", "localhost", 200},
		{here, "127.0.0.1:9090", "GET", "evil.example:9090", 421},
		{here, "127.0.0.1:9090", "GET", "localhost.evil.example", 421},
		{here, "127.0.0.1:9090", "GET", "127.0.0.1.evil.example", 421},
		{here, "127.0.0.1:9090", "GET", "192.0.2.1", 421}, {here, "127.0.0.1:9090", "GET", "", 421},
		{here, ":9090", "GET", "", 421}, {here, "", "GET", "x@localhost", 421},
		{here, "127.0.0.1:9090", "POST", "evil.example", 421},
		{everywhere, "0.0.0.0:9090", "GET", "edge-1.city.example", 200},
		{here, "127.0.0.1:9090", "POST", "localhost", 405}, {here, "127.0.0.1:9090", "OPTIONS", "localhost", 405},
		{here, "127.0.0.1:9090", "TRACE", "localhost", 405},
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(x.method, "/metrics", nil)
		r.Host = x.host
		Admin(x.at, x.configured, next).ServeHTTP(w, r)
		if w.Code != x.status {
			t.Errorf("%s with Host %q at %s, configured as %s, is %d; want %d", x.method, x.host, x.at, x.configured,
				w.Code, x.status)
		}
		if h := w.Header(); h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" ||
			w.Body.Len() > 200 {
			t.Errorf("%s with Host %q has %v and %d bytes", x.method, x.host, h, w.Body.Len())
		}
	}
}

// TestHere: only a connection of this machine, by a name of it, through nobody and from no page
// of elsewhere.
func TestHere(t *testing.T) {
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	for _, x := range []struct {
		peer, host, header, value string
		served                    bool
	}{
		{"127.0.0.1:5", "127.0.0.1:9090", "", "", true},
		{"[::1]:5", "localhost:9090", "", "", true},
		{"[::ffff:127.0.0.1]:5", "[::1]:9090", "", "", true},
		{"127.0.0.1:5", "localhost", "Sec-Fetch-Site", "none", true},
		{"192.0.2.1:5", "localhost", "", "", false},
		{"10.0.0.1:5", "127.0.0.1:9090", "", "", false},
		{"[2001:db8::1]:5", "localhost", "", "", false},
		{"[fe80::1%lo]:5", "localhost", "", "", false},
		{"", "localhost", "", "", false},
		{"@", "localhost", "", "", false},
		{"localhost:5", "localhost", "", "", false},
		{"127.0.0.1:5", "edge-1.city.example:9090", "", "", false},
		{"127.0.0.1:5", "", "", "", false},
		{"127.0.0.1:5", "evil.example", "", "", false},
		{"127.0.0.1:5", "localhost", "X-Forwarded-For", "192.0.2.1", false},
		{"127.0.0.1:5", "localhost", "Forwarded", "for=192.0.2.1", false},
		{"127.0.0.1:5", "localhost", "Via", "1.1 x", false},
		{"127.0.0.1:5", "localhost", "Sec-Fetch-Site", "cross-site", false},
		{"127.0.0.1:5", "localhost", "Sec-Fetch-Site", "same-site", false},
	} {
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/debug/sensors", nil)
		r.RemoteAddr, r.Host = x.peer, x.host
		if x.header != "" {
			r.Header.Set(x.header, x.value)
		}
		Here(next).ServeHTTP(w, r)
		if (w.Code == http.StatusOK) != x.served || !x.served && w.Code != http.StatusForbidden {
			t.Errorf("%+v is answered with %d", x, w.Code)
		}
	}
}
