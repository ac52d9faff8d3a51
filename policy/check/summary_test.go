package check_test

import (
	"strings"
	"testing"

	"sluice/policy/check"
	"sluice/policy/explain"
)

// TestFiguresAgree: cards are feminine in Catalan and Spanish, devices are not.
func TestFiguresAgree(t *testing.T) {
	for _, s := range []struct {
		lang       explain.Lang
		unit       string
		want, same string
	}{
		{1, "card", "a partir d'unes 48 targetes", "quantes n'hi ha hagut"},
		{1, "device", "a partir d'uns 48 dispositius", "quants n'hi ha hagut"},
		{2, "card", "a partir de unas 48 tarjetas", "cuántas ha habido"},
		{2, "device", "a partir de unos 48 dispositivos", "cuántos ha habido"},
	} {
		line := check.Summary{Unit: s.unit, PublicFrom: 48, ShareFrom: 2956, MaxContributions: 2}.Text(s.lang, nil)
		if !strings.Contains(line, s.want) || !strings.Contains(line, s.same) || strings.Contains(line, "%!") {
			t.Errorf("%s", line)
		}
	}
}
