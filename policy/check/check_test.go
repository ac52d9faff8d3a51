package check_test

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sluice/configs/portalba"
	"sluice/internal/civil"
	"sluice/internal/locales"
	"sluice/policy/bundle"
	"sluice/policy/check"
	"sluice/policy/explain"
)

const (
	footfall  = "decisions/2026-14-footfall.yaml"
	boardings = "decisions/2026-15-boardings.yaml"
	noise     = "decisions/2026-16-noise.yaml"
	air       = "decisions/2026-17-air.yaml"
)

func run(files bundle.Files) ([]check.Finding, []check.Summary) {
	return check.Directory(context.Background(), evaluator, files, nil, civil.Date{})
}

func TestTheExampleIsSound(t *testing.T) {
	found, fine := run(portalba.Policy())
	for _, f := range found {
		what, _ := f.Text(0)
		t.Errorf("%s:%d: %s %s", f.File, f.Line, f.Rule, what)
	}
	if len(fine) != 4 || fine[0].PublicFrom < 40 || fine[0].Errors["devices"] < 6 {
		t.Errorf("the decisions that can run: %+v", fine)
	}
}

// mistake is where it is, what must be said, and under which text; mistakes are one each.
type mistake struct {
	file, old, new string
	rule, under    string // the rule, and what the caret points at
	names          string // what the text names
}

