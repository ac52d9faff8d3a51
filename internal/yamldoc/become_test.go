package yamldoc

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const desk = `# A decision.
decision: "1"   # its number
title: {en: "Noise", ca: 'Soroll'}
zones: [a, b,   # the old town
  c]
unit:
  # why
  none: nobody
protect:
  epsilon: 1    # per day
  delta: 1e-6
measures:
  # the first
  - name: level
    between: [20, 140]   # decibels
  - {name: top, limits: [{value: 65, title: {en: x}}]}
  - {name: low}
text: |
  two
  lines

last: 2026-01-01  # a Thursday`

// TestSet: one value changes, and no other byte; comments of what goes stay above it.
func TestSet(t *testing.T) {
	for _, c := range []struct {
		path     string
		put      any
		old, new string
	}{
		{"protect/epsilon", json.Number("0.5"), "epsilon: 1 ", "epsilon: 0.5 "},
		{"title/en", "Noise: 2", `"Noise"`, `"Noise: 2"`},
		{"title/ca", "Sorolls", `'Soroll'`, `"Sorolls"`},
		{"title/es", "Ruido", `'Soroll'}`, `'Soroll', es: Ruido}`},
		{"title/en", nil, `{en: "Noise", ca`, `{ca`},
		{"decision", "2", `"1"`, `"2"`},
		{"protect/delta", nil, "  delta: 1e-6\n", ""},
		{"protect/epsilon", nil, "  epsilon: 1    # per day\n", "  # per day\n"},
		{"protect/floor", "noisy", "  delta: 1e-6\n", "  delta: 1e-6\n  floor: noisy\n"},
		{"zones", []any{"a"}, "zones: [a, b,   # the old town\n  c]", "# the old town\nzones: [a]"},
		{"zones/3", "no", "c]", `c, "no"]`},
		{"measures/0/between/1", json.Number("130"), "140]", "130]"},
		{"measures/1/limits/0/title/ca", "z", "{en: x}", "{en: x, ca: z}"},
		{"measures/2", nil, "  - {name: low}\n", ""},
		{"measures/0", nil, "  - name: level\n    between: [20, 140]   # decibels\n", "  # decibels\n"},
		{"measures/0/name", nil, "- name: level\n    between", "- between"},
		{"measures/3", Pairs{{"name", "new"}, {"of", "count()"}}, "{name: low}\n",
			"{name: low}\n  - {name: new, of: \"count()\"}\n"},
		{"text", "one", "text: |\n  two\n  lines\n", "text: one\n"},
		{"last", "2026-01-02", "2026-01-01  #", "2026-01-02  #"},
		{"more", []any{}, "# a Thursday", "# a Thursday\nmore: []"},
		{"unit", Pairs{{"field", "device"}, {"stands_for", "device"}},
			"unit:\n  # why\n  none: nobody\n",
			"unit:\n  # why\n  field: device\n  stands_for: device\n"},
		{"title", Pairs{{"none", "why " + strings.Repeat("x", 60)}, {"more", strings.Repeat("y", 40)}},
			`title: {en: "Noise", ca: 'Soroll'}`, "title:\n  none: \"why " + strings.Repeat("x", 60) + "\"\n  more: " +
				strings.Repeat("y", 40)},
		{"unit/none", Pairs{{"en", "nobody"}}, "none: nobody", "none: {en: nobody}"},
		{"protect", "none", "protect:\n  epsilon: 1    # per day\n  delta: 1e-6\n", "# per day\nprotect: none\n"},
		{"decision", Pairs{{"a", []any{Pairs{{"b", "c"}}}}}, `decision: "1"`, "decision: {a: [{b: c}]}"},
	} {
		got, err := Set([]byte(desk), c.put, strings.Split(c.path, "/")...)
		if want := strings.Replace(desk, c.old, c.new, 1); err != nil || want == desk || string(got) != want {
			t.Errorf("%s: %v\n%s", c.path, err, got)
		}
	}
}

