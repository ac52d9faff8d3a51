package fleet

import (
	"bytes"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"sluice/register"
)

func quiet(int) {}

// columns are those of most tests.
var columns = Columns{
	Map: map[string]string{"id": "Sèrie", "lat": "Latitud", "lon": "Longitud", "purpose.ca": "Carrer"},
	Set: map[string]string{"owner": "acme", "kind": "noise", "registered": "2026-12-01"},
}

func read(t *testing.T, raw string, c Columns) *Fleet {
	t.Helper()
	f, err := Read("f.csv", []byte(raw), c, quiet)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestSpreadsheets: what spreadsheets export, in each of their ways, is the same entries.
func TestSpreadsheets(t *testing.T) {
	want := `  - {id: N-17, owner: acme, kind: noise, lat: 41.3874, lon: 2.1686, registered: 2026-12-01, ` +
		`purpose: {ca: "Soroll a \"Nou\", 1"}}` + "\n" +
		`  - {id: "18", owner: acme, kind: noise, lat: -3.5, lon: 0, registered: 2026-12-01}` + "\n"
	semicolons := "Sèrie;Latitud;Longitud;Carrer\n N-17 ;41,3874;2,1686;\"Soroll a\n\"\"Nou\"\", 1\"\n;;;\n18;-3,5;0;\n"
	for name, raw := range map[string]string{
		"semicolons": semicolons,
		"a mark":     mark + semicolons,
		"CRLF":       strings.ReplaceAll(semicolons, "\n", "\r\n"),
		"Excel's own line": "sep=;\r\n" +
			strings.ReplaceAll(semicolons, "\n", "\r\n"),
		"tabs": strings.ReplaceAll(semicolons, ";", "\t"),
		"commas": "Sèrie,Latitud,Longitud,Carrer\nN-17,41.3874,2.1686,\"Soroll a \"\"Nou\"\", 1\"\n\n18,\"-3,5\"," +
			"+0,\u00a0\n",
		"no last line end": strings.TrimSuffix(semicolons, "\n"),
		"columns elsewhere": "Carrer;Nota;Longitud;Latitud;sÈRIE \n" +
			"\"Soroll a \"\"Nou\"\", 1\";x;2.1686;41.3874;N-17\n;;0;-3.5;18\n",
	} {
		f := read(t, raw, columns)
		var got []byte
		for n := range f.Entries {
			got = AppendEntry(got, &f.Entries[n].Sensor)
		}
		if string(got) != want || f.Rows != 2 || len(f.Faults) > 0 {
			t.Errorf("%s: %d rows, %v\n%swant\n%s", name, f.Rows, f.Faults, got, want)
		}
	}
}

// TestRows: rows are counted as a spreadsheet counts them.
func TestRows(t *testing.T) {
	f := read(t, "Sèrie;Latitud;Longitud;Carrer\na;x;0;\"two\nlines\"\n;;;\nb;0;0;\n\nb;0;0;\nc d;0;200;\n", columns)
	if _, err := f.Examine("f.csv", "", nil, nil, nil); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, x := range f.Faults {
		got = append(got, x.String())
	}
	want := []string{
		`row 2, column "Latitud": lat: not a number such as 41.3874 or 41,3874`,
		`row 6, column "Sèrie": this id is taken in row 4; give each sensor an id of its own`,
		`row 7, column "Sèrie": id: a name has letters, digits and _ . : - only; c-d would be one`,
		`row 7, column "Longitud": lon: not on earth: lon is within -180 and 180 degrees`,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(f.Entries) != 1 || f.Entries[0].Row != 4 {
		t.Errorf("what is right is %+v", f.Entries)
	}
}

// TestRefusedFiles: what is no CSV file in UTF-8 is refused as a whole, with how to mend it.
func TestRefusedFiles(t *testing.T) {
	head := "Sèrie;Latitud;Longitud;Carrer\n"
	for raw, want := range map[string]string{
		"":                                 "f.csv: it is empty",
		mark:                               "f.csv: it is empty",
		"S\xe8rie;Latitud\n":               "f.csv, line 1: it is not UTF-8 but perhaps Latin-1; save it as CSV UTF-8",
		head + "a;0;0;Pla\xe7a\n":          "f.csv, line 2: it is not UTF-8",
		"\xff\xfeS\x00":                    "f.csv: it is UTF-16; save it as CSV UTF-8",
		"PK\x03\x04":                       "it is a spreadsheet, or another archive; export the sheet",
		head + "a\x00;;;\n":                "f.csv, line 2: it is no text",
		"a;b\rc;d\r":                       "f.csv, line 1: a line ends in CR alone",
		strings.Repeat("a", maxLine+1):     "longer than 1024 KiB",
		head + "a;0;0;\"open\nb;0;0;\n":    "f.csv, row 2: a cell in quotes that goes on behind them, or never ends",
		head + "a;0;0;say \"hello\"\n":     `f.csv, row 2: a " within a cell`,
		"Serie;Latitud;Longitud;Carrer\n":  `there is no column "Sèrie"; did you mean "Serie"?`,
		"Sèrie;Latitud;sèrie;Carrer\n":     `there is no column "Longitud"`,
		"Sèrie;Sèrie;Latitud;Longitud;C\n": `two columns are called "Sèrie"`,
		"sep=|\na|b\n":                     "f.csv, line 1: cells are separated by",
	} {
		_, err := Read("f.csv", []byte(raw), columns, quiet)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v; want %s", raw, err, want)
		}
	}
	many := head + strings.Repeat("a;0;0;\n", MaxRows+1)
	if _, err := Read("f.csv", []byte(many), columns, quiet); err == nil || !strings.Contains(err.Error(), "100000") {
		t.Errorf("too many rows: %v", err)
	}
}

// TestCells: a cell that cannot be meant is a mistake of its row and column, with how to mend it.
func TestCells(t *testing.T) {
	for key, cells := range map[string]map[string]string{
		"lat": {"41.387.400": "not a number", "1e2": "not a number", "41°23'": "without minutes", "NaN": "not a number",
			"1,2,3": "not a number", "41.3874 N": "without minutes", "0x1": "not a number"},
		"registered": {"01/12/2026": "year-month-day, such as 2026-12-01", "2026-12-01 00:00": "year-month-day",
			"2026-02-30": "year-month-day"},
		"id": {"2,41241E+15": "has rounded this number", "7.0E15": "has rounded",
			"a\u200bb":   "(U+200B) in this cell; delete",
			"Pla\ufffda": "letters of this cell were lost", "a\u0007b": "an invisible character (U+0007)"},
	} {
		for cell, want := range cells {
			f := read(t, fmt.Sprintf("C;D\n%s;x\n", cell), Columns{Map: map[string]string{key: "C"}})
			if len(f.Faults) != 1 || len(f.Entries) > 0 || !strings.HasPrefix(f.Faults[0].String(),
				`row 2, column "C": `+key+": ") || !strings.Contains(f.Faults[0].Text, want) {
				t.Errorf("%s %q: %v; want %s", key, cell, f.Faults, want)
			}
		}
	}
	f := read(t, "C;D\na;b;c\nd\n", Columns{Map: map[string]string{"id": "C"}})
	if len(f.Faults) != 2 || !strings.Contains(f.Faults[0].Text, "3 cells, and the first row has 2; a cell that holds "+
		"a semicolon goes into quotes") {
		t.Errorf("rows of another length: %v", f.Faults)
	}
}

// TestKeys: what is no key is refused, and the one that is meant is proposed.
func TestKeys(t *testing.T) {
	for key, want := range map[string]string{
		"id": "", "purpose.en": "", "map.laeq": "", "lat": "",
		"ower": "did you mean owner?", "purpose": "name it, as in purpose.en", "purpose.": "name it",
		"id.x": "write id alone", "colour": "its keys are id owner",
	} {
		err := CheckKey(key)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v; want %q", key, err, want)
		}
	}
}

