package verify

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/books"
	"sluice/policy/mechanism"
	"sluice/store"
)

// withEpoch are right books with the last window of an epoch, which has the epoch's two
// numbers: the last two rows that are shown.
func withEpoch(t *testing.T) *fake {
	t.Helper()
	f := right(t)
	mech, err := mechanism.New(f.plan)
	if err != nil {
		t.Fatal(err)
	}
	rows := []store.Observation{f.shown[1]}
	rows[0].Start, rows[0].End = noon.Add(11*time.Hour), noon.Add(12*time.Hour)
	for _, m := range store.EpochMeasures {
		o, value := rows[0], 40.0
		o.Cell, o.Zone, o.Measure, o.Every, o.Threshold = store.EpochCell("a"), "", m, "PT12H", 0
		o.Value, o.Low, o.High = &value, &value, &value
		o.Epsilon, o.Scale = mech.EpochParameters()
		rows = append(rows, o)
	}
	f.shown = append(f.shown, rows...)
	f.releases = append(f.releases,
		books.Released{Gateway: "g", Stream: "s", Start: rows[0].Start, End: rows[0].End, Plan: f.plan.Digest,
			Ledger: 1})
	sealed(f)
	return f
}

// sealed makes the last window's line that of what is shown of it.
func sealed(f *fake) {
	last := &f.releases[len(f.releases)-1]
	rows := slices.DeleteFunc(slices.Clone(f.shown), func(o store.Observation) bool {
		return !o.Start.Equal(last.Start)
	})
	last.Rows, last.SHA256 = len(rows), store.Digest(rows)
}

// TestEpochsAreFound: books with the numbers of an epoch pass; what can be wrong with them
// is found.
func TestEpochsAreFound(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*fake)
		named string
	}{
		"nothing": {func(*fake) {}, ""},
		"one that was changed": {func(f *fake) {
			v := 41.0
			f.shown[4].Value, f.shown[4].High = &v, &v
		}, "not what was released"},
		"one that is not shown": {func(f *fake) { f.shown = f.shown[:4] }, "not what was released"},
		"none at all":           {func(f *fake) { f.shown = f.shown[:3]; sealed(f) }, "its plan has 3"},
		"another's noise":       {func(f *fake) { f.shown[4].Scale /= 2; sealed(f) }, "other noise"},
		"another's share":       {func(f *fake) { f.shown[4].Epsilon *= 2; sealed(f) }, "other noise"},
		"another cell": {func(f *fake) {
			f.shown[3].Cell, f.shown[4].Cell = "b/", "b/"
			sealed(f)
		}, "not of its plan"},
		"in another window": {func(f *fake) { moved(f) }, "its plan has 1"},
		"a later version's method": {func(f *fake) {
			f.entries[0].Method = mechanism.Method + 1
		}, "its method is 4, which nobody here knows"},
		"a method that is none": {func(f *fake) {
			f.entries[0].Method = -1
		}, "its method is -1, which nobody here knows"},
		"a method without them": {func(f *fake) { f.entries[0].Method = 2 }, "its plan has 1"},
		"withdrawn": {func(f *fake) {
			f.shown[3] = f.shown[3].Withdraw("x")
			f.hidden = []books.Withdrawal{{Stream: "s", Start: noon.Add(11 * time.Hour), Measure: store.EpochBounded}}
		}, ""},
		"withdrawn by nobody": {func(f *fake) { f.shown[3] = f.shown[3].Withdraw("x") }, "not what was released"},
		"a refused day, all the same": {func(f *fake) {
			f.entries[0].Kind, f.entries[0].Cap, f.entries[0].Left = "refuse", 0.9, 0.9
		}, "units_epoch of a/ is published although the budget was refused"},
	} {
		t.Run(name, func(t *testing.T) {
			f := withEpoch(t)
			c.spoil(f)
			finds(t, f, c.named)
		})
	}
}

// moved has the epoch's numbers in the window before its last.
func moved(f *fake) {
	last := &f.releases[2]
	last.Start, last.End = last.Start.Add(-time.Hour), last.End.Add(-time.Hour)
	for n := 2; n < len(f.shown); n++ {
		f.shown[n].Start, f.shown[n].End = last.Start, last.End
	}
	sealed(f)
}

// needPython skips a test where docs/verify.py cannot run; in CI it can.
func needPython(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("python3"); err != nil && os.Getenv("CI") != "" {
		t.Fatal(err)
	} else if err != nil {
		t.Skip("python3 is not here")
	}
}

// TestStrangersKnowTheSameMethods: docs/verify.py and we refuse the same lines.
func TestStrangersKnowTheSameMethods(t *testing.T) {
	needPython(t)
	for method, right := range map[int]bool{-1: false, 0: true, 1: true, mechanism.Method: true,
		mechanism.Method + 1: false} {
		f := withEpoch(t)
		f.entries[0].Method = method
		if method < mechanism.Method { // which has no epochs
			f.shown, f.releases = f.shown[:2], f.releases[:2]
		}
		out, err := exec.Command("python3", "../docs/verify.py", written(t, f)).CombinedOutput()
		if (err == nil) != right || !right && !strings.Contains(string(out), "its method is") {
			t.Errorf("method %d: docs/verify.py ends with %v:\n%s", method, err, out)
		}
		r, err := Check(books.Reader{Source: f})
		if err != nil {
			t.Fatal(err)
		}
		if all := strings.Join(r.Problems, "\n"); strings.Contains(all, "its method is") == right {
			t.Errorf("method %d: we find %q", method, all)
		}
	}
}

// written are books as a directory.
func written(t *testing.T, f *fake) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"city.json", "ledger.jsonl", "releases.jsonl", "plans/" + f.plan.Digest + ".json"} {
		raw, err := f.Get(name)
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, raw, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestStrangersKnowWhoseLinesAre: docs/verify.py and we find lines under another gateway's
// name, without what is shown as well.
func TestStrangersKnowWhoseLinesAre(t *testing.T) {
	needPython(t)
	const said = ": its books have lines of gateway two, whose books are others"
	for _, forged := range []bool{false, true} {
		one, two := gatewayOf(t, "one", "a"), gatewayOf(t, "two", "b")
		if forged {
			forgeAs(one, two, 0)
			one.city = "one\n\x1b[2Jeverything adds up"
		}
		out, err := exec.Command("python3", "../docs/verify.py", written(t, one), written(t, two)).CombinedOutput()
		if (err != nil) != forged || strings.Contains(string(out), said) != forged ||
			strings.ContainsAny(string(out), "\x1b") || strings.Contains(string(out), "\neverything") {
			t.Errorf("forged %v: docs/verify.py ends with %v:\n%s", forged, err, out)
		}
		r, err := Check(books.Reader{Source: one}, books.Reader{Source: two})
		if err != nil {
			t.Fatal(err)
		}
		if all := strings.Join(r.Problems, "\n"); forged && !strings.HasSuffix(all, said) || !forged && all != "" {
			t.Errorf("forged %v: we find %q", forged, all)
		}
	}
}
