package explain

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

var verb = regexp.MustCompile(`%\[\d\]s`)

// TestPhrases: every sentence is there in each language and names the same things.
func TestPhrases(t *testing.T) {
	for key, list := range phrases {
		want := verb.FindAllString(list[0], -1)
		slices.Sort(want)
		for l, text := range list {
			got := verb.FindAllString(text, -1)
			slices.Sort(got)
			if text == "" || !slices.Equal(got, want) || strings.Contains(verb.ReplaceAllString(text, ""), "%") {
				t.Errorf("%s in %s: %q", key, Languages[l], text)
			}
		}
	}
}
