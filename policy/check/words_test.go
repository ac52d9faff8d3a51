package check_test

import (
	"slices"
	"strings"
	"testing"

	"sluice/configs/portalba"
	"sluice/policy/check"
)

// wordMistakes are mistakes of words, contacts and limits, which TestMistakes tries.
var wordMistakes = []mistake{
	{"kinds.yaml", "    names: {ca: sonòmetre, es: sonómetro, en: noise meter}\n", "", "W51", "noise-meter",
		`write names: {ca: "…", es: "…", en: "…"}`},
	{"kinds.yaml", ",\n         names: {ca: nivell de soroll, es: nivel de ruido, en: noise level}}", "}", "W51",
		"{name: laeq", "ca, es, en"},
	{"kinds.yaml", "{ca: tarifa, es: tarifa, en: fare}", "{ca: tarifa, en: fare}", "W51", "{ca: tarifa", `es: "…"`},
	{"kinds.yaml", "ca: tarifa", "fr: tarif", "S02", "fr", "ca"},
	{"kinds.yaml", "ca: tarifa", `ca: "a\u202eb"`, "Y02", `"a`, "(U+202E), behind “a”"},
	{"kinds.yaml", "ca: tarifa", `ca: "--!"`, "K52", `"--!"`, "“names: {ca}” says nothing"},
	{"kinds.yaml", "ca: tarifa", `ca: "la\ntarifa"`, "K52", `"la`, "several lines"},
	{"kinds.yaml", "ca: tarifa", `ca: "<la tarifa>"`, "T01", `"<`, "<la tarifa>"},
	{footfall, "{names: {ca: dispositius, es: dispositivos, en: devices},\n       name", "{name", "W51",
		"{name: devices", `names: {ca: "…"`},
	{"charter.yaml", "    environment: {ca: medi ambient, es: medio ambiente, en: environment}\n", "", "W51",
		"environment]", `names: {purposes: {environment: {ca: "…"`},
	{"charter.yaml", "    environment: {ca", "    surroundings: {ca", "K53", "{ca: medi", "pedestrian-planning"},
	{"charter.yaml", "    ug/m3: {ca", "    mg/m3: {ca", "W52", "", "mg/m3"},
	{"charter.yaml", "email: dpd@portalba.example", "email: dpd", "K51", "", "privacy@"},
	{"charter.yaml", `"+34 900 000 000"`, `"call us"`, "K51", `"call us`, "telephone"},
	{"charter.yaml", `"https://authority.example"`, `"http://authority.example"`, "K51", "", "https://"},
	{"charter.yaml", `{name: "Autoritat de Protecció de Dades", `, "{", "S03", "", "name"},
	{air, "value: 25", "value: much", "S04", "much", "value"},
	{air, "        - value: 25\n          title", "        - title", "S03", "", "value"},
	{air, `          source: {ca: "Guies mundials de qualitat de l'aire de l'OMS, 2021",` + "\n" +
		`            es: "Guías mundiales de calidad del aire de la OMS, 2021", en: "WHO global air quality guidelines 2021"}` +
		"\n", "", "S03", "", "source"},
	{air, "over: P1D", "over: PT1M", "D38", "PT1M", "PT1H"},
	{air, "over: P1D", "over: P1Y", "D40", "P1Y", "windows of PT1H"},
	{air, "over: P1D", "over: P2D", "D40", "P2D", "up to P1D"},
	{air, "over: P1D", "over: PT90M", "D40", "PT90M", "fill"},
	{air, `of: "mean(no2)"`, `of: "quantile(no2, 0.5)"`, "D40", "P1D", "take over out"},
	{air, "value: 25", "value: -25", "D41", "-25", "from 0 to 1000"},
	{air, "value: 25", "value: 5000", "D41", "5000", "from 0 to 1000"},
	{air, "value: 25", "value: 50", "D42", "50", "“no2” has the limit 50 twice"},
	{"charter.yaml", "    phone: \"+34", "    phone: \"+34\u200b", "Y02", "\"+34", "behind “+34”"},
	{"charter.yaml", "  timezone:", "  time\u200bzone:", "Y02", "time", "the key “timezone”"},
	{footfall, "purpose: pedestrian", "purpose: \u200bpedestrian", "Y02", "", "“purpose” begins"},
	{footfall, "ca: \"Afluència", "ca: \"Aflu\u00adència", "Y02", "\"Aflu", "title: {ca}"},
	{footfall, `"Footfall in the old town"`, `"<b>Footfall</b>"`, "T01", `"<b>`, "“<b>” is a tag"},
	{"charter.yaml", "{ca: medi ambient", "{ca: MEDI AMBIENT", "W54", "MEDI", "write “medi ambient”"},
	{"charter.yaml", "{ca: medi ambient", "{ca: Medi ambient", "W54", "Medi", "write “medi ambient”"},
	{"charter.yaml", "  dpo: {name: \"Delegada de protecció de dades\", email: dpd@portalba.example, " +
		"web: \"https://portalba.example/dpd\"}\n", "", "W53", "", "data protection officer: the page /imprint"},
	{air, "of: \"mean(no2)\"\n      between: [0, 1000]", "of: \"histogram(no2)\"\n      edges: [0, 40]", "D39",
		"", "no2"},
	{air, "ca: límit diari de la UE des del 2030, ", "", "T03", "{es:", `ca: "…"`},
}

// unworded are findings without those that ask for words.
func unworded(found []check.Finding) []check.Finding {
	return slices.DeleteFunc(found, func(f check.Finding) bool { return f.Rule == "W51" })
}

// TestWordsAreAskedFor: of values by which a series is told apart, in one finding that can
// be pasted; of nothing that no decision uses; and never as more than a warning.
func TestWordsAreAskedFor(t *testing.T) {
	files := portalba.Policy()
	files[boardings] = []byte(strings.NewReplacer("by: [zone]", "by: [zone, {field: fare, values: [child, full]}]",
		"keep: [card]", "keep: [card, fare]").Replace(string(files[boardings])))
	unused := strings.NewReplacer("    names: {ca: lector de targetes, es: lector de tarjetas, en: card reader}\n", "",
		",\n         names: {ca: nom de la xarxa WiFi, es: nombre de la red WiFi, en: name of the WiFi network}}", "}")
	files["kinds.yaml"] = []byte(unused.Replace(string(files["kinds.yaml"])))
	found, _ := run(files)
	var asked []string
	for _, f := range found {
		what, mend := f.Text(0)
		if !f.Warning() || f.Rule != "W51" || f.File != "kinds.yaml" {
			t.Errorf("%s:%d %s: %s", f.File, f.Line, f.Rule, what)
		}
		asked = append(asked, mend)
	}
	if len(asked) != 2 || asked[0] != `write names: {ca: "…", es: "…", en: "…"}` ||
		asked[1] != `write values: {child: {ca: "…", es: "…", en: "…"}, full: {ca: "…", es: "…", en: "…"}}` {
		t.Errorf("it asks for %q", asked)
	}
	// What can be pasted is refused until there are words in it.
	files["kinds.yaml"] = []byte(strings.Replace(string(files["kinds.yaml"]), "  card-reader:\n",
		"  card-reader:\n    "+strings.TrimPrefix(asked[0], "write ")+"\n", 1))
	if found, _ := run(files); !slices.ContainsFunc(found, func(f check.Finding) bool {
		return f.Rule == "K52" && !f.Warning()
	}) {
		t.Errorf("a placeholder is taken for words: %+v", found)
	}
}
