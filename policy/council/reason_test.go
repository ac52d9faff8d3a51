package council_test

import (
	"strings"
	"testing"

	"sluice/policy/bundle"
)

// TestReasonsAreSigned: a motion says a suspension's reason in each language that it has,
// so that none can be changed after the vote; one text alone it says as it always did.
func TestReasonsAreSigned(t *testing.T) {
	base := example(t)
	before, err := bundle.Read(base)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]bool{}
	for _, reason := range []string{
		"Tampered with", "{en: Tampered with}", "{ca: Manipulat, en: Tampered with}",
		"{ca: Trencat, en: Tampered with}", "{es: Manipulat, en: Tampered with}",
	} {
		files := base
		files["suspended.yaml"] = []byte("suspended:\n  - {decision: \"2026-17\", since: 2026-08-02, reason: " +
			reason + "}\n")
		p, err := bundle.Read(files)
		if err != nil {
			t.Fatal(err)
		}
		text := said(t, before, p)
		if texts[text] {
			t.Errorf("a motion with %s says what another does", reason)
		}
		texts[text] = true
		want := `2026-08-02 "Tampered with"`
		if strings.Contains(reason, "{") {
			want = `en: "Tampered with"`
		}
		if !strings.Contains(text, want) {
			t.Errorf("a motion with %s does not say %s", reason, want)
		}
	}
}
