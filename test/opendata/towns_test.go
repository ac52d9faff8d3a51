package opendata

import (
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/books"
	"sluice/test/harness"
	"sluice/test/plaza"
)

// TestTwoTowns: one server over the books of two towns, with the real program: every link
// leads to where it says, each town's own are below its path, and what each says is what a
// server of its own says.
func TestTwoTowns(t *testing.T) {
	t.Parallel()
	one, other := plaza.New(t), plaza.New(t)
	one.Stop()
	harness.NoError(t, other.Books.PutJSON("city.json", books.City{ID: "vila", Name: "Vila d’Or",
		Timezone: "Europe/Madrid", Languages: []string{"ca"}, Policy: "sha256:00"}))
	other.Release(plaza.Dusk, plaza.Dusk.Add(time.Hour))
	file := filepath.Join(t.TempDir(), "opendata.yaml")
	harness.Write(t, filepath.Join(filepath.Dir(file), "ground.geojson"), `{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"kind":"street","name":"Rambla"},"geometry":{"type":"LineString","coordinates":[[2.11,41.31],[2.19,41.39]]}}]}`)
	addr := harness.FreeAddr(t)
	harness.Write(t, file, fmt.Sprintf("http: 127.0.0.1:0\nurl: https://data.portalba.example\nbooks:\n"+
		"  - {city: portalba, books: %q, store: %s, streets: ground.geojson, streets_credit: The map office, "+
		"archive: {dir: archive, max_bytes: 1MiB}, mqtt: {listen: %q}}\n"+
		"  - {city: vila, books: %q, store: %s}\n", one.Books, one.Store, addr, other.Books, other.Store))
	p := harness.Start(t, harness.Sluice, "opendata", "-c", file)
	base := p.Find(`http=(http://\S+)`)[1]

	site := &crawl{t, base, map[string]bool{"/": false, "/c/vila/problems": false, "/search?q=soroll": false,
		"/c/portalba/problems": false}, make(map[string]string)}
	site.run()
	for path := range site.files {
		if status, _, _ := harness.Get(t, base+path); status != http.StatusOK {
			t.Errorf("%s is %d", path, status)
		}
	}
	towns := map[string]int{}
	for path := range site.pages {
		if of := regexp.MustCompile(`^/c/(\w+)/`).FindStringSubmatch(path); of != nil {
			towns[of[1]]++
		} else if strings.HasPrefix(path, "/streams") || strings.HasPrefix(path, "/api/v1/streams") {
			t.Errorf("%s is of no town", path)
		}
	}
	if towns["portalba"] < 30 || towns["vila"] < 30 {
		t.Errorf("the search found %v", towns)
	}

	if _, _, page := harness.Get(t, base+"/c/portalba/map"); !strings.Contains(string(page), "The map office") {
		t.Error("nobody is named for the map")
	}
	if _, _, m := harness.Get(t, base+"/c/portalba/archive/manifest.json"); !harness.Listens(addr) ||
		!strings.Contains(string(m), `"maximum": 1048576`) || !strings.Contains(string(m), `"/c/portalba/books/archive`) {
		t.Errorf("it does not listen at %s, or the archive is %s", addr, m)
	}
	alike(t, other, base)
	chromium := harness.Chromium(t)
	harness.Node(t, "pages.js", base, chromium, "/", "/search?q=a", "/c/vila/")
}

// alike compares a town's own server with what is below the path of one of two towns.
func alike(t *testing.T, other *plaza.Plaza, base string) {
	t.Helper()
	at := "/api/v1/streams/steps/observations?from=2026-03-01&to=2026-04-01"
	whole, pages := harness.ReadAll(t, other.Base, at), harness.ReadAll(t, base, "/c/vila"+at+"&limit=50")
	got, want := fmt.Sprint(harness.Deref(pages)), fmt.Sprint(harness.Deref(whole))
	if got != want || len(whole) < 100 {
		t.Errorf("below its path the town's numbers are %s", firstDifference(want, got))
	}
	for _, path := range everyAnswer {
		if strings.Contains(path, "/chart.") {
			continue // the picture says where it is from
		}
		_, _, alone := harness.Get(t, other.Base+path)
		_, _, below := harness.Get(t, base+"/c/vila"+path)
		if got, want := plain(base, string(below)), plain(other.Base, string(alone)); got != want {
			t.Errorf("%s differs below a path: %s", path, firstDifference(want, got))
		}
	}
	code, out := harness.Verb(t, "verify", base+"/c/vila")
	status, text := harness.Verb(t, "verify", other.Base)
	if code != status || plain(base, out) != plain(other.Base, text) {
		t.Errorf("verify says %d\n%s\nof the town alone %d\n%s", code, out, status, text)
	}
}

// plain is an answer without what tells apart where it was asked.
func plain(base, body string) string {
	body = regexp.MustCompile(`<a href='[^']*'>[^<]*</a>\n`).ReplaceAllString(body, "") // to all towns
	return strings.NewReplacer("/c/vila", "", base, "").Replace(body)
}
