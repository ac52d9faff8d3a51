package check_test

import (
	"context"
	"testing"

	"sluice/configs/portalba"
	"sluice/internal/civil"
	"sluice/policy/check"
)

// TestALaterDayPutsNothingOff: whoever writes a day to come is told that the suspension does
// not wait for it.
func TestALaterDayPutsNothingOff(t *testing.T) {
	for since, want := range map[string]int{"2026-12-01": 0, "2026-12-02": 0, "2026-12-03": 1} {
		files := portalba.Policy()
		files["suspended.yaml"] = []byte("suspended:\n  - {decision: \"2026-14\", since: " + since +
			", reason: {ca: Manipulat, en: Tampered with, es: Manipulado}}\n")
		found, _ := check.Directory(context.Background(), evaluator, files, nil,
			civil.Date{Year: 2026, Month: 12, Day: 2})
		n := 0
		for _, f := range found {
			if f.Rule == "W32" && f.Warning() && f.Line == 2 {
				n++
			}
		}
		if n != want {
			t.Errorf("since %s, on 2 December: found %+v", since, found)
		}
	}
}
