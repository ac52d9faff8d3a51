package studio

import (
	"context"
	"crypto/subtle"
	"net"
	"net/http"
	"path"
	"strings"

	"sluice/policy/explain"
)

// maxBody bounds what a form may send: a file of 1 MiB, of which each byte may take three.
const maxBody = 4 << 20

type langKey struct{}

// langOf is the language of a request's address.
func langOf(r *http.Request) explain.Lang {
	l, _ := r.Context().Value(langKey{}).(explain.Lang)
	return l
}

// ServeHTTP lets through what comes from a page of this studio, in a browser that was sent to it
// by its own name:
//
//   - Host is this listener's, or localhost with its port: a stranger's name that was made to mean
//     127.0.0.1 (DNS rebinding) is another.
//   - The path has the secret.
//   - Another site, or another port of this machine, may at most lead a reader here; it can
//     neither send a form nor embed anything.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	switch {
	case !s.ourHost(r.Host):
		refuse(w, http.StatusMisdirectedRequest, "This is not the studio's address.")
		return
	case !sameSite(r):
		refuse(w, http.StatusForbidden, "The studio answers its own pages only.")
		return
	}
	secret, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if subtle.ConstantTimeCompare([]byte(secret), []byte(s.secret)) != 1 {
		code, _, _ := strings.Cut(rest, "/")
		lang, known := explain.Understand(code) // an address of an earlier start has one
		if !known {
			lang = s.o.Lang
		}
		refuse(w, http.StatusForbidden, say(lang, "layout.old"))
		return
	}
	code, rest, below := strings.Cut(rest, "/")
	lang, known := explain.Understand(code)
	if !known || !below {
		http.Redirect(w, r, s.base(s.o.Lang)+"/", http.StatusSeeOther)
		return
	}
	if clean := path.Clean("/" + rest); clean != strings.TrimSuffix("/"+rest, "/") && rest != "" {
		refuse(w, http.StatusNotFound, "There is no such page.")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	r = r.WithContext(context.WithValue(r.Context(), langKey{}, lang))
	inner := *r.URL
	inner.Path, inner.RawPath = "/"+rest, ""
	r.URL = &inner
	s.mux.ServeHTTP(w, r)
}

// ourHost reports whether a Host is this listener.
func (s *Server) ourHost(host string) bool {
	own := s.listener.Addr().String()
	_, port, err := net.SplitHostPort(own)
	return host == own || err == nil && host == net.JoinHostPort("localhost", port)
}

// sameSite reports whether a request is from a page of this origin, or from nobody's. Browsers say
// so by Sec-Fetch-Site, and by Origin where something is sent; what says neither is no browser, and
// may only read.
func sameSite(r *http.Request) bool {
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch site := r.Header.Get("Sec-Fetch-Site"); site {
	case "same-origin":
	case "none", "": // typed, or no browser, or one of before 2023
		if !reads && r.Header.Get("Origin") == "" {
			return false
		}
	default:
		if !reads || r.Header.Get("Sec-Fetch-Mode") != "navigate" || r.Header.Get("Sec-Fetch-Dest") != "document" {
			return false
		}
	}
	origin := r.Header.Get("Origin")
	return origin == "" || origin == "http://"+r.Host
}

// secure sets what holds for every answer.
func secure(h http.Header) {
	h.Set("Content-Security-Policy",
		"default-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin") // the path has the secret
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// refuse answers in one plain sentence.
func refuse(w http.ResponseWriter, status int, sentence string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(sentence + "\n"))
}
