package diff

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/policy/bundle"
)

// city is the files of a policy with one decision, plain, about zone a.
func city() bundle.Files {
	return bundle.Files{
		"charter.yaml": []byte(strings.ReplaceAll(strings.NewReplacer("%s", "p", "%d", "2", "%v", "1").Replace(charter),
			"sunset_max: p", "sunset_max: P2Y")),
		"kinds.yaml": []byte(kinds + "  meter:\n    units: [{sensor: true, stands_for: home}]\n    fields: " +
			"[{name: power, type: float, class: measurement}]\n"),
		"zones.geojson": []byte(`{"type": "FeatureCollection", "features": [` + feature("a", "0", "10") + `,` +
			feature("b", "20", "30") + ",\n" + feature("Park", "2", "4") + `]}`),
		"council.yaml": []byte("members: []\n"), "decisions/d.yaml": []byte(plain),
		"rules/x.rego": []byte("package x\n"),
	}
}

// feature is a square zone from one corner to the other, in degrees.
func feature(id, from, to string) string {
	return `{"type": "Feature", "id": "` + id +
		`", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [[[` +
		from + `,` + from + `],[` + to + `,` + from + `],[` + to + `,` + to + `],[` + from + `,` + to + `],[` + from +
		`,` + from + `]]]}}`
}

// step edits files.
type step func(bundle.Files)

func swap(file, old, new string) step {
	return func(f bundle.Files) {
		was := string(f[file])
		if f[file] = []byte(strings.Replace(was, old, new, 1)); was == string(f[file]) {
			panic(old + " is not in " + file)
		}
	}
}

func put(file, text string) step { return func(f bundle.Files) { f[file] = []byte(text) } }
func drop(file string) step      { return func(f bundle.Files) { delete(f, file) } }

func all(steps ...step) step {
	return func(f bundle.Files) {
		for _, s := range steps {
			s(f)
		}
	}
}

// like is plain with some things exchanged.
func like(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(plain) }

const suspendD = "suspended: [{decision: d, since: 2030-01-02, reason: a fault}]\n"

// walk enacts motions one after another, and returns the changes of the last.
func walk(t *testing.T, steps ...step) []Change {
	t.Helper()
	files, before := city(), Before{}
	var changes []Change
	for _, s := range append([]step{func(bundle.Files) {}}, steps...) {
		files = maps.Clone(files)
		s(files)
		p, err := bundle.Read(files)
		if err != nil {
			t.Fatal(err)
		}
		changes = Compare(before, p)
		before = before.Then(p, changes)
	}
	return changes
}

func has(list []Change, about, key string) *Change {
	i := slices.IndexFunc(list, func(c Change) bool { return c.About == about && c.Key == key })
	if i < 0 {
		return nil
	}
	return &list[i]
}

