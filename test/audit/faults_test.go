package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// edit is one change of the product's source. What it puts in asks zz whether its
// fault is on, so that one build has all faults in it, asleep.
type edit struct{ file, old, new string }

// zz is the package that knows which fault is on.
const zz = `package zzfault

import "os"

var now = os.Getenv("` + faultVariable + `")

// On reports whether the fault is on.
func On(name string) bool { return now == name }

// Pick returns a when the fault is off and b when it is on.
func Pick[T any](name string, a, b T) T {
	if On(name) {
		return b
	}
	return a
}
`

const faultVariable = "SLUICE_AUDIT_FAULT"

const (
	releaseFile = "gateway/release/release.go"
	noiseFile   = "gateway/release/noise.go"
	windowsFile = "gateway/ingest/windows.go"
	windowFile  = "gateway/ingest/openwindow.go"
	applyFile   = "gateway/ingest/delivery.go"
	countFile   = "gateway/ingest/counting.go"
	windowDir   = "gateway/ingest/internal/window/"
)

// edits are the places of all faults. Each old text must be there once.
var edits = []edit{
	{noiseFile, "laplace.NewScale(sensitivity, epsilon)",
		`laplace.NewScale(sensitivity*zz.Pick("large amounts with too much noise", int64(1), ` +
			`min(2, max(1, n.Bound>>30))), epsilon)`},
	{noiseFile, "b, err := scale(n)",
		"n.Epsilon *= zz.Pick(\"noise too small by 1.25\", 1, 1.25)\n\tb, err := scale(n)"},
	{noiseFile, "AddNoiseFloat64(0, l0, lInf, n.Epsilon, n.Delta)",
		`AddNoiseFloat64(0, l0, lInf, zz.Pick("Gaussian noise too small by 1.3", 1, 1.3)*n.Epsilon, n.Delta)`},
	{releaseFile, "float64(count) >= a.mech.Threshold()",
		`float64(zz.Pick("status by the exact count", count, sums.Units)) >= ` +
			`a.mech.Threshold()-zz.Pick("a threshold one unit too low", 0.0, 1)`},
	{releaseFile, "return []estimate{{float64(count), max(0, low), high}}, nil",
		`return []estimate{{float64(count), max(zz.Pick("an interval cut at the threshold", 0, a.mech.Threshold()), ` +
			`low), high}}, nil`},
	{releaseFile, "number, err := a.noise.draw(n.Number, sums.Weight[i])",
		"number, err := a.noise.draw(n.Number, sums.Weight[i])\n" +
			"\t\tnumber = zz.Pick(\"a mean without noise on its number\", number, sums.Weight[i])"},
	{"policy/mechanism/mechanism.go", "n.Half = n.Law.HalfWidth(Confidence)",
		"n.Half = n.Law.HalfWidth(Confidence)\n\tif x.Of == plan.Quantile && zz.On(\"a quantile at half scale\") " +
			"{\n\t\tn.Noise.Epsilon *= 2\n\t}"},
	{windowsFile, "key, err := o.journal.keys.Hold(e.name)",
		`key, err := o.journal.keys.Hold(zz.Pick("one key for all epochs", e.name, ` +
			`keyName("e", s.id, time.Unix(0, 0))))`},
	{windowDir + "window.go", "s.Alive = alive\n",
		"s.Alive = alive && (len(c.units) > 0 || !zz.On(\"alive by readings\"))\n"},
	{windowDir + "feeders.go", "if w.Stream.Unit.Sensor {",
		`if w.Stream.Unit.Sensor && !zz.On("a home lives by its heartbeat") {`},
	{windowDir + "window.go", "return 0, s.sum.Clamped(m.Bounds())",
		"if zz.On(\"a sum that is not clamped\") {\n\t\t\treturn 0, s.sum.Clamped(-1<<63, " +
			"1<<63-1)\n\t\t}\n\t\treturn 0, s.sum.Clamped(m.Bounds())"},
	{windowFile, "e.Bounded = !counts && !w.room(e)",
		`e.Bounded = !counts && !w.room(e) && !zz.On("contribution bound ignored")`},
	{windowFile, "return w.epoch.Room(e.Unit, w.Stream.Protect.MaxContributions)",
		`return w.epoch.Room(e.Unit, w.Stream.Protect.MaxContributions+` +
			`zz.Pick("a bound one pair too high", int64(0), 1))`},
	{windowFile, "return w.epoch.PartRoom(e.Unit, p.Number, p.Most)",
		`return zz.Pick("an owner's part that others spend", w.epoch.PartRoom(e.Unit, p.Number, p.Most), ` +
			`w.epoch.Room(e.Unit, w.Stream.Protect.MaxContributions))`},
	{"gateway/ingest/recover.go", "e.Use([16]byte(tags))",
		"if !zz.On(\"bound reset at restart\") {\n\t\t\t\te.Use([16]byte(tags))\n\t\t\t}"},
	{countFile, "if e.Accounted = false; !w.News(e) {",
		`if e.Accounted = false; zz.On("a seq that hides another unit's reading") || !w.News(e) {`},
	{windowDir + "units.go", "c.marks.add(w.memory.identity(e), at)",
		`c.marks.add(w.memory.identity(e), zz.Pick("a seq that hides a unit's second reading", at, 0))`},
	{windowDir + "units.go", "return !c.marks.has(w.memory.identity(e), e.place-1)",
		`return !c.marks.has(w.memory.identity(e), zz.Pick("a seq that hides a unit's second reading", e.place-1, 0))`},
	{applyFile, "\treturn fault.New(code) // and not that its unit is bounded\n",
		"\tif e.Bounded && zz.On(\"feedback that tells a bounded reading\") " +
			"{\n\t\td.in.feedback.add(d.sensor, fault.New(fault.Crowded), stamp)\n\t}\n\treturn fault.New(code)\n"},
	{"gateway/admin/metrics.go", "\tif m.src.Simulation {\n\t\tm.traffic(emit, r)",
		"\tif m.src.Simulation || zz.On(\"metrics that advance at once\") {\n\t\tm.traffic(emit, r)"},
	{"gateway/admin/metrics.go", "if src.Simulation { // bytes",
		"if src.Simulation || zz.On(\"metrics of the process\") { // bytes"},
	{"gateway/ingest/report.go", "if !p.cfg.Exact {", `if !p.cfg.Exact && !zz.On("metrics that advance at once") {`},
	// The noise that is redrawn; the last would find it before the audit does.
	{"gateway/release/publisher.go", "if err != nil || done {",
		`if err != nil || done && !zz.On("noise redrawn after a crash") {`},
	{"gateway/ledger/ledger.go", "tx.ExecContext(ctx, insertJournal,", "tx.ExecContext(ctx, " +
		`zz.Pick("noise redrawn after a crash", insertJournal, "INSERT OR REPLACE" + insertJournal[len("INSERT OR IGNORE"):]),`},
	{"gateway/ledger/tx.go", "if !known[text] {", `if !known[text] && !zz.On("noise redrawn after a crash") {`},
	{"store/sqlite/write.go", `"INSERT OR IGNORE INTO released `,
		`"INSERT OR " + zz.Pick("noise redrawn after a crash", "IGNORE", "REPLACE") + " INTO released `},
	{"gateway/gateway.go", "g.guard.Inspect, ",
		`zz.Pick("noise redrawn after a crash", g.guard.Inspect, func(context.Context) error { return nil }), `},
	// Not a fault: what is told every five minutes is told sooner, for the audit to hear.
	{"gateway/config/defaults.go", "setDefault(&c.Feedback, 5*time.Minute)",
		fmt.Sprintf("setDefault(&c.Feedback, time.Duration(%d))", told)},
}

