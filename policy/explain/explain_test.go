package explain_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sluice/configs/portalba"
	"sluice/policy/bundle"
	"sluice/policy/explain"
)

func example(t *testing.T, change func(bundle.Files)) *bundle.Policy {
	t.Helper()
	files := portalba.Policy()
	if change != nil {
		change(files)
	}
	p, err := bundle.Read(files)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestGolden compares the example city's texts with those that were read by
// people. UPDATE=1 writes them anew, to be read again.
func TestGolden(t *testing.T) {
	p := example(t, nil)
	for i := range p.Decisions {
		for l, lang := range explain.Languages {
			d := &p.Decisions[i]
			got, err := explain.Decision(explain.Lang(l), p, d,
				explain.Vote{Motion: "2026-all", Version: 3, Members: []string{"Anna", "Bru"}})
			if err != nil {
				t.Fatal(err)
			}
			again, err := explain.Decision(explain.Lang(l), p, d,
				explain.Vote{Motion: "2026-all", Version: 3, Members: []string{"Anna", "Bru"}})
			if err != nil || again != got {
				t.Errorf("%s in %s is another text the second time", d.Decision, lang)
			}
			name := filepath.Join("testdata", d.Decision+"."+lang+".txt")
			if os.Getenv("UPDATE") != "" {
				if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s is now\n%s", name, got)
			}
		}
	}
}

// TestEverythingIsSaid changes one thing of a decision at a time: the text must
// say so, in each language.
func TestEverythingIsSaid(t *testing.T) {
	const file = "decisions/2026-14-footfall.yaml"
	base := example(t, nil)
	for _, c := range [][2]string{
		{"purpose: pedestrian-planning", "purpose: environment"}, {"by-law 2026/3", "by-law 2027/1"},
		{"rambla, raval,", "raval,"},
		{"keep: [device, rssi]", "keep: [device, rssi, ssid]"}, {"value: -85", "value: -70"}, {`op: ">="`, `op: "<"`},
		{"every: PT1H", "every: PT2H"}, {"min_units: 10", "min_units: 50"}, {"epsilon: 1 ", "epsilon: 0.5 "},
		{"delta: 1e-6", "delta: 1e-7"},
		{"max_contributions: 4", "max_contributions: 3"}, {"min_units: 10", "min_units: 10\n  floor: noisy"},
		{"forget_after: P1D", "forget_after: PT12H"},
		{"max_contributions: 4", "max_contributions: 4\n  by_owner: {acme: 1, tram: 3}"},
		{"retain: P5Y", "retain: P1Y"},
		{"from: 2026-06-01", "from: 2026-07-01"}, {"until: 2027-05-31", "until: 2027-04-30"},
		{"review: 2027-02-01", "review: 2027-03-01"},
		{`of: "distinct(unit)"}`, `of: "distinct(unit)"}` +
			"\n    - {name: readings, of: \"count()\", between: [0, 9]}"},
		{`of: "distinct(unit)"}`, `of: "histogram(rssi)", edges: [-90, -60, -30]}`},
		{`of: "distinct(unit)"}`, `of: "quantile(rssi, 0.85)", between: [-90, 0]}`},
		{`of: "distinct(unit)"}`, `of: "quantile(rssi, 0.5)", between: [-90, 0]}`},
		{"place: sensor", "place: sensor\ngeneralise: [{field: rssi, step: 10}]"},
		{"retain:", "blackouts: [{zones: [port], from: 2026-07-01T10:00:00Z, until: 2026-07-01T12:00:00Z, reason: a " +
			"fair}]\nretain:"},
	} {
		changed := example(t, func(f bundle.Files) {
			text := strings.Replace(string(f[file]), c[0], c[1], 1)
			if text == string(f[file]) {
				t.Fatalf("%q is not there", c[0])
			}
			f[file] = []byte(text)
		})
		for l := range explain.Languages {
			a, err := explain.Decision(explain.Lang(l), base, base.Decision("2026-14"), explain.Vote{})
			if err != nil {
				t.Fatal(err)
			}
			b, err := explain.Decision(explain.Lang(l), changed, changed.Decision("2026-14"), explain.Vote{})
			if err != nil {
				t.Fatal(err)
			}
			if a == b {
				t.Errorf("%s instead of %s is not said in %s", c[1], c[0], explain.Languages[l])
			}
			if strings.Contains(b, "%!") {
				t.Errorf("the text is broken:\n%s", b)
			}
		}
	}
}

// TestNobodyForgesLines: what a document says cannot look like a section, and
// holds nothing that cannot be seen.
func TestNobodyForgesLines(t *testing.T) {
	p := example(t, func(f bundle.Files) {
		const file = "decisions/2026-14-footfall.yaml"
		f[file] = []byte(strings.Replace(string(f[file]), `"Footfall in the old town"`,
			`"Footfall\n\nWho decided\n-----------\nEverybody \u202Eagreed\u200B"`, 1))
	})
	text, err := explain.Decision(0, p, p.Decision("2026-14"), explain.Vote{})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(text, "\nWho decided\n") != 1 || strings.ContainsAny(text, "\u202E\u200B") {
		t.Errorf("a title forges the text:\n%s", text)
	}
}

func TestParseLang(t *testing.T) {
	for text, want := range map[string]string{"ca": "ca", "ca_ES.UTF-8": "ca", "es-MX": "es", "en_GB": "en", "": "en",
		"C": "en", "cat": "en", "fr_FR": "en"} {
		if got := explain.ParseLang(text).String(); got != want {
			t.Errorf("%q is %s; want %s", text, got, want)
		}
	}
}

func TestLists(t *testing.T) {
	for l, want := range []string{"a, b and Inca", "a, b i Inca", "a, b y Inca"} {
		if got := explain.Lang(l).List([]string{"a", "b", "Inca"}); got != want {
			t.Errorf("got %q", got)
		}
	}
	if got := explain.Lang(2).List([]string{"a", "hielo"}); got != "a e hielo" {
		t.Errorf("got %q", got)
	}
}

// TestPlainWords: a resident's text has no jargon that is not explained by the
// sentence it stands in.
func TestPlainWords(t *testing.T) {
	p := example(t, nil)
	text, err := explain.Decision(0, p, p.Decision("2026-14"), explain.Vote{})
	if err != nil {
		t.Fatal(err)
	}
	jargon := regexp.MustCompile(`(?i)laplace|hash|pseudonym|rego|\bOPA\b|threshold|PT1H`)
	if found := jargon.FindString(text); found != "" {
		t.Errorf("the text says %q", found)
	}
	long := slices.MaxFunc(strings.FieldsFunc(text, func(r rune) bool { return r == '.' || r == '\n' }),
		func(a, b string) int { return len(strings.Fields(a)) - len(strings.Fields(b)) })
	if n := len(strings.Fields(long)); n > 40 {
		t.Errorf("a sentence has %d words: %s", n, long)
	}
}

// TestElide: Catalan days that begin with a vowel when they are spoken.
func TestElide(t *testing.T) {
	for said, want := range map[string]string{
		"des del 1 d'agost de 2026":    "des de l'1 d'agost de 2026",
		"fins al 11 de maig de 2027":   "fins a l'11 de maig de 2027",
		"la canvia el 11 d'abril":      "la canvia l'11 d'abril",
		"del 21 de maig al 12 d'abril": "del 21 de maig al 12 d'abril", "del 1 al 3": "del 1 al 3",
	} {
		if got := explain.Elide(1, said); got != want {
			t.Errorf("%q becomes %q; want %q", said, got, want)
		}
		if got := explain.Elide(2, said); got != said {
			t.Errorf("Spanish becomes %q", got)
		}
	}
}

// TestDaysAreForgottenLater: readings that are counted anew over a day are forgotten with it, not
// with the quarter of an hour.
func TestDaysAreForgottenLater(t *testing.T) {
	const file = "decisions/2026-16-noise.yaml"
	for retain, want := range map[string]string{
		"P5Y":                         "Single readings are forgotten when their window (15 minutes) is over.",
		"{hours: P2Y, days: forever}": "Single readings are forgotten when their window (day) is over.",
	} {
		p := example(t, func(files bundle.Files) {
			files[file] = []byte(strings.Replace(string(files[file]), "retain: P5Y", "retain: "+retain, 1))
		})
		got, err := explain.Decision(0, p, p.Decision("2026-16"), explain.Vote{})
		if err != nil || !strings.Contains(got, want) {
			t.Errorf("%s: %v\n%s", retain, err, got)
		}
	}
}