// TestDetours: ways around the quorum for weakening, in one motion or two. The
// change that is looked for is weaker and needs it.
func TestDetours(t *testing.T) {
	gone, other := drop("decisions/d.yaml"), func(pairs ...string) step {
		return put("decisions/e.yaml", like(append([]string{"decision: d", "decision: e"}, pairs...)...))
	}
	looser := []string{"epsilon: 0.5", "epsilon: 0.9", "stream: s", "stream: r"}
	late := swap("decisions/d.yaml", "every: PT1H,", "every: PT1H, lateness: PT1M,")
	zone := func(id string) step { return swap("zones.geojson", `"id": "Park"`, `"id": "`+id+`"`) }
	for name, c := range map[string]struct {
		steps      []step
		about, key string
	}{
		"another name and stream": {[]step{all(gone, other(looser...))}, "e", "protect.epsilon"},
		"beside the old one":      {[]step{other(looser...)}, "e", "protect.epsilon"},
		"in two motions":          {[]step{gone, other(looser...)}, "e", "protect.epsilon"},
		"with a motion between": {[]step{gone, swap("charter.yaml", "Vila", "Vileta"),
			other(looser...)}, "e", "protect.epsilon"},
		"the same name, in two motions": {[]step{gone,
			put("decisions/d.yaml", like("epsilon: 0.5", "epsilon: 0.9"))}, "d", "protect.epsilon"},
		"a zone left and taken again": {[]step{swap("decisions/d.yaml", "zones: [a]", "zones: [b]"),
			other(looser...)}, "e", "protect.epsilon"},
		"a kind under another name": {[]step{all(gone, swap("kinds.yaml", "  counter:", "  tally:"),
			other(append(looser, "[counter]", "[tally]")...))}, "e", "protect.epsilon"},
		"a kind of its own first": {[]step{swap("kinds.yaml", "kinds:\n", "kinds:\n  second:\n    "+
			"units: [{field: device, stands_for: device}]\n    fields: [{name: device, type: string, class: "+
			"identifier}, {name: speed, type: int, class: measurement}]\n"),
			all(gone, other(append(looser, "[counter]", "[second]")...))}, "e", "protect.epsilon"},
		"a kind that stands for another": {[]step{all(gone, swap("kinds.yaml", "kinds:\n", "kinds:\n  second:\n   "+
			" units: [{field: device, stands_for: card}]\n    fields: [{name: device, type: string, class: "+
			"identifier}, {name: speed, type: int, class: measurement}]\n"),
			swap("charter.yaml", "{device: 1", "{card: 1, device: 1"),
			other(append(looser, "[counter]", "[second]", "stands_for: device", "stands_for: card")...))}, "e",
			"protect.epsilon"},
		"a twin without identifiers first": {[]step{
			put("decisions/n.yaml", like("decision: d", "decision: n", "stream: s", "stream: n", "[counter]", "[gauge]",
				"unit: {field: device, stands_for: device}", `unit: {none: "x"}`, `"distinct(unit)"`, `"count()"`,
				"keep: [device, speed]", "keep: [speed]")),
			swap("kinds.yaml", "kinds:\n",
				"kinds:\n  gauge:\n    fields: [{name: speed, type: float, class: measurement}]\n"),
			swap("kinds.yaml", "kinds:\n",
				"kinds:\n  twin:\n    fields: [{name: speed, type: float, class: measurement}]\n"),
			all(drop("decisions/n.yaml"), put("decisions/m.yaml", like("decision: d", "decision: m",
				"stream: s", "stream: m", "[counter]", "[twin]", "every: PT1H", "every: PT30M",
				"unit: {field: device, stands_for: device}", `unit: {none: "x"}`, `"distinct(unit)"`, `"count()"`,
				"keep: [device, speed]", "keep: [speed]")))}, "m", "publish.every"},
		"about nobody, of a new kind": {[]step{all(swap("kinds.yaml", "  other:", "  eye:"),
			other("[counter]", "[eye]", "unit: {field: device, stands_for: device}", `unit: {none: "x"}`,
				`"distinct(unit)"`, `"count()"`))}, "e", "unit"},
		"a zone under another name": {[]step{all(gone, swap("zones.geojson", `"id": "a"`, `"id": "z"`),
			other(append(looser, "[a]", "[z]")...))}, "e", "protect.epsilon"},
		"a zone that covers it": {[]step{all(gone,
			swap("zones.geojson", feature("b", "20", "30"), feature("b", "5", "30")),
			other(append(looser, "[a]", "[b]")...))}, "e", "protect.epsilon"},
		"a suspension is lifted by a name": {[]step{put("suspended.yaml", suspendD),
			all(gone, other("stream: s", "stream: r"))}, "e", "lifted"},
		"the only change is its name": {[]step{put("suspended.yaml", suspendD), all(gone, other())}, "e",
			"resumed"},
		"it ended suspended": {[]step{put("suspended.yaml", suspendD),
			all(gone, drop("suspended.yaml")), other("title: {en: A}", "title: {en: B}")}, "e", "lifted"},
		"a later last day": {[]step{gone, other("until: 2030-12-31", "until: 2031-01-31")}, "e",
			"until"},
		"a zone before it goes": {[]step{zone("zpark")}, "zones.geojson", "uncovered a"},
		"a zone before it goes, nobody watches": {[]step{gone, zone("zpark"), put("decisions/d.yaml", plain)}, "d",
			"uncovered a"},
		"it grows, nobody watches": {[]step{gone,
			swap("zones.geojson", "[10,0],[10,10],[0,10]", "[11,0],[11,11],[0,11]"), put("decisions/d.yaml", plain)},
			"d", "zone a"},
		"a field changes, nobody watches": {[]step{gone,
			swap("kinds.yaml", "type: int, class: measurement", "type: int, class: location"),
			put("decisions/d.yaml", plain)}, "d", "kind counter"},
		"a home is one no longer": {[]step{swap("kinds.yaml",
			"    units: [{sensor: true, stands_for: home}]\n", "")}, "kinds.yaml", "singly meter"},
		"its kind goes": {[]step{swap("kinds.yaml", "  meter:", "  neter:")}, "kinds.yaml",
			"singly meter"},
		"a unit of a kind goes": {[]step{swap("kinds.yaml",
			"    units: [{field: device, stands_for: device}]\n", "")}, "kinds.yaml", "kind counter"},
		"a window waits longer": {[]step{late, swap("decisions/d.yaml", "PT1M", "P1D")}, "d",
			"publish.lateness"},
		"one that never ran": {[]step{swap("decisions/d.yaml", "epsilon: 0.5", "epsilon: 5"),
			swap("charter.yaml", "device: 1", "device: 9")}, "d", "started"},
		"one that never ran, under a name": {[]step{
			swap("decisions/d.yaml", "keep: [device, speed]", "keep: [device, speed, none]"),
			all(gone, other("title: {en: A}", "title: {en: B}"))}, "e", "started"},
		"without a category more count": {[]step{
			all(swap("decisions/d.yaml", "by: [zone]", "by: [zone, {field: sort, values: [x]}]"),
				swap("decisions/d.yaml", "speed]", "speed, sort]")),
			swap("decisions/d.yaml", ", {field: sort, values: [x]}", "")}, "d", "publish.by"},
		"roundings change places": {[]step{swap("decisions/d.yaml", "place:",
			"generalise: [{field: speed, step: 10}, {field: speed, step: 15}]\nplace:"),
			swap("decisions/d.yaml", "step: 10}, {field: speed, step: 15}", "step: 15}, {field: speed, step: 10}")},
			"d", "generalise"},
		"one rounding after another": {[]step{swap("decisions/d.yaml", "place:",
			"generalise: [{field: speed, step: 10}]\nplace:"),
			swap("decisions/d.yaml", "step: 10", "step: 15}, {field: speed, step: 20")}, "d", "generalise"},
		"a kind left and taken again": {[]step{swap("decisions/d.yaml", "[counter]", "[other]"),
			other(looser...)}, "e", "protect.epsilon"},
		"a kind renamed under it": {[]step{swap("kinds.yaml", "  counter:", "  tally:"),
			other(append(looser, "[counter]", "[tally]")...)}, "e", "protect.epsilon"},
		"a zone moved away from under it": {[]step{
			swap("zones.geojson", feature("a", "0", "10"), feature("a", "40", "50")),
			all(swap("zones.geojson", feature("b", "20", "30"), feature("b", "0", "10")),
				other(append(looser, "[a]", "[b]")...))}, "e", "protect.epsilon"},
		"a kind that one waits for": {[]step{swap("decisions/d.yaml", "[counter]", "[counter, ghost]"),
			swap("kinds.yaml", "  other:", "  ghost:")}, "kinds.yaml", "kind ghost"},
		"a zone that one waits for": {[]step{swap("decisions/d.yaml", "[a]", "[a, y]"),
			swap("zones.geojson", `"id": "b"`, `"id": "y"`)}, "zones.geojson", "zone y"},
		"a zone of another gateway": {[]step{swap("zones.geojson", `"properties": {}`,
			`"properties": {"gateway": "g"}`)}, "zones.geojson", "zone a"},
		"other borders": {[]step{swap("zones.geojson", feature("b", "20", "30"), feature("b", "20", "31"))},
			"zones.geojson", "zone b"},
		"a rule":            {[]step{put("rules/x.rego", "package y\n")}, "rules/x.rego", "rules"},
		"a rule is missing": {[]step{drop("rules/x.rego")}, "rules/x.rego", "rules"},
		"a second module": {[]step{put("local/a.rego", "package sluice.local\n"),
			put("local/b.rego", "package sluice.local\n")}, "local/b.rego", "module"},
	} {
		list := walk(t, c.steps...)
		x := has(list, c.about, c.key)
		if x == nil || x.Mark != Weaker || !slices.Contains(Needs(list), Weaken) || !TakesNotice(list) {
			t.Errorf("%s: %+v; want %s %s, weaker, by the quorum weaken", name, list, c.about, c.key)
		}
	}
}

