package diff

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sluice/policy/bundle"
	"sluice/policy/decision"
	"sluice/policy/explain"
)

const charter = `city: {id: vila, name: Vila, timezone: Europe/Madrid, languages: [en]}
purposes: [%s]
forbidden_classes: [%s]
min_units: %d
epsilon_per_day: {device: %v}
delta_per_day: 1e-5
max_contributions: 4
sunset_max: %s
notice_days: %d
blackout_max: P3D
quorums: {enact: %d, weaken: 5, charter: 6, roster: 6, suspend: %d}
`

const kinds = `kinds:
  counter:
    units: [{field: device, stands_for: device}]
    fields:
      - {name: device, type: string, class: identifier}
      - {name: rssi, type: int, class: measurement}
      - {name: speed, type: float, class: measurement}
      - {name: sort, type: string, class: measurement}
  other:
    units: [{field: device, stands_for: device}]
    fields:
      - {name: device, type: string, class: identifier}
      - {name: speed, type: float, class: measurement}
`

const zones = `{"type": "FeatureCollection", "features": [
{"type": "Feature", "id": "a", "properties": {},
 "geometry": {"type": "Polygon", "coordinates": [[[0,0],[1,0],[1,1],[0,1],[0,0]]]}},
{"type": "Feature", "id": "b", "properties": {},
 "geometry": {"type": "Polygon", "coordinates": [[[1,0],[2,0],[2,1],[1,1],[1,0]]]}}]}`

// someDecision draws a decision of which every key has few values, so that equal
// and comparable ones come often.
func someDecision(t *rapid.T, name string) string {
	pick := func(key string, list ...string) string { return rapid.SampledFrom(list).Draw(t, name+" "+key) }
	return fmt.Sprintf(`decision: d
title: {en: %q}
stream: s
purpose: p
applies_to: {kinds: %s, zones: %s}
unit: %s
keep: %s
where: %s
generalise: %s
place: sensor
publish:
  every: %s
  by: [zone%s]
  measures: %s
protect: {min_units: %s, epsilon: %s, delta: %s, max_contributions: %s}
forget_after: %s
from: %s
until: %s
%s%s`,
		pick("title", "A", "B"), pick("kinds", "[counter]", "[counter, other]"), pick("zones", "[a]", "[b]", "[a, b]"),
		pick("unit", "{field: device, stands_for: device}", "{field: device, stands_for: device}",
			`{none: "about nobody"}`),
		pick("keep", "[device, speed]", "[device, speed, rssi]", "[device, speed, rssi, sort]"),
		pick("where", "[]", `[{field: rssi, op: ">=", value: -85}]`, `[{field: rssi, op: ">=", value: -70}]`,
			`[{field: rssi, op: ">=", value: -70}, {field: speed, op: "<", value: 50}]`),
		pick("generalise", "[]", "[{field: speed, step: 10}]", "[{field: speed, step: 20}]",
			"[{field: speed, step: 30}]", "[{field: speed, to: [0, 30]}]", "[{field: speed, to: [0, 30, 50]}]"),
		pick("every", "PT1H", "PT2H", "PT3H", "PT6H"),
		pick("by", "", ", {field: sort, values: [x]}", ", {field: sort, values: [x, y]}"),
		pick("measures", `[{name: n, of: "count()", between: [0, 5]}]`, `[{name: n, of: "count()", between: [0, 9]}]`,
			`[{name: n, of: "count()", between: [0, 5]}, {name: m, of: "mean(speed)", between: [0, 100]}]`,
			`[{name: n, of: "histogram(speed)", edges: [0, 30, 50]}]`,
			`[{name: n, of: "histogram(speed)", edges: [0, 50]}]`,
			`[{name: n, of: "quantile(speed, 0.5)", between: [0, 9]}]`),
		pick("min_units", "10", "20"), pick("epsilon", "0.5", "1"), pick("delta", "1e-6", "1e-7"),
		pick("contributions", "1", "4", "4, by_owner: {a: 2, b: 2}", "4, by_owner: {a: 1, b: 2}",
			"4, by_owner: {a: 1}"),
		pick("forget", "PT6H", "PT12H", "P1D"), pick("from", "2030-01-01", "2030-02-01"),
		pick("until", "2030-06-30", "2030-12-31"),
		pick("retain", "", "retain: P1Y\n", "retain: P5Y\n", "retain: {hours: P1Y, days: forever}\n"),
		pick("review", "", "review: 2030-04-01\n", "review: 2030-05-01\n"))
}

