package opendata

import (
	"maps"
	"net/http"
	"strings"
)

// nothing is a Permissions-Policy (W3C) that denies pages every feature of the browser.
const nothing = "accelerometer=(), autoplay=(), browsing-topics=(), camera=(), clipboard-read=(), " +
	"clipboard-write=(), display-capture=(), encrypted-media=(), " +
	"fullscreen=(), gamepad=(), geolocation=(), gyroscope=(), hid=(), identity-credentials-get=(), " +
	"idle-detection=(), local-fonts=(), magnetometer=(), microphone=(), midi=(), " +
	"payment=(), picture-in-picture=(), publickey-credentials-create=(), publickey-credentials-get=(), " +
	"screen-wake-lock=(), serial=(), storage-access=(), usb=(), " +
	"window-management=(), xr-spatial-tracking=()"

// framed is the policy of pages that other sites may frame.
var framed = []string{"default-src 'self'; frame-ancestors *; base-uri 'none'; form-action 'none'"}

// secure sets the headers of every answer: pages load nothing from elsewhere and run no
// scripts but our own. Everything is public and nobody logs in, so other sites may read it.
func secure(next http.Handler) http.Handler {
	always := map[string][]string{
		"Cross-Origin-Opener-Policy":   {"same-origin"},
		"Cross-Origin-Resource-Policy": {"cross-origin"},
		"Permissions-Policy":           {nothing},
		"Content-Security-Policy": {"default-src 'self'; frame-ancestors 'none'; base-uri 'none'; " +
			"form-action 'self'"},
		"X-Content-Type-Options":        {"nosniff"},
		"Referrer-Policy":               {"no-referrer"},
		"Access-Control-Allow-Origin":   {"*"},
		"Access-Control-Expose-Headers": {"ETag, Link, RateLimit, RateLimit-Policy, Retry-After"},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		maps.Copy(w.Header(), always)
		if strings.HasPrefix(within(r.URL.Path), "/embed/") { // other sites may frame these, and no other page
			w.Header()["Content-Security-Policy"] = framed
		}
		next.ServeHTTP(w, r)
	})
}
