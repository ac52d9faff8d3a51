package opendata

import (
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/test/harness"
)

// told is what residents are told of one decision, its stream and its sensor.
type told struct {
	name, decision, stream, sensor string
	state, since, by               string
	// short and long are what pages say in English, Catalan and Spanish; empty in force.
	short, long [3]string
	// reason is why, with its markup; empty for none.
	reason [3]string
	until  string // of the catalogue
}

var tongues = [3]string{"en", "ca", "es"}

// markup would run in a page that does not escape it.
const markup = `<script>alert(1)</script> & "out"`

// states are all that there are, in a town where the third of March is today.
var states = []told{
	{name: "in force", decision: "1", stream: "running", state: "in_force", until: "2026-12-31"},
	{
		name: "suspended", decision: "2", stream: "halted", state: "suspended", since: "2026-03-02", by: "council",
		until: "2026-12-31",
		short: [3]string{"suspended since Monday, 2 March 2026", "suspesa des del dilluns, 2 de març de 2026",
			"suspendida desde el lunes, 2 de marzo de 2026"},
		long: [3]string{"Suspended since Monday, 2 March 2026: the council has stopped it.",
			"Suspesa des del dilluns, 2 de març de 2026: el consistori l’ha aturada.",
			"Suspendida desde el lunes, 2 de marzo de 2026: el consistorio la ha detenido."},
		reason: [3]string{`Reason: <q lang="en">A sensor was tampered with</q>`,
			`Motiu: <q lang="ca">Un sensor ha estat manipulat</q>`,
			`Motivo: <q lang="en">A sensor was tampered with</q>`},
	},
	{
		name: "suspended some day", decision: "3", stream: "quiet", state: "suspended", by: "council",
		until: "2026-12-31",
		short: [3]string{"suspended", "suspesa", "suspendida"},
		long: [3]string{"Suspended: the council has stopped it.", "Suspesa: el consistori l’ha aturada.",
			"Suspendida: el consistorio la ha detenido."},
		reason: [3]string{`Reason: <q lang="">` + html.EscapeString(markup) + `</q>`,
			`Motiu: <q lang="">` + html.EscapeString(markup) + `</q>`,
			`Motivo: <q lang="">` + html.EscapeString(markup) + `</q>`},
	},
	{
		name: "coming", decision: "4", stream: "later", state: "coming", since: "2026-12-23", until: "2027-12-31",
		short: [3]string{"begins on Wednesday, 23 December 2026", "comença el dimecres, 23 de desembre de 2026",
			"empieza el miércoles, 23 de diciembre de 2026"},
		long: [3]string{"It begins on Wednesday, 23 December 2026.", "Comença el dimecres, 23 de desembre de 2026.",
			"Empieza el miércoles, 23 de diciembre de 2026."},
	},
	{
		name: "ended", decision: "5", stream: "over", state: "past", since: "2026-03-03", until: "2026-03-02",
		short: [3]string{"ended on Monday, 2 March 2026", "acabada el dilluns, 2 de març de 2026",
			"terminada el lunes, 2 de marzo de 2026"},
		long: [3]string{"It ended on Monday, 2 March 2026, its last day.",
			"Va acabar el dilluns, 2 de març de 2026, el darrer dia.",
			"Terminó el lunes, 2 de marzo de 2026, el último día."},
	},
	{
		name: "one after another", decision: "7", stream: "relay", state: "in_force", until: "2026-12-31",
	},
}

// stateTown is a town with a decision in each state, once its files of suspension are
// written and the clock has gone on.
func stateTown(t *testing.T) *harness.City {
	t.Helper()
	files := harness.Small()
	delete(files, "policy/decisions/gates.yaml")
	delete(files, "policy/decisions/devices.yaml")
	files["policy/charter.yaml"] = strings.Replace(files["policy/charter.yaml"], "languages: [en]",
		"languages: [ca, es, en]", 1)
	zones, sensors := []string{}, []string{}
	decide := func(decision, stream, zone, from, until string) {
		files["policy/decisions/"+decision+".yaml"] = fmt.Sprintf(`decision: %q
title: {en: Gates %[2]s, ca: Portes %[2]s, es: Puertas %[2]s}
stream: %[2]s
purpose: test
applies_to: {kinds: [people-gate], zones: [%[3]s]}
unit: {none: "a turnstile counts turns"}
keep: [passed]
publish: {every: PT1H, lateness: PT2M, by: [zone], measures: [{name: passed, of: sum(passed), between: [0, 100]}]}
from: %[4]s
until: %[5]s
`, decision, stream, zone, from, until)
	}
	for i, x := range states {
		zone := "z" + x.decision
		from, until := "2026-01-01", x.until
		if x.state == "coming" {
			from = x.since
		}
		if x.stream == "relay" {
			from = "2026-03-03"
			decide("0", "relay", zone, "2026-01-01", "2026-03-02")
		}
		decide(x.decision, x.stream, zone, from, until)
		zones = append(zones,
			fmt.Sprintf(
				`{"type":"Feature","id":%q,"geometry":{"type":"Polygon","coordinates":[[[%[2]d,0],[%[3]d,0],[%[3]d,1],[%[2]d,1],[%[2]d,0]]]},"properties":{"name":"El Port %[2]d"}}`, zone, i, i+1))
		sensors = append(sensors,
			fmt.Sprintf("  - {id: gate-%s, owner: acme, kind: people-gate, zone: %s, registered: 2026-01-01}\n",
				x.decision, zone))
		states[i].sensor = "gate-" + x.decision
	}
	decide("8", "gone", "z1", "2026-01-01", "2026-12-31") // taken out while it is in force
	files["policy/decisions/8.yaml"] = strings.Replace(files["policy/decisions/8.yaml"], "keep: [passed]",
		"keep: [passed] # as the others", 1)
	files["policy/zones.geojson"] = `{"type":"FeatureCollection","features":[` + strings.Join(zones, ",\n") + "]}"
	files["register.yaml"] = "sensors:\n" + strings.Join(sensors, "")
	return harness.Found(t, files)
}