var mistakes = []mistake{
	{footfall, "stream: footfall", "stream: [footfall", "Y01", "", ""},
	{footfall, "keep: [device, rssi]", "keep: &k [device, rssi]", "Y01", "", "anchors"},
	{footfall, "purpose: pedestrian-planning", "purpos: pedestrian-planning", "S02", "purpos:", "purpose"},
	{footfall, "  every: PT1H\n", "", "S03", "publish:", "every"},
	{footfall, "min_units: 10", "min_units: ten", "S04", "ten", "a whole number"},
	{"kinds.yaml", "class: free-text", "class: public", "S05", "public", "identifier"},
	{footfall, "until: 2027-05-31", "until: tomorrow", "S06", "tomorrow", "2027-11-30"},
	{footfall, "unit: {field: device, stands_for: device}", "unit: {field: device}", "S03", "{field: device}",
		"stands_for"},
	{footfall, "unit: {field: device, stands_for: device}", "unit: {}", "S07", "{}", "no key"},
	{footfall, "unit: {field: device, stands_for: device}", "unit: {nobody: at all}", "S07", "{nobody",
		"not known here: nobody"},
	{footfall, "unit: {field: device, stands_for: device}", "unit: {field: device, none: air}", "S07",
		"{field: device, none", "several forms at once: field, none"},
	{footfall, "unit: {field: device, stands_for: device}", "unit: {none: x}", "S08", "x", "at least 3"},
	{footfall, "unit: {field: device, stands_for: device}", "unit: none", "S04", "none", "keys with values"},
	{footfall, "unit: {field: device, stands_for: device}", "unit: {feild: device, stands_for: device}", "S02", "feild",
		"field"},
	{footfall, "place: sensor", "place: sensors", "S05", "sensors", "you may mean sensor"},
	{footfall, "place: sensor", "place: lat", "S07", "lat", "none of its forms"},
	{footfall, "epsilon: 1 ", "epsilon: 0 ", "S08", "0 ", "1e-06"},
	{footfall, "delta: 1e-6", "delta: 1e-301", "S08", "1e-301", "1e-300"},
	{footfall, "every: PT1H", "every: PT7H", "D01", "PT7H", "PT15M"},
	{footfall, "lateness: PT2M", "lateness: P2D", "D02", "P2D", ""},
	{footfall, "until: 2027-05-31", "until: 2026-05-31", "D03", "2026-05-31", ""},
	{footfall, "forget_after: P1D", "forget_after: PT5H", "D04", "PT5H", ""},
	{boardings, `of: "count()", between: [0, 2]`, `of: "sum(fare)"`, "D07", "", "boardings"},
	{boardings, "between: [0, 2]", "between: [2, 0]", "D08", "[2, 0]", ""},
	{noise, `of: "leq(laeq)"`, `of: "distinct(unit)"`, "D09", `"distinct(unit)"`, ""},
	{footfall, "rambla, raval,", "rambla, rambla,", "D10", "rambla, port", "rambla"},
	{footfall, "place: sensor", "place: sensor\ngeneralise: [{field: rssi, to: [5, 1]}]", "D11", "[5, 1]", ""},
	{boardings, "between: [0, 2]", "between: [1, 2]", "D13", "", "boardings"},
	{footfall, `of: "distinct(unit)"}`, `of: "histogram(rssi)"}`, "D18", "", "edges"},
	{footfall, `of: "distinct(unit)"}`, `of: "histogram(rssi)", edges: [-90, -60], between: [0, 1]}`, "D18", "",
		"between"},
	{footfall, `of: "distinct(unit)"}`, `of: "distinct(unit)", edges: [0, 1]}`, "D18", "", "edges"},
	{footfall, `of: "distinct(unit)"}`, `of: "histogram(rssi)", edges: [-60, -60]}`, "D11", "[-60, -60]", ""},
	{footfall, `of: "distinct(unit)"}`, `of: "quantile(rssi, 0.5)"}`, "D07", "", "devices"},
	{footfall, `of: "distinct(unit)"}`, `of: "quantile(rssi)"}`, "S06", `"quantile(rssi)"`, "quantile"},
	{footfall, `of: "distinct(unit)"}`, `of: "histogram(ssid)", edges: [0, 1]}`, "P02", "", "wifi-counter"},
	{footfall, "of: \"distinct(unit)\"}\nprotect:\n  min_units: 10\n  epsilon: 1 ",
		"of: \"sum(rssi)\", between: [-1000000, 0]}\nprotect:\n  min_units: 10\n  epsilon: 0.0001 ", "D17", "",
		"devices needs noise of scale"},
	{footfall, `of: "distinct(unit)"}`, `of: "leq(rssi)", between: [20, 140]}`, "D31", `"leq`, "devices"},
	{noise, `of: "leq(laeq)", between: [20, 140]`, `of: "leq(laeq)"`, "D32", "", "level"},
	{noise, `of: "leq(laeq)", between: [20, 140]`, `of: "leq(laeq)", between: [0, 120.5]`, "D32", "", "level"},
	{noise, `of: "leq(laeq)"`, `of: "lden(laeq)"`, "D33", `"lden`, "level"},
	{footfall, `of: "distinct(unit)"}`, `of: "share(rssi)"}`, "P31", "", "wifi-counter"},
	{footfall, `value: -85`, `value: "-85"`, "D35", `"-85"`, "rssi"},
	{footfall, `{field: rssi, op: ">=", value: -85}`, `{field: device, op: "==", value: 7}`, "D35", "7", "device"},
	{footfall, `of: "distinct(unit)"}`, `of: "share(rssi)", between: [0, 1]}`, "D34", "[0, 1]", "devices"},
	{footfall, "by: [zone]", "by: [zone, {field: rssi, values: [a]}, {field: ssid, values: [b]}]", "D14", "", ""},
	{boardings, `decision: "2026-15"`, `decision: "2026-14"`, "D16", `"2026-14"`, footfall},
	{footfall, "purpose: pedestrian-planning", "purpose: marketing", "C01", "marketing", "public-transport"},
	{footfall, "kinds: [wifi-counter]", "kinds: [radar]", "C02", "[radar]", "radar"},
	{footfall, "zones: [rambla,", "zones: [moon,", "C03", "[moon", "moon"},
	{noise, "kinds: [noise-meter]", "kinds: [noise-meter, card-reader]", "C04", "unit", "card-reader"},
	{noise, "kinds: [noise-meter]", "kinds: [noise-meter, camera]", "C02", "[noise-meter, camera", "camera"},
	{"charter.yaml", "min_units: 10", "kinds_not_about_people: [radar]\nmin_units: 10", "K09", "radar", "radar"},
	{footfall, "min_units: 10", "min_units: 9", "C05", "9", "10"},
	{footfall, "epsilon: 1 ", "epsilon: 1.5 ", "C06", "1.5", "device"},
	{footfall, "forget_after: P1D", "forget_after: PT12H", "C06", "1 ", "2"},
	{footfall, "delta: 1e-6", "delta: 1e-4", "C07", "1e-4", ""},
	{footfall, "max_contributions: 4", "max_contributions: 5", "C08", "5", "4"},
	{footfall, "max_contributions: 4", "max_contributions: 4\n  by_owner: {acme: 4, tram: 1}", "D22", "{acme",
		"add up to 5"},
	{footfall, "max_contributions: 4", "max_contributions: 3\n  by_owner: {acme: 1, tram: 1}", "W21", "{acme",
		"add up to 2"},
	{footfall, "max_contributions: 4", "max_contributions: 4\n  by_owner: {acme: 0, tram: 1}", "S08", "0", "acme"},
	{footfall, "max_contributions: 4", "max_contributions: 4\n  by_owner: {}", "S08", "{}", "by_owner"},
	{footfall, "of: \"distinct(unit)\"}\nprotect:\n  min_units: 10\n  epsilon: 1 ",
		"of: \"sum(rssi)\", between: [-1, 1]}\nprotect:\n  by_owner: {acme: 1}\n  min_units: 10\n  epsilon: 1 ", "D23",
		"[-1, 1]", "devices"},
	{noise, "from: 2026",
		"protect: {min_units: 10, epsilon: 1, delta: 1e-6, max_contributions: 1, by_owner: {acme: 1}}\nfrom: 2026",
		"D21", "{acme", "by_owner"},
	{footfall, "min_units: 10", "min_units: 10\n  floor: soft", "S05", "soft", "noisy"},
	{footfall, "min_units: 10", "min_units: 10\n  membership: open", "S05", "open", "public"},
	{footfall, "min_units: 10", "min_units: 10\n  membership: public", "D19", "public", "sensor: home"},
	{footfall, "min_units: 10", "min_units: 10\n  membership: public", "D20", "", "take the measure out"},
	{"charter.yaml", "floors: [exact, noisy]", "floors: [soft]", "S05", "soft", "noisy"},
	{footfall, "until: 2027-05-31", "until: 2028-05-31", "C09", "2028-05-31", "P1Y"},
	{footfall, "keep: [device, rssi]", "keep: [device, rssi, ssid]", "C10", "[device", "free-text"},
	{boardings, "stream: boardings", "stream: footfall", "C11", "footfall", ""},
	{footfall, "retain:",
		"blackouts: [{zones: [port], from: 2026-07-01T00:00:00Z, until: 2026-07-09T00:00:00Z, reason: fair}]\nretain:",
		"C12", "[{zones", "P3D"},
	{footfall, "stands_for: device}", "stands_for: person}", "C13", "{field", "person"},
	{footfall, "keep: [device, rssi]", "keep: [device, rssi, speed]", "P01", "speed", "wifi-counter"},
	{footfall, "keep: [device, rssi]", "keep: [device]", "P02", "[device]", "wifi-counter"},
	{footfall, "keep: [device, rssi]", "keep: [rssi]", "P03", "{field", "wifi-counter"},
	{footfall, "keep: [device, rssi]", "keep: [device, rssi, ssid]", "P05", "ssid", "wifi-counter"},
	{boardings, `of: "count()", between: [0, 2]`, `of: "mean(fare)", between: [0, 2]`, "P08", "", "card-reader"},
	{footfall, `"Footfall in the old town"`, `"<a title for residents>"`, "T01", `"<a`, "<a title"},
	{footfall, `"Footfall in the old town"`, `"Write a title for residents"`, "T01", `"Write`, "Write a title"},
	{footfall, `"Footfall in the old town"`, `"tbd."`, "T01", `"tbd."`, "tbd"},
	{footfall, "purpose: pedestrian-planning", "purpose: <purpose>", "T01", "<purpose>", "<purpose>"},
	{noise, `en: "A meter sends one level a minute; it records no sound and no person."`, `en: "TODO"`, "T01",
		`"TODO"`, "TODO"},
	{noise, `    en: "A meter sends one level a minute; it records no sound and no person."` + "\n", "", "T03", "none",
		`add en: "…"`},
	{air, `{ca: "L'aire no és de ningú.", es: "El aire no es de nadie.", en: "Air is about nobody."}`,
		`"Air is about nobody."`, "W55", `"Air`, "ca, es, en"},
	{air, `{ca: "L'aire no és de ningú.", es:`, `{fr: "L'air n'est à personne.", es:`, "S02", "fr", "ca, en, es"},
	{air, `{ca: "Directiva (UE) 2024/2881, annex I", es:`, `{es:`, "T03", "{es", `ca: "…"`},
	{"charter.yaml", "name: Portalba", "name: Our town", "T01", "Our town", "Our town"},
	{"charter.yaml", "id: portalba", "id: your-city", "T01", "your-city", "your-city"},
	{footfall, `legal_basis: "GDPR 6(1)(e); by-law 2026/3"`, `legal_basis: ""`, "T02", `""`, "by-law"},
	{footfall, `legal_basis: "GDPR 6(1)(e); by-law 2026/3"`, `legal_basis: "-"`, "T02", `"-"`, "by-law"},
	{footfall, `legal_basis: "GDPR 6(1)(e); by-law 2026/3"` + "\n", "", "T02", "", "by-law"},
	{footfall, `legal_basis: "GDPR 6(1)(e); by-law 2026/3"`, `legal_basis: "GDPR 6(1)(e); <by-law>"`, "T01", `"GDPR`,
		"<by-law>"},
	{noise, `legal_basis: "Directive 2002/49/EC"`, `legal_basis: "tbd"`, "T02", `"tbd"`, "by-law"},
	{footfall, `  ca: "Afluència al nucli antic"` + "\n", "", "T03", "title:", `ca: "…"`},
	{footfall, "review: 2027-02-01", "", "T04", "", "review"},
	{footfall, "review: 2027-02-01", "review: 2027-06-01", "T05", "2027-06-01", "2027-05-31"},
	{footfall, "review: 2027-02-01", "review: 2026-05-31", "T05", "2026-05-31", "2026-06-01"},
	{noise, "between: [20, 140]", "between: [150, 200]", "D37", "[150, 200]", "20 to 140"},
	{noise, "every: PT15M\n  lateness: PT2M\n  by: [zone]\n  measures:\n    - {name: level, of: \"leq(laeq)\"",
		"every: PT24H\n  lateness: PT2M\n  by: [zone]\n  measures:\n    - {name: level, of: \"lden(laeq)\"", "W41",
		"PT24H", "P1D"},
	{"charter.yaml", "min_units: 10", "kinds_not_about_people: [card-reader]\nmin_units: 10", "K41", "card-reader",
		"card-reader"},
	{"charter.yaml", "[free-text, credential]", "[free-text, credential, free-text]", "D10", "free-text]", "free-text"},
	{"charter.yaml", "[ca, es, en]", "[ca, es, ca]", "D10", "ca]", "ca"},
	{"charter.yaml", "floors: [exact, noisy]", "floors: [noisy]", "W43", "[noisy]", "exact"},
	{"charter.yaml", "floors: [exact, noisy]", "floors: [noisy, noisy]", "D10", "noisy]", "noisy"},
	{"charter.yaml", "enact: 4", "enact: 0", "K02", "0", "enact"},
	{"charter.yaml", "weaken: 5", "weaken: 3", "K03", "", ""},
	{"charter.yaml", "device: 1", "device: 0", "K05", "0", "device"},
	{"charter.yaml", "max_contributions: 4", "max_contributions: 0", "K06", "0", ""},
	{"charter.yaml", "delta_per_day: 1e-5", "delta_per_day: 0", "K07", "0", ""},
	{"charter.yaml", "sunset_max: P1Y", "sunset_max: PT1H", "K08", "PT1H", ""},
	{"charter.yaml", "[wifi-counter, card-reader]", "[wifi-counter, radar]", "K09", "radar", "radar"},
	{"charter.yaml", "[wifi-counter, card-reader]", "[wifi-counter, noise-meter]", "K10", "noise-meter", "noise-meter"},
	{"charter.yaml", "notice_days: 14", "notice_days: 400", "K11", "400", "400"},
	{"charter.yaml", "[free-text, credential]", "[free-text, credential, identifier]", "K12", "[free-text", ""},
	{"kinds.yaml", "{name: rssi, type: int, unit: dBm,", "{name: rssi, type: int, valid: [5, 1], unit: dBm,", "K14",
		"[5, 1]", "rssi"},
	{"kinds.yaml", "{name: ssid, type: string,", "{name: ssid, type: string, valid: [1, 5],", "K14", "[1, 5]", "ssid"},
	{"kinds.yaml", "{field: device, stands_for: device}", "{field: rssi, stands_for: device}", "K13", "{field", "rssi"},
	{"kinds.yaml", "{field: device, stands_for: device}", "{stands_for: home}", "S07", "{stands_for",
		"too little with stands_for"},
	{"kinds.yaml", "{field: device, stands_for: device}", "{sensor: true, field: device, stands_for: device}", "S07",
		"{sensor", "sensor: true"},
	{"kinds.yaml", "name: rssi", "name: 'r ssi'", "S06", "'r ssi'", "r-ssi"},
}

