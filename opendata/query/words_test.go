package query

import (
	"net/url"
	"strings"
	"testing"

	"sluice/books"
)

// TestWhyNoTotal: what cannot be added up is refused with the reason, not only with a rule.
func TestWhyNoTotal(t *testing.T) {
	for of, want := range map[string]string{"distinct(unit)": "counted in the next one as well",
		"mean(no2)": "no number of anything", "leq(level)": "no number of anything"} {
		st := Stream{Stream: books.Stream{ID: "s", Every: "PT1H", Measures: []books.Measure{{Name: "m", Of: of}}}}
		for _, v := range []url.Values{{"over": {"time"}}, {"over": {"zones"}, "measure": {"m"}}} {
			_, err := (&Source{}).Totals(t.Context(), v, st, lastInstant)
			if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "measure: ") {
				t.Errorf("%s, %v: %v", of, v, err)
			}
		}
	}
}