// TestStatesAreShown: whether a decision is in force, suspended, to come or over is said
// at every place where residents, programs and passers-by meet it, in three languages,
// with the day and the reason; and what has numbers keeps them.
func TestStatesAreShown(t *testing.T) {
	t.Parallel()
	c := stateTown(t)
	c.Begin()
	for i, x := range states {
		c.Send("gate-"+x.decision, harness.Gate(i+1, harness.Ten, 7))
	}
	c.Tick(harness.Ten.Add(2 * time.Hour))
	harness.Write(t, filepath.Join(c.Dir, "policy/suspended.yaml"), `suspended:
  - {decision: "2", since: 2026-03-02, reason: {ca: Un sensor ha estat manipulat, en: A sensor was tampered with}}
  - {decision: "3", reason: '`+markup+`'}
`)
	if err := os.Remove(filepath.Join(c.Dir, "policy/decisions/8.yaml")); err != nil {
		t.Fatal(err)
	}
	harness.Await(t, 30*time.Second, "the suspensions", func() bool {
		_, _, body := harness.Answer(t, c.Opendata+"/api/v1/decisions/8")
		return strings.Contains(string(body), `"past"`)
	})
	c.Tick(harness.Ten.Add(24 * time.Hour))
	c.Stored()
	harness.Await(t, 30*time.Second, "the end of what ends on 2 March", func() bool {
		_, _, body := harness.Answer(t, c.Opendata+"/api/v1/sensors")
		return strings.Count(string(body), `"past"`) > 0
	})
	for _, x := range states {
		for l := range tongues {
			x.pages(t, c, l)
		}
		x.api(t, c)
	}
	early(c)
	pictures(c)
	t.Run("in a browser", func(t *testing.T) {
		harness.Node(t, "pages.js", c.Opendata, harness.Chromium(t), "/", "/?layer=halted/passed", "/streams/halted",
			"/streams/over?day=2026-03-04&span=week", "/decisions/3", "/sensors/gate-4/notice")
	})
}

// pages looks at each place of a page where the state stands.
func (x told) pages(t *testing.T, c *harness.City, l int) {
	t.Helper()
	short, long, reason := x.short[l], x.long[l], x.reason[l]
	for place, want := range map[string][]string{
		"home":      {short, reason},
		"stream":    {long, reason},
		"decision":  {long, reason},
		"decisions": {short, reason},
		"sensor":    {short},
		"notice":    {long, reason},
		"data":      {short},
	} {
		text := x.place(t, c, place, tongues[l])
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s, %s, %s: it does not say %q:\n%s", x.name, place, tongues[l], w, brief(text))
			}
		}
		for _, s := range states {
			for _, other := range []string{s.long[l], s.short[l] + "<"} {
				if place != "notice" && place != "data" && other != "" && other != "<" && s.state != x.state &&
					strings.Contains(text, other) {
					t.Errorf("%s, %s, %s: it says %q", x.name, place, tongues[l], other)
				}
			}
		}
		for _, never := range []string{"S01", "<script>alert", " : ", "since:", "nobody has decided",
			"ningú no n’ha decidit", "nadie ha decidido", "%!", "%s"} {
			if strings.Contains(text, never) {
				t.Errorf("%s, %s, %s: it says %q", x.name, place, tongues[l], never)
			}
		}
	}
}

