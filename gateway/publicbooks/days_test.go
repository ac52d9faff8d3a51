package publicbooks

import (
	"strings"
	"testing"

	"sluice/configs/portalba"
	"sluice/policy/compile"
	"sluice/policy/rego"
)

// TestDaysAreDescribed: a stream of days has a title of its own, says whose days it has, and is
// compared with what is a limit over a day or longer, not with an hour's.
func TestDaysAreDescribed(t *testing.T) {
	const file = "decisions/2026-17-air.yaml"
	files := portalba.Policy()
	files[file] = []byte(strings.Replace(strings.Replace(string(files[file]), "retain: P5Y",
		"retain: {hours: P2Y, days: forever}", 1), "over: P1D", "over: PT1H", 1))
	set, err := compile.Files(t.Context(), rego.InProcess(), files)
	if err != nil {
		t.Fatal(err)
	}
	list, err := (&streamsBook{}).list(set)
	if err != nil {
		t.Fatal(err)
	}
	hours, days := 0, 0
	for _, s := range list {
		switch {
		case s.ID == "air":
			for _, m := range s.Measures {
				hours += len(m.Limits)
			}
		case s.ID == "air-days":
			for _, m := range s.Measures {
				days += len(m.Limits)
			}
			for lang, end := range map[string]string{"en": ", day by day", "ca": ", dia a dia", "es": ", día a día"} {
				if !strings.HasSuffix(s.Title[lang], end) {
					t.Errorf("its title is %q", s.Title[lang])
				}
			}
			if s.Of != "air" || s.Every != "P1D" || s.Purpose == "" {
				t.Errorf("it is %+v", s)
			}
		case s.Of != "":
			t.Errorf("%s has days of %s", s.ID, s.Of)
		}
	}
	if hours < 2 || days != hours-1 {
		t.Errorf("hours are compared with %d limits, days with %d; want all but the one of an hour", hours, days)
	}
}
