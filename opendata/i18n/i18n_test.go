package i18n

import (
	"go/ast"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"sluice/internal/locales"
	"sluice/test/gofile"
)

var inTemplate = regexp.MustCompile(`\bt "((?:[^"\\]|\\.)*)"`)

// said are the sentences that templates and programs say.
func said(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") {
			return err
		}
		switch filepath.Ext(path) {
		case ".html":
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, m := range inTemplate.FindAllStringSubmatch(string(raw), -1) {
				text, err := strconv.Unquote(`"` + m[1] + `"`)
				if err != nil {
					return err
				}
				out[text] = true
			}
		case ".go":
			f, err := gofile.Parse(token.NewFileSet(), path)
			if err != nil {
				return err
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if text, ok := saying(n); ok {
					out[text] = true
				}
				return true
			})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// saying is the text of a call such as s.Say("...").
func saying(n ast.Node) (string, bool) {
	call, ok := n.(*ast.CallExpr)
	if !ok || len(call.Args) == 0 {
		return "", false
	}
	name := ""
	switch f := call.Fun.(type) {
	case *ast.SelectorExpr:
		name = f.Sel.Name
	case *ast.Ident:
		name = f.Name
	}
	text, ok := call.Args[0].(*ast.BasicLit)
	if !ok || name != "Say" && name != "say" && name != "all" {
		return "", false
	}
	s, err := strconv.Unquote(text.Value)
	return s, err == nil
}

// dynamic are the words that come from the books: they have no call of their own.
var dynamic = []string{
	"used", "generalised", "counted", "dropped", "not known", "yes", "silent", "budget", "rules",
	"blackout", "measurement", "identifier", "quasi-identifier", "location", "free-text", "credential",
}

var verb = regexp.MustCompile(`%[a-z%]`)

// TestEverySentence holds the two translations against what is really said: none is
// missing, none is left over, and each takes the same parts in the same order.
func TestEverySentence(t *testing.T) {
	used := said(t)
	if len(used) < 150 {
		t.Fatalf("only %d sentences were found; the search is broken", len(used))
	}
	for _, w := range dynamic {
		used[w] = true
	}
	for text := range used {
		for code, book := range map[string]map[string]string{"ca": catalan, "es": spanish} {
			got, ok := book[text]
			if _, plural := plurals[text]; plural {
				continue // TestForms looks at these
			}
			if !ok {
				t.Errorf("%s has no %q", code, text)
				continue
			}
			if a, b := verb.FindAllString(text, -1),
				verb.FindAllString(got, -1); strings.Join(a, "") != strings.Join(b, "") {
				t.Errorf("%s: %q takes %v, and its translation %v", code, text, a, b)
			}
		}
	}
	for code, book := range map[string]map[string]string{"ca": catalan, "es": spanish} {
		for text := range book {
			if !used[text] {
				t.Errorf("%s has %q, which nobody says", code, text)
			}
		}
	}
}

// TestForms: what has forms in English has them in each language, with the same parts but
// for the number, which a form may say in words.
func TestForms(t *testing.T) {
	for subject, english := range map[string]map[string]locales.Sentence{"pages": plurals, "clerk": clerkPlurals} {
		for _, code := range Codes {
			here := In(code).local.Sentences(subject)
			for text := range english {
				if here[text].Forms["other"] == "" {
					t.Errorf("%s/%s.yaml has no forms of %q", code, subject, text)
				}
			}
			for text, s := range here {
				if _, known := english[text]; !known && s.Forms != nil {
					t.Errorf("%s/%s.yaml has forms of %q, which en/%s.yaml has not", code, subject, text, subject)
				}
				for _, form := range forms(s) {
					want := strings.Join(part.FindAllString(text, -1), "")
					if got := strings.Join(part.FindAllString(form, -1), ""); got != want && "%d"+got != want {
						t.Errorf("%s: %q takes %s, and %q %s", code, text, want, form, got)
					}
				}
			}
		}
	}
}

// TestLanguages: whatever language there are files for has a name, and is offered.
func TestLanguages(t *testing.T) {
	for _, code := range locales.Languages {
		if !Known(code) || Names[code] == "" {
			t.Errorf("%s is in no menu of pages", code)
		}
	}
	if len(Codes) != len(locales.Languages) {
		t.Errorf("pages offer %v; there are files for %v", Codes, locales.Languages)
	}
}

func TestSpeaking(t *testing.T) {
	s := Localizers()
	at := time.Date(2026, 4, 1, 9, 5, 0, 0, time.UTC)
	for _, x := range []struct{ got, want string }{
		{s["en"].Number(1234567.25), "1,234,567.2"}, {s["ca"].Number(1234567.25), "1.234.567,2"},
		{s["es"].Number(12345.5), "12.345,5"},
		{s["en"].Number(0.012), "0.012"}, {s["en"].Number(0), "0"}, {s["en"].Tick(20, 2.5), "20.0"},
		{s["ca"].Tick(1000, 200), "1.000"},
		{s["en"].Unit("device", 1), "device"}, {s["en"].Unit("device", 0), "devices"},
		{s["en"].Unit("person", 2), "people"},
		{s["ca"].Unit("device", 1), "dispositiu"}, {s["ca"].Unit("device", 702), "dispositius"},
		{s["es"].Unit("card", 2), "tarjetas"},
		{s["es"].Unit("dB(A)", 2), "dB(A)"}, {s["es"].Unit("ug/m3", 2), "µg/m³"},
		{s["ca"].Day(at), "dimecres, 1 d’abril de 2026"}, {s["es"].Day(at), "miércoles, 1 de abril de 2026"},
		{s["en"].Day(at), "Wednesday, 1 April 2026"},
		{s["ca"].ShortDay(at), "dc. 1 abr."}, {s["en"].Date("2026-04-01"), "Wednesday, 1 April 2026"},
		{s["en"].Date("soon"), "soon"},
		{s["ca"].Every("PT15M", 15*time.Minute), "cada 15 minuts"}, {s["en"].Every("PT1H", time.Hour), "every hour"},
		{s["es"].Every("P1D", 25*time.Hour), "cada día"},
		{s["en"].Say("%d members signed", 1), "1 member signed"},
		{s["ca"].Say("%d members signed", 4), "4 membres han signat la"},
		{s["en"].Say("95 %% interval"), "95 % interval"},
	} {
		if x.got != x.want {
			t.Errorf("it says %q; want %q", x.got, x.want)
		}
	}
	if text, code := s["ca"].Title(map[string]string{"en": "Noise", "es": "Ruido"}); text != "Noise" || code != "en" {
		t.Errorf("a title without Catalan is %q in %q", text, code)
	}
}

func TestChoose(t *testing.T) {
	for accept, want := range map[string]string{
		"": "en", "ca": "ca", "es-ES,es;q=0.9,en;q=0.8": "es", "ca-ES, es;q=0.5": "ca", "fr": "en",
		"fr, ca;q=0.1": "ca", "en-GB": "en",
		"x;;;": "en", strings.Repeat("ca,", 1000) + "ca": "en", "val": "en",
	} {
		if got := Choose(accept); got != want {
			t.Errorf("Accept-Language %.30q is %q; want %q", accept, got, want)
		}
	}
}