func policyOf(t interface{ Fatal(...any) }, decision string) *bundle.Policy {
	files := bundle.Files{
		"charter.yaml": fmt.Appendf(nil, charter, "p", "credential", 10, 1, "P1Y", 14, 4, 2),
		"kinds.yaml":   []byte(kinds), "zones.geojson": []byte(zones),
		"council.yaml": []byte("members: []\n"),
	}
	if decision != "" {
		files["decisions/d.yaml"] = []byte(decision)
	}
	p, err := bundle.Read(files)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestOrder: "protects at least as much" is reflexive and transitive over whole
// decisions, and the mark says what it says in both directions.
func TestOrder(t *testing.T) {
	stronger := 0
	rapid.Check(t, func(t *rapid.T) {
		var d [3]*bundle.Decision
		base := someDecision(t, "a")
		texts := []string{base, someDecision(t, "b"), someDecision(t, "c")}
		if rapid.Bool().Draw(t, "near") { // differ in some lines only, so that comparable ones come often
			for i := 1; i < 3; i++ {
				lines, other := strings.Split(texts[i-1], "\n"), strings.Split(texts[i], "\n")
				n := rapid.IntRange(0, min(len(lines), len(other))-1).Draw(t, "line")
				lines[n] = other[n]
				texts[i] = strings.Join(lines, "\n")
			}
		}
		for i, text := range texts {
			p := tryPolicy(text)
			if p == nil {
				return // lines of two decisions do not always fit
			}
			d[i] = &p.Decisions[0]
		}
		for _, x := range d {
			if !atLeast(x, x) {
				t.Fatal("not reflexive")
			}
		}
		if atLeast(d[0], d[1]) && atLeast(d[1], d[2]) {
			stronger++
			if !atLeast(d[0], d[2]) {
				t.Fatalf("not transitive:\n%s\n%s\n%s", texts[0], texts[1], texts[2])
			}
		}
		for _, k := range keys {
			if k.mark == nil {
				continue
			}
			ab, ba := k.mark(d[0], d[1]), k.mark(d[1], d[0])
			if ab == Stronger && ba != Weaker || ab == Neutral && ba != Neutral {
				t.Fatalf("%s: %s one way, %s the other", k.name, ab, ba)
			}
		}
		if m := Overall(Decisions(nil2(d[0]), d[0], nil2(d[1]), d[1])); (m == Weaker) == atLeast(d[0], d[1]) {
			t.Fatalf("the changes are %s, at least as much is %v", m, atLeast(d[0], d[1]))
		}
	})
	if stronger == 0 {
		t.Error("no comparable decisions were drawn; the property was not tried")
	}
}

// nil2 is the policy around a decision, for names of zones.
func nil2(d *bundle.Decision) *bundle.Policy { return tryPolicy(string(d.YAML)) }

func tryPolicy(text string) *bundle.Policy {
	var failed failure
	p := policyOf(&failed, text)
	if failed {
		return nil
	}
	return p
}

type failure bool

func (f *failure) Fatal(...any) { *f = true }

// TestFloorOrder is the same for charters.
func TestFloorOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p [3]*bundle.Policy
		for i := range p {
			pick := func(list ...any) any { return rapid.SampledFrom(list).Draw(t, "value") }
			files := bundle.Files{"kinds.yaml": []byte(kinds), "zones.geojson": []byte(zones),
				"council.yaml": []byte("members: []\n")}
			files["charter.yaml"] = fmt.Appendf(nil, charter, pick("p", "p, q"),
				pick("credential", "credential, free-text"), pick(5, 10), pick(0.5, 1), pick("P1Y", "P6M"), pick(7, 14),
				pick(3, 4), pick(1, 2))
			var err error
			if p[i], err = bundle.Read(files); err != nil {
				t.Fatal(err)
			}
		}
		ok := func(a, b int) bool {
			return !slices.ContainsFunc(charterKeys, func(f charterKey) bool {
				return f.mark(p[a].Charter, p[b].Charter) == Weaker
			})
		}
		if !ok(0, 0) {
			t.Fatal("not reflexive")
		}
		if ok(0, 1) && ok(1, 2) && !ok(0, 2) {
			t.Fatal("not transitive")
		}
	})
}

