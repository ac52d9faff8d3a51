package check_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"sluice/configs/portalba"
	"sluice/internal/civil"
	"sluice/policy/bundle"
	"sluice/policy/check"
	"sluice/policy/explain"
)

// slips are what a clerk writes, and what the answer must name so that the next try is
// right: in three languages, of which English and Spanish are looked at.
var slips = []struct {
	file, old, new string
	rule           string
	mend           [3]string // a part of what and mend together; empty for the English one
}{
	{footfall, "epsilon: 1 ", "epsilon: 0,5 ", "S04",
		[3]string{"write a point: 0.5", "escriviu un punt: 0.5", "escriba un punto: 0.5"}},
	{footfall, "epsilon: 1 ", `epsilon: "0.5" `, "S04",
		[3]string{"write 0.5 without quotes", "0.5 sense cometes", "0.5 sin comillas"}},
	{footfall, "epsilon: 1 ", "epsilon: ", "S04",
		[3]string{"is empty; it must be: a number", "un nombre", "un número"}},
	{footfall, "min_units: 10", "min_units: 10.5", "S04",
		[3]string{"a whole number | e.g. 10", "un nombre enter", "un número entero"}},
	{"charter.yaml", "device: 1,", "device: 0,5,", "Y01",
		[3]string{"write a point: 0.5", "escriviu un punt: 0.5", "escriba un punto: 0.5"}},
	{boardings, "between: [0, 2]", "between: [0, 0,5]", "S08",
		[3]string{"write a point: 0.5", "escriviu un punt", "escriba un punto"}},
	{boardings, "between: [0, 2]", "between: [2]", "S08",
		[3]string{"must have 2 | e.g. [0, 100]", "n'ha de tenir 2", "debe tener 2"}},
	{footfall, "every: PT1H", "every: hourly", "S06",
		[3]string{"write PT1H; PT1H is an hour", "PT1H és una hora", "PT1H es una hora"}},
	{footfall, "every: PT1H", "every: cada hora", "S06", [3]string{"write PT1H", "escriviu PT1H", "escriba PT1H"}},
	{footfall, "every: PT1H", "every: 15 min", "S06", [3]string{"write PT15M", "escriviu PT15M", "escriba PT15M"}},
	{footfall, "every: PT1H", "every: P1H", "S06", [3]string{"write PT1H", "", ""}},
	{footfall, "every: PT1H", "every: often", "S06",
		[3]string{"no length of time", "no és una durada", "no es una duración"}},
	{footfall, "until: 2027-05-31", "until: 31/05/2027", "S06", [3]string{"write 2027-05-31", "", ""}},
	{footfall, "until: 2027-05-31", "until: soon", "S06",
		[3]string{"write year-month-day", "any-mes-dia", "año-mes-día"}},
	{footfall, "until: 2027-05-31", "until: 2027-02-30", "D99",
		[3]string{"the calendar has no such day", "el calendari no té aquest dia", "el calendario no tiene ese día"}},
	{"charter.yaml", "Europe/Madrid", "Europe/Barcelona", "D99",
		[3]string{"e.g. Europe/Madrid", "p. ex. Europe/Madrid", "p. ej. Europe/Madrid"}},
	{footfall, "  es: ", "  fr: ", "S02", [3]string{"ca, en, es", "", ""}},
	{"charter.yaml", "[ca, es, en]", "[catalan, es, en]", "S05",
		[3]string{"“languages” has", "«languages» té", "«languages» tiene"}},
	{footfall, "stream: footfall", "stream: Foot Fall", "S06", [3]string{"write foot-fall", "", ""}},
	{footfall, "stream: footfall", "stream: Pas a la plaça", "S06", [3]string{"write pas-a-la-placa", "", ""}},
	{"charter.yaml", "id: portalba", "id: L'Hospitalet de l'Infant", "S06",
		[3]string{"write lhospitalet-de-linfant", "", ""}},
	{footfall, "until: 2027-05-31", "until: 2027-05-31T23:59:59Z", "S06", [3]string{"write 2027-05-31", "", ""}},
	{footfall, "by: [zone]", "by: zone", "S04",
		[3]string{"is a text; it must be: a list | write [zone]",
			"és un text; ha de ser: una llista | escriviu [zone]",
			"es un texto; debe ser: una lista | escriba [zone]"}},
	{footfall, "keep: [device, rssi]", "keep: device,rssi", "S04", [3]string{"write [device, rssi]", "", ""}},
	{"charter.yaml", "languages: [ca, es, en]", "languages: catalan", "S04",
		[3]string{"a list | e.g. [ca, es, en]", "p. ex. [ca, es, en]", "p. ej. [ca, es, en]"}},
	{"charter.yaml", "languages: [ca, es, en]", "languages: [ca, fr]", "S05",
		[3]string{"not allowed | one of", "no es permet | un de", "no se permite | uno de"}},
	{footfall, "epsilon: 1 ", "epsilon: 2 ", "C06",
		[3]string{"epochs of this decision a day: 1", "èpoques d'aquesta decisió al dia: 1",
			"épocas de esta decisión al día: 1"}},
	{footfall, `decision: "2026-14"`, "decision: “2026-14”", "S06", [3]string{"straight ones", "rectes", "rectas"}},
	{footfall, `of: "distinct(unit)"`, "of: count", "S06", [3]string{"write count()", "", ""}},
	{footfall, `op: ">="`, `op: "=>"`, "S05",
		[3]string{"you may mean >=", "potser voleu dir >=", "quizá quiere decir >="}},
	{"kinds.yaml", "class: free-text", "class: freetext", "S05", [3]string{"you may mean free-text", "", ""}},
	{footfall, "zones: [rambla,", "zones: [El Port,", "C03",
		[3]string{"you may mean port", "potser voleu dir port", "quizá quiere decir port"}},
	{footfall, "zones: [rambla,", "zones: [ramblas,", "C03", [3]string{"you may mean rambla", "", ""}},
	{footfall, "zones: [rambla,", "zones: [atlantis,", "C03",
		[3]string{"one of: carrer-nou", "una de: carrer-nou", "una de: carrer-nou"}},
	{footfall, "kinds: [wifi-counter]", "kinds: [wificounter]", "C02", [3]string{"you may mean wifi-counter", "", ""}},
	{footfall, "purpose: pedestrian-planning", "purpose: pedestrian planning", "C01",
		[3]string{"you may mean pedestrian-planning", "", ""}},
	{"charter.yaml", "{device: 1, card: 1}", "{card: 1}", "C06",
		[3]string{"add device: 1 to epsilon_per_day in charter.yaml, line 19", "afegeixi device: 1",
			"añada device: 1"}},
	{footfall, "epsilon: 1 ", "epsilon: 2 ", "C06",
		[3]string{"the charter's 1: 2026-14 2 |", "de la carta: 2026-14 2", "de la carta: 2026-14 2"}},
}

