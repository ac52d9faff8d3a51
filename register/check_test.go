package register

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// put makes a directory of files.
func put(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const entry = "owner: o, kind: k, zone: z, registered: 2026-01-01"

// TestDirectory: a register may be many files, in the order of their names; what
// else lies there is left alone, and errors name file and line.
func TestDirectory(t *testing.T) {
	files := map[string]string{
		"b.yaml":       "sensors:\n  - {id: b, " + entry + "}\n",
		"a.yaml":       "# none\n\nsensors:\n  - {id: c, " + entry + "}\n  - {id: a, " + entry + "}\n",
		".hidden.yaml": "x", "a.yaml~": "x", "notes.txt": "x", "old.yaml.bak": "x",
	}
	dir := put(t, files)
	reg, err := Load(dir, os.ReadFile)
	if err != nil || len(reg.Sensors) != 3 || reg.Sensors[0].ID+reg.Sensors[1].ID+reg.Sensors[2].ID != "cab" {
		t.Fatalf("%+v, %v", reg, err)
	}
	if at := reg.Where(1); at != filepath.Join(dir, "a.yaml")+", line 5" {
		t.Errorf("the second is at %s", at)
	}
	files["b.yaml"] += "\n  - {id: a, " + entry + "}\n"
	dir = put(t, files)
	_, err = Load(dir, os.ReadFile)
	if want := filepath.Join(dir, "b.yaml") + ", line 4 (a): this id is taken in " + filepath.Join(dir, "a.yaml") +
		", line 5"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	files["b.yaml"] = "sensors:\n  - {id: b, days: 1}\n"
	dir = put(t, files)
	if _, err := Load(dir, os.ReadFile); err == nil ||
		!strings.Contains(err.Error(), filepath.Join(dir, "b.yaml")+": [2:13] unknown field") {
		t.Errorf("%v", err)
	}
	broken := errors.New("not yours")
	if _, err := Load(dir, func(string) ([]byte, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Errorf("a file that cannot be read gives %v", err)
	}
}

// TestNoInjection: nothing in an entry becomes a line, or another sensor's topic, in
// what is made from the register.
func TestNoInjection(t *testing.T) {
	for more, want := range map[string]string{
		`topic: "x/y\ntopic readwrite city/v1/o/good/up"`: "control characters",
		`topic: "x\r"`:                          "control characters",
		`topic: "x\0"`:                          "control characters",
		`topic: "x\x85y"`:                       "control characters",
		`topic: "x\u2028y"`:                     "control characters",
		`topic: "x\x1b[2Jy"`:                    "control characters",
		`topic: " x"`:                           "begin or end with a blank",
		`topic: "x/#"`:                          "wildcards",
		`topic: $SYS/x`:                         "wildcards or $",
		"topic: " + strings.Repeat("x", 1025):   "longer than 1024",
		`topic: city/v1/o/b/up`:                 "one of the sensor b",
		`topic: city/v1/o/b/hb`:                 "one of the sensor b",
		`topic: city/v1/o/b/feedback`:           "one of the sensor b",
		`topic: city/v1/o/a/feedback`:           "one of the sensor a",
		`topic: t/c`:                            "this topic is taken in",
		`kind: "k\n"`:                           "", // twice kind
		`replaces: "x\ny"`:                      "control characters",
		`map: {f: x}`:                           "JSON pointer",
		`map: {f: ""}`:                          "JSON pointer",
		`map: {f: /a~2b}`:                       "~ alone",
		`map: {f: /a~}`:                         "~ alone",
		"map: {f: /" + strings.Repeat("x", 600): "",
		`topic: city/v1/o/a/up`:                 "fine",
		`topic: city/v1/p/b/up`:                 "fine",
		`topic: city/v1/o/b/other`:              "fine",
		`topic: a place/with blanks`:            "fine",
		`map: {f: /a~0~1b/0/}`:                  "fine",
	} {
		_, err := Parse("r.yaml",
			[]byte("sensors:\n  - {id: b, "+entry+"}\n  - {id: c, topic: t/c, "+entry+"}\n  - {id: a, "+entry+", "+more+
				"}\n"))
		switch {
		case want == "fine" && err == nil:
		case want != "fine" && err != nil && strings.Contains(err.Error(), want) &&
			strings.Contains(err.Error(), "r.yaml"):
		default:
			t.Errorf("%.60s: %v; want %s", more, err, want)
		}
	}
}

// TestCheck: everything that is wrong is said, each with file and line.
func TestCheck(t *testing.T) {
	zones, err := ParseZones("zones.geojson", collectionOf(featureAt("z", "["+square(0, 0, 1)+"]")))
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]Kind{"k": {Fields: []Field{{Name: "level"}, {Name: "rain"}, {Name: "laeq", Unit: "Cel"}}}}
	at := func(n int) string { return strings.Repeat("\n", n) }
	for more, want := range map[string][]string{
		"":                      nil,
		"until: 2025-12-31":     {"until is before registered"},
		"until: 2026-01-01":     nil,
		"replaces: nobody":      {"replaces \"nobody\", and there is no such sensor"},
		"replaces: a":           {"replaces itself"},
		"replaces: first":       {"as does"},
		"replaces: later":       {"replaces \"later\", which is registered later than it"},
		"topic: city/v1/o/a/up": nil,
		"topic: city/v1/clock": {"topics below city/v1/ are the gateway's to give; take topic out, " +
			"and \"city/v1/o/a/up\" is the sensor's"},
		"topic: city/v1/o/zzz/up": {"topics below city/v1/"},
		"topic: city/v10/a":       nil,
		"map: {level: /x, height: /y}": {"kind k has no field \"height\", so that it is dropped; " +
			"its fields are level, rain, laeq"},
		"map: {ts: /when}": {"ts is no field of kind k, so that it is dropped; " +
			"a reading has its ts at its root"},
		"map: {levle: /x}":             {"did you mean \"level\"? its fields are level, rain, laeq"},
		"map: {level: /x}":             nil,
		"map: {level: /x, rain: /x}":   {"\"level\" and \"rain\" are both looked for at \"/x\""},
		"map: {level: /x/y, rain: /x}": {"\"rain\" is looked for at \"/x\", inside which \"level\" is looked for too"},
		"map: {level: /x-y, rain: /x}": nil,
		"map: {level: /x/, rain: /}": {"note: map: the pointer of \"rain\" ends in /",
			"note: map: the pointer of \"level\" ends in /"},
		"map: {level: /x/-}":                                    {"note: map: - in the pointer of \"level\""},
		"preset: ttn-v3, device: a/d":                           nil,
		"preset: ttn-v3, device: d":                             {"note: device names the last part of an identity"},
		"preset: ttn-v3, device: a/d, profile: milesight-ws302": {"\"laeq\" in \"dB(A)\", and kind"},
		"preset: ttn-v3, device: a/d, profile: bosch-tps110":    {"fills none of the fields of kind \"k\""},
		"lat: 1":                    {"lat and lon go together"},
		"topic: \"a\\nb\"":          {"control characters"},
		"topic: city/v1/o/first/hb": {"one of the sensor first"},
		"colour: red":               {"unknown field \"colour\""},
		"zoen: x":                   {"did you mean zone?"},
		"zone: z":                   {"twice, in line 6 already"},
	} {
		raw := "sensors:\n  - {id: first, " + entry + "}\n  - {id: second, replaces: first, " + entry + "}" + at(3) +
			"  - {id: a, " + entry + ", " + more + "}\n"
		switch more { // whom it replaces stands behind
		case "replaces: later":
			raw += "  - {id: later, owner: o, kind: k, zone: z, registered: 2026-01-02}\n"
		case "":
			raw = strings.Replace(raw, ", }", "}", 1)
		}
		said(t, raw, kinds, zones, 6, want)
	}
	said(t, "sensors:\n  - {id: gateway, "+entry+"}\n", kinds, zones, 2, []string{"the gateway's own user name"})
	for text, want := range map[string][]string{
		"kind: k, lat: 95, lon: 0.5":  {"not on earth"},
		"kind: k, lat: 0.5, lon: 400": {"not on earth"},
		"kind: k, lat: 5, lon: 5":     {"in no zone of the policy"},
		"kind: kk, zone: zz":          {"did you mean \"z\"? its zones are", "did you mean \"k\"? its kinds are"},
		"kind: k, lat: 0.5, lon: 0.5": nil,
		"kind: k, zone: y":            {"the policy has no zone \"y\""},
		"kind: other, zone: y":        {"no zone \"y\"", "no kind \"other\""},
		"zone: z":                     {"kind is missing"},
	} {
		said(t, "sensors:\n  - {id: a, owner: o, registered: 2026-01-01, "+text+"}\n", kinds, zones, 2, want)
	}
	said(t, "sensors:\n  - {id: a, kind: other, owner: o, zone: y, registered: 2026-01-01}\n", nil, nil, 0, nil)
	away, err := ParseZones("zones.geojson", collectionOf(featureAt("z", "["+square(2, 41, 1)+"]")))
	if err != nil {
		t.Fatal(err)
	}
	said(t, "sensors:\n  - {id: a, kind: k, owner: o, lat: 2.5, lon: 41.5, registered: 2026-01-01}\n", kinds, away, 2,
		[]string{"one the other way round"})
	said(t, "sensors:\n  - {id: a, replaces: b, "+entry+"}\n", nil, nil, 2, []string{"no such sensor"})
	said(t, "sensors: [{id: a, replaces: b, "+entry+"}, {id: b, replaces: a, "+entry+"}]\n", nil, nil, 1,
		[]string{"replaces \"b\", which replaces it", "replaces \"a\", which replaces it"})
}

// TestPointersInsideOthers: each that is inside another is said, whatever is between them in
// the order of names, and a map of many is looked at in no time.
func TestPointersInsideOthers(t *testing.T) {
	check := func(m map[string]string) string {
		reg, err := Parse("r.yaml", []byte("sensors: [{id: a, "+entry+"}]"))
		if err != nil {
			t.Fatal(err)
		}
		reg.Sensors[0].Map = m
		var all []string
		for _, f := range reg.Check(nil, nil) {
			all = append(all, f.What())
		}
		return strings.Join(all, "\n")
	}
	got := check(map[string]string{"a": "/o", "b": "/o-", "c": "/o/x", "d": "/o/x/y", "e": "/o.", "f": "/p/q",
		"g": "/p"})
	for _, want := range []string{`"a" is looked for at "/o", inside which "c"`,
		`"a" is looked for at "/o", inside which "d"`, `"g" is looked for at "/p", inside which "f"`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s: it does not say %s", got, want)
		}
	}
	if n := strings.Count(got, "\n") + 1; n != 3 {
		t.Errorf("it says %d things: %s", n, got)
	}
	many := map[string]string{}
	for n := range 100_000 {
		many[fmt.Sprint("f", n)] = fmt.Sprint("/many/", n)
	}
	if got := check(many); got != "" {
		t.Errorf("of many that are apart it says %.300s", got)
	}
}

