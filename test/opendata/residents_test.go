package opendata

import (
	"bytes"
	"encoding/csv"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/test/fenced"
	"sluice/test/harness"
)

// TestRecipes runs every recipe of docs/residents.md against the demo: in a shell, in
// Python, in a spreadsheet and R where they are installed.
func TestRecipes(t *testing.T) {
	t.Parallel()
	harness.Need(t, "curl")
	harness.Need(t, "python3")
	d := harness.StartDemo(t, filepath.Join(t.TempDir(), "town"))
	d.Find(`"event":"replayed"`)
	work := t.TempDir()
	if err := os.Mkdir(filepath.Join(work, "docs"), 0o755); err != nil {
		t.Fatal(err)
	}
	harness.Write(t, filepath.Join(work, "docs", "verify.py"), harness.Read(t, "../../docs/verify.py"))
	shell := ""
	ran := map[string]int{}
	for _, block := range fenced.All(t, "docs/residents.md") {
		if block.Begins("mosquitto_sub ") { // opendata's own test runs it: the demo has no broker for reading
			block.Read()
			continue
		}
		text := strings.NewReplacer("http://127.0.0.1:8080", d.OpenData, "ws://127.0.0.1:8080",
			strings.Replace(d.OpenData, "http", "ws", 1)).Replace(block.Read())
		ran[block.Lang]++
		switch block.Lang {
		case "sh":
			shell += text
		case "python":
			harness.Want(t, recipe(t, work, "python3", "-c", text), `rambla: at most \d+ devices`)
		case "js":
			listening(t, text)
		case "r":
			if _, err := exec.LookPath("Rscript"); err == nil {
				harness.Want(t, recipe(t, work, "Rscript", "-e", text), `(?s)cell.*value.*rambla`)
			}
		case "yaml":
			homeAssistant(t, text)
		case "":
			spreadsheet(t, text)
		default:
			t.Errorf("a recipe is in %q, which the test cannot run", block.Lang)
		}
	}
	if ran["sh"] < 7 || ran["python"] != 1 || ran["r"] != 1 || ran["js"] != 2 || ran[""] != 1 || ran["yaml"] != 1 {
		t.Errorf("the recipes are %v", ran)
	}
	shell += strings.NewReplacer("go run ./cmd/sluice", harness.Sluice, "http://127.0.0.1:8080",
		d.OpenData).Replace(fenced.Take(t, "docs/release.md", "go run ./cmd/sluice verify").Read())
	out := recipe(t, work, "bash", "-eu", "-c", strings.ReplaceAll(shell, "curl -s", "curl -sf"))
	for _, line := range []string{
		`(?m)^20\S+Z,20\S+,PT1H,rambla,devices,\d+,published,`, `(?m)^304$`, `"@type": "dcat:Catalog"`,
		`<title>In force, not voted \(simulation\): Footfall in the old town</title>`,
		`"title":"En vigor, sense votar \(simulació\): Afluència`,
		`"type":"FeatureCollection".*"value":(\d|null)`,
		`"name":"[^"]*La Rambla","Observations":\[\{"@iot.id":"footfall:devices:PT1H:rambla@20\S+Z@`,
		`\{"result":\d+,"resultTime":"20\S+Z"\},\{"result"`, `(?m)^\{"@iot.count":4,"value":\[\{"name":".*La Rambla"`,
		`(?m)^id,phenomenonTime,result,.*,Datastream/name$`,
		`(?s)retry: 2000\nid: 0\n\n((id: \d+\n)?event: gap\ndata: [^\n]*\n\n)?id: \d+\n` +
			`event: window\ndata: {"stream":"footfall".*"cell":"rambla"`,
		`"kind":"reserve"`, `2026-14,Afluència`, `(?s)"stream":"footfall","items":\[\{`, `compared: everything adds up`,
		`(?m)^ *Everything adds up`,
	} {
		harness.Want(t, out, line)
	}
	// An hour of the demo's takes ten seconds, and at night too few are about for a number.
	numbered := regexp.MustCompile(`"type":"FeatureCollection".*"value":\d+`)
	zones := regexp.MustCompile(`(?m)^(CITY=.*|curl .*/api/v1/zones\?.*)$`).FindAllString(shell, -1)
	harness.Await(t, 4*time.Minute, "a number on the map", func() bool {
		return numbered.MatchString(out) ||
			numbered.MatchString(recipe(t, work, "bash", "-eu", "-c", strings.Join(zones, "\n")))
	})
	rows, err := csv.NewReader(strings.NewReader(harness.Read(t, filepath.Join(work, "footfall.csv")))).ReadAll()
	if err != nil || len(rows) < 50 {
		t.Errorf("the saved file has %d rows (%v)", len(rows), err)
	}
	if _, err := exec.LookPath("soffice"); err == nil {
		recipe(t, work, "soffice", "--headless", "--convert-to", "xlsx", "-env:UserInstallation=file://"+work+"/office",
			"footfall.csv")
		if info, err := os.Stat(filepath.Join(work, "footfall.xlsx")); err != nil || info.Size() < 2000 {
			t.Errorf("the spreadsheet is not there: %v", err)
		}
	}
}

// listening runs a script in a browser, as a page of another site.
func listening(t *testing.T, script string) {
	t.Helper()
	t.Run("listening", func(t *testing.T) {
		chromium := harness.Chromium(t)
		harness.Want(t, harness.Node(t, "live.js", chromium, script), `(?m)^\S+ (\d+|withheld|no_data)$`)
	})
}

func recipe(t *testing.T, dir string, args ...string) string {
	t.Helper()
	c := exec.Command(args[0], args[1:]...)
	c.Dir = dir
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		t.Errorf("%s: %v\n%s\n%s", args[0], err, harness.Tail(stderr.String()), harness.Tail(string(out)))
	}
	return string(out)
}

// homeAssistant asks what its sensor asks, and looks for what the sensor reads.
func homeAssistant(t *testing.T, text string) {
	t.Helper()
	address := regexp.MustCompile(`(?m)^    resource: (\S+)$`).FindStringSubmatch(text)
	attributes := regexp.MustCompile(`(?m)^    json_attributes: \[(.*)\]$`).FindStringSubmatch(text)
	if address == nil || attributes == nil || !strings.Contains(text, "value_json['items'][0].value") {
		t.Fatalf("%q is no sensor", text)
	}
	var latest struct{ Items []map[string]any }
	harness.GetJSON(t, address[1], &latest)
	if len(latest.Items) != 1 {
		t.Fatalf("the sensor has %d values", len(latest.Items))
	}
	for name := range strings.SplitSeq(attributes[1]+", value", ", ") {
		if _, there := latest.Items[0][name]; !there {
			t.Errorf("the newest number has no %s", name)
		}
	}
}

// spreadsheet takes the address out of a formula, as IMPORTDATA does.
func spreadsheet(t *testing.T, formula string) {
	t.Helper()
	m := regexp.MustCompile(`^=IMPORTDATA\("([^"]+)"\)\n$`).FindStringSubmatch(formula)
	if m == nil {
		t.Fatalf("%q is no formula", formula)
	}
	status, header, body := harness.Answer(t, m[1])
	if rows, err := csv.NewReader(bytes.NewReader(body)).ReadAll(); status != 200 || err != nil || len(rows) < 20 ||
		!strings.HasPrefix(header.Get("Content-Type"), "text/csv") {
		t.Errorf("the spreadsheet gets %d, %d rows (%v)", status, len(rows), err)
	}
}
