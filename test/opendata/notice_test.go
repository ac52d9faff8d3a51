package opendata

import (
	"fmt"
	"strings"
	"testing"

	"sluice/books"
	"sluice/test/harness"
	"sluice/test/plaza"
)

// long is as much as a text of a policy may say.
func long(words string, n int) string {
	return strings.TrimSpace(strings.Repeat(words+" ", n/len(words)+1)[:n])
}

// spoken is a text in each language.
func spoken(text string) map[string]string {
	return map[string]string{"ca": text, "es": text, "en": text}
}

// TestNoticeOnOneSheet: a notice is one sheet of each size in three languages, also where all
// names are as long as they may be and there are many of everything.
func TestNoticeOnOneSheet(t *testing.T) {
	t.Parallel()
	chromium := harness.Chromium(t)
	q := plaza.New(t)
	wordy := long("Direcció General de Mobilitat", 200)
	who := books.Party{Name: wordy, Address: wordy,
		Email: strings.Repeat("a", 60) + "@" + strings.Repeat("b", 60) + ".example",
		Phone: "+34 900 000 000",
		Web:   "https://" + strings.Repeat("c", 60) + ".example/" + strings.Repeat("d", 100)}
	city := books.City{ID: "portalba", Name: long("Sant Esteve de les Roures", 80), Timezone: "Europe/Madrid",
		Languages: []string{"ca", "es", "en"}, Simulation: true, Responsible: who, DPO: who, Authority: who,
		Names: books.Vocabulary{Fields: map[string]map[string]string{}, Kinds: map[string]map[string]string{
			"counter": spoken(long("comptador de persones", 80))}}}
	var fields []books.Field
	for i := range 40 {
		f := books.Field{Name: fmt.Sprintf("f%d", i), Class: "identifier", Fate: "counted", Decision: fmt.Sprint(i % 8)}
		if i%2 == 0 {
			f.Fate, f.Class, f.Decision = "dropped", "free-text", ""
		}
		fields = append(fields, f)
		city.Names.Fields["counter/"+f.Name] = spoken(long("codi del dispositiu", 80))
	}
	var decisions []books.Decision
	for i := range 8 {
		decisions = append(decisions, books.Decision{ID: fmt.Sprint(i), Title: spoken(long("Afluència al nucli", 150)),
			State: books.InForce, From: "2026-01-01", Until: fmt.Sprintf("2026-12-%02d", i+10),
			LegalBasis: long("RGPD 6(1)(e)", 200), Retain: books.Retain{Hours: "P5Y6M", Days: "P5Y6M"}})
	}
	const sensor = "the-sensor-with-a-name-that-is-as-long-as-it-may-be-here"
	if err := q.Books.PutJSON("city.json", city); err != nil {
		t.Fatal(err)
	}
	if err := q.Books.PutJSON("decisions.json", decisions); err != nil {
		t.Fatal(err)
	}
	if err := q.Books.PutJSON("register.json", books.Register{Sensors: []books.Sensor{{ID: sensor, Owner: wordy,
		Kind: "counter", Topic: "city/v1/canary-zq/x/up", Zone: "b", Registered: "2026-01-01", Contact: wordy,
		Purpose: spoken(wordy), Fields: fields}}}); err != nil {
		t.Fatal(err)
	}
	harness.Node(t, "notice.js", q.Base, chromium, sensor)
	for _, size := range []string{"", "?size=a5", "?size=a6&lang=ca"} {
		status, _, body := harness.Answer(t, q.Base+"/sensors/"+sensor+"/notice"+size)
		text := string(body)
		if status != 200 || strings.Contains(text, "canary") || strings.Count(text, "<section lang=") != 3 ||
			!strings.Contains(text, "<dl lang=") && !strings.Contains(text, `class="rest"`) {
			t.Errorf("the notice%s is %d:\n%s", size, status, brief(text))
		}
	}
	if status, _, body := harness.Answer(t, q.Base+"/sensors/"+sensor+"/notice?size=a3"); status != 400 ||
		!strings.Contains(string(body), "a4, a5 or a6") {
		t.Errorf("a notice of another size is %d", status)
	}
}
