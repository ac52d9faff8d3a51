package i18n

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"sluice/test/claims"
)

// claimed is what each sentence says of intervals; see test/claims.
var claimed = map[string]claims.Claim{
	"In 95 of 100 cases what was counted is between %s and %s.":                              claims.Counted,
	"Between %s and %s were counted, in 95 of 100 cases.":                                    claims.Counted,
	"Published from %s %d %s on; 95 of 100 values are within %s of what was counted.":        claims.Counted,
	"It was published from %s %d %s on; 95 of 100 values are within %s of what was counted.": claims.Counted,
	"where what was counted lies in 95 of 100 windows":                                       claims.Counted,
	"what was counted plus random noise, drawn once. The band is where what was counted lies in 95 of 100 windows, " +
		"also of those near the threshold that are shown.": claims.Counted,

	// of a share of units, which is paid for by itself
	"%s: %s %% of %s (%s to %s %%, in 95 of 100 cases) reached the limit of %d and were not counted after " +
		"that.": claims.Nothing,
	"95 %% interval": claims.Nothing,
	"What decides is their number with its noise, so a number may stand for fewer %s than the decision's smallest " +
		"group.": claims.Nothing,
	"Each number carries random noise that protects every single %s, and an interval that says how much; where " +
		"there are too few, as the decision says, there is no number.": claims.Nothing,
	"A line on the axis is a true zero; rows below the axis say where there is no number.": claims.Nothing,
	// of what was published, as it was published
	"A band goes from the lowest to the highest number published in an hour; the line is their mean, where nothing " +
		"of the hour was withheld.": claims.Nothing,
	"A band goes from the lowest to the highest number published in a day; the line is their mean, where nothing of " +
		"the day was withheld.": claims.Nothing,
	"Some streams are about nobody, such as air or noise, and their numbers are exact. Each number about somebody " +
		"protects a unit that its decision names: a device, a vehicle, a card, a home or a person. It carries " +
		"random noise, drawn once, and is published only where enough units were there, by their number or, where " +
		"the decision says so, by that number with its noise. Whoever sees all that is published learns almost the " +
		"same whether any one unit was there or not; epsilon says how much \"almost\" is, and a day's epsilon is " +
		"the day's budget.": claims.Nothing,
	"What is true of all who pass, such as that the street is full on Saturdays, is published on purpose, and tells " +
		"something about those who are known to pass.": claims.Nothing,
}

// TestClaims: no sentence of pages and files says more of an interval than the
// simulator finds.
func TestClaims(t *testing.T) {
	sentences := map[string][3]string{}
	for text := range said(t) {
		sentences[text] = [3]string{text, catalan[text], spanish[text]}
	}
	for _, text := range dynamic {
		sentences[text] = [3]string{text, catalan[text], spanish[text]}
	}
	for name, text := range untranslated(t) {
		sentences[name] = [3]string{text, text, text}
	}
	if err := claims.Check(sentences, claimed, claims.Least); err != nil {
		t.Error(err)
	}
}

var action, tag, css = regexp.MustCompile(`(?s)\{\{.*?\}\}`), regexp.MustCompile(`(?s)<[^>]*>`),
	regexp.MustCompile(`(?s)<(script|style|svg).*?</(script|style|svg)>`)

// untranslated is what the templates say in no language, by file.
func untranslated(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../web/page/*.html")
	if err != nil || len(files) < 10 {
		t.Fatal("the templates are not there", err)
	}
	out := map[string]string{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		out[file] = tag.ReplaceAllString(action.ReplaceAllString(css.ReplaceAllString(string(raw), ""), ""), " ")
	}
	return out
}
