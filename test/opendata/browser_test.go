package opendata

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sluice/books"
	"sluice/test/harness"
	"sluice/test/plaza"
)

// everyPage is each page of the demo, with views that have little or nothing to show.
var everyPage = []string{
	"/", "/?layer=footfall/devices", "/map", "/map?layer=air/no2", "/news", "/search?q=rambla", "/search?q=zzz",
	"/zones/rambla",
	"/sensors?zone=rambla&kind=wifi-counter", "/streams/footfall", "/streams/noise?span=month",
	"/streams/noise?span=year&compare=week", "/streams/footfall?compare=yesterday&cell=rambla",
	"/streams/air?measure=pm10&day=2026-01-01",
	"/sensors", "/sensors/rambla-1", "/sensors/rambla-1/notice", "/decisions", "/decisions/2026-14", "/privacy",
	"/imprint", "/accessibility", "/sensors/air-port/notice?size=a6", "/data", "/docs", "/problems/rate",
}

// TestDemo looks at one demo in each of these ways, all at the same time.
func TestDemo(t *testing.T) {
	t.Parallel()
	d := harness.StartDemo(t, filepath.Join(t.TempDir(), "town"))
	d.Find(`"event":"replayed"`)
	for name, look := range map[string]func(*testing.T, harness.Demo){
		"pages in a browser": pagesInABrowser, "what pages say": pagesSay, "catalogue": describesItself,
		"every file is whole": everyFileIsWhole,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			look(t, d)
		})
	}
}

// pagesInABrowser opens every page in three languages, two themes and four
// widths: WCAG 2.2 AA by axe, nothing too wide, nothing from elsewhere, no cookie, at
// most 60 kB; then it goes through map and notice by keyboard and without scripts, and through
// the chart by pointer, finger and keyboard.
func pagesInABrowser(t *testing.T, d harness.Demo) {
	if _, _, page := harness.Get(t, d.OpenData+"/"); strings.Contains(string(page), "data-ago") {
		t.Error("a number of a simulation is some hours old by the reader's clock")
	}
	chromium := harness.Chromium(t)
	harness.Node(t, append([]string{"pages.js", d.OpenData, chromium}, everyPage...)...)
	harness.Node(t, "keyboard.js", d.OpenData, chromium, "/streams/footfall?cell=rambla&cell=mercat",
		"/sensors/rambla-1")
	harness.Node(t, "chart.js", d.OpenData, chromium)
	harness.Node(t, "notice.js", d.OpenData, chromium, "rambla-1", "air-port")
}

// TestAwkwardPages shows names that are too long, that are markup or formulas, and
// titles that are not in the reader's language.
func TestAwkwardPages(t *testing.T) {
	t.Parallel()
	chromium := harness.Chromium(t)
	q := plaza.New(t)
	if _, _, page := harness.Get(t, q.Base+"/"); !strings.Contains(string(page), "data-ago") {
		t.Error("no number has an age")
	}
	harness.Node(t, "pages.js", q.Base, chromium, "/", "/streams/steps?cell=a/foot&cell=b/foot", "/sensors",
		"/sensors/s-2",
		"/sensors/s-2/notice", "/decisions/1", "/data")
}

// TestUntranslated: a text that has no translation is shown in the language that it
// has, and marked as such (WCAG 2.2, 3.1.2).
func TestUntranslated(t *testing.T) {
	t.Parallel()
	q := plaza.New(t)
	for path, want := range map[string]string{
		"/sensors/s-1?lang=ca":        `<p class="intro"><span lang="en">`,
		"/sensors/s-1/notice?lang=ca": `<p><b><span lang="en">`,
		"/streams/noise?lang=ca":      `<span lang="es">Ruido</span>`,
		"/decisions?lang=ca":          `<span lang="en">Noise</span>`,
	} {
		if status, _, body := harness.Answer(t, q.Base+path); status != 200 || !strings.Contains(string(body), want) {
			t.Errorf("%s is %d and does not show %q", path, status, want)
		}
	}
}