// TestEveryKeyIsWritten: whatever a register has can be set from text, written, and is read again.
func TestEveryKeyIsWritten(t *testing.T) {
	for _, key := range Keys() {
		if strings.HasSuffix(key, ".") {
			key += "en"
		}
		var s register.Sensor
		ok := false
		for _, text := range []string{"x", "2026-12-01", "1"} {
			ok = ok || Set(&s, key, text) == nil
		}
		if raw := AppendEntry(nil, &s); !ok || !bytes.Contains(raw, []byte(strings.TrimSuffix(key, ".en"))) {
			t.Errorf("%s is written as %s", key, raw)
		}
	}
}

// TestTexts: whatever a cell holds is the same behind YAML.
func TestTexts(t *testing.T) {
	for _, text := range []string{"plain", "two words", "true", "No", "null", "~", "1", "01", "1e5", "2026-12-01", "#x",
		"a #b", "a: b", "a:b", `say "x"`, `C:\new\t`, "l'aigua", "- a", "{a}", "[a]", "a, b", "&a", "*a", "!a", "%a",
		"@a", "`a`", "|", ">",
		"Plaça Major · 1 € 😀", "a\u00b7b", "?", "? a", "=", "<<"} {
		s := register.Sensor{ID: "a", Owner: "o", Kind: "k", Zone: "z", Contact: text,
			Purpose: map[string]string{text: text, "en": "x"}}
		if err := Set(&s, "registered", "2026-12-01"); err != nil {
			t.Fatal(err)
		}
		raw := append([]byte("sensors:\n"), AppendEntry(nil, &s)...)
		reg, err := register.Parse("r.yaml", raw)
		if err != nil || !reflect.DeepEqual(reg.Sensors[0], s) {
			t.Errorf("%q: %v\n%s", text, err, raw)
		}
	}
}