// TestFilesThatAreNone: what looks like a part of the register and is not read is said,
// and nothing that would have to be waited for is opened.
func TestFilesThatAreNone(t *testing.T) {
	dir := put(t,
		map[string]string{"a.yaml": "sensors:\n  - {id: a, " + entry + "}\n", "b.yml": "x", "c.YAML": "x",
			"notes.txt": "x"})
	reg, found, err := Examine(dir, os.ReadFile)
	if err != nil || len(reg.Sensors) != 1 || len(found) != 2 ||
		!strings.Contains(found[0].Error(), "b.yml, line 1: this file is not read; rename it") ||
		!strings.Contains(found[1].Error(), "c.YAML") {
		t.Errorf("%v, %v", found, err)
	}
	pipe := filepath.Join(dir, "p.yaml")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, pipe} {
		if _, err := Load(path, os.ReadFile); err == nil ||
			!strings.Contains(err.Error(), "p.yaml is not a plain file") {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestNobodyEntered: an empty register can be meant, and is noted.
func TestNobodyEntered(t *testing.T) {
	for _, path := range []string{put(t, map[string]string{"a.yaml": "sensors: []\n", "b.yaml": "sensors: []\n"}),
		filepath.Join(put(t, map[string]string{"r.yaml": "sensors: []\n"}), "r.yaml")} {
		_, found, err := Examine(path, os.ReadFile)
		if err != nil || len(found) != 1 || Wrong(found) != 0 ||
			!strings.Contains(found[0].Error(), path+", line 1: note: no sensor is entered") {
			t.Errorf("%v, %v", found, err)
		}
	}
}

// said holds what Examine and Check say of a file against what is wanted of a line.
func said(t *testing.T, raw string, kinds map[string]Kind, zones *Zones, line int, want []string) {
	t.Helper()
	dir := put(t, map[string]string{"r.yaml": raw})
	reg, found, err := Examine(dir, os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	found = append(found, reg.Check(kinds, zones)...)
	if len(found) != len(want) {
		t.Errorf("%s: %v; want %v", raw, found, want)
		return
	}
	for n, f := range found {
		if !strings.Contains(f.Error(), want[n]) || !strings.Contains(f.Error(), "r.yaml") || f.Line != line {
			t.Errorf("%s: line %d: %v; want line %d: %s", raw, f.Line, f, line, want[n])
		}
	}
}

// TestOneMistakeHidesNoOther: behind every mistake Examine goes on.
func TestOneMistakeHidesNoOther(t *testing.T) {
	dir := put(t, map[string]string{
		"a.yaml": "sensors:\n  - {id: a, " + entry + ", x: 1}\n  - {id: b, " + entry + "}\n  - {id: b, " + entry +
			"}\n  - {id: c\n  - {id: d, " + entry + "}\n",
		"b.yaml": "sensor:\n  - {id: e, " + entry + "}\n",
		"c.yaml": "sensors:\n  - {id: d, " + entry + "}\n  - {id: f, " + entry + "}\n",
	})
	reg, found, err := Examine(dir, os.ReadFile)
	if err != nil || len(reg.Sensors) != 3 {
		t.Fatalf("%d sensors, %v", len(reg.Sensors), err)
	}
	var got []string
	for _, f := range found {
		got = append(got, filepath.Base(f.File)+":"+string(rune('0'+f.Line)))
	}
	if s := strings.Join(got, " "); s != "a.yaml:2 a.yaml:4 a.yaml:5 b.yaml:1 c.yaml:2" {
		t.Errorf("found %s: %v", s, found)
	}
}

// TestManySlips: in a register of which no zone is known it is looked for few names what
// they may mean, and for one that is there again once.
func TestManySlips(t *testing.T) {
	var text strings.Builder
	text.WriteString("sensors:\n")
	for n := range 400 {
		fmt.Fprintf(&text, "  - {id: s%d, owner: o, kind: k, zone: zz%02x, registered: 2026-01-01}\n", n, n%200)
	}
	reg, found, err := Examine(filepath.Join(put(t, map[string]string{"r.yaml": text.String()}), "r.yaml"), os.ReadFile)
	if err != nil || len(found) > 0 {
		t.Fatal(found, err)
	}
	zones, err := ParseZones("zones.geojson",
		[]byte(`{"type":"FeatureCollection","features":[`+
			`{"type":"Feature","id":"z","properties":{},`+
			`"geometry":{"type":"Polygon","coordinates":[[[2,41],[3,41],[3,42],[2,41]]]}},`+
			`{"type":"Feature","id":"zz","properties":{},`+
			`"geometry":{"type":"Polygon","coordinates":[[[4,41],[5,41],[5,42],[4,41]]]}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	c, meant := reg.Check(map[string]Kind{"k": {}}, zones), 0
	for _, f := range c {
		if strings.Contains(f.What(), "did you mean") {
			meant++
		}
	}
	if want := 2 * maxMeant; len(c) != 400 || meant != want {
		t.Errorf("%d findings, %d with what may be meant; want 400 and %d", len(c), meant, want)
	}
}

// TestQuotaNote: where a quota bounds nothing, the check says so.
func TestQuotaNote(t *testing.T) {
	reg, err := Parse("r.yaml", []byte("sensors:\n"+
		"  - {id: a, owner: o, kind: counter, zone: z, registered: 2026-01-01, quota: 5}\n"+
		"  - {id: b, owner: o, kind: meter, zone: z, registered: 2026-01-01, quota: 5}\n"+
		"  - {id: c, owner: o, kind: counter, zone: z, registered: 2026-01-01}\n"))
	if err != nil {
		t.Fatal(err)
	}
	found := reg.Check(map[string]Kind{"counter": {Units: []KindUnit{{Field: "device", StandsFor: "device"}}},
		"meter": {Units: []KindUnit{{Sensor: true, StandsFor: "home"}}}}, nil)
	if len(found) != 1 || !found[0].Note || found[0].ID != "a" ||
		!strings.Contains(found[0].What(), "quota bounds nothing") {
		t.Error(found)
	}
}
