package decision

import (
	"strings"
	"testing"

	"sluice/register"
)

// TestParties: a contact that is not what it says is refused, with its key and no value.
func TestParties(t *testing.T) {
	for line, says := range map[string]string{
		`{name: A, email: a@b.example, phone: "+34 900 (0) 1.2-3", web: "https://b.example/x?y=1"}`: "",
		`{name: A}`: "", `{}`: "",
		`{email: a@b.example}`:                       "city.dpo: needs a name",
		`{name: A, email: nobody}`:                   "city.dpo: email is no address of mail",
		`{name: A, email: "A <a@b.example>"}`:        "email is no address",
		`{name: A, phone: "call me"}`:                "phone is no telephone number",
		`{name: A, web: "http://b.example"}`:         "web is no address that begins with https",
		`{name: A, web: "javascript:alert(1)"}`:      "web is no address",
		`{name: A, web: "https://u:p@b.example"}`:    "web is no address",
		`{name: "a\u202eb"}`:                         "name is at most 200 visible characters",
		`{name: "` + strings.Repeat("a", 201) + `"}`: "name is at most 200",
		`{name: A, fax: "1"}`:                        "fax",
	} {
		_, err := ParseCharter("charter.yaml",
			[]byte("city: {id: a, name: A, timezone: UTC, dpo: "+line+"}\n"))
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v; want %q", line, err, says)
		}
		if err != nil && (strings.Contains(err.Error(), "nobody") || strings.Contains(err.Error(), "alert")) {
			t.Errorf("%s is said again: %v", line, err)
		}
	}
}

// TestNames: words are by language, visible and short.
func TestNames(t *testing.T) {
	for words, says := range map[string]string{
		`{ca: so, en: "sound (dB)"}`: "", `{}`: "", `{eu: soinua}`: "",
		`{Catalan: so}`:    "two or three small letters",
		`{ca: ""}`:         "in ca: it says nothing",
		`{ca: "…"}`:        "in ca: it says nothing",
		`{ca: "a\u202eb"}`: "shows nothing",
		`{ca: "` + strings.Repeat("a", 81) + `"}`: "longer than 80",
	} {
		_, err := register.ParseKinds("kinds.yaml", []byte("kinds:\n  k:\n    names: "+words+
			"\n    fields: [{name: a, type: string, class: measurement, values: {x: "+words+"}}]\n"))
		_, other := ParseCharter("charter.yaml",
			[]byte("city: {id: a, name: A, timezone: UTC}\nnames: {purposes: {p: "+words+"}}\n"))
		for _, err := range []error{err, other} {
			if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
				t.Errorf("%s: %v; want %q", words, err, says)
			}
		}
	}
	for field, says := range map[string]string{
		`{name: a, type: float, class: measurement, values: {x: {en: x}}}`:                   "only a string has values",
		`{name: a, type: string, class: measurement, values: {"x y": {en: x}}}`:              "none that a decision can name",
		`{name: a, type: string, class: measurement, names: {en: "-"}}`:                      "field a: names: in en",
		`{name: a, type: string, class: measurement, values: {x: {en: "` + "\u200b" + `"}}}`: "shows nothing",
	} {
		_, err := register.ParseKinds("kinds.yaml", []byte("kinds:\n  k:\n    fields: ["+field+"]\n"))
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v; want %q", field, err, says)
		}
	}
}

// TestLimits: a limit has a number, a title and a source, and there are few.
func TestLimits(t *testing.T) {
	const good = `{value: 50, title: {en: EU}, source: a law, over: P1D}`
	for limits, says := range map[string]string{
		`[` + good + `]`: "", `[]`: "", `[{value: 0, title: {en: EU}, source: a law}]`: "",
		`[{title: {en: EU}, source: a law}]`:                           "limit 1 needs a value",
		`[` + good + `, {value: 1, title: {en: EU}}]`:                  "limit 2 needs a source",
		`[{value: 1, source: a law}]`:                                  "limit 1 needs a title",
		`[{value: 1, title: {en: "-"}, source: a law}]`:                "in en: it says nothing",
		`[{value: 1e10, title: {en: EU}, source: a law}]`:              "not from -1e+09",
		`[{value: 1, title: {en: EU}, source: a law, over: PT1M}]`:     "over less than a window",
		`[{value: 1, title: {en: EU}, source: "a\u202eb"}]`:            "visible characters",
		`[` + strings.Repeat(good+", ", 4) + good + `]`:                "more than 4 limits",
		`[{value: 1, title: {en: EU}, source: a law, since: 2026}]`:    "since",
		`[{value: "much", title: {en: EU}, source: a law, over: P1D}]`: "",
	} {
		doc := strings.Replace(document, "LIMITS", limits, 1)
		d, err := Parse("d.yaml", []byte(doc))
		if limits == `[{value: "much", title: {en: EU}, source: a law, over: P1D}]` {
			says = "number"
		}
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v; want %q", limits, err, says)
		}
		if err == nil && len(d.Publish.Measures[0].Limits) > 0 && d.Publish.Measures[0].Limits[0].Value == nil {
			t.Errorf("%s has no value", limits)
		}
	}
	if _, err := Parse("d.yaml", []byte(strings.Replace(strings.Replace(document, "LIMITS", "["+good+"]", 1),
		"mean(a), between: [0, 9]", "histogram(a), edges: [0, 9]", 1))); err == nil ||
		!strings.Contains(err.Error(), "a histogram has no limits") {
		t.Errorf("limits of a histogram: %v", err)
	}
}

const document = `decision: "1"
title: {en: A}
stream: a
purpose: p
applies_to: {kinds: [k], zones: [z]}
unit: {none: "nobody"}
publish: {every: PT1H, measures: [{name: a, of: mean(a), between: [0, 9], limits: LIMITS}]}
from: 2026-01-01
until: 2026-12-31
`
