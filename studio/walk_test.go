package studio

import (
	"html"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sluice/policy/explain"
	"sluice/policy/templates"
)

var (
	blankField = regexp.MustCompile(`name="([a-z_.0-9]+)"[^>]* value="([^"]*&lt;[^"]*)"`)
	blankArea  = regexp.MustCompile(`<textarea id="f-[^"]*" name="([a-z_.0-9]+)"[^>]*>\s*([^<]*&lt;[^<]*)</textarea>`)
	broken     = regexp.MustCompile(`%!|NaN|<no value>|ZgotmplZ`)
)

// TestEachTemplateIsWalked: each of the twenty, as a clerk does: begun on its page, it has a form and mistakes; when
// each blank is filled in by its field it has none, is tried on its street with a picture, and can be read in
// each language of the city.
func TestEachTemplateIsWalked(t *testing.T) {
	for _, x := range templates.List() {
		t.Run(x.ID, func(t *testing.T) {
			s := open(t)
			old, err := filepath.Glob(filepath.Join(s.o.Dir, "decisions", "*.yaml")) // which have spent the budget
			if err != nil || len(old) != 4 {
				t.Fatal(old, err)
			}
			for _, name := range old {
				if err := os.Remove(name); err != nil {
					t.Fatal(err)
				}
			}
			s.begun(t, "2027-01", x.ID)
			const page = "/draft/2027-01"
			_, body := s.answer(s.request("GET", page, ""))
			shows(t, body, `id="form"`, `[0-9]+ mistakes`)
			fill := url.Values{"do": {"save"}}
			blanks := blankField.FindAllStringSubmatch(body, -1)
			for _, m := range append(blanks, blankArea.FindAllStringSubmatch(body, -1)...) {
				fill.Set(m[1], angledBlank.ReplaceAllString(html.UnescapeString(m[2]), "Rambla"))
			}
			if len(fill) < 5 { // the law and the title in each language, besides what to do
				t.Fatalf("only %v has blanks", fill)
			}
			body = s.post(t, page, fill)
			shows(t, body, "Nothing is wrong", `>\s*Saved\.`)
			for l := range explain.Languages {
				shows(t, body, `lang="`+explain.Languages[l]+`"`)
				r := s.request("GET", "/", "")
				r.URL.Path = s.base(explain.Lang(l)) + "/see/2027-01"
				code, body := s.answer(r)
				if code != http.StatusOK || !strings.Contains(body, `<svg class="picture"`) ||
					!strings.Contains(body, `class="sentences"`) || broken.MatchString(body) {
					t.Errorf("tried in %s: %d %.500s", explain.Lang(l), code, body)
				}
			}
			if broken.MatchString(body) {
				t.Errorf("the page has %s", broken.FindString(body))
			}
		})
	}
}

// angledBlank is what a template leaves to be written.
var angledBlank = regexp.MustCompile(`<[^<>]*>`)
