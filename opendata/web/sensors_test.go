package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"sluice/books"
	"sluice/opendata/i18n"
	"sluice/opendata/query"
)

// TestSensorsArePaged: a page lists so many sensors, and leads to the others; all of
// them are on one page.
func TestSensorsArePaged(t *testing.T) {
	dir := books.Dir(t.TempDir())
	var reg books.Register
	for n := range 2*sensorsAtOnce + 10 {
		reg.Sensors = append(reg.Sensors, books.Sensor{ID: fmt.Sprintf("s-%05d", n)})
	}
	if err := dir.PutJSON("register.json", reg); err != nil {
		t.Fatal(err)
	}
	w := &Web{source: &query.Source{Books: books.Reader{Source: dir}}}
	seen, pages := 0, 0
	for path := "/sensors"; path != ""; pages++ {
		got, err := w.sensors(httptest.NewRequest(http.MethodGet, path, nil), i18n.In("en"))
		if err != nil {
			t.Fatal(err)
		}
		p, _ := got.(sensorList)
		if len(p.Sensors) == 0 || len(p.Sensors) > sensorsAtOnce || p.Sensors[0].ID != reg.Sensors[seen].ID ||
			(p.First == "") != (pages == 0) {
			t.Fatalf("%s lists %d sensors", path, len(p.Sensors))
		}
		seen += len(p.Sensors)
		path = p.Later
	}
	if pages != 3 || seen != len(reg.Sensors) {
		t.Errorf("%d sensors on %d pages", seen, pages)
	}
}

// TestAnotherLanguage: a text that nobody has translated is shown as it is, and its
// language is marked for those who have it read to them (WCAG 2.2, 3.1.2).
func TestAnotherLanguage(t *testing.T) {
	both := map[string]string{"en": "How many devices pass", "ca": "Quants dispositius passen"}
	for _, tc := range []struct {
		language string
		texts    map[string]string
		want     string
	}{
		{"ca", both, "Quants dispositius passen"},
		{"en", both, "How many devices pass"},
		{"ca", map[string]string{"en": "Devices <b>"}, `<span lang="en">Devices &lt;b&gt;</span>`},
		{"en", map[string]string{"ca": "Dispositius"}, `<span lang="ca">Dispositius</span>`},
		{"en", nil, ""},
	} {
		if got := string(inLanguage(i18n.Localizers()[tc.language], tc.texts)); got != tc.want {
			t.Errorf("%v in %s is %q; want %q", tc.texts, tc.language, got, tc.want)
		}
	}
}