// place is the part of a page that is about the decision.
func (x told) place(t *testing.T, c *harness.City, place, lang string) string {
	t.Helper()
	path, from, to := "", `<main id="main">`, "</main>"
	switch place {
	case "home":
		path, from, to = "/", `<h3><a href="/streams/`+x.stream+`?`, "</li>"
	case "stream":
		path = "/streams/" + x.stream
	case "decision":
		path = "/decisions/" + x.decision
	case "decisions":
		path, from, to = "/decisions", `<a href="/decisions/`+x.decision+`?`, "</tr>"
	case "sensor":
		path = "/sensors/" + x.sensor
	case "notice":
		path = "/sensors/" + x.sensor + "/notice"
	case "data":
		path, from, to = "/data", `<a href="/streams/`+x.stream+`?`, "</th>"
	}
	status, _, body := harness.Answer(t, c.Opendata+path+"?lang="+lang)
	_, rest, ok := strings.Cut(string(body), from)
	part, _, _ := strings.Cut(rest, to)
	if status != 200 || !ok {
		t.Errorf("%s is %d and has no %s", path, status, from)
	}
	return part
}

func brief(text string) string {
	text = regexp.MustCompile(`(?s)<svg.*?</svg>|<pre.*?</pre>`).ReplaceAllString(text, "")
	return text[:min(len(text), 3000)]
}

// early looks at a decision that the council took out before its last day.
func early(c *harness.City) {
	c.T.Helper()
	for lang, want := range map[string]string{
		"en": "It ended on Monday, 2 March 2026, before its last day.",
		"ca": "Va acabar el dilluns, 2 de març de 2026, abans del darrer dia.",
		"es": "Terminó el lunes, 2 de marzo de 2026, antes del último día.",
	} {
		_, _, body := harness.Answer(c.T, c.Opendata+"/decisions/8?lang="+lang)
		if !strings.Contains(string(body), want) {
			c.T.Errorf("the page of what was taken out does not say %q", want)
		}
		if code, _, body := harness.Answer(c.T, c.Opendata+"/streams/gone?lang="+lang); code != 200 ||
			!strings.Contains(string(body), want) {
			c.T.Errorf("the series of what was taken out: %d, and it does not say %q", code, want)
		}
	}
	if code, out := harness.Stranger(c.T, c.Opendata); code != 0 {
		c.T.Errorf("what was taken out makes the city wrong: %s", out)
	}
	var described []struct {
		ID      string
		Stopped bool
	}
	harness.GetJSON(c.T, c.Opendata+"/books/streams.json", &described)
	for _, d := range described {
		if d.Stopped != (d.ID == "gone") {
			c.T.Errorf("streams.json says of %s that it is stopped: %v", d.ID, d.Stopped)
		}
	}
	if last := described[len(described)-1]; last.ID != "gone" {
		c.T.Errorf("streams.json ends with %s; want what was taken out", last.ID)
	}
}

// pictures: what was suspended, and what lies behind the end, looks otherwise than what is
// withheld, and the legend says so; a number of before stays.
func pictures(c *harness.City) {
	c.T.Helper()
	for path, want := range map[string][]string{
		"/streams/halted?lang=en": {`class="gap suspended"`,
			`<span class="swatch suspended"></span>suspended`, "so nothing was measured; that is no matter of privacy.",
			`<q lang="en">A sensor was tampered with</q>`},
		"/streams/over?lang=en&day=2026-03-04&span=week": {`class="gap ended"`,
			`<span class="swatch ended"></span>ended`, "the decision had reached its end"},
		"/streams/relay?lang=en": {"Released every hour under"},
		"/streams/over?lang=en": {"It was released every hour under",
			"The last window ended on"},
		"/streams/later?lang=en": {"It will be released every hour under",
			"The first numbers will be those of Wednesday, 23 December 2026."},
		"/sensors/gate-4/notice?lang=en": {"A sensor stands here", "It measures nothing yet.",
			"While it is in force it uses: passed."},
		"/sensors/gate-5/notice?lang=en": {"A sensor stands here", "It measures nothing any more."},
		"/sensors/gate-2/notice?lang=ca": {"Aquí hi ha un sensor", "Ara mateix no mesura res.",
			"Mentre és en vigor fa servir: passed."},
		"/sensors/gate-1/notice?lang=en": {"A sensor measures here"},
	} {
		_, _, body := harness.Answer(c.T, c.Opendata+path)
		for _, w := range want {
			if !strings.Contains(string(body), w) {
				c.T.Errorf("%s does not show %q", path, w)
			}
		}
	}
	if _, _, body := harness.Answer(c.T, c.Opendata+"/streams/over"); strings.Contains(string(body), "Final until") {
		c.T.Error("what has ended is final until a day")
	}
	if got := c.FirstHour("over", "passed"); got != 7 {
		c.T.Errorf("what was measured before the end is %v; want 7", got)
	}
}