// TestMistakes: each is found under its line with a caret, by its rule, and said in
// three languages with how to mend it.
func TestMistakes(t *testing.T) {
	for _, m := range slices.Concat(mistakes, wordMistakes, retainMistakes) {
		t.Run(m.rule+" "+m.new, func(t *testing.T) {
			files := portalba.Policy()
			if !strings.Contains(string(files[m.file]), m.old) {
				t.Fatalf("%s does not hold %q", m.file, m.old)
			}
			files[m.file] = []byte(strings.Replace(string(files[m.file]), m.old, m.new, 1))
			found, _ := run(files)
			hit := false
			for _, f := range found {
				lines := strings.Split(string(files[f.File]), "\n")
				if f.Rule != m.rule || f.File != m.file || f.Line > len(lines) {
					continue
				}
				rest := lines[f.Line-1][min(len(lines[f.Line-1]), f.Column-1):]
				what, mend := f.Text(0)
				if strings.HasPrefix(rest, m.under) && strings.Contains(what+mend, m.names) {
					hit = true
				}
				for l := range explain.Languages {
					what, mend := f.Text(explain.Lang(l))
					if what == "" || mend == "" || strings.Contains(what+mend, "%!") {
						t.Errorf("%s in %s: %q, %q", f.Rule, explain.Languages[l], what, mend)
					}
				}
			}
			if !hit {
				for _, f := range found {
					what, mend := f.Text(0)
					t.Logf("%s:%d:%d %s %s | %s", f.File, f.Line, f.Column, f.Rule, what, mend)
				}
				t.Errorf("%s at %q naming %q is not found", m.rule, m.under, m.names)
			}
		})
	}
}