// TestEnds: what ends a public series takes notice and more than the quick quorum,
// though it protects nobody less; what only protects more does not.
func TestEnds(t *testing.T) {
	const file = "decisions/d.yaml"
	with := func(old, new string) []step { return []step{swap(file, old, new)} }
	mean := swap(file, `{name: n, of: "distinct(unit)"}`, `{name: m, of: "mean(speed)", between: [0, 100]}`)
	for name, c := range map[string]struct {
		steps []step
		ends  bool
	}{
		"the decision goes": {[]step{drop(file)}, true},
		"a zone fewer":      {[]step{swap(file, "zones: [a]", "zones: [a, b]"), swap(file, "[a, b]", "[a]")}, true},
		"a kind fewer": {[]step{swap(file, "[counter]", "[counter, other]"),
			swap(file, "[counter, other]", "[counter]")}, true},
		"a number fewer": {[]step{swap(file, `unit)"}`, `unit)"}, {name: m, of: "count()", between: [0, 3]}`),
			swap(file, `, {name: m, of: "count()", between: [0, 3]}`, "")}, true},
		"a category fewer": {[]step{all(swap(file, "by: [zone]", "by: [zone, {field: sort, values: [x, y]}]"),
			swap(file, "speed]", "speed, sort]")), swap(file, "[x, y]", "[x]")}, true},
		"longer windows": {with("every: PT1H", "every: PT2H"), true},
		"a long silence of short ones": {[]step{put(file, plain+`blackouts:
  - {zones: [a], from: 2030-03-01T00:00:00Z, until: 2030-03-04T00:00:00Z, reason: fair}
  - {zones: [a], from: 2030-03-04T00:00:00Z, until: 2030-03-07T00:00:00Z, reason: fair}
  - {zones: [a], from: 2030-03-07T00:00:00Z, until: 2030-03-10T00:00:00Z, reason: fair}
`)}, true},
		"a second in every window": {[]step{put(file, plain+"blackouts:\n"+seconds())}, true},
		"one short silence, said twice": {[]step{put(file, plain+`blackouts:
  - {zones: [a], from: 2030-03-01T00:00:00Z, until: 2030-03-04T00:00:00Z, reason: fair}
  - {zones: [a], from: 2030-03-01T00:00:00Z, until: 2030-03-04T00:00:00Z, reason: feast}
`)}, false},
		"days removed sooner": {[]step{
			swap(file, "forget_after: P1D", "forget_after: P1D\nretain: {hours: P1Y, days: P9Y}"),
			swap(file, "days: P9Y", "days: P2Y")}, true},
		"removed sooner":      {with("forget_after: P1D", "forget_after: P1D\nretain: P1Y"), true},
		"an earlier last day": {with("until: 2030-12-31", "until: 2030-11-30"), true},
		"a later first day":   {with("from: 2030-01-01", "from: 2030-02-01"), true},
		"a condition":         {with("place:", `where: [{field: speed, op: ">", value: 1000}]`+"\nplace:"), true},
		"its zone goes":       {[]step{swap("zones.geojson", `"id": "a"`, `"id": "y"`)}, true},
		"its kind goes":       {[]step{swap("kinds.yaml", "  counter:", "  tally:")}, true},
		"a field that it keeps": {[]step{swap("kinds.yaml", "name: speed, type: float, class: measurement",
			"name: speed, type: float, class: credential")}, true},
		"it keeps less than it has": {[]step{mean, swap(file, "keep: [device, speed]", "keep: [device]")}, true},
		"a zone comes before it": {[]step{swap("zones.geojson", `"features": [`,
			`"features": [`+feature("A", "5", "6")+`,`)}, true},
		"the charter's floor": {[]step{swap("charter.yaml", "min_units: 2", "min_units: 20")}, true},
		"the budget goes elsewhere": {[]step{put("decisions/e.yaml",
			like("decision: d", "decision: e", "stream: s", "stream: r", "[a]", "[b]", "epsilon: 0.5",
				"epsilon: 0.9"))}, true},
		"a first module":    {[]step{put("local/a.rego", "package sluice.local\n")}, true},
		"a huge group":      {with("min_units: 10", "min_units: 100000"), true},
		"hardly any budget": {with("epsilon: 0.5", "epsilon: 0.001"), true},
		"values cut off":    {[]step{mean, swap(file, "[0, 100]", "[0, 0.5]")}, true},
		"values rounded to nothing": {[]step{mean,
			swap(file, "place:", "generalise: [{field: speed, step: 1000}]\nplace:")}, true},
		"hardly any waiting": {[]step{swap(file, "every: PT1H,", "every: PT1H, lateness: PT1H,"),
			swap(file, "lateness: PT1H", "lateness: PT1S")}, true},
		"another stream": {with("stream: s", "stream: r"), true},
		"another place":  {with("place: sensor", "place: {lat: speed, lon: speed}"), true},
		"a unit where none was": {[]step{
			all(swap(file, "unit: {field: device, stands_for: device}", `unit: {none: "x"}`),
				swap(file, `"distinct(unit)"`, `"count()", between: [0, 3]`)),
			swap(file, `unit: {none: "x"}`, "unit: {field: device, stands_for: device}")}, true},
		"another histogram": {[]step{swap(file, `"distinct(unit)"`, `"histogram(speed)", edges: [0, 30, 50]`),
			swap(file, "[0, 30, 50]", "[0, 50]")}, true},
		"bounds where none were": {[]step{
			all(swap(file, "unit: {field: device, stands_for: device}", `unit: {none: "x"}`),
				swap(file, `"distinct(unit)"`, `"mean(speed)"`)),
			swap(file, `"mean(speed)"`, `"mean(speed)", between: [0, 1]`)}, true},
		"rounded where nobody can tell": {[]step{
			all(swap(file, "unit: {field: device, stands_for: device}", `unit: {none: "x"}`),
				swap(file, `"distinct(unit)"`, `"mean(speed)"`)),
			swap(file, "place:", "generalise: [{field: speed, step: 1000}]\nplace:")}, true},
		"rounded to two edges": {[]step{mean,
			swap(file, "place:", "generalise: [{field: speed, to: [0, 200]}]\nplace:")}, true},
		"hardly any chance": {with("delta: 1e-6", "delta: 1e-300"), true},
		"more than a street has": {[]step{swap(file, "min_units: 10", "min_units: 5000"),
			swap(file, "min_units: 5000", "min_units: 20000")}, true},
		"hardly ever counted": {[]step{swap(file, "max_contributions: 2", "max_contributions: 24"),
			swap(file, "max_contributions: 24", "max_contributions: 2")}, true},
		"in small steps": {[]step{swap(file, "min_units: 10", "min_units: 150"),
			swap(file, "min_units: 150", "min_units: 1000")}, true},
		"in small steps, renamed": {[]step{swap(file, "min_units: 10", "min_units: 150"),
			swap(file, "decision: d", "decision: e"), swap(file, "min_units: 150", "min_units: 1000")}, true},

		"a larger group":   {with("min_units: 10", "min_units: 20"), false},
		"a smaller budget": {with("epsilon: 0.5", "epsilon: 0.3"), false},
		"fewer fields":     {with("keep: [device, speed]", "keep: [device]"), false},
		"fewer times":      {with("max_contributions: 2", "max_contributions: 1"), false},
		"a suspension":     {[]step{put("suspended.yaml", suspendD)}, false},
		"some coarser": {[]step{mean, swap(file, "place:", "generalise: [{field: speed, step: 10}]\nplace:")},
			false},
		"a little less time": {[]step{swap(file, "every: PT1H,", "every: PT1H, lateness: PT10M,"),
			swap(file, "lateness: PT10M", "lateness: PT5M")}, false},
		"only its name": {with("decision: d", "decision: e"), false},
	} {
		list := walk(t, c.steps...)
		quick := slices.Equal(Needs(list), []Quorum{Suspend})
		if len(list) == 0 || Ends(list) != c.ends || TakesNotice(list) != c.ends || c.ends && quick {
			t.Errorf("%s: %+v; notice is %v, the quick quorum is enough: %v", name, list, TakesNotice(list), quick)
		}
	}
}

