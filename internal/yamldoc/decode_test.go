package yamldoc

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"sluice/internal/civil"
)

type sample struct {
	Text  string         `yaml:"text"`
	Whole int64          `yaml:"whole"`
	Real  float64        `yaml:"real"`
	Flag  bool           `yaml:"flag"`
	List  []string       `yaml:"list"`
	Map   map[string]int `yaml:"map"`
	Any   any            `yaml:"any"`
	Day   civil.Date     `yaml:"day"`
	In    *sample        `yaml:"in"`
}

// TestOneReading: a value is written in one way, or refused with its place.
func TestOneReading(t *testing.T) {
	for _, good := range []string{
		"whole: 10\n", "whole: -1\n", "whole: 0\n", "real: 10\n", "real: 0.5\n", "real: 1e-6\n", "real: 1E+3\n",
		"flag: true\n", "text: \"10\"\n", "text: a b\n",
		"text: |\n  two\n  lines\n", "list: [a, 'b', \"c\"]\n", "list:\n  - a\n  - b\n", "map: {a: 1, \"b\": 2}\n",
		"any: 1e3\n", "day: 2026-12-01\n", "day: \"2026-12-01\"\n",
		"in: {in: {whole: 1}}\n", "text:\n", "in:\n", "---\nwhole: 1\n", "# why\n---\nwhole: 1\n", "{}\n",
		"text: l'aigua # 1 & 2\n",
	} {
		var s sample
		if err := Decode("x.yaml", []byte(good), &s); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for bad, want := range map[string]string{
		"whole: 10.9\n": "[1:8] a whole number", "whole: 1e1\n": "[1:8] a whole number",
		"whole: \"1\"\n": "[1:8] a whole number", "whole: 010\n": "[1:8] a number is written as",
		"whole: 0x1\n": "a number is written as", "whole: 1_0\n": "a number is written as",
		"whole: +1\n": "a number is written as", "whole: 0b1\n": "a number is written as",
		"whole: 0o7\n": "a number is written as", "real: .5\n": "a number is written as",
		"real: 5.\n": "a number is written as", "real: .inf\n": "a number is written as",
		"real: .nan\n": "a number is written as", "real: \"1\"\n": "a number such as 0.5",
		"real: 1e999\n": "not a number", "whole: 9223372036854775808\n": "not a number",
		"real: 9007199254740993\n": "not a number", "any: 1_0\n": "a number is written as",
		"text: 10\n": "text is wanted", "text: true\n": "text is wanted", "flag: yes\n": "true or false",
		"flag: True\n": "true or false", "whole: !!int \"1\"\n": "tags", "text: !foo a\n": "tags",
		"text: !!binary YQ==\n": "tags", "text: &a b\n": "anchors", "text: *a\n": "anchors",
		"<<: {text: a}\n": "merge keys", "? text\n: a\n": "without ?", "%YAML 1.2\n---\ntext: a\n": "directives",
		"text: a\n---\ntext: b\n": "one document",
		"text: a\n...\n":          "one document", "text: a\ntext: b\n": "twice, in line 1",
		"\"te\\x78t\": a\ntext: b\n": "twice, in line 1", "Text: a\n": "unknown field", "nothing: 1\n": "unknown field",
		"in: {nothing: 1}\n": "[1:6] unknown field", "in: [1]\n": "keys with values", "list: a\n": "a list is wanted",
		"list: [1]\n": "text is wanted", "map: {1: 1}\n": "a key is text",
		"map: {a: b}\n": "a whole number", "day: 2026-13-01\n": "not a date", "day: [1]\n": "",
		"text: a\nlist: \xff\n": "[2:7] not UTF-8", "in:\n\twhole: 1\n": "[2:1] a tab",
		"text:\u00a0a\n": "[1:6] a blank that does not break", "text: a: b\n": "goes into quotes",
		"text: a\x00b\n":  "[1:8] a control character",
		"\ufefftext: a\n": "[1:1] a byte order mark", "a\n": "keys with values", "- a\n": "keys with values",
		"any: " + strings.Repeat("[", 40) + strings.Repeat("]", 40) + "\n": "nested too deeply",
		"any:\n" + strings.Repeat("- ", 9) + "1\n":                         "nested too deeply",
		strings.Repeat(" ", 300) + "text: a\n":                             "nested too deeply",
	} {
		var s sample
		if err := Decode("x.yaml", []byte(bad), &s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %s", bad, err, want)
		}
	}
}

// TestTheLineIsShown: an error shows the line and points at the place.
func TestTheLineIsShown(t *testing.T) {
	var s sample
	err := Decode("x.yaml", []byte("text: a\nin:\n  whole: 1.5 # half\n"), &s)
	want := "x.yaml: [3:10] a whole number such as 10 is wanted here, without quotes\n>  3 |   whole: 1.5 # half\n  " +
		"              ^"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// TestBoundsBeforeTheParser: forms that would take the parser gigabytes or minutes
// are refused, or read, in little. The bound is ten times what is measured.
func TestBoundsBeforeTheParser(t *testing.T) {
	for _, form := range []string{
		"[", "- ", "? ", "[1,", "[,,", ": ", "&a ", "{a: ", "!a ", "a: ", "{", "[{", "- [", "a: [", "'", "\"", "|\n",
		"]", "*a ", "[]", "[1],", "{},",
		"a:\n ", "- - - -\n", "%Y\n", "--- ", "- {a: 1}\n", "\"\t", "# ", "a: b\n",
	} {
		raw := []byte(strings.Repeat(form, MaxDocument/len(form)))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		began := time.Now()
		_, _ = ParseTree(raw)
		took := time.Since(began)
		runtime.ReadMemStats(&after)
		if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 300 || took > 7*time.Second {
			t.Errorf("%q: %v, %d MiB", form, took, used)
		}
	}
}
