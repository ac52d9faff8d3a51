package diff

import (
	"strings"
	"testing"

	"sluice/configs/portalba"
	"sluice/policy/bundle"
)

// TestWordsAreCompared: what residents read, whom they can reach and what numbers are
// compared with protects nobody, and each change of it is said with both values.
func TestWordsAreCompared(t *testing.T) {
	for _, c := range []struct{ file, old, new, key, says string }{
		{"charter.yaml", "dpd@portalba.example", "other@portalba.example", "dpo", `"dpd@portalba.example"`},
		{"charter.yaml", "Plaça Major 1", "Plaça Major 2", "responsible", `"Plaça Major 2, Portalba"`},
		{"charter.yaml", "https://authority.example", "https://other.example", "authority", "other.example"},
		{"charter.yaml", "en: environment", "en: the environment", "words purpose environment", `en: "the environment"`},
		{"charter.yaml", "en: µg/m³", "en: micrograms", "words unit ug/m3", "micrograms"},
		{"kinds.yaml", "en: noise meter", "en: meter of noise", "words kind noise-meter", "meter of noise"},
		{"kinds.yaml", "en: fare", "en: tariff", `words field card-reader/fare`, `en: "fare"`},
		{"decisions/2026-17-air.yaml", "value: 25", "value: 15", "publish.limits", `no2 15 ug/m3 (1 `},
		{"decisions/2026-17-air.yaml", "guidelines 2021", "guidelines 2031", "publish.limits", "2031"},
		{"decisions/2026-16-noise.yaml", "en: noise level", "en: loudness", "publish.names", "loudness"},
	} {
		files := portalba.Policy()
		before, err := bundle.Read(files)
		if err != nil {
			t.Fatal(err)
		}
		files[c.file] = []byte(strings.Replace(string(files[c.file]), c.old, c.new, 1))
		after, err := bundle.Read(files)
		if err != nil {
			t.Fatal(c.new, err)
		}
		list := Compare(Before{Policy: before}, after)
		if len(list) != 1 || list[0].Key != c.key || list[0].Mark != Neutral || list[0].Ends ||
			!strings.Contains(list[0].Words(0), c.says) {
			t.Errorf("%s: %+v; want %s that says %s", c.new, list, c.key, c.says)
		}
	}
}
