package check_test

import (
	"slices"
	"strings"
	"testing"

	"sluice/configs/portalba"
	"sluice/internal/civil"
	"sluice/policy/bundle"
	"sluice/policy/check"
	"sluice/policy/rego"
)

// evaluator is for all, so that it compiles the rules once.
var evaluator = rego.InProcess()

// TestReviewsThatAreOver: a decision that is new, or gets another day of review, is not looked
// at again on a day that is over; one that keeps its day may be changed after it.
func TestReviewsThatAreOver(t *testing.T) {
	inForce, err := bundle.Read(portalba.Policy())
	if err != nil {
		t.Fatal(err)
	}
	to := func(file string, pairs ...string) func(bundle.Files) {
		return func(files bundle.Files) {
			files[file] = []byte(strings.NewReplacer(pairs...).Replace(string(files[file])))
		}
	}
	late, never := civil.Date{Year: 2027, Month: 3, Day: 1}, civil.Date{}
	for name, c := range map[string]struct {
		change func(bundle.Files)
		today  civil.Date
		want   []string
	}{
		"as it is":          {func(bundle.Files) {}, late, nil},
		"another title":     {to(noise, "Directive 2002", "The directive 2002"), late, nil},
		"another day":       {to(noise, "review: 2027-02-01", "review: 2027-02-28"), late, []string{"T06"}},
		"a day to come":     {to(noise, "review: 2027-02-01", "review: 2027-03-01"), late, nil},
		"no day to compare": {to(noise, "review: 2027-02-01", "review: 2027-02-28"), never, nil},
		"a new decision": {func(files bundle.Files) {
			files["decisions/new.yaml"] = []byte(
				strings.NewReplacer(`"2026-16"`, `"2026-99"`, "stream: noise",
					"stream: louder").Replace(string(files[noise])))
		}, late, []string{"T06"}},
	} {
		files := portalba.Policy()
		c.change(files)
		found := check.Unvoted(t.Context(), evaluator, files, inForce, c.today)
		var rules []string
		for _, f := range found {
			rules = append(rules, f.Rule)
		}
		if !slices.Equal(rules, c.want) {
			t.Errorf("%s: %v; want %v", name, rules, c.want)
		}
	}
	files := portalba.Policy()
	to(noise, "review: 2027-02-01", "review: 2027-09-01")(files)
	if inForce, err = bundle.Read(files); err != nil {
		t.Fatal(err)
	}
	found, _ := check.Directory(t.Context(), evaluator, files, inForce, late)
	if len(found) != 1 || found[0].Rule != "T05" || !found[0].Warning() {
		t.Errorf("what was voted before is %+v; want a warning", found)
	}
}
