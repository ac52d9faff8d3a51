package charts_test

import (
	"context"
	"maps"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/configs/portalba"
	"sluice/policy/bundle"
	"sluice/policy/explain"
	"sluice/policy/templates"
	"sluice/simulate"
	"sluice/simulate/charts"
)

// TestEachTemplateHasAPicture: all twenty can be simulated on their own streets, and something is
// published on each.
func TestEachTemplateHasAPicture(t *testing.T) {
	for _, x := range templates.List() {
		files := portalba.Policy()
		maps.DeleteFunc(files, func(name string, _ []byte) bool { return strings.HasPrefix(name, "decisions/") })
		p, err := bundle.Read(files)
		if err != nil {
			t.Fatal(err)
		}
		changed, _, err := x.Add(p)
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(files, changed)
		now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
		files["decisions/a.yaml"] = regexp.MustCompile(`<[^<>]*>`).ReplaceAll(x.Decision(0, p, "a", now), []byte("Word"))
		if p, err = bundle.Read(files); err != nil {
			t.Fatal(err)
		}
		street := simulate.Answers{Passes: x.Street.Passes, Peak: x.Street.Peak, Returns: x.Street.Returns}
		pictures, err := charts.Of(context.Background(), p, &p.Decisions[0], street,
			func(explain.Lang) simulate.Speech { return nil }, func(explain.Lang) string { return "the street" })
		if err != nil {
			t.Errorf("%s: %v", x.ID, err)
			continue
		}
		if svg := string(pictures["ca"]); len(pictures) != 3 || !strings.Contains(svg, `class="v"`) {
			t.Errorf("%s: nothing is published:\n%.700s", x.ID, svg)
		}
	}
}
