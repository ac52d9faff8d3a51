package dpia_test

import (
	"strings"
	"testing"

	"sluice/configs/portalba"
	"sluice/policy/bundle"
	"sluice/policy/dpia"
	"sluice/policy/explain"
	"sluice/register"
)

const answered = `city:
  processors: {ca: "Acme fa els sensors.", es: "Acme hace los sensores.", en: "Acme runs the counters."}
  information: "A notice at each lamp post."
  transfers: "None."
  officer: {name: "Ona Serra", opinion: "In favour, if it is reviewed."}
  people: {name: "Neighbours of the Rambla", opinion: "They asked for fewer counters."}
  outcome: {is: conditional, on: 2026-05-20, by: "The mayor", why: "The counters go after a year."}
plan: [{what: "Test the counters", who: "Acme", by: 2027-01-31}]
decisions:
  "2026-14":
    context: "Shops asked for it."
    necessity: "Counts by hand took a week. <b>"
    risks: "A clinic stands in the Raval."
    grades: {published: {severity: 4, likelihood: 3, why: "The clinic."}}
`

func parsed(t *testing.T, text string) *dpia.Answers {
	t.Helper()
	a, err := dpia.ParseAnswers("dpia.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestAnswersAreKept: what people have answered is in the assessment, and is asked for no more.
func TestAnswersAreKept(t *testing.T) {
	p := city(t, false)
	in := dpia.Input{Policy: p, Decisions: all(p)[:1], Register: &register.Register{}, Answers: parsed(t, answered)}
	text, err := dpia.Markdown(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Acme runs the counters.", "A notice at each", "Ona Serra:", "In favour",
		"Shops asked",
		"Counts by hand", "A clinic stands",
		"| 4 (maximum) | 4 (maximum) | 3 (significant) | judged by people: The clinic. |",
		"| Test the counters | Acme | 31 January 2027 | open |",
		"**Approved with conditions**, 20 May 2026, by The mayor."} {
		if !strings.Contains(text, want) {
			t.Errorf("it lacks %q:\n%s", want, text)
		}
	}
	if n := strings.Count(text, "TO BE WRITTEN BY A HUMAN"); n != 5 {
		t.Errorf("%d are still asked for; want consent, access, erasure, objection and security", n)
	}
}

// TestAnswersAreStrict: what cannot be is refused, with its line.
func TestAnswersAreStrict(t *testing.T) {
	for text, want := range map[string]string{
		"city:\n  processor: x\n":                                  "dpia.yaml: [2:",
		"city:\n  outcome: {is: maybe}\n":                          "outcome is approved",
		"plan:\n  - {what: x}\n":                                   "needs what, who",
		"decisions:\n  2026-14: {grades: {fire: {severity: 1}}}\n": "risks are",
		"decisions:\n  a: {grades: {loss: {severity: 5}}}\n":       "from 1 to 4",
		"city:\n  consent: {fr: x}\n":                              "languages are en, ca and es",
		"decisions:\n  a: {assessed: {on: 2026-13-01}}\n":          "dpia.yaml: [2:",
		"city: " + strings.Repeat("x", dpia.MaxAnswers):            "shorten",
	} {
		if _, err := dpia.ParseAnswers("dpia.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v", text, err)
		}
	}
	if a := parsed(t, " \n"); len(a.Decisions) > 0 {
		t.Error("nothing is something")
	}
}

// FuzzAnswers: no file makes it crash.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte(answered))
	f.Add([]byte("city: 1"))
	f.Fuzz(func(_ *testing.T, raw []byte) { _, _ = dpia.ParseAnswers("dpia.yaml", raw) })
}

// TestGrades: what protects less is graded as likelier.
func TestGrades(t *testing.T) {
	grade := func(edit func(files bundle.Files)) map[dpia.Risk]dpia.Grade {
		files := portalba.Policy()
		edit(files)
		p, err := bundle.Read(files)
		if err != nil {
			t.Fatal(err)
		}
		out := make(map[dpia.Risk]dpia.Grade)
		for _, g := range dpia.Grades(0, p, p.Decision("2026-14"), dpia.Answer{}) {
			out[g.Risk] = g
		}
		return out
	}
	epsilon := func(value string) func(bundle.Files) {
		return func(files bundle.Files) {
			const name = "decisions/2026-14-footfall.yaml"
			files[name] = []byte(strings.Replace(string(files[name]), "epsilon: 1 ", "epsilon: "+value+" ", 1))
		}
	}
	last := 0
	for _, value := range []string{"0.1", "1", "3", "9"} {
		g := grade(epsilon(value))[dpia.Published]
		if g.Likelihood != last+1 || g.Inherent != 4 || g.Severity != 2 {
			t.Errorf("epsilon %s: %+v", value, g)
		}
		last = g.Likelihood
	}
	if g := grade(epsilon("1"))[dpia.Published]; g.Why != "epsilon 1 a day, 34 in 364 days; published from "+
		"about 74 devices on" &&
		!strings.Contains(g.Why, "published from about 74 devices on") {
		t.Error(g.Why)
	}
}

// TestReassess: what is new or protects less is to be assessed, until that was done as it is.
func TestReassess(t *testing.T) {
	p, weaker := city(t, false), portalba.Policy()
	const name = "decisions/2026-14-footfall.yaml"
	weaker[name] = []byte(strings.Replace(string(weaker[name]), "max_contributions: 4", "max_contributions: 5", 1))
	next, err := bundle.Read(weaker)
	if err != nil {
		t.Fatal(err)
	}
	a := &dpia.Answers{}
	if list := dpia.Reassess(nil, p, a); len(list) != 4 || len(list[0].Changes) != 0 {
		t.Errorf("a first policy: %+v", list)
	}
	if list := dpia.Reassess(p, p, a); len(list) != 0 {
		t.Errorf("nothing changed: %+v", list)
	}
	list := dpia.Reassess(p, next, a)
	if len(list) != 1 || list[0].Decision != "2026-14" || len(list[0].Changes) != 1 {
		t.Fatalf("it protects less: %+v", list)
	}
	for l := range explain.Languages {
		text, err := dpia.Markdown(dpia.Input{Lang: explain.Lang(l), Policy: next, Decisions: all(next),
			Register: &register.Register{}, Due: list})
		if err != nil || !strings.Contains(text, list[0].Changes[0].Words(explain.Lang(l))) {
			t.Errorf("%v\n%.900s", err, text)
		}
	}
	d := next.Decision("2026-14")
	a.Decisions = map[string]dpia.Answer{"2026-14": {Assessed: dpia.Assessed{Of: dpia.Digest(next, d)}}}
	if list := dpia.Reassess(p, next, a); len(list) != 0 {
		t.Errorf("it was assessed: %+v", list)
	}
}
