package check_test

import (
	"strings"
	"testing"

	"sluice/configs/portalba"
)

// TestCutAtANumberSign: a text that YAML ends at a number is warned of; a comment, and a text in
// quotes, are not.
func TestCutAtANumberSign(t *testing.T) {
	const old = `legal_basis: "GDPR 6(1)(e); by-law 2026/3"`
	for text, warned := range map[string]bool{
		`legal_basis: Llei #3`: true, `legal_basis: Llei 7/2026 #3.2 i #4`: true, `legal_basis: Llei  #3`: true,
		`legal_basis: "Llei #3"`: false, `legal_basis: 'Llei #3'`: false, `legal_basis: "Llei" #3`: false,
		`legal_basis: Llei 3 # as voted`: false, `legal_basis: Llei#3`: false, `legal_basis: Llei 3 #as voted`: false,
	} {
		files := portalba.Policy()
		if !strings.Contains(string(files[footfall]), old) {
			t.Fatal("the example has another law")
		}
		files[footfall] = []byte(strings.Replace(string(files[footfall]), old, text, 1))
		found, _ := run(files)
		got := false
		for _, f := range found {
			if f.Rule != "W45" {
				continue
			}
			got = true
			what, mend := f.Text(0)
			if line := strings.Split(string(files[footfall]), "\n")[f.Line-1]; line != text || !f.Warning() ||
				!strings.Contains(what, "#3") || !strings.Contains(mend, `"Llei`) {
				t.Errorf("%s: under %q, %q, %q", text, line, what, mend)
			}
		}
		if got != warned {
			t.Errorf("%s: warned %v", text, got)
		}
	}
}
