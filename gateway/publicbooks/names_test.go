package publicbooks

import (
	"reflect"
	"strings"
	"testing"

	"sluice/books"
	"sluice/configs/portalba"
	"sluice/gateway/activation"
	"sluice/policy/compile"
	"sluice/policy/rego"
)

// TestNamesAreWritten: the books have the council's words, whom to reach and what numbers
// are compared with.
func TestNamesAreWritten(t *testing.T) {
	w, _, _, _ := written(t)
	r := books.Reader{Source: w.files.public}
	city, err := r.City()
	if err != nil || city.Names.Kinds["noise-meter"]["ca"] != "sonòmetre" ||
		city.Names.Fields["wifi-counter/rssi"]["en"] != "signal strength" ||
		city.Names.Purposes["environment"]["es"] != "medio ambiente" || city.Names.Units["ug/m3"]["ca"] != "µg/m³" ||
		!strings.HasPrefix(city.Responsible.Name, "Ajuntament") || city.DPO.Email == "" || city.Authority.Web == "" {
		t.Errorf("the city is %+v, %v", city, err)
	}
	streams, err := r.Streams()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range streams {
		if s.Purpose == "" {
			t.Errorf("%s has no purpose", s.ID)
		}
		for _, m := range s.Measures {
			if len(m.Names) != 3 {
				t.Errorf("%s of %s is named %v", m.Name, s.ID, m.Names)
			}
			if s.ID == "air" && (len(m.Limits) != 2 || m.Limits[0].Over != "P1D" || m.Limits[0].Value != 50 ||
				m.Limits[1].Source == "" || m.Limits[1].Title["en"] == "") {
				t.Errorf("%s is compared with %+v", m.Name, m.Limits)
			}
			if s.ID == "noise" && (len(m.Limits) != 1 || m.Limits[0].Over != "") {
				t.Errorf("noise is compared with %+v", m.Limits)
			}
		}
	}
}

// TestKeysOfWords: whatever a policy says of names, limits and contacts is in the books.
func TestKeysOfWords(t *testing.T) {
	files := portalba.Policy()
	files["charter.yaml"] = []byte(strings.Replace(`city: {id: a, name: A, timezone: UTC, languages: [ca, en, es],
  responsible: PARTY, dpo: PARTY, authority: PARTY, accessibility: PARTY}
purposes: [environment]
min_units: 1
epsilon_per_day: {}
delta_per_day: 0
max_contributions: 1
sunset_max: P1Y
quorums: {enact: 1, weaken: 1, charter: 1, roster: 1, suspend: 1}
names:
  purposes: {environment: {ca: aire, en: air, es: aire}}
  units: {ug/m3: {ca: µg, en: ug, es: µg}}
`, "PARTY", `{name: N, address: "Here 1", email: a@b.example, phone: "112", web: "https://b.example"}`, 4))
	files["kinds.yaml"] = []byte(`kinds:
  air-station:
    names: {ca: k, en: k, es: k}
    fields:
      - {name: "no2", type: float, unit: ug/m3, class: measurement, names: {ca: f, en: f, es: f}}
      - {name: side, type: string, class: measurement, values: {n: {ca: nord, en: north, es: norte}}}
`)
	for name := range files {
		if strings.HasPrefix(name, "decisions/") {
			delete(files, name)
		}
	}
	files["decisions/a.yaml"] = []byte(`decision: a
title: {ca: t, en: t, es: t}
stream: a
purpose: environment
applies_to: {kinds: [air-station], zones: [rambla]}
unit: {none: {ca: n1, en: n2, es: n3}}
keep: ["no2", side]
publish:
  every: PT1H
  by: [zone, {field: side, values: [n]}]
  measures:
    - {name: m, of: mean(no2), between: [0, 9], names: {ca: m1, en: m2, es: m3},
       limits: [{value: 5.5, title: {ca: l1, en: l2, es: l3}, source: {ca: s1, en: s2, es: s3}, over: P1D}]}
from: 2026-06-01
until: 2027-05-31
review: 2027-01-01
`)
	set, err := compile.Files(t.Context(), rego.InProcess(), files)
	if err != nil {
		t.Fatal(err)
	}
	city := books.City{}
	named(&city, set.Policy)
	who := books.Party{Name: "N", Address: "Here 1", Email: "a@b.example", Phone: "112", Web: "https://b.example"}
	same := func(word string) map[string]string { return map[string]string{"ca": word, "en": word, "es": word} }
	want := books.City{Responsible: who, DPO: who, Authority: who, Accessibility: who, Names: books.Vocabulary{
		Purposes:   map[string]map[string]string{"environment": {"ca": "aire", "en": "air", "es": "aire"}},
		Units:      map[string]map[string]string{"ug/m3": {"ca": "µg", "en": "ug", "es": "µg"}},
		Kinds:      map[string]map[string]string{"air-station": same("k")},
		Fields:     map[string]map[string]string{"air-station/no2": same("f")},
		Categories: map[string]map[string]string{"side/n": {"ca": "nord", "en": "north", "es": "norte"}},
	}}
	if !reflect.DeepEqual(city, want) {
		t.Errorf("the city is %+v", city)
	}
	if text, lang := set.Decisions[0].Unit.None.Best("es"); text != "n3" || lang != "es" {
		t.Errorf("it is about nobody since %q (%s)", text, lang)
	}
	list, err := (&streamsBook{}).list(set)
	if err != nil || len(list) != 1 || list[0].Purpose != "environment" || list[0].CategoryField != "side" ||
		!reflect.DeepEqual(list[0].Measures[0].Names, map[string]string{"ca": "m1", "en": "m2", "es": "m3"}) ||
		!reflect.DeepEqual(list[0].Measures[0].Limits, []books.Limit{{Value: 5.5, Source: "s2", Over: "P1D",
			Sources: map[string]string{"ca": "s1", "en": "s2", "es": "s3"},
			Title:   map[string]string{"ca": "l1", "en": "l2", "es": "l3"}}}) {
		t.Errorf("the streams are %+v, %v", list, err)
	}
}

// TestConsultationsAreWritten: the books have the pages that a decision links to.
func TestConsultationsAreWritten(t *testing.T) {
	files := portalba.Policy()
	const name = "decisions/2026-17-air.yaml"
	if files[name] == nil {
		t.Fatal("there is no such decision")
	}
	files[name] = append(files[name], "\nconsultation:\n  - {kind: decidim, link: \"https://decidim.example/1\", "+
		"from: 2026-10-01, until: 2026-10-31}\n  - {kind: session, link: \"https://portalba.example/7\"}\n"...)
	set, err := compile.Files(t.Context(), rego.InProcess(), files)
	if err != nil {
		t.Fatal(err)
	}
	w, v, _, _ := written(t)
	*v = activation.View{Register: v.Register, Current: set, Latest: set, Versions: 1,
		Sets: map[string]*compile.Set{set.Digest: set}}
	if err := w.Write(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := books.Reader{Source: w.files.public}.Decisions()
	if err != nil {
		t.Fatal(err)
	}
	want := []books.Consultation{{Kind: "decidim", Link: "https://decidim.example/1", From: "2026-10-01",
		Until: "2026-10-31"}, {Kind: "session", Link: "https://portalba.example/7"}}
	for _, d := range list {
		got := d.Consultation
		if d.ID == "2026-17" && !reflect.DeepEqual(got, want) || d.ID != "2026-17" && got != nil {
			t.Errorf("%s links to %+v", d.ID, got)
		}
	}
}
