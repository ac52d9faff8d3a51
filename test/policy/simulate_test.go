package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
)

// TestSimulate tries drafts: over the simulated city, and over a recorded file.
func TestSimulate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	draft := filepath.Join(dir, "draft.yaml")
	harness.Write(t, draft,
		strings.Replace(harness.Read(t, "../../configs/portalba/policy/decisions/2026-14-footfall.yaml"),
			"min_units: 10",
			"min_units: 80", 1))
	chart := filepath.Join(dir, "chart.svg")
	type side struct {
		Inside    float64 `json:"inside"`
		BiasShare float64 `json:"bias_share"`
		Published int     `json:"published"`
		Withheld  int     `json:"withheld"`
	}
	var now struct {
		Draft    side `json:"draft"`
		InForce  side `json:"in_force"`
		Proposal struct {
			MaxContributions int    `json:"max_contributions"`
			Every            string `json:"every"`
			Why              string `json:"why"`
		} `json:"proposal"`
	}
	var report struct { // as earlier versions wrote it
		Draft, InForce struct {
			Measures []struct {
				Published, Withheld, NoData int
				Covered                     float64
			}
			Hours  []struct{ Units, Silenced int }
			Budget struct{ PerDay, Cap float64 }
		}
	}
	cmd := exec.Command(harness.Sluice, "policy", "simulate", draft, "--dir", "../../configs/portalba/policy",
		"--seed", "7", "--svg", chart, "--json")
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err == nil {
		err = errors.Join(json.Unmarshal(out, &report), json.Unmarshal(out, &now))
	}
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, harness.Tail(said.String()))
	}
	// Some 60 intervals of 95 %: fewer than 80 % has a chance of one in 100,000.
	if x := now.InForce; x.Published != report.InForce.Measures[0].Published ||
		x.Withheld != report.InForce.Measures[0].Withheld || x.Inside < .8 || x.BiasShare < -.1 || x.BiasShare > .1 {
		t.Errorf("in force: %+v", x)
	}
	if x := now.Proposal; x.MaxContributions != 4 || x.Every != "PT1H" ||
		!strings.Contains(x.Why, "shown intervals hold what passed") {
		t.Errorf("proposed: %+v", x)
	}
	a, b := report.Draft.Measures[0], report.InForce.Measures[0]
	if a.Published >= b.Published || b.Published < 30 ||
		a.Published+a.Withheld+a.NoData != b.Published+b.Withheld+b.NoData {
		t.Errorf("the draft publishes %+v, what is in force %+v; a larger group must publish less", a, b)
	}
	// 95 % intervals, some 70 of them: fewer than 80 % has a chance of one in a million.
	if b.Covered < 0.8 {
		t.Errorf("%v of the intervals hold what was counted", b.Covered)
	}
	silenced := 0
	for _, h := range report.Draft.Hours {
		silenced += h.Silenced
	}
	if silenced == 0 || report.Draft.Budget.PerDay != 1 || report.Draft.Budget.Cap != 1 {
		t.Errorf("%d units are silenced, the budget is %+v", silenced, report.Draft.Budget)
	}
	if svg := harness.Read(t, chart); !strings.HasPrefix(svg, "<svg") || strings.Count(svg, "<polyline") < 3 ||
		!strings.Contains(svg, "Dashed: what passed") || !strings.Contains(svg, "shown intervals hold what passed") {
		t.Errorf("the chart is\n%.300s", svg)
	}
}

// TestSimulateOther: recorded readings of numbers, and what cannot be simulated.
func TestSimulateOther(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	draft := filepath.Join(dir, "draft.yaml")
	harness.Write(t, filepath.Join(dir, "register.yaml"),
		"sensors:\n  - {id: m1, owner: sona, kind: noise-meter, zone: port, registered: 2026-01-01}\n")
	var rows strings.Builder
	rows.WriteString("when,meter,level\n")
	for m := range 180 {
		rows.WriteString(time.Date(2025, 3, 4, 10, m, 0, 0, time.UTC).Format(time.RFC3339) + ",m1,60\n")
	}
	harness.Write(t, filepath.Join(dir, "rows.csv"), rows.String())
	text, err := exec.Command(harness.Sluice, "policy", "simulate", "2026-16", "--dir", "../../configs/portalba/policy",
		"--svg",
		"", "--replay", filepath.Join(dir, "rows.csv"),
		"--map", "ts=when,sensor=meter,field.laeq=level", "--register",
		filepath.Join(dir, "register.yaml")).CombinedOutput()
	if err != nil || !regexp.MustCompile(`draft +level +1[0-3] `).Match(text) ||
		!strings.Contains(string(text), "100 of 100 shown intervals hold what passed") {
		t.Errorf("%v\n%s", err, text)
	}
	for edit, says := range map[[2]string]string{
		{"max_contributions: 4", "max_contributions: 5"}: "it breaks C08",
		{`op: ">=", value: -85`, `op: ">", value: 0`}:    "in the simulated city no reading has rssi > 0",
	} {
		harness.Write(t, draft,
			strings.Replace(harness.Read(t, "../../configs/portalba/policy/decisions/2026-14-footfall.yaml"), edit[0],
				edit[1], 1))
		text, err := exec.Command(harness.Sluice, "policy", "simulate", draft, "--dir", "../../configs/portalba/policy",
			"--svg",
			"").CombinedOutput()
		var code *exec.ExitError
		if !errors.As(err, &code) || code.ExitCode() != 1 ||
			!strings.Contains(string(text), "decision 2026-14 cannot be simulated: "+says) {
			t.Errorf("%v\n%s; want %q", err, text, says)
		}
	}
}