// pagesSay looks for what each page is there to say, in each language.
func pagesSay(t *testing.T, d harness.Demo) {
	for path, want := range map[string][]string{
		"/?lang=en": {"What Portalba measures", "Footfall in the old town",
			"Who decided this? Decision", `<a class="zone`, "La Rambla"},
		"/?lang=ca": {"Què mesura Portalba", "Qui ho ha decidit? Decisió",
			`href="/sensors?lang=ca"`},
		"/?lang=es": {"Qué mide Portalba", "¿Quién lo ha decidido?"},
		"/streams/footfall?lang=en&cell=rambla": {"<svg", `class="s4 d4 band"`, "withheld",
			"Published from about 74 devices", "Cite this", "&amp;to=20"},
		"/streams/noise?lang=en":    {"about nobody"},
		"/streams/noise?lang=es":    {"no trata de nadie"},
		"/sensors?lang=en":          {"rambla-1", "card reader", "counted", "used", "dropped", "silent"},
		"/sensors/rambla-1?lang=en": {"people counter by WiFi", "signal strength", "decision 2026-14", "free-text"},
		"/sensors/rambla-1?lang=ca": {"Quants dispositius passen per la Rambla", "text lliure", "es llença"},
		"/sensors/port-1?lang=ca":   {"Quants dispositius passen pel port"},
		"/sensors/rambla-1/notice?lang=en": {"What is thrown away at once", "name of the WiFi network",
			"5 anys", "Complaints: Autoritat de Protecció de Dades",
			d.OpenData + "/sensors/rambla-1"},
		"/decisions/2026-14?lang=en": {"in force", "max_contributions: 4", "Who is measured",
			"Everything else that a sensor sends is dropped", "decision.yaml"},
		"/decisions/2026-14?lang=ca": {"A qui es mesura", `<div class="words" lang="ca">`},
		"/privacy?lang=en": {"A device is not a person", "adds up over days", `class="spent"`,
			"sluice verify " + d.OpenData},
		"/sensors/rambla-1/notice?size=a5": {"Nobody is recognised the next day.", "L’endemà no es reconeix ningú.",
			"planificar el espacio para peatones", "GDPR 6(1)(e); by-law 2026/3", "dpd@portalba.example",
			"carrers@portalba.example"},
		"/sensors/air-port/notice": {"No mide nada sobre las personas.", "no data about people"},
		"/imprint?lang=ca":         {"Qui n’és responsable", "Plaça Major 1, Portalba", `href="mailto:dpd@portalba.example"`},
		"/accessibility?lang=es": {"Declaración de accesibilidad", "2016/2102",
			"vela por la accesibilidad de los sitios web públicos:", "Oficina d&#39;Accessibilitat Web",
			`href="https://accessibility.example"`},
		"/data?lang=en":          {"/catalog.jsonld", "CC0-1.0", "curl '" + d.OpenData},
		"/docs?lang=en":          {"GET /api/v1/streams/{id}/observations", "/openapi.json"},
		"/problems/rate?lang=en": {"Retry-After"},
	} {
		status, header, body := harness.Answer(t, d.OpenData+path)
		if status != 200 || header.Get("Content-Language") == "" {
			t.Errorf("%s is %d in %q", path, status, header.Get("Content-Language"))
		}
		for _, w := range want {
			if !strings.Contains(string(body), w) {
				t.Errorf("%s does not show %q", path, w)
			}
		}
		describes(t, path, string(body))
	}
}

// TestNobodyEnforces: a city that has not named who enforces accessibility is said to be one.
func TestNobodyEnforces(t *testing.T) {
	t.Parallel()
	q := plaza.New(t)
	status, _, body := harness.Answer(t, q.Base+"/accessibility?lang=es")
	if status != 200 || !strings.Contains(string(body), "en este país. Portalba no lo ha indicado aquí.") {
		t.Errorf("it is %d: %s", status, body)
	}
}

var aboutPage = regexp.MustCompile(`(?s)<script type="application/ld\+json">(.*?)</script>`)

// describes holds a page's head against schema.org's Dataset.
func describes(t *testing.T, path, body string) {
	t.Helper()
	var about struct {
		Context      string `json:"@context"`
		Type         string `json:"@type"`
		Name         string
		Description  string
		Creator      struct{ Name string }
		Distribution []struct{ ContentURL, EncodingFormat string }
	}
	m := aboutPage.FindStringSubmatch(body)
	if m == nil {
		t.Errorf("%s does not say what it is about", path)
		return
	}
	if err := json.Unmarshal([]byte(m[1]), &about); err != nil {
		t.Errorf("%s: %v", path, err)
	}
	// Google asks for a description of 50 to 5,000 characters.
	if about.Context != "https://schema.org/" || about.Type != "Dataset" || about.Name == "" ||
		len(about.Description) < 50 || about.Creator.Name != "Portalba" || len(about.Distribution) == 0 {
		t.Errorf("%s describes itself as %+v", path, about)
	}
}