// TestNoRegisterIsAtHand: a decision that is refused for something else is not said to
// leave out an owner.
func TestNoRegisterIsAtHand(t *testing.T) {
	files := portalba.Policy()
	footfall := string(files["decisions/2026-14-footfall.yaml"])
	files["decisions/2026-14-footfall.yaml"] = []byte(
		strings.NewReplacer("min_units: 10", "min_units: 5", "max_contributions: 4",
			"max_contributions: 4\n  by_owner: {acme: 4}").Replace(footfall))
	found, _ := run(files)
	rules := ""
	for _, f := range found {
		rules += " " + f.Rule
	}
	if !strings.Contains(rules, "C05") || strings.Contains(rules, "P11") {
		t.Errorf("found is%s; want C05, and no P11", rules)
	}
}

// TestIdsDiffer: an id is a directory of the books, and a disk may take a and A for one.
func TestIdsDiffer(t *testing.T) {
	files := portalba.Policy()
	for file, id := range map[string]string{footfall: "Gates-1", boardings: "gates-1"} {
		old := map[string]string{footfall: `"2026-14"`, boardings: `"2026-15"`}[file]
		files[file] = []byte(strings.Replace(string(files[file]), old, id, 1))
	}
	found, _ := run(files)
	if !slices.ContainsFunc(found, func(f check.Finding) bool { return f.Rule == "D16" && f.File == boardings }) {
		t.Errorf("found %+v; want D16", found)
	}
}

