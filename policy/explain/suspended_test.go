package explain_test

import (
	"strings"
	"testing"

	"sluice/policy/bundle"
	"sluice/policy/explain"
)

// TestSuspended: why a decision is suspended is said in the reader's language, and since
// when only where the council has said it. In the text of a motion one reason without a
// day is what it was before reasons had languages: such motions are signed.
func TestSuspended(t *testing.T) {
	putting := explain.Vote{Motion: "m"}
	for name, x := range map[string]struct {
		line string
		vote explain.Vote
		want [3]string
	}{
		"languages": {`{decision: "2026-14", since: 2026-12-01, reason: {ca: Manipulat, en: Tampered with}}`,
			explain.Vote{}, [3]string{
				"since 1 December 2026: “Tampered with”", "des de l'1 de desembre de 2026: «Manipulat»",
				"desde el 1 de diciembre de 2026: «Tampered with»",
			}},
		"without a day": {`{decision: "2026-14", reason: a fault}`, explain.Vote{}, [3]string{
			"suspended it: “a fault”", "l'ha suspès: «a fault»", "lo ha suspendido: «a fault»",
		}},
		"as it was signed": {`{decision: "2026-14", reason: a fault}`, putting, [3]string{
			"suspended it since -: “a fault”", "l'ha suspès des del -: «a fault»",
			"lo ha suspendido desde el -: «a fault»",
		}},
		"languages, put to the vote": {`{decision: "2026-14", reason: {en: a fault}}`, putting, [3]string{
			"suspended it: “a fault”", "l'ha suspès: «a fault»", "lo ha suspendido: «a fault»",
		}},
	} {
		p := example(t, func(f bundle.Files) { f["suspended.yaml"] = []byte("suspended:\n  - " + x.line + "\n") })
		for l := range explain.Languages {
			text, err := explain.Decision(explain.Lang(l), p, p.Decision("2026-14"), x.vote)
			if err != nil || !strings.Contains(text, x.want[l]) {
				t.Errorf("%s in %s (%v): no %q in\n%s", name, explain.Languages[l], err, x.want[l], text)
			}
		}
	}
}
