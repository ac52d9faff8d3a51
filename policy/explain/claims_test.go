package explain_test

import (
	"strings"
	"testing"

	"sluice/internal/locales"
	"sluice/test/claims"
)

// claimed is what each sentence says of intervals; see test/claims.
var claimed = map[string]claims.Claim{
	"e-error": claims.Counted,
	"e-bound": claims.Nothing, // that numbers can be lower than what passed
	"noisy":   claims.Nothing, "noisy-f": claims.Nothing,
	"e-mean":   claims.Nothing,
	"e-mean-f": claims.Nothing,
}

// phrases are the sentences, by key.
func phrases(t *testing.T) map[string][3]string {
	t.Helper()
	out := map[string][3]string{}
	for _, key := range locales.In(0).Keys("explain") {
		var texts [3]string
		for l := range texts {
			texts[l], _ = locales.In(l).Text(key)
		}
		out[strings.TrimPrefix(key, "explain.")] = texts
	}
	if len(out) < 40 || out["e-error"][2] == "" {
		t.Fatalf("only %d sentences were found; the search is broken", len(out))
	}
	return out
}

// TestClaims: no sentence of a decision's page says more of an interval than the
// simulator finds.
func TestClaims(t *testing.T) {
	if err := claims.Check(phrases(t), claimed, claims.Least); err != nil {
		t.Error(err)
	}
}
