package decision

import (
	"strings"
	"testing"
)

func TestTidy(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"a: 1\n", "a: 1\n"},
		{"a: 1   \r\n\r\n\r\n#note\nb: 2", "a: 1\n\n# note\nb: 2\n"},
		{"# top\na: [1, 2] # why\n", "# top\na: [1, 2] # why\n"},
		{"a: |\n  one  \n\n\n  two\nb: 2\n", "a: |\n  one  \n\n\n  two\nb: 2\n"},
	} {
		got, err := Tidy([]byte(c.in))
		if err != nil || string(got) != c.want {
			t.Errorf("%q becomes %q (%v); want %q", c.in, got, err, c.want)
		}
		again, err := Tidy(got)
		if err != nil || string(again) != string(got) {
			t.Errorf("%q is not stable: %q", got, again)
		}
	}
	for _, bad := range []string{"a: [", "a: &x 1", "a: 1\n---\nb: 2\n", ""} {
		if _, err := Tidy([]byte(bad)); err == nil {
			t.Errorf("%q is laid out", bad)
		}
	}
}

func TestAt(t *testing.T) {
	text := "a: 1\nb:\n  c: [x, {d: 5}]\n  e:\n    - f: 1\n    - g: 2\n"
	tree, err := ParseTree([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]Position{
		"a": {1, 4}, "b": {2, 1}, "b/c": {3, 6}, "b/c/0": {3, 7}, "b/c/1/d": {3, 14}, "b/e/1/g": {6, 10}, "b/nothing": {2, 1}, "nothing": {1, 2},
	} {
		got := tree.At(strings.Split(path, "/"), false)
		if path == "nothing" {
			continue // anywhere at the top will do
		}
		if got != want {
			t.Errorf("%s is at %v; want %v", path, got, want)
		}
	}
}

// FuzzTidy: laying a file out never changes what it says.
func FuzzTidy(f *testing.F) {
	seeds(f)
	f.Add([]byte("a: |+\n  x\n\n\nb: 'it''s'\n"))
	f.Add([]byte("a: \"x\\n  y\"   # c\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		out, err := Tidy(raw)
		if err != nil {
			return
		}
		a, errA := value(raw)
		b, errB := value(out)
		if errA != nil || errB != nil || string(a) != string(b) {
			t.Errorf("%q says %s (%v), %q says %s (%v)", raw, a, errA, out, b, errB)
		}
	})
}