const plain = `decision: d
title: {en: A}
stream: s
purpose: p
applies_to: {kinds: [counter], zones: [a]}
unit: {field: device, stands_for: device}
keep: [device, speed]
place: sensor
publish: {every: PT1H, by: [zone], measures: [{name: n, of: "distinct(unit)"}]}
protect: {min_units: 10, epsilon: 0.5, delta: 1e-6, max_contributions: 2}
forget_after: P1D
from: 2030-01-01
until: 2030-12-31
`

// between compares two policies of which the first had none before it.
func between(old, new *bundle.Policy) []Change { return Compare(Before{Policy: old}, new) }

// TestMarks: one change at a time, as docs/policy.md says.
func TestMarks(t *testing.T) {
	for _, c := range []struct {
		old, new, key string
		want          Mark
	}{
		{"title: {en: A}", "title: {en: B}", "title", Neutral},
		{"purpose: p", "purpose: q", "purpose", Weaker},
		{"kinds: [counter]", "kinds: [counter, other]", "applies_to.kinds", Weaker},
		{"zones: [a]", "zones: [a, b]", "applies_to.zones", Weaker},
		{"zones: [a]", "zones: [b]", "applies_to.zones", Weaker},
		{"keep: [device, speed]", "keep: [device]", "keep", Stronger},
		{"keep: [device, speed]", "keep: [device, rssi]", "keep", Weaker},
		{"place:", "where: [{field: speed, op: \"<\", value: 5}]\nplace:", "where", Stronger},
		{"place:", "generalise: [{field: speed, step: 10}]\nplace:", "generalise", Stronger},
		{"every: PT1H", "every: PT2H", "publish.every", Stronger},
		{"every: PT1H", "every: PT15M", "publish.every", Weaker},
		{"{name: n, of: \"distinct(unit)\"}",
			"{name: n, of: \"distinct(unit)\"}, {name: m, of: \"count()\", between: [0, 3]}", "publish.measures",
			Weaker},
		{"{name: n, of: \"distinct(unit)\"}", "{name: n, of: \"quantile(speed, 0.5)\", between: [0, 9]}",
			"publish.measures", Weaker},
		{"min_units: 10", "min_units: 20", "protect.min_units", Stronger},
		{"epsilon: 0.5", "epsilon: 0.6", "protect.epsilon", Weaker},
		{"delta: 1e-6", "delta: 1e-7", "protect.delta", Stronger},
		{"max_contributions: 2", "max_contributions: 3", "protect.max_contributions", Weaker},
		{"max_contributions: 2", "max_contributions: 2, by_owner: {a: 1, b: 1}", "protect.by_owner", Stronger},
		{"min_units: 10", "min_units: 10, floor: noisy", "protect.floor", Weaker},
		{"forget_after: P1D", "forget_after: PT12H", "forget_after", Stronger},
		{"forget_after: P1D", "forget_after: PT12H", "protect.epsilon", Weaker}, // twice a day now
		{"from: 2030-01-01", "from: 2030-02-01", "from", Stronger},
		{"until: 2030-12-31", "until: 2031-01-31", "until", Weaker},
		{"until: 2030-12-31", "until: 2030-12-31\nretain: P1Y", "retain", Stronger},
		{"until: 2030-12-31", "until: 2030-12-31\nretain: forever", "retain", Neutral},
		{"until: 2030-12-31", "until: 2030-12-31\nretain: {hours: P1Y}", "retain", Stronger},
		{"until: 2030-12-31", "until: 2030-12-31\nretain: {hours: P1Y, days: forever}", "retain", Weaker},
		{"until: 2030-12-31", "until: 2030-12-31\nreview: 2030-05-01", "review", Stronger},
		{"until: 2030-12-31", "until: 2030-12-31\nblackouts: [{zones: [a], from: 2030-03-01T00:00:00Z, until: " +
			"2030-03-02T00:00:00Z, reason: fair}]", "blackouts", Stronger},
	} {
		changed := strings.Replace(plain, c.old, c.new, 1)
		if changed == plain {
			t.Fatalf("%q is not there", c.old)
		}
		list := between(policyOf(t, plain), policyOf(t, changed))
		at := slices.IndexFunc(list, func(x Change) bool { return x.Key == c.key })
		if at < 0 || list[at].Mark != c.want {
			t.Errorf("%s to %s: %+v; want %s %s", c.old, c.new, list, c.key, c.want)
			continue
		}
		for l := range explain.Languages {
			if w := list[at].Words(explain.Lang(l)); w == "" || strings.Contains(w, "\n") || strings.Contains(w, "%!") {
				t.Errorf("%s in %s: %q", c.key, explain.Languages[l], w)
			}
		}
	}
	if list := between(policyOf(t, plain), policyOf(t, plain)); len(list) > 0 {
		t.Errorf("nothing changed, and %+v is said", list)
	}
	if list := between(policyOf(t, plain), policyOf(t, "")); len(list) != 1 || list[0].Key != "removed" ||
		list[0].Needs != Enact || !list[0].Ends || list[0].Mark != Stronger {
		t.Errorf("taken away: %+v", list)
	}
	if list := between(policyOf(t, ""), policyOf(t, plain)); len(list) != 1 || list[0].Key != "added" ||
		list[0].Needs != Enact || list[0].Mark != Weaker {
		t.Errorf("new: %+v", list)
	}
}

