package main

import (
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// edit is one change of the product's source.
type edit struct{ file, old, new string }

// TestTheAuditFinds breaks the product in ways that nobody sees from its numbers,
// in a build of its own, and expects the audit to fail at the row that is about
// it. The product as it is passes the section that most of them fail in.
func TestTheAuditFinds(t *testing.T) {
	if testing.Short() {
		t.Skip("the audit takes minutes")
	}
	audit := filepath.Join(t.TempDir(), "audit")
	if out, err := exec.Command("go", "build", "-o", audit, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	const releaseFile = "gateway/release/release.go"
	for _, c := range []struct {
		name, section, row string
		edits              []edit
	}{
		{"nothing", "light", "", nil},
		{"noise too small by 1.25", "light", "epsilon per window", []edit{
			{"gateway/release/noise.go", "laplace.NewScale(c.pairs*c.bound*c.parts, c.epsilon)", "laplace.NewScale(c.pairs*c.bound*c.parts, 1.25*c.epsilon)"}}},
		{"Gaussian noise too small by 1.25", "light", "coverage of n", []edit{
			{"gateway/release/noise.go", "AddNoiseInt64(exact, c.pairs*c.parts, c.bound, c.epsilon, c.delta)", "AddNoiseInt64(exact, c.pairs*c.parts, c.bound, 1.3*c.epsilon, c.delta)"}}},
		{"threshold shifted by one", "light", "p(publish | n)", []edit{{releaseFile, "float64(count) >= a.mech.threshold", "float64(count) >= a.mech.threshold-1"}}},
		{"status by the exact count", "light", "p(publish | n)", []edit{{releaseFile, "float64(count) >= a.mech.threshold", "float64(sums.Units) >= a.mech.threshold"}}},
		{"a mean without noise on its number", "ways", "mean over 60 units", []edit{{releaseFile, "number, err := a.noise.draw(n.number, sums.Weight[i])", "number, err := sums.Weight[i], error(nil)"}}},
		{"a quantile at half scale", "ways", "median over 60 units", []edit{
			{"gateway/release/mechanism.go", "n.half = n.law.halfWidth(confidence)", "n.half = n.law.halfWidth(confidence)\n\tif x.Of == plan.Quantile {\n\t\tn.epsilon *= 2\n\t}"}}},
		{"one key for all epochs", "ways", "keys of an epoch", []edit{{"gateway/ingest/route.go", "key, err := i.keys.Hold(e.name)", "key, err := i.keys.Hold(keyName(\"e\", s.id, time.Unix(0, 0)))"}}},
		{"alive by readings", "ways", "nobody and too few", []edit{{"gateway/ingest/internal/window/window.go", "s.Alive = alive\n", "s.Alive = alive && len(c.units) > 0\n"}}},
		{"contribution bound ignored", "heavy", "all cells and windows", []edit{
			{"gateway/ingest/route.go", "e.Bounded = !counts && !w.room(e)", "_ = counts"}}},
		{"bound reset at restart", "restarts", "epsilon per epoch", []edit{{"gateway/ingest/recover.go", "e.Use([16]byte(tags))", "_ = e"}}},
		{"noise redrawn after a crash", "crashes", "values per number", []edit{
			{"gateway/release/publisher.go", "if err != nil || done {", "if _ = done; err != nil {"},
			{"gateway/ledger/ledger.go", "INSERT OR IGNORE INTO journal", "INSERT OR REPLACE INTO journal"},
			{"gateway/run.go", "g.inspect, ", ""}, // which finds it before the audit does
			{"store/sqlite/write.go", "INSERT OR IGNORE INTO released", "INSERT OR REPLACE INTO released"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			sluice := build(t, c.edits)
			out, err := exec.Command(audit, "-sluice", sluice, "-quick", "-only", c.section).CombinedOutput()
			if failed := err != nil; failed != (c.row != "") {
				t.Fatalf("the audit ends with %v:\n%s", err, out)
			}
			found := c.row == ""
			for line := range strings.Lines(string(out)) {
				found = found || strings.HasPrefix(line, "FAIL") && strings.Contains(line, c.row)
			}
			if !found {
				t.Errorf("no row about %q failed:\n%s", c.row, out)
			}
		})
	}
}

// build builds the product with some lines changed.
func build(t *testing.T, edits []edit) string {
	t.Helper()
	dir := t.TempDir()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	replace := make(map[string]string)
	for _, e := range edits {
		from := filepath.Join(root, e.file)
		raw, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(string(raw), e.old) != 1 {
			t.Fatalf("%s does not have %q once", e.file, e.old)
		}
		to := filepath.Join(dir, strings.ReplaceAll(e.file, "/", "_"))
		if err := os.WriteFile(to, []byte(strings.Replace(string(raw), e.old, e.new, 1)), 0o644); err != nil {
			t.Fatal(err)
		}
		replace[from] = to
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o644); err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(dir, "sluice")
	cmd := exec.Command("go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", bin, "./cmd/sluice")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return bin
}

// TestBounds: Clopper-Pearson bounds are where the binomial tails say.
func TestBounds(t *testing.T) {
	for _, c := range [][2]int{{0, 50}, {1, 50}, {25, 50}, {50, 50}, {300, 2000}} {
		x, n := c[0], c[1]
		if p := lower(x, n, 0.01); x > 0 && math.Abs(1-distuv.Binomial{N: float64(n), P: p}.CDF(float64(x-1))-0.01) > 1e-6 {
			t.Errorf("the lower bound of %d in %d is %v", x, n, p)
		}
		if p := upper(x, n, 0.01); x < n && math.Abs(distuv.Binomial{N: float64(n), P: p}.CDF(float64(x))-0.01) > 1e-6 {
			t.Errorf("the upper bound of %d in %d is %v", x, n, p)
		}
	}
	if e := leastEpsilon([]float64{1, 1, 1, 1, 1, 1, 1, 1}, []float64{0, 0, 0, 0, 0, 0, 0, 0}, []float64{1}, 1); e != 0 {
		t.Errorf("eight samples prove %v", e)
	}
}