// TestAllAtOnce: mistakes in several files are all said in one go.
func TestAllAtOnce(t *testing.T) {
	files := portalba.Policy()
	edit := func(file, old, new string) {
		files[file] = []byte(strings.Replace(string(files[file]), old, new, 1))
	}
	edit(footfall, "min_units: 10", "min_units: 3")
	edit(footfall, "purpose: pedestrian-planning", "purpose: marketing")
	edit(boardings, "every: PT1H", "evry: PT1H") // said once, and not as missing, too
	edit("charter.yaml", "weaken: 5", "weaken: 1")
	files["local/x.rego"] = []byte("package sluice.local\n\nx := time.now_ns()\n")
	found, _ := run(files)
	var rules []string
	for _, f := range found {
		rules = append(rules, f.Rule)
		if f.Rule == "R04" && (f.File != "local/x.rego" || f.Line != 3) {
			t.Errorf("the module's mistake is at %s:%d", f.File, f.Line)
		}
	}
	delete(files, "local/x.rego")
	more, _ := run(files)
	for _, f := range more {
		rules = append(rules, f.Rule)
	}
	if strings.Contains(strings.Join(rules, " "), "S03") {
		t.Errorf("a key that is mistyped is said to be missing, too: %v", rules)
	}
	for _, want := range []string{"C05", "C01", "S02", "K03", "R04"} {
		if !strings.Contains(strings.Join(rules, " "), want) {
			t.Errorf("%s is not among %v", want, rules)
		}
	}
}

