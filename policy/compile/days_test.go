package compile_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"sluice/configs/portalba"
	"sluice/plan"
	"sluice/policy/bundle"
	"sluice/policy/compile"
	"sluice/policy/rego"
	"sluice/register"
)

const noise = "decisions/2026-16-noise.yaml"

// days are those of a set's streams, by their ids.
func days(set *compile.Set) (list []*plan.Stream) {
	for _, s := range set.Streams {
		if s.Of != "" {
			list = append(list, s)
		}
	}
	return list
}

// TestDays: a decision about nobody that keeps days has a stream of them, for the same sensors;
// no other has, and none that breaks the charter or where the name is another's.
func TestDays(t *testing.T) {
	ctx := context.Background()
	keeps := func(files bundle.Files, file string) bundle.Files {
		files[file] = []byte(strings.Replace(string(files[file]), "retain: P5Y",
			"retain: {hours: P2Y, days: forever}", 1))
		return files
	}
	files := keeps(portalba.Policy(), noise)
	set, err := compile.Files(ctx, rego.InProcess(), files)
	if err != nil {
		t.Fatal(err)
	}
	list := days(set)
	if len(list) != 1 || list[0].ID != "noise-days" || list[0].Of != "noise" || list[0].Every.String() != "P1D" ||
		list[0].Decision != "2026-16" || list[0].Digest == set.Decision("2026-16").Stream.Digest {
		t.Fatalf("its streams of days are %+v", list)
	}
	reg, err := register.Parse("register.yaml", portalba.Register)
	if err != nil {
		t.Fatal(err)
	}
	for i := range reg.Sensors {
		s := &reg.Sensors[i]
		plans, _, err := set.Plans(ctx, s)
		if err != nil {
			t.Fatal(err)
		}
		want := 1
		if s.Kind == "noise-meter" {
			want = 2
		}
		if len(plans) != want || want == 2 && (plans[0].Zone != plans[1].Zone || plans[1].Stream != list[0]) {
			t.Errorf("sensor %s of kind %s has %d plans; want %d", s.ID, s.Kind, len(plans), want)
		}
	}
	start, end := list[0].Window(time.Date(2027, 3, 28, 12, 0, 0, 0, time.UTC))
	if end.Sub(start) != 23*time.Hour {
		t.Errorf("the day on which clocks go ahead has %s", end.Sub(start))
	}
	if err := set.Only("another"); err != nil || len(days(set)) != 1 || days(set)[0].Digest != list[0].Digest {
		t.Errorf("where zones are nobody's: %+v, %v", days(set), err)
	}
	for name, change := range map[string]func(bundle.Files){
		"units": func(f bundle.Files) { keeps(f, footfall) },
		"one time for all": func(f bundle.Files) {
			f[noise] = []byte(strings.Replace(string(f[noise]), "retain: P5Y", "retain: forever", 1))
		},
		"hours alone": func(f bundle.Files) {
			f[noise] = []byte(strings.Replace(string(f[noise]), "retain: P5Y", "retain: {hours: P2Y}", 1))
		},
		"an unknown purpose": func(f bundle.Files) {
			keeps(f, noise)
			f[noise] = []byte(strings.Replace(string(f[noise]), "purpose: ", "purpose: un", 1))
		},
		"the name is another's": func(f bundle.Files) {
			keeps(f, noise)
			f["decisions/x.yaml"] = []byte(strings.NewReplacer(`"2026-16"`, `"x"`, "stream: noise", "stream: noise-days",
				"every: PT15M", "every: P1D", "hours: P2Y, ", "").Replace(string(f[noise])))
		},
	} {
		files := portalba.Policy()
		change(files)
		set, err := compile.Files(ctx, rego.InProcess(), files)
		if err != nil || len(days(set)) != 0 {
			t.Errorf("%s: %d streams of days, %v", name, len(days(set)), err)
		}
	}
	files = keeps(portalba.Policy(), noise)
	files[noise] = []byte(strings.Replace(string(files[noise]), "stream: noise",
		"stream: "+strings.Repeat("n", plan.MaxID), 1))
	if _, err := compile.Files(ctx, rego.InProcess(), files); err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("with the longest name: %v", err)
	}
}