// TestTheGroundSaysWhatEnds: the line of a kind or zone that goes says so itself,
// where a decision names it.
func TestTheGroundSaysWhatEnds(t *testing.T) {
	for about, c := range map[string]struct {
		key  string
		step step
	}{
		"kinds.yaml":    {"kind counter", swap("kinds.yaml", "  counter:", "  tally:")},
		"zones.geojson": {"zone a", swap("zones.geojson", `"id": "a"`, `"id": "y"`)},
	} {
		if x := has(walk(t, c.step), about, c.key); x == nil || !x.Ends || x.Needs == Suspend {
			t.Errorf("%s that goes: %+v", c.key, x)
		}
	}
	if x := has(walk(t, swap("zones.geojson", `"id": "b"`, `"id": "y"`)), "zones.geojson", "zone b"); x == nil ||
		x.Ends {
		t.Errorf("a zone that nobody names, and goes: %+v", x)
	}
}

// TestRenamed: another id alone is said as such, and its suspension goes with it.
func TestRenamed(t *testing.T) {
	list := walk(t, put("suspended.yaml", suspendD),
		all(swap("decisions/d.yaml", "decision: d", "decision: e"),
			swap("suspended.yaml", "decision: d", "decision: e")))
	if len(list) != 1 || list[0].Key != "renamed" || list[0].Mark != Neutral || list[0].Needs != Enact ||
		list[0].Words(0) != "only its name is another: d → e" {
		t.Errorf("renamed: %+v", list)
	}
}

