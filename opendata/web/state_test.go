package web

import (
	"strings"
	"testing"

	"sluice/books"
	"sluice/opendata/i18n"
)

// TestReasonIsText: a reason, and what it calls its language, are text on every page.
func TestReasonIsText(t *testing.T) {
	const evil = `</q><script>x</script>" onload="x`
	for _, reason := range []map[string]string{{"en": evil}, {books.Unsaid: evil}, {evil: "x"}, {evil: evil}} {
		got := string(stateReason(i18n.Localizers()["en"], books.Standing{State: books.Suspended, Reason: reason}))
		if strings.Contains(got, "<script") || strings.Contains(got, `" onload`) || strings.Count(got, "</q>") > 1 {
			t.Errorf("%q becomes %s", reason, got)
		}
	}
}
