package explain_test

import (
	"strings"
	"testing"

	"sluice/configs/portalba"
	"sluice/policy/bundle"
	"sluice/policy/explain"
)

// TestAnExemptKindIsSaid: that a kind which tells somebody apart is about nobody by the
// charter stands in the decision's text, in each language, and only then.
func TestAnExemptKindIsSaid(t *testing.T) {
	files := portalba.Policy()
	files["kinds.yaml"] = []byte(strings.Replace(string(files["kinds.yaml"]), "{name: laeq,",
		"{name: serial, type: string, class: identifier}\n      - {name: laeq,", 1))
	files["charter.yaml"] = append(files["charter.yaml"], "kinds_not_about_people: [noise-meter]\n"...)
	for l, want := range []string{"the charter says that it is about nobody all the same",
		"la carta diu que tot i així", "la carta dice que aun así"} {
		for _, exempt := range []bool{true, false} {
			from := files
			if !exempt {
				from = portalba.Policy()
			}
			p, err := bundle.Read(from)
			if err != nil {
				t.Fatal(err)
			}
			text, err := explain.Decision(explain.Lang(l), p, p.Decision("2026-16"), explain.Vote{})
			if err != nil || strings.Contains(strings.Join(strings.Fields(text), " "), want) != exempt {
				t.Errorf("%v, exempt %v: %s", err, exempt, text)
			}
			// A motion of an earlier format is made anew as it was.
			old, err := explain.Decision(explain.Lang(l), p, p.Decision("2026-16"), explain.Vote{Format: 4})
			if err != nil || strings.Contains(strings.Join(strings.Fields(old), " "), want) {
				t.Errorf("%v, of format 4, exempt %v: %s", err, exempt, old)
			}
		}
	}
}