// TestGateways: another list of gateways is weaker, in whatever order it is not.
func TestGateways(t *testing.T) {
	if list := Gateways([]string{"x", "y"}, []string{"y", "x"}); len(list) > 0 {
		t.Errorf("the same gateways: %+v", list)
	}
	for _, c := range [][2][]string{{{"x"}, nil}, {nil, {"x"}}, {{"x"}, {"x", "y"}}} {
		if list := Gateways(c[0], c[1]); Overall(list) != Weaker || !slices.Equal(Needs(list), []Quorum{Weaken}) {
			t.Errorf("%v to %v: %+v", c[0], c[1], list)
		}
	}
}

// TestTheTextIsBounded: a decision that protects less than very many is said once.
func TestTheTextIsBounded(t *testing.T) {
	files := city()
	for _, id := range strings.Split("abcdefghijklmnopqrst", "") {
		files["decisions/"+id+".yaml"] = []byte(like("decision: d", "decision: "+id, "stream: s", "stream: "+id))
	}
	old, err := bundle.Read(files)
	if err != nil {
		t.Fatal(err)
	}
	files = maps.Clone(files)
	files["decisions/new.yaml"] = []byte(
		like("decision: d", "decision: new", "stream: s", "stream: new", "epsilon: 0.5", "epsilon: 0.9", "purpose: p",
			"purpose: q"))
	next, err := bundle.Read(files)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	list := Compare(Before{Policy: old}, next)
	for _, c := range list {
		if c.Against != "" {
			n++
		}
	}
	if x := has(list, "new", "further"); x == nil || !strings.Contains(x.New[0], "t") || n > 3*atOnce {
		t.Errorf("%d lines compare it, and of the rest it is said: %+v", n, x)
	}
}

// seconds are blackouts of one second in each of four hundred hours.
func seconds() string {
	var b strings.Builder
	from, to := time.Date(2030, 3, 1, 0, 30, 0, 0, time.UTC), time.Date(2030, 3, 17, 16, 0, 0, 0, time.UTC)
	for at := from; at.Before(to); at = at.Add(time.Hour) {
		fmt.Fprintf(&b, "  - {zones: [a], from: %s, until: %s, reason: fair}\n", at.Format(time.RFC3339),
			at.Add(time.Second).Format(time.RFC3339))
	}
	return b.String()
}
