package i18n

import (
	"testing"

	"sluice/books"
)

// TestWords: what the council has words for is said in the reader's language, and all else
// as it was: by its id, and with its unit.
func TestWords(t *testing.T) {
	v := books.Vocabulary{
		Purposes:   map[string]map[string]string{"air": {"ca": "aire", "en": "air"}},
		Kinds:      map[string]map[string]string{"meter": {"ca": "sonòmetre"}},
		Fields:     map[string]map[string]string{"meter/laeq": {"ca": "nivell"}},
		Categories: map[string]map[string]string{"class/bike": {"ca": "bicicleta"}, "a/car": {"ca": "cotxe"}},
		Units:      map[string]map[string]string{"m/s": {"ca": "metres per segon"}},
	}
	ca, es := In("ca").Words(v), In("es").Words(v)
	named := map[string]string{"ca": "NO₂", "en": "NO₂"}
	for _, x := range []struct{ what, got, want string }{
		{"a purpose", ca.Purpose("air"), "aire"}, {"one that is not in Spanish", es.Purpose("air"), "air"},
		{"one without words", ca.Purpose("noise"), "noise"},
		{"a kind", ca.Kind("meter"), "sonòmetre"}, {"no kind", ca.Kind("x"), "x"},
		{"a field", ca.Field("meter", "laeq"), "nivell"}, {"another kind's", ca.Field("x", "laeq"), "laeq"},
		{"a category", ca.Category("class", "bike"), "bicicleta"},
		{"of another field", ca.Category("x", "bike"), "bike"},
		{"of an unsaid field", ca.Category("", "car"), "cotxe"}, {"none", ca.Category("class", ""), ""},
		{"a unit", ca.Unit("m/s", 2), "metres per segon"}, {"our own", ca.Unit("ug/m3", 2), "µg/m³"},
		{"a unit of privacy", ca.Unit("card", 1), "targeta"}, {"another language's", es.Unit("m/s", 2), "m/s"},
		{"a measure", ca.Measure(books.Measure{Name: "no2", Unit: "ug/m3", Names: named}), "NO₂ (µg/m³)"},
		{"one without words here", es.Measure(books.Measure{Name: "no2", Unit: "ug/m3", Names: named}), "no2 (µg/m³)"},
		{"a count", ca.Measure(books.Measure{Name: "devices", Unit: "device",
			Names: map[string]string{"ca": "mòbils"}}), "mòbils"},
		{"a count without words", ca.Measure(books.Measure{Name: "devices", Unit: "device"}), "devices (dispositius)"},
		{"a class", ca.Measure(books.Measure{Name: "speeds_30_50", Unit: "vehicle", Class: []float64{30, 50},
			Names: map[string]string{"ca": "velocitats"}}), "velocitats, 30–50"},
		{"a limit", ca.Limit(books.Limit{Title: map[string]string{"ca": "límit"}, Source: "a law"}), "límit"},
		{"one without a title", ca.Limit(books.Limit{Source: "a law"}), "a law"},
	} {
		if x.got != x.want {
			t.Errorf("%s: %q; want %q", x.what, x.got, x.want)
		}
	}
}

// TestPeriod: how long something is kept, in words.
func TestPeriod(t *testing.T) {
	for _, x := range [][3]string{
		{"en", "P5Y", "5 years"}, {"ca", "P1Y", "1 any"}, {"es", "P1Y6M", "1 año, 6 meses"}, {"en", "PT1H", "1 hour"},
		{"en", "forever", "forever"}, {"en", "", ""},
	} {
		if got := In(x[0]).Period(x[1]); got != x[2] {
			t.Errorf("%s in %s is %q; want %q", x[1], x[0], got, x[2])
		}
	}
}
