package i18n

import (
	"slices"
	"strings"
	"testing"

	"sluice/internal/locales"
)

// TestRetell: finished English texts are known by their sentences.
func TestRetell(t *testing.T) {
	s := Localizers()
	for _, x := range []struct{ code, english, want string }{
		{"ca", "V04: 3 members have signed; 4 are needed", "V04: han signat 3 membres; en calen 4"},
		{"es", "V04: 1 member has signed; 4 are needed", "V04: ha firmado 1 miembro; hacen falta 4"},
		{"ca", "V05: ballots/anna.sig: not an SSH signature; make it with ssh-keygen -Y sign",
			"V05: ballots/anna.sig: no és una signatura SSH; feu-la amb ssh-keygen -Y sign"},
		{"ca", "open motions/x/y: permission denied", "no es pot obrir motions/x/y: no hi ha permís"},
		{"ca", "1 more member must sign motion.txt", "1 membre més ha de signar motion.txt"},
		{"ca", "2 more members must sign motion.txt", "2 membres més han de signar motion.txt"},
		{"es", "unknown flag: --x; see sluice --help", "no hay ninguna opción --x; vea sluice --help"},
		{"ca", `unknown command "creat" for "sluice motion"`, `no hi ha cap ordre "creat" a "sluice motion"`},
		{"ca", "a text that nobody knows", "a text that nobody knows"},
		{"ca", "--reason is missing, and residents read it; see sluice motion suspend --help",
			"suspend necessita --reason: els veïns el llegeixen; vegeu sluice motion suspend --help"},
		{"es", "motions/m/m.sluice: V03: bundle.tar.gz is not the one that motion.txt names",
			"motions/m/m.sluice: V03: bundle.tar.gz no es el que dice motion.txt"},
		{"ca", "the policy breaks its charter; sluice policy check shows where:\n  C05: x\n  C06: permission denied",
			"la política incompleix la carta; sluice policy check diu on:\n  C05: x\n  C06: no hi ha permís"},
		{"en", "permission denied", "permission denied"},
		{"ca", "there is no decision draft here", "aquí no hi ha cap decisió draft"}, // a name stays a name
	} {
		if got := s[x.code].Retell(x.english); got != x.want {
			t.Errorf("%q is %q in %s; want %q", x.english, got, x.code, x.want)
		}
	}
	long := strings.Repeat("no such file or directory: ", 300) // what is long ends
	if got := s["ca"].Retell(long); len(got) == 0 {
		t.Error("a long text is lost")
	}
}

// TestASentencesOwnWords: who lacks a sentence's own words is none of its pattern either.
func TestASentencesOwnWords(t *testing.T) {
	known, n, found := retellings(locales.In(1)), 0, 0
	for text := range locales.In(1).Sentences("clerk") {
		text = part.ReplaceAllString(text, "7")
		for i := range known {
			if n++; n%31 != 0 && !strings.HasPrefix(text, known[i].begins) {
				continue // all that may be found, and a part of all others
			}
			got, want := known[i].find(text), known[i].pattern().FindStringSubmatch(text)
			if !slices.Equal(got, want) {
				t.Fatalf("%q has %q as parts of %q; want %q", text, got, known[i].to, want)
			}
			if got != nil {
				found++
			}
		}
	}
	if found < 100 {
		t.Errorf("%d sentences are found", found)
	}
}
