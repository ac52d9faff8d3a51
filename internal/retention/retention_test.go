package retention

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // a machine may have none

	"sluice/internal/civil"
	"sluice/internal/yamldoc"
)

// TestForms: both forms, as documents have them and as rules see them; the text alone says
// the same as the document that was read.
func TestForms(t *testing.T) {
	for text, want := range map[string]string{
		"retain: P5Y":                         `"P5Y"`,
		"retain: 'P5Y' # of numbers":          `"P5Y"`,
		"retain: forever":                     `"forever"`,
		"retain: {hours: P2Y, days: forever}": `{"hours":"P2Y","days":"forever"}`,
		"\"retain\" : P5Y":                    `"P5Y"`,
		"'retain': {days: P9Y}":               `{"days":"P9Y"}`,
		"retain: {days: forever}":             `{"days":"forever"}`,
		"retain: {hours: P2Y} # no more":      `{"hours":"P2Y"}`,
		"retain:\n  hours: P2Y # a comment\n\n# another\n  days: P10Y": `{"hours":"P2Y","days":"P10Y"}`,
		"retain: {\n  hours: \"P2Y\",\n  \"days\": P10Y\n  }":          `{"hours":"P2Y","days":"P10Y"}`,
		"title: x":                `"PT0S"`,
		"title: x\n# retain: P5Y": `"PT0S"`,
	} {
		text += "\nuntil: x\n"
		var d struct {
			Title  string    `yaml:"title"`
			Until  string    `yaml:"until"`
			Retain Retention `yaml:"retain"`
		}
		if err := yamldoc.Decode("d.yaml", []byte(text), &d); err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got, _ := json.Marshal(d.Retain); string(got) != want {
			t.Errorf("%q is %s; want %s", text, got, want)
		}
		if got := FromYAML(text); got != d.Retain {
			t.Errorf("%q says %+v, and its text %+v", text, d.Retain, got)
		}
	}
	for _, text := range []string{"retain: 5 years", "retain: P0D", "retain: {}", "retain: {hours: long}",
		"retain: {weeks: P1Y}", "retain: [P1Y]", "retain: {hours: PT0S}"} {
		var d struct {
			Retain Retention `yaml:"retain"`
		}
		if err := yamldoc.Decode("d.yaml", []byte(text), &d); err == nil {
			t.Errorf("%q is read as %+v", text, d.Retain)
		}
	}
}

// TestFor: an hour's and a day's windows have terms of their own.
func TestFor(t *testing.T) {
	r := FromYAML("retain: {hours: P2Y, days: forever}")
	for every, want := range map[string]string{"PT15M": "P2Y", "PT12H": "P2Y", "P1D": Forever, "PT24H": Forever} {
		if got := r.For(civil.MustPeriod(every)).String(); got != want {
			t.Errorf("%s: %q; want %q", every, got, want)
		}
	}
}

// TestFromYAMLFindsTheLine: retain may stand anywhere, and other lines are none of it.
func TestFromYAMLFindsTheLine(t *testing.T) {
	for text, want := range map[string]string{
		"decision: x\n\n  a: b\nretain: P5Y\nfrom: y\n":      "P5Y",
		"decision: x\nretain: P5Y\n\n# a year\nfrom: P1Y\n":  "P5Y",
		"decision: x\nplace:\n  retain: P5Y\nfrom: y\n":      "",
		"decision: x\nretain:\n\n# here\n  P5Y\nfrom: P1Y\n": "P5Y",
	} {
		if got := FromYAML(text).Hours.String(); got != want {
			t.Errorf("%q says %q; want %q", text, got, want)
		}
	}
	if !FromYAML("decision: x\n").IsZero() {
		t.Error("a text without it says something")
	}
}

// TestOver: what is removed has had all of its time, and nothing waits longer than to the
// next midnight, or the one behind where months are of different lengths.
func TestOver(t *testing.T) {
	madrid, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"P1D", "P1M", "P3M", "P1Y", "P2Y", "PT36H", "P1Y2M3DT4H"} {
		term, err := ParseTerm(text)
		if err != nil {
			t.Fatal(err)
		}
		for at := time.Date(2027, 1, 1, 0, 30, 0, 0, time.UTC); at.Year() < 2029; at = at.Add(7 * time.Hour) {
			over := term.Over(at, madrid)
			if over.IsZero() || term.Of(over).After(at) || over.In(madrid).Hour() != 0 {
				t.Fatalf("%s at %s: %s", text, at, over)
			}
			if term.Of(over).Sub(over) > term.Most() {
				t.Fatalf("%s is longer than %s", text, term.Most())
			}
			if next := over.AddDate(0, 0, 4); !term.Of(next).After(at) {
				t.Fatalf("%s at %s: only until %s", text, at, over)
			}
		}
	}
	for _, term := range []Term{{}, {Forever: true}} {
		if !term.Over(time.Now(), time.UTC).IsZero() {
			t.Errorf("%q ends", term)
		}
	}
	if !(Term{Period: civil.MustPeriod("P1Y")}).Over(time.Time{}, time.UTC).IsZero() {
		t.Error("without a clock something is over")
	}
}

// TestLonger: what is not said, and forever, are longer than any period.
func TestLonger(t *testing.T) {
	term := func(s string) (t Term) { t, _ = ParseTerm(s); return t }
	for _, x := range []struct {
		a, b string
		want bool
	}{{"P2Y", "P1Y", true}, {"P1Y", "P2Y", false}, {"P1Y", "P1Y", false}, {"forever", "P9Y", true},
		{"", "P9Y", true}, {"P9Y", "", false}, {"forever", "", false}, {"", "forever", false}} {
		if got := term(x.a).Longer(term(x.b)); got != x.want {
			t.Errorf("%q longer than %q: %v", x.a, x.b, got)
		}
	}
}

// FuzzFromYAML: a text of a city's books has terms or none, and is read to its end.
func FuzzFromYAML(f *testing.F) {
	f.Add("retain: P5Y")
	f.Add("retain: {hours: P2Y, days: forever}\nx: 1")
	f.Add("retain:\n  hours: P2Y\n")
	f.Fuzz(func(t *testing.T, text string) {
		r := FromYAML(text)
		if !r.IsZero() && !strings.Contains(text, "retain:") {
			t.Errorf("%+v of a text without retain", r)
		}
	})
}
