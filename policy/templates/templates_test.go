package templates_test

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/configs/portalba"
	"sluice/internal/civil"
	"sluice/internal/yamldoc"
	"sluice/policy/bundle"
	"sluice/policy/check"
	"sluice/policy/compile"
	"sluice/policy/dpia"
	"sluice/policy/explain"
	"sluice/policy/rego"
	"sluice/policy/templates"
	"sluice/register"
)

// now is a day on which a clerk writes a decision.
var now = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// town is the example city without decisions.
func town(t *testing.T) *bundle.Policy {
	t.Helper()
	files := portalba.Policy()
	maps.DeleteFunc(files, func(name string, _ []byte) bool { return strings.HasPrefix(name, "decisions/") })
	return read(t, files)
}

func read(t *testing.T, files bundle.Files) *bundle.Policy {
	t.Helper()
	p, err := bundle.Read(files)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// with is a policy with what a template needs and its decision.
func with(t *testing.T, p *bundle.Policy, x templates.Template, l explain.Lang, id string) bundle.Files {
	t.Helper()
	files := maps.Clone(p.Files)
	changed, list, err := x.Add(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range list {
		if !a.Done {
			t.Errorf("%s: %s must be added by hand", x.ID, a.Place)
		}
	}
	maps.Copy(files, changed)
	files["decisions/"+id+".yaml"] = x.Decision(l, read(t, files), id, now)
	return files
}

var angled = regexp.MustCompile(`<[^<>]+>`)

// filled is a decision with words in its blanks.
func filled(raw []byte) []byte { return angled.ReplaceAll(raw, []byte("Word 7")) }

// evaluator is for all, so that it compiles the rules once.
var evaluator = rego.InProcess()

func found(t *testing.T, files bundle.Files) []check.Finding {
	t.Helper()
	list, _ := check.Directory(context.Background(), evaluator, files, nil, civil.Date{})
	return list
}

// TestEach: each template, in each language, is refused until its blanks are filled, under the line of
// each of them, and then has no mistake and no warning, is compiled for a sensor of its kind, and can
// be read. Residents see no id: of that, check would warn.
func TestEach(t *testing.T) {
	if n := len(templates.List()); n != 20 { // one for each that docs/policy.md names
		t.Errorf("there are %d templates", n)
	}
	for _, x := range templates.List() {
		t.Run(x.ID, func(t *testing.T) {
			for l := range explain.Languages {
				files := with(t, town(t), x, explain.Lang(l), "2027-01")
				each(t, files, explain.Lang(l))
			}
		})
	}
}

func each(t *testing.T, files bundle.Files, l explain.Lang) {
	t.Helper()
	const name = "decisions/2027-01.yaml"
	lines := strings.Split(string(files[name]), "\n")
	blanks := 0
	for _, line := range lines {
		if strings.Contains(line, "<") && !strings.HasPrefix(line, "#") {
			blanks++
		}
	}
	list := found(t, files)
	if len(list) != blanks || blanks < 4 {
		t.Errorf("%d findings for %d blanks", len(list), blanks)
	}
	for _, f := range list {
		_, mend := f.Text(l)
		if f.Rule != "T01" || f.File != name || !strings.Contains(lines[f.Line-1], "<") || mend == "" {
			t.Errorf("%s:%d: %s %s", f.File, f.Line, f.Rule, mend)
		}
	}
	files[name] = filled(files[name])
	for _, f := range found(t, files) {
		what, mend := f.Text(0)
		t.Errorf("filled in, %s:%d: %s %s; %s", f.File, f.Line, f.Rule, what, mend)
	}
	for file, raw := range files {
		if tidy, err := yamldoc.Tidy(raw); strings.HasSuffix(file, ".yaml") &&
			(err != nil || string(tidy) != string(raw)) {
			t.Errorf("%s is not laid out as usual: %v", file, err)
		}
	}
	p := read(t, files)
	d := &p.Decisions[0]
	for s := range explain.Languages {
		text, err := explain.Decision(explain.Lang(s), p, d, explain.Vote{})
		if err != nil || strings.Contains(text, "%!") || len(text) < 500 {
			t.Errorf("%v\n%s", err, text)
		}
	}
	set, err := compile.Policy(context.Background(), evaluator, p)
	if err != nil {
		t.Fatal(err)
	}
	sensor := register.Sensor{ID: "s", Owner: "o", Kind: d.AppliesTo.Kinds[0], Zone: d.AppliesTo.Zones[0]}
	plans, why, err := set.Plans(context.Background(), &sensor)
	if len(set.Broken) > 0 || len(plans) == 0 || err != nil {
		t.Errorf("it is not run: %v %v %v", set.Broken, why, err)
	}
}

// TestTexts: each text is there in each language, and none is twice the same for want of a translation.
func TestTexts(t *testing.T) {
	for _, x := range templates.List() {
		for what, words := range map[string]map[string]string{
			"name": x.Name, "title": x.Title, "about": x.About, "law": x.Law, "purpose": x.Purpose.Names,
			"notice":    x.Notice,
			"necessity": x.DPIA.Necessity, "risks": x.DPIA.Risks,
		} {
			if len(words) != len(explain.Languages) {
				t.Errorf("%s: %s is in %d languages", x.ID, what, len(words))
			}
			for _, l := range explain.Languages {
				if strings.TrimSpace(words[l]) == "" {
					t.Errorf("%s: %s is not there in %s", x.ID, what, l)
				}
			}
			if len(words["en"]) > 40 && (words["en"] == words["ca"] || words["ca"] == words["es"]) {
				t.Errorf("%s: %s is not translated", x.ID, what)
			}
		}
		if x.Street.Passes < 1 || x.Street.Peak < 0 || x.Street.Peak > 23 || x.Street.Returns < 0 {
			t.Errorf("%s: the street is %+v", x.ID, x.Street)
		}
		kinds, err := register.ParseKinds("kinds.yaml", []byte("kinds:\n  "+x.Kind.ID+":\n    "+
			strings.ReplaceAll(x.Kind.Entry, "\n", "\n    ")))
		if err != nil {
			t.Fatal(err)
		}
		said := 0
		for _, f := range kinds[x.Kind.ID].Fields {
			quiet, busy, ok := templates.Usual(x.Kind.ID, f.Name)
			if number := f.Type == "int" || f.Type == "float"; number && len(f.Valid) == 2 && !ok {
				t.Errorf("%s: what %s usually is, is said: %t", x.ID, f.Name, ok)
			}
			if ok {
				said++
			}
			if ok && (quiet >= busy || len(f.Valid) != 2 || quiet < f.Valid[0] || busy > f.Valid[1]) {
				t.Errorf("%s: %s is usually from %v to %v, and valid %v", x.ID, f.Name, quiet, busy, f.Valid)
			}
		}
		if said != len(x.Street.Values) {
			t.Errorf("%s: there is no field of some of %v", x.ID, x.Street.Values)
		}
	}
}

// TestAllTogether: a town can have all that count nobody, and what one has added is there for the
// next.
func TestAllTogether(t *testing.T) {
	p := town(t)
	for _, x := range templates.List() {
		if x.ID == "events" { // footfall's phones are counted already, and it would be a second look at them
			continue
		}
		files := with(t, p, x, 0, x.ID)
		files["decisions/"+x.ID+".yaml"] = filled(files["decisions/"+x.ID+".yaml"])
		p = read(t, files)
	}
	for _, f := range found(t, p.Files) {
		what, _ := f.Text(0)
		t.Errorf("%s:%d: %s %s", f.File, f.Line, f.Rule, what)
	}
	x, _ := templates.Get("events")
	files := with(t, p, x, 0, "2027-99")
	if text := string(files["decisions/2027-99.yaml"]); !strings.Contains(text, "epsilon: 0.1 ") ||
		!strings.Contains(text, "whole budget") {
		t.Errorf("it is not said that the budget is spent:\n%s", text)
	}
	x, _ = templates.Get("footfall")
	if changed, list, err := x.Add(p); len(changed)+len(list) > 0 || err != nil {
		t.Errorf("something was added twice: %v %v", list, err)
	}
}

// TestCommentsStay: what is added changes no other line.
func TestCommentsStay(t *testing.T) {
	p := town(t)
	x, _ := templates.Get("homes")
	changed, list, err := x.Add(p)
	if err != nil || len(list) != 4 {
		t.Fatalf("%v %v", list, err)
	}
	for name, raw := range changed {
		is := strings.Split(string(raw), "\n")
		for line := range strings.Lines(string(p.Files[name])) {
			line = strings.TrimSuffix(line, "\n")
			if !slices.Contains(is, line) && !strings.HasPrefix(line, "purposes:") &&
				!strings.HasPrefix(line, "epsilon_per_day:") {
				t.Errorf("%s: the line %q is gone", name, line)
			}
		}
	}
	// Where nothing can be added to, people are told what to paste.
	p.Files["kinds.yaml"] = []byte("kinds: {a: {fields: [{name: x, type: int, class: measurement}]}}\n")
	p = read(t, p.Files)
	if changed, list, err = x.Add(p); err != nil || changed["kinds.yaml"] != nil || list[0].Done ||
		!strings.HasPrefix(list[0].Entry, "home-meter:\n  names:") {
		t.Errorf("%v %v", list, err)
	}
}

// TestLike: a decision like another has its text, other days, and the same series behind it.
func TestLike(t *testing.T) {
	p := read(t, portalba.Policy())
	for i := range p.Decisions {
		old := &p.Decisions[i]
		raw, err := templates.Like(p, old, "2027-50", now)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{
			`decision: "2027-50"`, "from: 2027-06-01", "until: 2028-05-30", "stream: " + old.Stream.ID + "\n",
		} {
			if !strings.Contains(string(raw), want) {
				t.Errorf("%s lacks %s:\n%s", old.Decision, want, raw)
			}
		}
		if strings.Count(string(raw), "#") != strings.Count(string(old.YAML), "#") {
			t.Error("comments are lost")
		}
		files := maps.Clone(p.Files)
		files["decisions/2027-50.yaml"] = raw
		for _, f := range found(t, files) {
			what, _ := f.Text(0)
			t.Errorf("like %s, %s:%d: %s %s", old.Decision, f.File, f.Line, f.Rule, what)
		}
	}
	odd := p.Decisions[0]
	odd.YAML = []byte("{decision: \"x\"}\n")
	if _, err := templates.Like(p, &odd, "y", now); err == nil {
		t.Error("what cannot be found was changed")
	}
}

// TestAssess: the paragraphs are answers of the impact assessment, beside those that are there.
func TestAssess(t *testing.T) {
	var raw []byte
	for _, x := range templates.List() {
		out, err := x.Assess(raw, "2027-"+x.ID)
		if err != nil || !strings.HasPrefix(string(out), strings.TrimSuffix(string(raw), "\n")) {
			t.Fatal(err)
		}
		again, err := x.Assess(out, "2027-"+x.ID)
		if err != nil || string(again) != string(out) {
			t.Errorf("%s: answers are written over: %v", x.ID, err)
		}
		raw = out
	}
	a, err := dpia.ParseAnswers("dpia.yaml", raw)
	if err != nil || len(a.Decisions) != 20 || a.Decisions["2027-air"].Necessity.In(1) == "" {
		t.Errorf("%v\n%s", err, raw)
	}
	if tidy, err := yamldoc.Tidy(raw); err != nil || string(tidy) != string(raw) {
		t.Errorf("they are not laid out as usual: %v", err)
	}
}
