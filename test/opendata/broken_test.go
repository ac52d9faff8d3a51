package opendata

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"sluice/test/harness"
)

// broken are defects of a page that test/browser's pages.js must find, in each language, and what it says of them.
var broken = map[string]struct{ head, body, says string }{
	"wide": {body: `<p style="width: 400px">A line</p>`, says: "too wide for 320"},
	"pale": {head: "<style>p { color: #999 }</style>", says: "(LANG, light) at 1280: color-contrast"},
	"dark": {head: "<style>@media (prefers-color-scheme: dark) { p { color: #444 } }</style>",
		says: "(LANG, dark) at 360: color-contrast"},
	"small": {head: "<style>@media (max-width: 400px) { button { all: unset; font-size: 6px } }</style>",
		says: "(LANG, dark) at 360: target-size"},
	"nameless": {head: "<style>@media (min-width: 1000px) { button span { display: none } }</style>",
		says: "(LANG, light) at 1280: button-name"},
	"elsewhere": {body: `<img src="http://192.0.2.1/x.png" alt="x">`, says: "asks elsewhere"},
	"chatty":    {head: "<script>console.log('x')</script>", says: "the console says x"},
	"fails":     {head: "<script>nothing()</script>", says: "nothing is not defined"},
	"foreign":   {says: "is in another language"},
	"large":     {says: "is over 60 kB"},
	"sweet":     {says: "sets a cookie"},
	"gone":      {says: "is 404"},
	"bare":      {says: "axe checked next to nothing"},
}

const sound = `<!doctype html><html lang="%s"><head><title>A page</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<style>body { background: #fff; color: #000 } a { color: inherit } button { min-height: 30px }
@media (prefers-color-scheme: dark) { body { background: #000; color: #fff } }</style>%s</head>
<body><header><a href="/a">A link</a></header><main><h1>A page</h1><p>A line of text.</p>
<ul><li>One</li><li>Two</li></ul>
<p><label>A field <input name="a"></label></p>
<div><button><span>One</span></button><button><span>Two</span></button></div>%s
</main></body></html>`

// TestBrokenPages: what looks at every page of ours finds each defect that it is there to find, and
// none at a page that has none.
func TestBrokenPages(t *testing.T) {
	t.Parallel()
	chromium := harness.Chromium(t)
	noise := make([]byte, 60_000)
	_, _ = rand.Read(noise)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.Path[1:]
		lang, x := r.Header.Get("Accept-Language")[:2], broken[path]
		w.Header().Set("Set-Cookie", "a=; Max-Age=0") // what one page sets is gone with the next
		switch path {
		case "foreign":
			lang = "de"
		case "large":
			x.head = "<!-- " + base64.StdEncoding.EncodeToString(noise) + " -->"
		case "sweet":
			w.Header().Set("Set-Cookie", "a=b")
		case "gone":
			w.WriteHeader(http.StatusNotFound)
		case "bare":
			fmt.Fprintf(w, `<!doctype html><html lang="%s">`, lang)
			return
		}
		fmt.Fprintf(w, sound, lang, x.head, x.body)
	}))
	defer s.Close()
	paths := []string{"/sound"}
	for path := range broken {
		paths = append(paths, "/"+path)
	}
	said := harness.NodeFails(t, append([]string{"pages.js", s.URL, chromium}, paths...)...)
	for path, x := range broken {
		for _, lang := range []string{"ca", "en", "es"} {
			found := false
			for line := range strings.Lines(said) {
				found = found || strings.HasPrefix(line, "/"+path+" (") &&
					strings.Contains(line, strings.ReplaceAll(x.says, "LANG", lang)) && strings.Contains(line, lang)
			}
			if !found {
				t.Errorf("nothing is said of %s in %s", path, lang)
			}
		}
	}
	if strings.Contains(said, "/sound") {
		t.Error("something is said of a page that is sound")
	}
	if t.Failed() {
		t.Log(said)
	}
}
