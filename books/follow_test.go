package books

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestFollower reads a growing file from a directory, from servers that know ranges and
// that do not, and from another source: each line once, and all anew when it is another.
func TestFollower(t *testing.T) {
	for what, source := range map[string]func(t *testing.T, d Dir) Source{
		"directory": func(_ *testing.T, d Dir) Source { return d },
		"mirror":    func(t *testing.T, d Dir) Source { return mirrored(t, http.FileServer(http.Dir(string(d)))) },
		"no ranges": func(t *testing.T, d Dir) Source {
			return mirrored(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				raw, err := d.Get(strings.TrimPrefix(r.URL.Path, "/"))
				if err != nil {
					http.NotFound(w, r)
					return
				}
				_, _ = w.Write(raw)
			}))
		},
		"another": func(_ *testing.T, d Dir) Source { return other{d} },
	} {
		dir := Dir(t.TempDir())
		f := NewFollower(source(t, dir), "releases.jsonl")
		begun, fails := 0, false
		var got []string
		step := func(after, content string, fail bool, want ...string) {
			t.Helper()
			if content != "" {
				if err := dir.Put("releases.jsonl", []byte(content)); err != nil {
					t.Fatal(err)
				}
			}
			got, fails = nil, fail
			err := f.Next(func() { begun++; got = nil }, func(line string) error {
				if fails && line == "3" {
					return fmt.Errorf("not now")
				}
				got = append(got, line)
				return nil
			})
			if (err != nil) != fail || !slices.Equal(got, want) {
				t.Errorf("%s: %s: got %v (%v); want %v", what, after, got, err, want)
			}
		}
		step("no file", "", false)
		step("two and a half", "1\n2\n3", false, "1", "2")
		step("nothing new", "", false)
		step("one that fails", "1\n2\n3\n4\n", true)
		step("and then does not", "", false, "3", "4")
		if begun != 1 {
			t.Errorf("%s: it began %d times", what, begun)
		}
		step("another last line", "1\n2\n3\nx\n5\n", false, "1", "2", "3", "x", "5")
		step("shorter", "1\n", false, "1")
		step("longer again", "1\n2\n", false, "2")
		if begun != 3 {
			t.Errorf("%s: it began %d times; want 3", what, begun)
		}
	}
}

type other struct{ d Dir }

func (o other) Get(name string) ([]byte, error) { return o.d.Get(name) }

func mirrored(t *testing.T, h http.Handler) *Mirror {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return NewMirror(s.URL)
}

// TestFollowerStat reads a directory's file only when it has changed.
func TestFollowerStat(t *testing.T) {
	dir := Dir(t.TempDir())
	if err := dir.Put("releases.jsonl", []byte(strings.Repeat("line\n", 1000))); err != nil {
		t.Fatal(err)
	}
	f := NewFollower(dir, "releases.jsonl")
	none := func(string) error { return nil }
	if err := f.Next(func() {}, none); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	for range 10_000 {
		if err := f.Next(func() { t.Error("it is read again") }, none); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%s for each look", time.Since(begun)/10_000)
}
