package yamldoc

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTidy(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"a: 1\n", "a: 1\n"},
		{"a: 1   \r\n\r\n\r\n#note\nb: 2", "a: 1\n\n# note\nb: 2\n"},
		{"# top\na: [1, 2] # why\n", "# top\na: [1, 2] # why\n"},
		{"a:   1\nb:    [x,y ,  z]\nc: {d:  1,e: 2 }\n", "a: 1\nb: [x, y, z]\nc: {d: 1, e: 2}\n"},
		{"a:\n          b: 1\n          c:\n             - d\n             -   {e: 1,f: [ 2 ]}\n",
			"a:\n  b: 1\n  c:\n    - d\n    - {e: 1, f: [2]}\n"},
		{"a:\n   # of b\n   b: 1      # why\n   c: |\n      x  y\n       z\n   d: 2\n",
			"a:\n  # of b\n  b: 1       # why\n  c: |\n     x  y\n      z\n  d: 2\n"},
		{"a: [b,\n    c]\nd: \"x,y  :  z\"\ne: it's  two\nf: 'a ''b,c'\n",
			"a: [b,\n    c]\nd: \"x,y  :  z\"\ne: it's  two\nf: 'a ''b,c'\n"},
		{"a:\n- b: 1\n  c: 2\n-   b: 3\n    c: 4\n", "a:\n- b: 1\n  c: 2\n- b: 3\n  c: 4\n"},
		{"keep:    [track,class]\n", "keep: [track, class]\n"},
		{"a: http://x/y\nb: 10:30\nc: {d: 'x', e: \"y\"}\n", "a: http://x/y\nb: 10:30\nc: {d: 'x', e: \"y\"}\n"},
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
		"a": {1, 4}, "b": {2, 1}, "b/c": {3, 6}, "b/c/0": {3, 7}, "b/c/1/d": {3, 14}, "b/e/1/g": {6, 10},
		"b/nothing": {2, 1}, "nothing": {1, 2},
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
	files, err := filepath.Glob("../../configs/portalba/policy/*.yaml")
	if err != nil || len(files) == 0 {
		f.Fatal("no files to begin with", err)
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte("a: |+\n  x\n\n\nb: 'it''s'\n"))
	f.Add([]byte("a: \"x\\n  y\"   # c\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		out, err := Tidy(raw)
		if err != nil {
			return
		}
		if again, err := Tidy(out); err != nil || string(again) != string(out) {
			t.Errorf("%q becomes %q, and that %q (%v)", raw, out, again, err)
		}
		a, errA := value(raw)
		b, errB := value(out)
		if errA != nil || errB != nil || string(a) != string(b) {
			t.Errorf("%q says %s (%v), %q says %s (%v)", raw, a, errA, out, b, errB)
		}
	})
}

// TestTidyIsSteady: of files as people leave them, what they say stays, a second time
// changes nothing, no comment is lost, and the example city's are as they should be. The
// mutations are drawn from a fixed seed.
func TestTidyIsSteady(t *testing.T) {
	names, err := filepath.Glob("../../configs/portalba/policy/decisions/*.yaml")
	if err != nil || len(names) < 4 {
		t.Fatal(names, err)
	}
	r, tried := rand.New(rand.NewPCG(3, 8)), 0
	for _, name := range append(names, "../../configs/portalba/policy/charter.yaml",
		"../../configs/portalba/policy/council.yaml", "../../configs/portalba/policy/kinds.yaml") {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if out, err := Tidy(raw); err != nil || string(out) != string(raw) {
			t.Errorf("%s is not as usual: %v\n%s", name, err, out)
		}
		for range 200 {
			text := loosened(r, string(raw))
			out, err := Tidy([]byte(text))
			if err != nil {
				continue // a blank that meant something
			}
			tried++
			before, _ := value([]byte(text))
			after, _ := value(out)
			again, err := Tidy(out)
			if string(before) != string(after) || err != nil || string(again) != string(out) ||
				strings.Count(text, "#") != strings.Count(string(out), "#") {
				t.Fatalf("%q becomes %q, and that %q (%v)", text, out, again, err)
			}
		}
	}
	if tried < 700 {
		t.Errorf("%d files were tried; want more", tried)
	}
}

// loosened is a file with blanks where they mean nothing, most of the time.
func loosened(r *rand.Rand, text string) string {
	for range 1 + r.IntN(8) {
		i := r.IntN(len(text))
		if at := strings.IndexAny(text[i:], ",:[]{}-\n"); at >= 0 {
			i += at
			switch r.IntN(3) {
			case 0:
				text = text[:i] + " " + text[i:]
			case 1:
				text = text[:i+1] + "  " + text[i+1:]
			default:
				if text[i] == ',' {
					text = text[:i+1] + strings.TrimLeft(text[i+1:], " ")
				}
			}
		}
	}
	return text
}
