// Package search finds streets, places, streams, sensors and decisions by what people call
// them. Words are compared without accents and case and without the articles and little words
// of Catalan, Spanish and English: "plaça de l'estació", "Placa Estacio" and "l’Estació, plaça"
// are the same three letters on a signpost.
//
// Every word that was asked for has to begin a word of a name, or, where it has five letters
// or more, be one letter away from one. Best is a name that is all that was asked for, then one
// that begins with it, then any other; of equals, by kind and in the order given.
package search

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Bounds of a question and of its answer.
const (
	MaxQuery = 100 // bytes
	maxWords = 8
)

// Entry is something that can be found.
type Entry struct {
	// Kind orders entries that fit equally well; the lowest is first.
	Kind int
	// Names are all that it is called, ids too.
	Names []string

	folded [][]string
}

// Index finds entries. It is not changed once it was made.
type Index struct{ entries []Entry }

// New makes an index of entries.
func New(entries []Entry) *Index {
	x := &Index{entries}
	for i := range x.entries {
		e := &x.entries[i]
		for _, name := range e.Names {
			if words := Fold(name); len(words) > 0 {
				e.folded = append(e.folded, words)
			}
		}
	}
	return x
}

// Find returns the positions of the entries that fit, the best first, and how many there are
// in all; nothing for a question that is empty or longer than MaxQuery.
func (x *Index) Find(question string, most int) (hits []int, all int) {
	if len(question) > MaxQuery {
		return nil, 0
	}
	words := Fold(question)
	if len(words) == 0 || len(words) > maxWords {
		return nil, 0
	}
	type hit struct{ at, score int }
	var list []hit
	for i := range x.entries {
		if s := x.entries[i].score(words); s > 0 {
			list = append(list, hit{i, s})
		}
	}
	slices.SortStableFunc(list, func(a, b hit) int {
		return cmp.Or(b.score-a.score, x.entries[a.at].Kind-x.entries[b.at].Kind)
	})
	for _, h := range list[:min(most, len(list))] {
		hits = append(hits, h.at)
	}
	return hits, len(list)
}

// score is how well the entry fits, at its best name; 0 for not at all.
func (e *Entry) score(words []string) (best int) {
	for _, name := range e.folded {
		best = max(best, fits(words, name))
	}
	return best
}

// fits compares what was asked for with one name.
func fits(words, name []string) int {
	switch {
	case slices.Equal(words, name):
		return 5
	case len(words) <= len(name) && slices.Equal(words[:len(words)-1], name[:len(words)-1]) &&
		strings.HasPrefix(name[len(words)-1], words[len(words)-1]):
		return 4
	}
	score := 3
	for _, w := range words {
		switch {
		case slices.Contains(name, w):
		case slices.ContainsFunc(name, func(n string) bool { return strings.HasPrefix(n, w) }):
			score = min(score, 2)
		case slices.ContainsFunc(name, func(n string) bool { return near(w, n) }):
			score = min(score, 1)
		default:
			return 0
		}
	}
	return score
}

// little are words that say nothing of a place.
var little = func() map[string]bool {
	all := make(map[string]bool)
	for _, w := range strings.Fields("el la els les lo los las l un una en na d de del dels des s i y e " +
		"the of and a al als") {
		all[w] = true
	}
	return all
}()

// Fold returns the words of a text without accents, case and little words; all of its words
// where there are no others.
func Fold(text string) []string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(text) {
		switch {
		case unicode.Is(unicode.Mn, r), r == '·': // an accent, and that of l·l
		case unicode.IsLetter(r), unicode.IsDigit(r):
			b.WriteRune(unicode.ToLower(unicode.ToUpper(r))) // ı is I in capitals
		default:
			b.WriteByte(' ')
		}
	}
	words := strings.Fields(b.String())
	some := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return little[w] })
	if len(some) == 0 {
		return words
	}
	return some
}

// near reports whether two words are one letter apart: another, one more, one fewer, or two
// that have changed places.
func near(a, b string) bool {
	const least = 5
	x, y := []rune(a), []rune(b)
	if len(x) < least || len(y) < least || len(x)-len(y) > 1 || len(y)-len(x) > 1 {
		return false
	}
	n := 0
	for n < len(x) && n < len(y) && x[n] == y[n] {
		n++
	}
	restX, restY := x[n:], y[n:]
	switch {
	case len(restX) == len(restY) && len(restX) > 1 && restX[0] == restY[1] && restX[1] == restY[0]:
		return slices.Equal(restX[2:], restY[2:])
	case len(restX) == len(restY):
		return len(restX) == 0 || slices.Equal(restX[1:], restY[1:])
	case len(restX) > len(restY):
		return slices.Equal(restX[1:], restY)
	}
	return slices.Equal(restX, restY[1:])
}
