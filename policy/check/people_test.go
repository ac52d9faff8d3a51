package check_test

import (
	"slices"
	"strings"
	"testing"

	"sluice/configs/portalba"
	"sluice/policy/check"
)

// TestFloors: a decision whose floor the charter does not list is found under its floor.
func TestFloors(t *testing.T) {
	for text, want := range map[string]string{"": "boardings", "floors: [exact]\n": "boardings",
		"floors: [noisy]\n": "footfall", "floors: [exact, noisy]\n": ""} {
		files := portalba.Policy()
		lines := strings.SplitAfter(string(files["charter.yaml"]), "\n")
		lines = slices.DeleteFunc(lines, func(l string) bool { return strings.HasPrefix(l, "floors:") })
		files["charter.yaml"] = []byte(strings.Join(lines, "") + text)
		found, _ := run(files)
		got := ""
		for _, f := range found {
			if what, mend := f.Text(0); f.Rule == "C15" && strings.Contains(mend, "floors: [exact, noisy]") {
				got += f.File
				if !strings.Contains(what, "floor exact;") && !strings.Contains(what, "floor noisy;") {
					t.Errorf("%q: it is not said which floor: %s", text, what)
				}
				if line := strings.Split(string(files[f.File]), "\n")[f.Line-1]; want == "boardings" &&
					!strings.Contains(line, "floor: noisy") {
					t.Errorf("%q: %s is found under %q", text, what, line)
				}
			}
		}
		if (got != "") != (want != "") || !strings.Contains(got, want) {
			t.Errorf("%q: C15 is found in %q; want %s", text, got, want)
		}
	}
}

// TestACameraIsNotAboutNobody: a kind that tells vehicles apart needs a unit, though the
// charter does not name it; the charter can say that it sees nobody.
func TestACameraIsNotAboutNobody(t *testing.T) {
	with := func(more string) []check.Finding {
		files := portalba.Policy()
		files["kinds.yaml"] = append(files["kinds.yaml"], []byte("  camera:\n    units: [{field: track, stands_for: "+
			"vehicle}]\n    fields: [{name: track, type: string, class: identifier}, {name: laeq, type: float, "+
			"unit: dB(A), class: measurement}]\n")...)
		files["charter.yaml"] = append(files["charter.yaml"], []byte(more)...)
		files[noise] = []byte(strings.Replace(string(files[noise]), "kinds: [noise-meter]", "kinds: [camera]", 1))
		found, _ := run(files)
		return unworded(found)
	}
	found := with("")
	if len(found) != 1 || found[0].Rule != "C04" || found[0].File != noise {
		t.Errorf("%+v; want C04 alone", found)
	}
	if what, _ := found[0].Text(0); !strings.Contains(what, "camera") {
		t.Errorf("it says %s", what)
	}
	if found := with("kinds_not_about_people: [camera]\n"); len(found) > 0 {
		t.Errorf("the charter says that it sees nobody, and %+v", found)
	}
}