// TestEachSlipLeadsOn: the answer names what to write.
func TestEachSlipLeadsOn(t *testing.T) {
	for _, s := range slips {
		files := portalba.Policy()
		text := strings.Replace(string(files[s.file]), s.old, s.new, 1)
		if text == string(files[s.file]) {
			t.Fatalf("%s does not hold %q", s.file, s.old)
		}
		files[s.file] = []byte(text)
		found, _ := run(files)
		i := slices.IndexFunc(found, func(f check.Finding) bool { return f.Rule == s.rule })
		if i < 0 {
			t.Errorf("%q: %v; want %s", s.new, rules(found), s.rule)
			continue
		}
		for l, part := range s.mend {
			what, mend := found[i].Text(explain.Lang(l))
			if part == "" {
				part = strings.NewReplacer("you may mean ", "", "write ", "").Replace(s.mend[0])
			}
			if !strings.Contains(what+" | "+mend, part) || strings.Contains(what+mend, "%!") {
				t.Errorf("%q in %s: %s | %s; want %q", s.new, explain.Languages[l], what, mend, part)
			}
			if english := regexp.MustCompile(`\b(write|must|the|number|missing|lower)\b`); l > 0 &&
				english.MatchString(what+mend) {
				t.Errorf("%q in %s is English: %s | %s", s.new, explain.Languages[l], what, mend)
			}
		}
	}
}

