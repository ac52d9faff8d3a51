package check

import (
	"maps"
	"path"
	"slices"
	"strings"
	"unicode"

	"sluice/internal/yamldoc"
	"sluice/policy/decision"
)

// contacts warns of whom residents are told nothing (W53), with where they miss it.
func (c *checker) contacts() {
	city := c.charter.City
	for _, x := range []struct {
		key string
		who decision.Party
	}{{"responsible", city.Responsible}, {"dpo", city.DPO}, {"authority", city.Authority},
		{"accessibility", city.Accessibility}} {
		if x.who == (decision.Party{}) {
			c.at("charter.yaml", "W53", "city", x.key)
			c.found[len(c.found)-1].Case = x.key
		}
	}
}

// capitals warns of words in capitals that are no name (W54): they stand inside sentences. Words
// that are the same in each language are a name or a sign.
func (c *checker) capitals(file string, tree *yamldoc.Tree) {
	texts := make(map[string]map[string]string) // by place and language
	for _, s := range tree.Strings() {
		if wordsAt.MatchString(s.Place) && !strings.HasPrefix(s.Place, "names/units/") {
			dir, lang := path.Split(s.Place)
			if texts[dir] == nil {
				texts[dir] = make(map[string]string)
			}
			texts[dir][lang] = s.Text
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(texts)) {
		by := texts[dir]
		if len(by) > 1 && len(slices.Compact(slices.Sorted(maps.Values(by)))) == 1 {
			continue
		}
		for _, lang := range slices.Sorted(maps.Keys(by)) {
			if small := lowered(by[lang]); small != by[lang] {
				c.at(file, "W54", dir+lang, by[lang], small)
			}
		}
	}
}

// lowered is a text in small letters where it is written like a heading: all in capitals, or
// with only its first word so. A name of several words, and signs such as PM₁₀ and WiFi, stay.
func lowered(text string) string {
	words := strings.Fields(text)
	shouted, letters, headed := true, 0, 0
	for _, w := range words {
		for _, r := range w {
			if unicode.IsLetter(r) {
				letters++
				shouted = shouted && unicode.IsUpper(r)
			}
		}
		if capital(w) {
			headed++
		}
	}
	const sign = 4 // letters that a sign may have: UVA, PAH, dB
	switch {
	case shouted && letters > sign:
		return strings.ToLower(text)
	case headed == 1 && capital(words[0]):
		r := []rune(text)
		i := slices.IndexFunc(r, unicode.IsLetter)
		r[i] = unicode.ToLower(r[i])
		return string(r)
	}
	return text
}

// capital reports whether a word is a capital and small letters.
func capital(word string) bool {
	letters := []rune(strings.TrimFunc(word, func(r rune) bool { return !unicode.IsLetter(r) }))
	if len(letters) < 3 || !unicode.IsUpper(letters[0]) {
		return false
	}
	return !slices.ContainsFunc(letters[1:], func(r rune) bool { return !unicode.IsLower(r) })
}
