package yamldoc

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"sluice/internal/civil"
)

type listed struct {
	List []item `yaml:"list"`
}

type item struct {
	ID   string            `yaml:"id"`
	Day  civil.Date        `yaml:"day"`
	Text map[string]string `yaml:"text"`
}

func readAll(raw string) ([]item, error) {
	l, err := ReadList("x.yaml", []byte(raw), "list", 100, &listed{})
	if err != nil {
		return nil, err
	}
	out := make([]item, l.Len())
	for i := range out {
		if err := l.Decode(i, &out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// TestListIsCut: an entry is its lines, in every layout that is used.
func TestListIsCut(t *testing.T) {
	for name, raw := range map[string]string{
		"flow": "list:\n  - {id: a, day: 2026-01-01}\n  - {id: b}\n",
		"block": "# whose\n---\nlist: # all\n\n# the first\n" +
			"  - id: a\n    day: 2026-01-01\n\n# the second\n  - id: b\n",
		"no indent":    "list:\n- id: a\n  day: 2026-01-01\n- id: b",
		"dash alone":   "list:\n  -\n    id: a\n    day: 2026-01-01\n  -\n    {id: b}\n",
		"line feeds":   "list:\r\n  - id: a\r\n    day: 2026-01-01\r\n  - id: b\r\n",
		"many lines":   "list:\n  - {id: a,\n     day: 2026-01-01}\n  - {id: b}\n",
		"read whole":   "list: [{id: a, day: 2026-01-01}, {id: b}]\n",
		"read whole 2": "\"list\":\n  - {id: a, day: 2026-01-01}\n  - {id: b}\n",
	} {
		got, err := readAll(raw)
		if err != nil || len(got) != 2 || got[0].ID != "a" || got[1].ID != "b" || got[0].Day.Year != 2026 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	long := []byte("list:\n" + strings.Repeat("  -\n", 1000))
	if l, err := ReadList("x.yaml", long, "list", 100, &listed{}); err != nil || l.Len() != 101 {
		t.Errorf("a long list is not given up: %v", err)
	}
	for _, raw := range []string{"list:\n", "list: # none\n# yet", "list: []\n", "{}\n"} {
		if got, err := readAll(raw); err != nil || len(got) != 0 {
			t.Errorf("%q: %+v, %v", raw, got, err)
		}
	}
}

// TestListErrors: what is wrong in an entry has the file's line, and shows it.
func TestListErrors(t *testing.T) {
	for raw, want := range map[string]string{
		"list:\n  - {id: a}\n  - {id: 1}\n": "x.yaml: [3:10] text is wanted here; put it into quotes\n" +
			">  3 |   - {id: 1}\n                ^",
		"list:\n  - {id: a}\n\n  - id: b\n    days: 2026-01-01\n": "[5:5] unknown field \"days\"; did you mean day?\n" +
			">  5 |     days: 2026-01-01\n           ^",
		"list:\n  - {id: a, dya: 2026-01-01}\n":         "did you mean day?",
		"list:\n  - {id: a, ttex: {}}\n":                "did you mean text?",
		"list: [{id: a}, {id: 1}]\n":                    "[1:22] text is wanted",
		"list:\n  - {id: a}\nother: 1\n":                "[3:1] unknown field",
		"list:\n  - {id: a}\nlist:\n  - {id: b}\n":      "twice, in line 1",
		"list:\n  - {id: a\n  - {id: b}\n":              "[2:5] ",
		"list:\n  - [a]\n":                              "keys with values",
		"list:\n  - {id: a}\n  - {id: b}\n - {id: c}\n": "[4:",
		"list:\n  - {id: a}\n    - {id: b}\n":           "[",
		"list:\n  - {id: a}\n---\nlist:\n  - {id: b}\n": "one document",
		"list: a\n":                         "a list is wanted",
		"# \x00\nlist:\n  - {id: a}\n":      "[1:3] a control character",
		"list:\n# \x1b\n  - {id: a}\n":      "[2:3] a control character",
		"list:\n  - {id: a}\n  # \x1b\n":    "[3:5] a control character",
		"list:\n  - {id: a}\r  - {id: b}\n": "",
		"list:\n  - &a {id: a}\n":           "anchors",
		"list:\n  - {id: a}\n  - {id: \"" + strings.Repeat("x", MaxEntry) +
			"\"}\n": "[3:1] an entry of more than 16 KiB",
		"list:\n  - {id: a}\nx: 1\n" + strings.Repeat("# ......\n", MaxFile/9+1): "[3:1] a file of more than 1 MiB",
		"": "one document",
	} {
		_, err := readAll(raw)
		if err == nil && want == "" {
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) || !errors.As(err, new(*SyntaxError)) {
			t.Errorf("%.60q: %v; want %s", raw, err, want)
		}
	}
}

// FuzzList: what is cut says what the whole file says, or is refused.
func FuzzList(f *testing.F) {
	f.Add("list:\n  - {id: a, text: {en: \"x\n  - y\"}}\n  - {id: b}\n")
	f.Add("list:\n  - id: |\n      a\n\n    # no\n    day: 2026-01-01\n  - id: >-\n     b\n")
	f.Add("---\nlist:\n- id: a\n  text:\n    en: a\n      b\n-\n  id: b\n")
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := readAll(raw)
		if err != nil {
			return
		}
		var whole listed
		if err := Decode("x.yaml", []byte(raw), &whole); err != nil {
			return // the parser is stricter on files than on their parts, in places
		}
		if len(got) != len(whole.List) || len(got) > 0 && !reflect.DeepEqual(got, whole.List) {
			t.Errorf("%q: in parts %+v, whole %+v", raw, got, whole.List)
		}
	})
}