// TestTheCitysIDStays: another id than in force is said before a motion is made of it, also
// where sluice up has founded the town.
func TestTheCitysIDStays(t *testing.T) {
	inForce, err := bundle.Read(portalba.Policy())
	if err != nil {
		t.Fatal(err)
	}
	files := portalba.Policy()
	files["charter.yaml"] = []byte(strings.Replace(string(files["charter.yaml"]), "id: portalba", "id: vilanova", 1))
	for at, want := range map[*bundle.Policy]int{nil: 0, inForce: 1} {
		found, _ := check.Directory(t.Context(), evaluator, files, at, civil.Date{})
		found = slices.DeleteFunc(found, func(f check.Finding) bool { return f.Rule != "K42" })
		if len(found) != want {
			t.Fatalf("%+v; want %d", found, want)
		}
		for _, f := range found {
			if what, mend := f.Text(0); f.Warning() || f.Line == 1 || !strings.Contains(what, "vilanova") ||
				!strings.Contains(mend, "write portalba") {
				t.Errorf("line %d: %s | %s", f.Line, what, mend)
			}
		}
	}
}

// TestZonesThatAreNoJSONHaveTheirLine: what is wrong with zones.geojson before it is features
// is said on its line, where tokens are wrong and where they are too many.
func TestZonesThatAreNoJSONHaveTheirLine(t *testing.T) {
	good := string(portalba.Policy()["zones.geojson"])
	lines := strings.Split(good, "\n")
	for _, n := range []int{0, 3, len(lines) / 2} {
		for _, slip := range []string{"= ", `"type" "b", `} {
			bad := slices.Clone(lines)
			bad[n] = slip + bad[n]
			foundOn(t, strings.Join(bad, "\n"), n+1, n+1)
		}
	}
	foundOn(t, good+"{}", len(lines), len(lines))
	foundOn(t, strings.Replace(good, "[[", "[[7,", 1), 1, len(lines)-1)
	foundOn(t, good[:len(good)/2], 1+strings.Count(good[:len(good)/2], "\n"), len(lines))
}

// foundOn looks that zones.geojson is found wrong on a line from first to last.
func foundOn(t *testing.T, zones string, first, last int) {
	t.Helper()
	files := portalba.Policy()
	files["zones.geojson"] = []byte(zones)
	found, _ := run(files)
	if len(found) == 0 || found[0].File != "zones.geojson" || found[0].Line < first || found[0].Line > last {
		t.Errorf("want it on a line from %d to %d: %+v", first, last, found)
	}
}

// TestAZoneHasItsLine: what is wrong with one feature of zones.geojson is said on its line.
func TestAZoneHasItsLine(t *testing.T) {
	files := portalba.Policy()
	good := string(files["zones.geojson"])
	bad := strings.Replace(good, `"id": "port", `, "", 1)
	files["zones.geojson"] = []byte(bad)
	want := 1 + strings.Count(good[:strings.Index(good, `"id": "port"`)], "\n")
	found, _ := run(files)
	if bad == good || want == 1 || len(found) == 0 || found[0].File != "zones.geojson" || found[0].Line != want {
		t.Errorf("%+v; want line %d", found, want)
	}
}

// TestTheDraftIsNamed: a budget that a draft uses up is its mistake; what is in force is
// warned of, and both say who shares the budget.
func TestTheDraftIsNamed(t *testing.T) {
	inForce, err := bundle.Read(portalba.Policy())
	if err != nil {
		t.Fatal(err)
	}
	files := portalba.Policy()
	files["decisions/new.yaml"] = []byte(
		strings.NewReplacer(`"2026-14"`, `"2027-01"`, "stream: footfall", "stream: again", "epsilon: 1 ",
			"epsilon: 0.25 ").Replace(string(files[footfall])))
	found, _ := check.Directory(t.Context(), evaluator, files, inForce, civil.Date{})
	if len(found) != 2 || found[0].Warning() == found[1].Warning() {
		t.Fatalf("%+v", found)
	}
	for _, f := range found {
		what, _ := f.Text(0)
		if f.Warning() != (f.File == footfall) || !strings.Contains(what, "2026-14 1, 2027-01 0.25") {
			t.Errorf("%s: %s", f.File, what)
		}
	}
}