// told is how often the broken product tells sensors what it dropped.
const told = 20 * time.Second

// TestEdits: every fault still finds its place in the source.
func TestEdits(t *testing.T) {
	if root, err := filepath.Abs("../.."); err != nil || len(edited(t, root)) < 5 {
		t.Fatal(root, err)
	}
}

// edited are the sources with all faults in place.
func edited(t *testing.T, root string) map[string]string {
	t.Helper()
	sources := map[string]string{"zzfault/zzfault.go": zz}
	for _, e := range edits {
		text, known := sources[e.file]
		if !known {
			raw, err := os.ReadFile(filepath.Join(root, e.file))
			if err != nil {
				t.Fatal(err)
			}
			text = string(raw)
		}
		if n := strings.Count(text, e.old); n != 1 {
			t.Fatalf("%s has %q %d times; want once", e.file, e.old, n)
		}
		sources[e.file] = strings.Replace(text, e.old, e.new, 1)
	}
	return sources
}

// buildFaulty builds the product with all faults in it.
func buildFaulty(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir, sources := t.TempDir(), edited(t, root)
	replace := make(map[string]string)
	for file, text := range sources {
		if strings.Contains(text, "zz.") {
			text = strings.Replace(text, "import (\n", "import (\n\tzz \"sluice/zzfault\"\n", 1)
		}
		to := filepath.Join(dir, strings.ReplaceAll(file, "/", "_"))
		if err := os.WriteFile(to, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(root, file)] = to
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	overlay, bin := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "sluice")
	if err := os.WriteFile(overlay, list, 0o644); err != nil {
		t.Fatal(err)
	}
	command(t, root, "go", "build", "-ldflags=-s -w", "-overlay", overlay, "-o", bin, "./cmd/sluice")
	return bin
}

// command runs what must work.
func command(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", fmt.Sprint(name, args), err, out)
	}
}