// TestAppend: what is there stays as it is, in whatever layout entries can be added to.
func TestAppend(t *testing.T) {
	s := register.Sensor{ID: "new", Owner: "o", Kind: "k", Zone: "z"}
	if err := Set(&s, "registered", "2026-12-01"); err != nil {
		t.Fatal(err)
	}
	const a, line = "{id: a, owner: o, kind: k, zone: z, registered: 2026-01-01}",
		"- {id: new, owner: o, kind: k, zone: z, registered: 2026-12-01}"
	for raw, want := range map[string]string{
		"":                                "sensors:\n  " + line + "\n",
		"# why\n":                         "# why\nsensors:\n  " + line + "\n",
		"sensors:\n":                      "sensors:\n  " + line + "\n",
		"# - a\nsensors: []\n":            "# - a\nsensors:\n  " + line + "\n",
		"sensors:\n  - " + a + " # b\n":   "sensors:\n  - " + a + " # b\n  " + line + "\n",
		"sensors:\n- " + a:                "sensors:\n- " + a + "\n" + line + "\n",
		"sensors:\r\n    - " + a + "\r\n": "sensors:\r\n    - " + a + "\r\n    " + line + "\r\n",
		"sensors:\n  # c\n  - id: a\n    owner: o\n    kind: k\n    zone: z\n    registered: 2026-01-01\n# end\n": "" +
			"sensors:\n  # c\n  - id: a\n    owner: o\n    kind: k\n    zone: z\n    registered: 2026-01-01\n" +
			"# end\n  " + line + "\n",
	} {
		got, err := Append("r.yaml", []byte(raw), []register.Sensor{s}, os.ReadFile)
		if err != nil || string(got) != want {
			t.Errorf("%q: %v\n%q, want\n%q", raw, err, got, want)
		}
	}
	for _, raw := range []string{"sensors: [" + a + "]\n", "sensors:\n  [" + a + "]\n"} {
		if _, err := Append("r.yaml", []byte(raw), []register.Sensor{s}, os.ReadFile); err == nil {
			t.Errorf("%q is appended to", raw)
		}
	}
}

// TestLargeFleet: a fleet as large as may be takes seconds.
func TestLargeFleet(t *testing.T) {
	if testing.Short() {
		t.Skip("seconds")
	}
	raw := []byte("Sèrie;Latitud;Longitud;Carrer\n")
	for n := range MaxRows {
		raw = fmt.Appendf(raw, "n-%d;41,%04d;2,1686;Carrer Nou %d\n", n, n%10000, n)
	}
	began := time.Now()
	f, err := Read("f.csv", raw, columns, quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Log("read:", time.Since(began))
	if _, err := f.Examine("f.csv", "", nil, nil, nil); err != nil || len(f.Faults) > 0 || len(f.Entries) != MaxRows {
		t.Fatalf("%d entries, %v %v", len(f.Entries), f.Faults[:min(3, len(f.Faults))], err)
	}
	if took := time.Since(began); took > time.Minute {
		t.Errorf("it took %s", took)
	} else {
		t.Log("examined:", took)
	}
}

// FuzzSpreadsheet: no file panics; what is read is what the register reads, in the rows that it names.
func FuzzSpreadsheet(f *testing.F) {
	f.Add("Sèrie;Latitud;Longitud;Carrer\nN-17;41,3874;2,1686;\"Soroll a\n\"\"Nou\"\"\"\n")
	f.Add("Sèrie,Latitud,Longitud,Carrer\r\na,0,0,\\\r\n\r\nb,x,,#\r\n")
	f.Add("sep=\t\nSèrie\tLatitud\tLongitud\tCarrer\na\t\t\t'\n")
	f.Fuzz(func(t *testing.T, raw string) {
		if len(raw) > 1<<14 {
			return
		}
		fl, err := Read("f.csv", []byte(raw), columns, quiet)
		if err != nil {
			return
		}
		if _, err := fl.Examine("f.csv", "", nil, nil, nil); err != nil {
			t.Fatal(err)
		}
		for _, x := range fl.Faults {
			if x.Row < 2 || strings.Contains(x.Text, "f.csv: [") {
				t.Errorf("a fault that the entry's writer caused: %s", x)
			}
		}
		var list []register.Sensor
		file := []byte("sensors:\n")
		for _, e := range fl.Entries {
			list = append(list, e.Sensor)
			file = AppendEntry(file, &e.Sensor)
		}
		reg, err := register.Parse("r.yaml", file)
		if err != nil || len(list) > 0 && !reflect.DeepEqual(reg.Sensors, list) {
			t.Errorf("%v\n%s", err, file)
		}
	})
}