// describesItself reads the catalogue as a machine does and looks for what DCAT-AP 3.0
// asks for, and lints the description of the API.
func describesItself(t *testing.T, d harness.Demo) {
	file := filepath.Join(t.TempDir(), "catalog.jsonld")
	status, header, body := harness.Answer(t, d.OpenData+"/catalog.jsonld")
	if status != 200 || header.Get("Content-Type") != "application/ld+json" {
		t.Fatalf("the catalogue is %d, %s", status, header.Get("Content-Type"))
	}
	harness.Write(t, file, string(body))
	conforms(t, file, d.OpenData+"/catalog.jsonld")
	const dcat, dct, foaf = "http://www.w3.org/ns/dcat#", "http://purl.org/dc/terms/", "http://xmlns.com/foaf/0.1/"
	says := map[string]map[string][]string{} // subject, predicate, objects
	kinds := map[string][]string{}
	for line := range strings.Lines(harness.Node(t, "linked.js", file, d.OpenData+"/catalog.jsonld")) {
		s := strings.SplitN(strings.TrimSuffix(line, "\n"), "\t", 3)
		if says[s[0]] == nil {
			says[s[0]] = map[string][]string{}
		}
		says[s[0]][s[1]] = append(says[s[0]][s[1]], s[2])
		if strings.HasSuffix(s[1], "#type") {
			kinds[s[2]] = append(kinds[s[2]], s[0])
		}
	}
	for kind, mandatory := range map[string][]string{
		dcat + "Catalog": {dct + "title", dct + "description", dct + "publisher", dcat + "dataset"},
		dcat +
			"Dataset": {dct + "title", dct + "description", dct + "publisher", dcat + "distribution", dct + "spatial",
			dct + "temporal", dct + "provenance"},
		dcat + "Distribution": {dcat + "accessURL", dct + "license", dct + "format"},
		dcat + "DataService":  {dcat + "endpointURL", dct + "title"},
		foaf + "Agent":        {foaf + "name"},
	} {
		if len(kinds[kind]) == 0 {
			t.Errorf("there is no %s", kind)
		}
		for _, s := range kinds[kind] {
			for _, p := range mandatory {
				if len(says[s][p]) == 0 {
					t.Errorf("%s has no %s", s, p)
				}
			}
			for _, address := range append(says[s][dcat+"accessURL"], says[s][dcat+"landingPage"]...) {
				if status, _, _ := harness.Answer(t, address); status != 200 {
					t.Errorf("%s leads to %d", address, status)
				}
			}
		}
	}
	var streams []books.Stream
	harness.GetJSON(t, d.OpenData+"/books/streams.json", &streams)
	if len(kinds[dcat+"Dataset"]) != len(streams) || len(streams) == 0 {
		t.Errorf("%d datasets for %d streams", len(kinds[dcat+"Dataset"]), len(streams))
	}
	_, _, body = harness.Answer(t, d.OpenData+"/openapi.json")
	api := filepath.Join(t.TempDir(), "openapi.json")
	harness.Write(t, api, string(body))
	harness.Tool(t, ".bin/spectral", "lint", "-F", "hint", "-r", "spectral.yaml", api)
}

// conforms holds the catalogue against shapes of what DCAT-AP makes mandatory and
// recommended, and one that is broken on purpose, so that the shapes bite.
func conforms(t *testing.T, file, base string) {
	t.Helper()
	if out := harness.Node(t, "shapes.js", file, base, "dcat.ttl"); !strings.Contains(out, " triples, 0 findings") {
		t.Errorf("it does not conform:\n%s", out)
	}
	raw := harness.Read(t, file)
	for _, x := range [][2]string{
		{`"dcat:keyword"`, `"dct:alternative"`}, {`authority/data-theme/REGI"`, `authority/data-theme/CITY"`},
		{`"dcat:accessURL"`, `"dcat:downloadURL"`}, {`"vcard:fn"`, `"vcard:note"`}, {`"xsd:date"`, `"xsd:dateTime"`},
		{`"dct:publisher"`, `"dct:creator"`}, {`"foaf:name"`, `"foaf:nick"`},
	} {
		broken := filepath.Join(t.TempDir(), "broken.jsonld")
		harness.Write(t, broken, strings.ReplaceAll(raw, x[0], x[1]))
		if out := harness.Node(t, "shapes.js", broken, base, "dcat.ttl"); strings.Contains(out, " 0 findings") {
			t.Errorf("with %s for %s it conforms, or nothing was replaced", x[1], x[0])
		}
	}
}