func TestNotice(t *testing.T) {
	files := portalba.Policy()
	inForce, err := bundle.Read(portalba.Policy())
	if err != nil {
		t.Fatal(err)
	}
	files["decisions/new.yaml"] = []byte(
		strings.NewReplacer(`"2026-16"`, `"2026-99"`, "stream: noise", "stream: louder").Replace(string(files[noise])))
	found, _ := check.Directory(context.Background(), evaluator, files, inForce,
		civil.Date{Year: 2026, Month: 5, Day: 25})
	if len(found) != 1 || found[0].Rule != "N01" || found[0].File != "decisions/new.yaml" {
		t.Errorf("found %+v; want N01", found)
	}
}

// TestOverlapsAreSaid: which zones overlap and which of them wins, as a warning in
// three languages; borders that touch are none.
func TestOverlapsAreSaid(t *testing.T) {
	files := portalba.Policy()
	files["zones.geojson"] = []byte(strings.Replace(string(files["zones.geojson"]), "[[2.106, 41.3], [2.112, 41.3]",
		"[[2.105, 41.3], [2.112, 41.3]", 1))
	files["zones.geojson"] = []byte(strings.Replace(string(files["zones.geojson"]),
		"[2.106, 41.305], [2.106, 41.3]]]}},\n{\"type\": \"Feature\", \"id\": \"port",
		"[2.105, 41.305], [2.105, 41.3]]]}},\n{\"type\": \"Feature\", \"id\": \"port", 1))
	found, fine := run(files)
	if len(found) != 1 || found[0].Rule != "W01" || !found[0].Warning() || found[0].Line != 3 || len(fine) != 4 {
		t.Fatalf("%+v", found)
	}
	for l := range explain.Languages {
		if what, mend := found[0].Text(explain.Lang(l)); !strings.Contains(what, "raval") ||
			!strings.Contains(what, "rambla") || mend == "" {
			t.Errorf("%s: %s; %s", explain.Languages[l], what, mend)
		}
	}
}

// TestRulesAreDocumented: docs/policy.md has a line for every rule that has a text.
func TestRulesAreDocumented(t *testing.T) {
	raw, err := os.ReadFile("../../docs/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	rules := 0
	for _, key := range locales.In(0).Keys("check") {
		rule, ok := strings.CutSuffix(strings.TrimPrefix(key, "check."), ".what")
		if !ok || strings.Contains(rule, ".") { // a special case of one
			continue
		}
		rules++
		if !documented(string(raw), rule) {
			t.Errorf("docs/policy.md does not list %s", rule)
		}
	}
	if rules < 100 {
		t.Errorf("only %d rules were found; the search is broken", rules)
	}
}

// documented finds a rule by itself or in a range such as P01–P09.
func documented(doc, rule string) bool {
	if strings.Contains(doc, rule) {
		return true
	}
	for _, m := range regexp.MustCompile(`([A-Z])(\d\d)–[A-Z](\d\d)`).FindAllStringSubmatch(doc, -1) {
		if m[1] == rule[:1] && m[2] <= rule[1:] && rule[1:] <= m[3] {
			return true
		}
	}
	return false
}

// FuzzDirectory: whatever a file says, there are findings or none, and no crash.
func FuzzDirectory(f *testing.F) {
	for name, raw := range portalba.Policy() {
		f.Add(name, raw)
	}
	f.Add("decisions/x.yaml", []byte("decision: {a: [1, {b: null}]}"))
	f.Add("charter.yaml", []byte("- 1\n- 2\n"))
	f.Add("local/x.rego", []byte("package sluice.local\ndeny := 1"))
	f.Fuzz(func(t *testing.T, name string, raw []byte) {
		if !bundle.Belongs(name) || len(raw) > 20_000 || strings.HasSuffix(name, ".rego") {
			return
		}
		files := portalba.Policy()
		files[name] = raw
		found, _ := run(files)
		for _, x := range found {
			for l := range explain.Languages {
				if what, _ := x.Text(explain.Lang(l)); what == "" {
					t.Errorf("%+v says nothing", x)
				}
			}
			_ = fmt.Sprint(x)
		}
	})
}