// TestRemovalsAreSaid: numbers are removed where their own time is shorter; where a decision
// publishes no days any more, their stream ends and its numbers stay. Days of a decision about
// units are another one's. All of it takes notice.
func TestRemovalsAreSaid(t *testing.T) {
	nobody := strings.NewReplacer("unit: {field: device, stands_for: device}", `unit: {none: "no one"}`,
		"distinct(unit)", "mean(speed)", "keep: [device, speed]", "keep: [speed]").Replace(plain)
	const removed, ends = "removed for good", "a public series ends"
	for _, c := range []struct{ plain, old, new, want string }{
		{nobody, "P5Y", "P2Y", removed},
		{nobody, "{hours: P2Y, days: P9Y}", "{hours: P2Y, days: P3Y}", removed},
		{nobody, "{hours: P2Y, days: P9Y}", "P2Y", removed},
		{nobody, "{hours: P2Y, days: forever}", "{hours: P2Y}", ends},
		{nobody, "{hours: P2Y, days: forever}", "forever", ends},
		{plain, "{hours: P2Y, days: forever}", "P1Y", removed},
		{plain, "{hours: P2Y, days: forever}", "{hours: P2Y, days: P3Y}", ""},
	} {
		with := func(retain string) *bundle.Policy { return policyOf(t, c.plain+"retain: "+retain+"\n") }
		list := between(with(c.old), with(c.new))
		if len(list) != 1 || !list[0].Ends || list[0].Needs == Suspend {
			t.Fatalf("%s to %s: %+v", c.old, c.new, list)
		}
		words := list[0].Words(0)
		if has := strings.Contains(words, removed); has != (c.want == removed) {
			t.Errorf("%s to %s: %q", c.old, c.new, words)
		}
		if has := strings.Contains(words, ends); has != (c.want == ends) {
			t.Errorf("%s to %s: %q", c.old, c.new, words)
		}
	}
}

// TestNothingIsOverlooked: every key that a decision or a charter can have is
// compared.
func TestNothingIsOverlooked(t *testing.T) {
	compared := make(map[string]bool)
	for _, k := range keys {
		compared[k.name] = true
		top, _, _ := strings.Cut(k.name, ".")
		compared[top] = true
	}
	for _, f := range charterKeys {
		compared["charter "+f.name] = true
	}
	yamlKeys := func(v any) (out []string) {
		typ := reflect.TypeOf(v)
		for i := range typ.NumField() {
			out = append(out, strings.Split(typ.Field(i).Tag.Get("yaml"), ",")[0])
		}
		return out
	}
	for _, key := range yamlKeys(decision.Document{}) {
		if !compared[key] && key != "decision" { // its id is what it is compared by
			t.Errorf("%s of a decision is not compared", key)
		}
	}
	for under, v := range map[string]any{"publish": decision.Publish{}, "protect": decision.Protect{},
		"applies_to": decision.AppliesTo{}} {
		for _, key := range yamlKeys(v) {
			if !compared[under+"."+key] {
				t.Errorf("%s.%s of a decision is not compared", under, key)
			}
		}
	}
	for _, key := range yamlKeys(decision.Charter{}) {
		if !compared["charter "+key] && key != "names" { // TestWordsAreCompared
			t.Errorf("%s of the charter is not compared", key)
		}
	}
}
