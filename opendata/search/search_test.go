package search

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestFold(t *testing.T) {
	for text, want := range map[string]string{
		"Plaça de l'Estació": "placa estacio", "PLACA  ESTACIO": "placa estacio", "L’Estació": "estacio",
		"Paral·lel": "parallel", "PARAL.LEL": "paral lel", "Passeig d'en Coll i Vehí": "passeig coll vehi",
		"Año Niño": "ano nino", "rambla-1": "rambla 1", "NO₂": "no2", "el": "el", "": "",
		" <b>' ": "b", "Gràcia": "gracia",
	} {
		if got := strings.Join(Fold(text), " "); got != want {
			t.Errorf("%q is %q; want %q", text, got, want)
		}
	}
}

func TestFind(t *testing.T) {
	x := New([]Entry{
		{Kind: 3, Names: []string{"rambla-1", "How many devices pass the Rambla"}},
		{Kind: 0, Names: []string{"La Rambla"}},
		{Kind: 1, Names: []string{"La Rambla"}},
		{Kind: 0, Names: []string{"Carrer de l'Estació", "Calle de la Estación"}},
		{Kind: 0, Names: []string{"Rambla de Dalt"}}, {Kind: 4, Names: []string{"2026-14", "Footfall"}},
	})
	for q, want := range map[string][]int{
		"rambla": {1, 2, 4, 0}, "la RÀMBLA": {1, 2, 4, 0}, "ramb": {1, 4, 2, 0},
		"estacion": {3}, "estasio": {3}, "carer": {3},
		"dalt rambla": {4}, "2026-14": {5}, "14": {5}, "ramlba dalt": {4}, "": nil, "  ": nil, "carrer nou": nil,
		strings.Repeat("rambla ", 20): nil, strings.Repeat("rambla ", maxWords): {1, 4, 2, 0},
		strings.Repeat("rambla ", maxWords+1): nil, "<script>": nil, "a b c d e f g h i j k l": nil,
	} {
		if got, n := x.Find(q, 10); !slices.Equal(got, want) || n != len(want) {
			t.Errorf("%q finds %v (%d); want %v", q, got, n, want)
		}
	}
	if got, n := x.Find("rambla", 1); len(got) != 1 || n != 4 {
		t.Errorf("one of %d is %v", n, got)
	}
}

// TestFound: what is called something is found by all of it, and by each of its words.
func TestFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringN(1, 20, 60).Draw(t, "name")
		x := New([]Entry{{Names: []string{"Carrer Nou"}}, {Names: []string{name}}})
		if words := Fold(name); len(words) == 0 || len(words) > maxWords {
			return
		}
		for _, q := range append(Fold(name), name, strings.ToUpper(strings.Join(Fold(name), " "))) {
			if got, _ := x.Find(q, 2); len(q) <= MaxQuery && len(Fold(q)) <= maxWords && !slices.Contains(got, 1) {
				t.Fatalf("%q does not find %q", q, name)
			}
		}
	})
}
