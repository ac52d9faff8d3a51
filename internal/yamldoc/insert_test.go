package yamldoc

import (
	"errors"
	"testing"
)

func TestInsert(t *testing.T) {
	for name, c := range map[string]struct {
		raw        string
		path       []string
		key, value string
		want       string // empty for ErrInsert
	}{
		"a flow mapping": {"a: {b: 1}   # why\nz: 2\n", []string{"a"}, "c", "2", "a: {b: 1, c: 2}   # why\nz: 2\n"},
		"an empty one":   {"a: {}\n", []string{"a"}, "c", "2", "a: {c: 2}\n"},
		"a flow list":    {"a: [x,\n  y]  # z\n", []string{"a"}, "", "w", "a: [x,\n  y, w]  # z\n"},
		"accents before": {"a: {b: \"àéí\"}\n", []string{"a"}, "c", "2", "a: {b: \"àéí\", c: 2}\n"},
		"a block mapping": {"a:\n  b: 1 # one\n  # two\n\nz: 2\n", []string{"a"}, "c", "2",
			"a:\n  b: 1 # one\n  c: 2\n  # two\n\nz: 2\n"},
		"two keys": {"a:\n  b: 1\n  c:\n    - 1\nz: 2\n", []string{"a"}, "d", "2",
			"a:\n  b: 1\n  c:\n    - 1\n  d: 2\nz: 2\n"},
		"a block list":    {"a:\n- x\n- y\nz: 2\n", []string{"a"}, "", "w", "a:\n- x\n- y\n- w\nz: 2\n"},
		"a key in quotes": {"a:\n  \"1\": x\n", []string{"a"}, `"2"`, "y: 1\nz: 2", "a:\n  \"1\": x\n  \"2\":\n    y: 1\n    z: 2\n"},
		"lines": {"a:\n  b: {c: 1}", []string{"a"}, "d", "e: 1\nf: [2]\n",
			"a:\n  b: {c: 1}\n  d:\n    e: 1\n    f: [2]\n"},
		"what is missing": {"a: 1\n", []string{"n", "m"}, "k", "{x: 1}", "a: 1\nn: {m: {k: {x: 1}}}\n"},
		"half is missing": {"n:\n  o: 1\n", []string{"n", "m"}, "k", "2", "n:\n  o: 1\n  m: {k: 2}\n"},
		"there already":   {"a: {b: 1}\n", []string{"a"}, "b", "2", ""},
		"nothing there":   {"a:\nb: 1\n", []string{"a"}, "c", "2", ""},
		"lines in a flow": {"a: {b: 1}\n", []string{"a"}, "c", "d: 1\ne: 2\n", ""},
		"a list, by key":  {"a: [1]\n", []string{"a"}, "c", "2", ""},
		"a text in lines": {"a:\n  b: >-\n    some\n    text\nz: 1\n", []string{"a"}, "c", "2",
			"a:\n  b: >-\n    some\n    text\n  c: 2\nz: 1\n"},
	} {
		got, err := Insert([]byte(c.raw), c.path, c.key, c.value)
		if c.want == "" && !errors.Is(err, ErrInsert) || string(got) != c.want {
			t.Errorf("%s: %v\n%s", name, err, got)
		}
	}
}

// FuzzInsert: whatever a file holds, what is added is all that changes.
func FuzzInsert(f *testing.F) {
	for _, raw := range []string{"a: {b: 1}", "a:\n  b: 1", "a: [1]", "- 1", "a: {", "a:\n- b\n", "a: {b: 1} # }"} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		out, err := Insert(raw, []string{"a"}, "new", "{x: 1}")
		if err != nil {
			return
		}
		tree, err := ParseTree(out)
		if err != nil {
			t.Fatal(err)
		}
		if _, v := child(tree.body, "a"); v == nil {
			t.Fatalf("%q lacks it", out)
		}
	})
}
