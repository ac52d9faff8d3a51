package diff

import (
	"math/rand/v2"
	"slices"
	"testing"

	"sluice/policy/explain"
)

// TestNamesDoNotLookAlike: two lists of names are never shown the same, and nothing
// that makes them differ is lost where the text is made plain.
func TestNamesDoNotLookAlike(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	pieces := []string{"a", "b", ",", " ", "  ", "\"", "\\", "-", "→", "\n", "\u202e", "\u200b", "\ufffd", "\xff",
		"\u00a0", "\ue000", "x20", `\x20`, "é", "e\u0301", ":", ";", "(", "nothing"}
	seen := make(map[string][]string)
	for range 200_000 {
		list := make([]string, rng.IntN(3))
		for i := range list {
			for range rng.IntN(4) {
				list[i] += pick(rng, pieces)
			}
		}
		shown := words(list)
		if plain := explain.Plain(shown); plain != shown {
			t.Fatalf("%q is shown as %q, of which %q is left", list, shown, plain)
		}
		if other, twice := seen[shown]; twice && !slices.Equal(list, other) {
			t.Fatalf("%q and %q are both shown as %q", list, other, shown)
		}
		seen[shown] = list
	}
	for _, name := range []string{"2026-14", "local/fair.rego", "Plaça", "wifi-counter", "Europe/Madrid"} {
		if word(name) != name {
			t.Errorf("%s is shown as %s", name, word(name))
		}
	}
}
