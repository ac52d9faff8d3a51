package studio

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sluice/configs/portalba"
	"sluice/internal/yamldoc"
	"sluice/policy/explain"
)

// sentBy is what a browser sends of a form as it is shown.
func sentBy(f *form) url.Values {
	out := url.Values{}
	for _, g := range f.groups {
		for _, x := range g.Fields {
			if x.Sort == "checks" {
				out.Add(x.Name, "")
			}
			switch x.Sort {
			case "checks", "select":
				for _, o := range x.Options {
					if o.On {
						out.Add(x.Name, o.Value)
					}
				}
			default:
				out.Add(x.Name, x.Value)
			}
		}
	}
	return out
}

// comments are those of the files below: no text in them has a hash but one.
func comments(text string) (out []string) {
	for line := range strings.Lines(text) {
		if at := strings.Index(line, "# "); at >= 0 && !strings.Contains(line, "The fair") {
			out = append(out, strings.TrimSpace(line[at:]))
		}
	}
	return out
}

// more is a decision with all that a form has fields for.
const more = `# A street.
decision: "2026-99"   # its number
title: {en: "Bikes", ca: "Bicis"}
stream: bikes
applies_to:
  kinds: [wifi-counter, odd]   # and one that is not there
  zones: [rambla]
unit: {field: device, stands_for: device}
keep: [device, rssi]
where:
  - {field: rssi, op: ">=", value: -85}   # near
  - {field: ssid, op: "==", value: "5"}
generalise:
  - {field: rssi, step: 10}
place: {lat: lat, lon: lon}
publish:
  every: PT2H
  by: [zone, {field: ssid, values: [a, b]}]
  measures:
    - name: devices
      of: distinct(unit)   # each once
      limits: [{value: 1.5, title: {en: x}, source: "Law: 1"}]
    - {name: far, of: "histogram(rssi)", edges: [-90, -80, 1e3]}
protect: {min_units: 10, epsilon: 0.25, delta: 1e-6, max_contributions: 4, by_owner: {acme: 2}}
retain: {hours: P2Y, days: forever}
from: some day
blackouts:
  - {zones: [rambla], from: 2026-12-24T20:00:00+01:00, until: 2026-12-25T04:00:00+01:00, reason: "The fair # 2"}
consultation:
  - {kind: session, link: "https://a.example/#1", until: 2026-10-31}   # minutes
`

// TestFormKeepsAll: a form that is sent as it is shown changes nothing; one in which anything is
// changed, and is then changed back, neither, and no comment is lost. Whatever is written in a field
// is what the form shows afterwards.
func TestFormKeepsAll(t *testing.T) {
	files := portalba.Policy()
	var texts []string
	for name, raw := range files {
		if strings.HasPrefix(name, "decisions/") {
			texts = append(texts, string(raw))
		}
	}
	slices.Sort(texts)
	texts = append(texts, more)
	var of []choices
	for l := range explain.Languages {
		of = append(of, choicesOf(files, explain.Lang(l)))
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SampledFrom(texts).Draw(t, "file")
		c := of[rapid.IntRange(0, 2).Draw(t, "language")]
		f := formOf(c, value0(t, text))
		sent := sentBy(f)
		if same := applied(t, f, text, sent); same != text {
			t.Fatalf("a form that is sent as it is shown changes the file to\n%s", same)
		}
		g := rapid.SampledFrom(f.groups).Draw(t, "group")
		x := rapid.SampledFrom(g.Fields).Draw(t, "field")
		said := written(t, x)
		sent[x.Name] = said
		v, err := f.fill(f.v, sent)
		if err != nil {
			t.Fatalf("%s with %q: %v", x.Name, said, err)
		}
		changed := applied(t, f, text, sent)
		for _, c := range comments(text) {
			if !strings.Contains(changed, c+"\n") {
				t.Fatalf("%s with %q loses %q\n%s", x.Name, said, c, changed)
			}
		}
		if !yamldoc.Same(formOf(c, value0(t, changed)).v, v) {
			t.Fatalf("%s with %q: the file says something else\n%s", x.Name, said, changed)
		}
		if back, err := yamldoc.Become([]byte(changed), f.v); err != nil ||
			!yamldoc.Same(value0(t, string(back)), f.v) {
			t.Fatalf("%s with %q is not taken back: %v\n%s", x.Name, said, err, back)
		}
	})
}

func value0(t *rapid.T, text string) any {
	v, err := value(text)
	if err != nil {
		t.Fatal(err, "\n", text)
	}
	return v
}

// applied is the file after a form was sent.
func applied(t *rapid.T, f *form, text string, sent url.Values) string {
	v, err := f.fill(f.v, sent)
	if err != nil {
		t.Fatal(err)
	}
	out, err := yamldoc.Become([]byte(text), v)
	if err != nil {
		t.Fatal(err, v)
	}
	return string(out)
}

// written is what somebody might write in a field, or choose of it.
func written(t *rapid.T, x field) []string {
	switch x.Sort {
	case "checks":
		said := []string{""}
		for _, o := range x.Options {
			if rapid.Bool().Draw(t, o.Value) {
				said = append(said, o.Value)
			}
		}
		return said
	case "select":
		if len(x.Options) == 0 {
			return []string{""}
		}
		return []string{rapid.SampledFrom(x.Options).Draw(t, "option").Value}
	}
	return []string{rapid.OneOf(
		rapid.SampledFrom([]string{
			"", "0", "1,5", "1e-6", "-3 20", "0 30; 50", "a: b", "# no", "\"", "'", "{", "a\r\nb", " x ",
			"no", "true", "2026-12-01", "<b>", "PT1H", "l'any"}),
		rapid.StringMatching(`[ -~àç·]{0,40}`)).Draw(t, "text")}
}

// TestFieldsSayWhatTheyAre: each field has a label and each choice words, in every language.
func TestFieldsSayWhatTheyAre(t *testing.T) {
	files := portalba.Policy()
	texts := []string{more}
	for name, raw := range files {
		if strings.HasPrefix(name, "decisions/") {
			texts = append(texts, string(raw))
		}
	}
	for l := range explain.Languages {
		for _, text := range texts {
			v, err := value(text)
			if err != nil {
				t.Fatal(err)
			}
			c := choicesOf(files, explain.Lang(l))
			f := formOf(c, v)
			ids := map[string]bool{}
			for _, g := range f.groups {
				for _, x := range g.Fields {
					if x.Label == "" || ids[x.ID()] {
						t.Errorf("%s has the label %q, or the id of another", x.Name, x.Label)
					}
					ids[x.ID()] = true
				}
			}
			// All that there is can be added, and taken out again.
			for _, list := range []string{"where", "generalise", "publish.measures", "publish.measures.0.limits",
				"blackouts", "consultation"} {
				n := len(entries(v, strings.Split(list, ".")...))
				with, err := f.change(v, "add "+list)
				if err != nil || len(entries(with, strings.Split(list, ".")...)) != n+1 {
					t.Errorf("%s: %v", list, err)
				}
				formOf(c, with)
				without, err := f.change(with, "drop "+list+"."+string(rune('0'+n)))
				if err != nil || !yamldoc.Same(without, v) {
					t.Errorf("%s is not taken out: %v", list, err)
				}
			}
		}
	}
}