// drawn is some value.
func drawn(t *rapid.T, depth int) any {
	kind := rapid.IntRange(0, 7).Draw(t, "kind")
	switch {
	case kind == 6 && depth > 0:
		var out Pairs
		keys := rapid.SampledFrom([]string{"en", "ca", "name", "of", "no", "a b", "é"})
		for _, k := range rapid.SliceOfNDistinct(keys, 0, 4, rapid.ID).Draw(t, "keys") {
			out = append(out, Pair{k, drawn(t, depth-1)})
		}
		return out
	case kind == 7 && depth > 0:
		out := []any{}
		for range rapid.IntRange(0, 4).Draw(t, "entries") {
			out = append(out, drawn(t, depth-1))
		}
		return out
	case kind == 0:
		return rapid.Bool().Draw(t, "bool")
	case kind == 1:
		return rapid.Int64Range(-1e9, 1e9).Draw(t, "whole")
	case kind == 2:
		return json.Number(rapid.SampledFrom([]string{"1e-6", "0.25", "-3.5", "10"}).Draw(t, "number"))
	}
	return rapid.OneOf(rapid.SampledFrom([]string{
		"", "true", "1", "~", "a: b", "x # y", "- z", "{", "2026-01-01", "PT1H",
		"«à»", "a\nb", " a ", "null", "'", `"\`, "@", "#", "a\u00a0b", "a\u202fb", "\ufeff"}),
		rapid.StringMatching(`[ -~àéñ€]{0,90}`)).Draw(t, "text")
}

// places are the ways to all values of a file.
func places(v any, at []string) (list [][]string) {
	switch v := v.(type) {
	case Pairs:
		for _, p := range v {
			list = append(list, places(p.Value, append(slices.Clone(at), p.Key))...)
		}
		list = append(list, append(slices.Clone(at), "more"))
	case []any:
		for i, x := range v {
			list = append(list, places(x, append(slices.Clone(at), strconv.Itoa(i)))...)
		}
	}
	if len(at) > 0 {
		list = append(list, at)
	}
	return list
}

// TestPath: a place leads back to the value that stands there, and a place within it to it.
func TestPath(t *testing.T) {
	tree, err := ParseTree([]byte(desk))
	if err != nil {
		t.Fatal(err)
	}
	says, err := tree.Ordered()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range places(says, nil) {
		if In(says, path...) == nil {
			continue
		}
		at := tree.At(path, false)
		got := tree.Path(at)
		if n := len(path); len(got) < n || !slices.Equal(got[:n], path) && tree.At(got, false) != at {
			t.Errorf("%v is at %v, where there is %v", path, at, got)
		}
	}
	if got := tree.Path(Position{3, 12}); !slices.Equal(got, []string{"title", "en"}) {
		t.Errorf("within the title is %v", got)
	}
}

// FuzzSet: whatever a file is, a value is put into it, or it is refused; what comes out says what was
// put, and has each comment.
func FuzzSet(f *testing.F) {
	f.Add([]byte(desk), uint8(3), "x: y")
	f.Add([]byte("a: |\n  b\n\n\n# c\nd:\n- e # f\n- - g\n"), uint8(2), "")
	f.Add([]byte("-\r++"), uint8(126), "0")
	f.Add([]byte("{a: [b, {c: 'd'''}], \"e\": }"), uint8(1), "\n")
	f.Fuzz(func(t *testing.T, raw []byte, n uint8, put string) {
		before, err := readText(strings.ReplaceAll(string(raw), "\r\n", "\n"))
		if err != nil {
			return
		}
		says, err := ordered(before.body)
		if err != nil {
			return
		}
		list := places(says, nil)
		if len(list) == 0 {
			return
		}
		path := list[int(n)%len(list)]
		got, err := Set(raw, put, path...)
		if err != nil {
			return
		}
		after, err := readText(string(got))
		if err != nil {
			t.Fatalf("%q: %v", got, err)
		}
		if now, err := ordered(after.body); err != nil || In(now, path...) != put || after.keeps(before) != nil {
			t.Errorf("%v of %q in\n%s\nis\n%s\n%v", path, put, raw, got, err)
		}
	})
}

// TestBecome: however a file is changed, it says what is wanted, no comment is lost, and what comes
// before the change is as it was. What cannot be done is refused.
func TestBecome(t *testing.T) {
	files := []string{desk}
	names, err := filepath.Glob("../../configs/portalba/policy/*/*.yaml")
	if err != nil || len(names) < 4 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, string(raw))
	}
	refused, done := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		raw := []byte(rapid.SampledFrom(files).Draw(t, "file"))
		for range rapid.IntRange(1, 6).Draw(t, "changes") {
			before, err := readText(string(raw))
			if err != nil {
				t.Fatal(err)
			}
			says, err := ordered(before.body)
			if err != nil {
				t.Fatal(err)
			}
			path := rapid.SampledFrom(places(says, nil)).Draw(t, "place")
			var put any
			if rapid.IntRange(0, 3).Draw(t, "out") > 0 {
				put = drawn(t, 2)
			}
			want, err := With(says, put, path...)
			if err != nil {
				continue // a list has no such entry
			}
			if p, ok := want.(Pairs); !ok || len(p) == 0 {
				continue
			}
			done++
			got, err := Become(raw, want)
			if err != nil {
				if refused++; !errors.Is(err, errSpan) {
					t.Fatalf("%v of %v: %v\n%s", path, put, err, raw)
				}
				continue
			}
			after, err := readText(string(got))
			if err != nil {
				t.Fatalf("%v of %v: %v\n%s", path, put, err, got)
			}
			if now, err := ordered(after.body); err != nil || !Same(now, want) {
				t.Fatalf("%v of %v says %v, %v\n%s", path, put, now, err, got)
			}
			if err := after.keeps(before); err != nil {
				t.Fatalf("%v of %v lost a comment\n%s", path, put, got)
			}
			raw = got
		}
	})
	if refused*50 > done {
		t.Errorf("%d of %d changes were refused", refused, done)
	}
}
