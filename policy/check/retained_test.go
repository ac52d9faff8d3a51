package check_test

import (
	"slices"
	"strings"
	"testing"

	"sluice/configs/portalba"
	"sluice/policy/check"
)

// retainMistakes are those of how long numbers are kept.
var retainMistakes = []mistake{
	{footfall, "retain: P5Y", "retain: 5 years", "S06", "5 years", "P5Y"},
	{footfall, "retain: P5Y", "retain: {hours: 2 years}", "S06", "2 years", "P2Y"},
	{footfall, "retain: P5Y", "retain: {weeks: P2Y}", "S07", "{weeks", "weeks"},
	{footfall, "retain: P5Y", "retain: {}", "S07", "{}", "no key"},
	{footfall, "retain: P5Y", "retain: [P2Y]", "S04", "[P2Y]", "keys with values"},
	{footfall, "retain: P5Y", "retain: P0D", "D99", "", "forever"},
	{footfall, "retain: P5Y", "retain: {days: P5Y}", "D51", "{days", "hours"},
	{footfall, "retain: P5Y", "retain: {hours: P5Y, days: P2Y}", "D52", "P2Y", "P5Y"},
	{footfall, "retain: P5Y", "retain: {hours: P2Y, days: forever}", "D53", "forever", "every: P1D"},
}

// TestDaysArePaidFor: days are kept where a decision of the same units, places and time publishes
// them, and keeps them as long.
func TestDaysArePaidFor(t *testing.T) {
	for name, c := range map[string]struct {
		old, new string
		paid     bool
	}{
		"beside it":           {"retain: P5Y", "retain: {days: forever}", true},
		"one time for all":    {"retain: P5Y", "retain: forever", true},
		"fewer places":        {"zones: [rambla, raval, port, mercat, estacio, carrer-nou]", "zones: [rambla]", false},
		"hours, too":          {"every: P1D", "every: PT12H", false},
		"not as long":         {"retain: forever", "retain: P9Y", false},
		"another unit":        {"unit: {field: device, stands_for: device}", "unit: {none: a test}", false},
		"it ends before":      {"until: 2027-05-31", "until: 2027-04-30", false},
		"it begins later":     {"from: 2026-06-01", "from: 2026-07-01", false},
		"it says it of hours": {"retain: P5Y", "retain: {hours: forever}", false},
	} {
		files := portalba.Policy()
		hours := string(files[footfall])
		files[footfall] = []byte(strings.Replace(hours, "retain: P5Y", "retain: {hours: P2Y, days: forever}", 1))
		days := strings.NewReplacer(`decision: "2026-14"`, `decision: "2026-24"`, "stream: footfall", "stream: days",
			"every: PT1H", "every: P1D").Replace(hours)
		if !strings.Contains(c.old, "retain") {
			days = strings.Replace(days, "retain: P5Y", "retain: forever", 1)
		} else if c.old == "retain: forever" {
			days = strings.Replace(days, "retain: P5Y", c.old, 1)
		}
		if !strings.Contains(days, c.old) {
			t.Fatalf("%s: there is no %q in\n%s", name, c.old, days)
		}
		files["decisions/2026-24-days.yaml"] = []byte(strings.Replace(days, c.old, c.new, 1))
		found, _ := run(files)
		lacks := false
		for _, f := range found {
			lacks = lacks || f.Rule == "D53"
		}
		if lacks == c.paid {
			t.Errorf("%s: paid for is %v; want %v", name, !lacks, c.paid)
		}
	}
}

// TestNameOfDays: a stream whose days have a stream of their own leaves room for its name.
func TestNameOfDays(t *testing.T) {
	for n, want := range map[int]bool{58: false, 59: true} {
		files := portalba.Policy()
		files[noise] = []byte(strings.NewReplacer("stream: noise", "stream: "+strings.Repeat("n", n), "retain: P5Y",
			"retain: {hours: P2Y, days: forever}").Replace(string(files[noise])))
		found, _ := run(files)
		hit := slices.ContainsFunc(found, func(f check.Finding) bool { return f.Rule == "D54" })
		if hit != want || !want && slices.ContainsFunc(found, func(f check.Finding) bool { return !f.Warning() }) {
			t.Errorf("a name of %d letters: %+v", n, found)
		}
	}
}
