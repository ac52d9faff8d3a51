package books

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// source is a book's lines, given in pages of three.
type source []string

func (s source) pages(_ context.Context, at int64) ([]string, int64, error) {
	end := min(at+3, int64(len(s)))
	return s[at:end], end, nil
}

func (s source) text() string { return strings.Join(s, "\n") + "\n" }

func chainOf(n int) (s source) {
	prev := ""
	for i := range n {
		line := fmt.Sprintf(`{"n":%d,"day":"2026-03-02","prev_sha256":%q}`, i+1, prev)
		s, prev = append(s, line), Hash(line)
	}
	return s
}

// upTo is what comes before a mark.
func upTo(s, mark string) string {
	before, _, _ := strings.Cut(s, mark)
	return before
}

// harms are what can be done to a growing file of ten lines, and what it is then.
var harms = map[string]struct {
	harm    func(string) string
	running Found // found while its writer runs
	start   Found // found at a start
}{
	"removed":              {nil, Missing, Missing},
	"emptied":              {func(string) string { return "" }, Changed, Behind},
	"cut after a line":     {func(s string) string { return upTo(s, `{"n":8`) }, Changed, Behind},
	"cut within a line":    {func(s string) string { return s[:len(s)-20] }, Changed, Behind},
	"longer by a line":     {func(s string) string { return s + "{\"n\":11}\n" }, Wrong, Wrong},
	"longer by half a one": {func(s string) string { return s + "half" }, Wrong, Wrong},
	"one letter": {func(s string) string {
		return strings.Replace(s, `"n":4,"day":"2026`, `"n":4,"day":"2027`, 1)
	}, Wrong, Wrong},
	"in its last line": {func(s string) string {
		return strings.Replace(s, `"n":10,"day":"2026`, `"n":10,"day":"2027`, 1)
	}, Wrong, Wrong},
	"a hole":             {func(s string) string { return strings.Repeat("\x00", 100) + s[100:] }, Wrong, Wrong},
	"all NUL":            {func(s string) string { return strings.Repeat("\x00", len(s)) }, Wrong, Wrong},
	"a line without end": {func(string) string { return strings.Repeat("x", 3<<20) }, Wrong, Wrong},
	"an older copy":      {func(s string) string { return upTo(s, `{"n":5`) }, Changed, Behind},
	"touched":            {func(s string) string { return s }, Changed, Right},
}

// TestGrowing: whatever is done to a growing file, while its writer runs or while it
// does not, is found, and it is what it should be after the next line.
func TestGrowing(t *testing.T) {
	ctx := context.Background()
	for what, c := range harms {
		t.Run(what, func(t *testing.T) {
			all := chainOf(11)
			dir := Dir(t.TempDir())
			path := filepath.Join(string(dir), "x.jsonl")
			g := NewGrowing(dir, "x.jsonl")
			bring := func(s source, want Found) {
				t.Helper()
				found, err := g.Bring(ctx, s.pages)
				if found != want || err != nil {
					t.Errorf("it is said to be %q (%v); want %q", found, err, want)
				}
				if raw, err := os.ReadFile(path); err != nil || string(raw) != s.text() {
					t.Errorf("the file has %d bytes (%v); want %d", len(raw), err, len(s.text()))
				}
			}
			harm := func() {
				t.Helper()
				raw, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if c.harm == nil {
					err = os.Remove(path)
				} else if err = os.WriteFile(path, []byte(c.harm(string(raw))), 0o644); err == nil {
					err = os.Chtimes(path, time.Now(), time.Now().Add(time.Second))
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			bring(all[:3], Missing)
			bring(all[:10], Right)
			bring(all[:10], Right)
			harm()
			bring(all[:10], c.running)
			bring(all[:10], Right)
			harm()
			bring(all, c.running) // with a new line on top
			bring(all, Right)
			g = NewGrowing(dir, "x.jsonl") // a start
			bring(all, Right)
			if err := os.WriteFile(path, []byte(all[:10].text()), 0o644); err != nil {
				t.Fatal(err)
			}
			harm()
			g = NewGrowing(dir, "x.jsonl")
			bring(all[:10], c.start)
		})
	}
}

// TestNoHole: a file that is cut between the look and the writing gets no hole.
func TestNoHole(t *testing.T) {
	ctx := context.Background()
	all := chainOf(10)
	dir := Dir(t.TempDir())
	g := NewGrowing(dir, "x.jsonl")
	if _, err := g.Bring(ctx, all[:5].pages); err != nil {
		t.Fatal(err)
	}
	cut := func(ctx context.Context, at int64) ([]string, int64, error) {
		if err := os.Truncate(g.path(), 0); err != nil {
			t.Fatal(err)
		}
		return all.pages(ctx, at)
	}
	if _, err := g.Bring(ctx, cut); err == nil {
		t.Error("writing behind a cut gives no error")
	}
	if _, err := g.Bring(ctx, all.pages); err != nil {
		t.Fatal(err)
	}
	if raw, err := dir.Get("x.jsonl"); string(raw) != all.text() || err != nil {
		t.Errorf("the file is %q (%v)", raw, err)
	}
}

// TestChangedMeanwhile: what is done to a file while its writer asks for new lines, of which
// there are none, is found by the next look.
func TestChangedMeanwhile(t *testing.T) {
	ctx := context.Background()
	all := chainOf(5)
	for what, run := range map[string]func(*Growing, Pages) (Found, error){
		"as it was left": func(g *Growing, harmed Pages) (Found, error) { return g.Bring(ctx, harmed) },
		"at a start": func(g *Growing, harmed Pages) (Found, error) {
			*g = *NewGrowing(g.dir, g.name)
			return g.Bring(ctx, harmed)
		},
	} {
		g := NewGrowing(Dir(t.TempDir()), "x.jsonl")
		if _, err := g.Bring(ctx, all.pages); err != nil {
			t.Fatal(err)
		}
		harmed := func(ctx context.Context, at int64) ([]string, int64, error) {
			if at == 5 { // behind the last line, so that it was read
				if err := os.WriteFile(g.path(), []byte("{}\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			return all.pages(ctx, at)
		}
		if _, err := run(g, harmed); err != nil {
			t.Fatal(what, err)
		}
		if found, err := g.Bring(ctx, all.pages); found != Wrong || err != nil {
			t.Errorf("%s: it is said to be %q (%v); want %q", what, found, err, Wrong)
		}
		if raw, err := g.dir.Get("x.jsonl"); string(raw) != all.text() || err != nil {
			t.Errorf("%s: the file is %q (%v)", what, raw, err)
		}
	}
}

// TestChangedAtOnce: a letter that is changed within the same step of the kernel's clock as
// our own writing is found.
func TestChangedAtOnce(t *testing.T) {
	ctx := context.Background()
	all := chainOf(60)
	g, s := NewGrowing(Dir(t.TempDir()), "x.jsonl"), NewShelf(Dir(t.TempDir()))
	for n := 1; n <= len(all); n++ {
		if _, err := g.Bring(ctx, all[:n].pages); err != nil {
			t.Fatal(err)
		}
		change(t, g.path())
		if found, err := g.Bring(ctx, all[:n].pages); found != Wrong || err != nil {
			t.Fatalf("line %d: the growing file is said to be %q (%v); want %q", n, found, err, Wrong)
		}
		text := []byte(all[:n].text())
		if _, err := s.Put("y.json", text); err != nil {
			t.Fatal(err)
		}
		change(t, s.path("y.json"))
		if found, err := s.Put("y.json", text); found != Changed || err != nil {
			t.Fatalf("line %d: the whole file is said to be %q (%v); want %q", n, found, err, Changed)
		}
	}
}

// TestAnothersFile: a growing file that belongs to somebody else, and that may be written, grows.
func TestAnothersFile(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can be somebody else")
	}
	ctx := context.Background()
	all := chainOf(5)
	dir := t.TempDir()
	for d := dir; d != "/" && d != os.TempDir(); d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	g := NewGrowing(Dir(dir), "x.jsonl")
	if _, err := g.Bring(ctx, all[:3].pages); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(g.path(), 0o666); err != nil {
		t.Fatal(err)
	}
	runtime.LockOSThread() // and never unlocked: the thread ends with the test
	if err := syscall.Setfsuid(65534); err != nil {
		t.Fatal(err)
	}
	found, err := g.Bring(ctx, all.pages)
	if err := syscall.Setfsuid(0); err != nil {
		t.Fatal(err)
	}
	if err != nil || found != Right {
		t.Errorf("it is said to be %q (%v)", found, err)
	}
	if raw, err := g.dir.Get("x.jsonl"); string(raw) != all.text() || err != nil {
		t.Errorf("the file is %q (%v)", raw, err)
	}
}

// change changes one letter of a file.
func change(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("#"), 3); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestLast: the end of a file of any length is found, and one that cannot be read is
// said to be torn.
func TestLast(t *testing.T) {
	long := chainOf(3000)
	for what, c := range map[string]struct {
		text string
		n    int64
		torn bool
	}{
		"empty": {"", 0, false}, "one line": {long[:1].text(), 1, false}, "many": {long.text(), 3000, false},
		"half a line more": {long.text() + `{"n":30`, 3000, false},
		"half a line":      {`{"n":1`, 0, false},
		"a long line":      {long[:2].text() + `{"n":3,"x":"` + strings.Repeat("x", 100<<10) + "\"}\n", 3, false},
		"no JSON":          {long[:2].text() + "x\n", 0, true},
		"NUL":              {long[:2].text() + strings.Repeat("\x00", 100) + "\n", 0, true},
		"a line too long":  {long[:2].text() + strings.Repeat("x", 20<<20) + "\n", 0, true},
	} {
		dir := Dir(t.TempDir())
		if err := dir.Put("x.jsonl", []byte(c.text)); err != nil {
			t.Fatal(err)
		}
		for sort, s := range map[string]Tail{"directory": dir, "mirror": served(t, dir, true),
			"mirror without ranges": served(t, dir, false)} {
			counted := &asked{of: s}
			end, err := Last(counted, "x.jsonl")
			if counted.most > 16*MaxLine {
				t.Errorf("%s, %s: %d bytes are asked for", what, sort, counted.most)
			}
			if end.N != c.n || errors.Is(err, ErrTorn) != c.torn || err != nil && !c.torn {
				t.Errorf("%s, %s: line %d, %v", what, sort, end.N, err)
			}
			if end, err := Last(s, "none.jsonl"); end.N != 0 || err != nil {
				t.Errorf("%s: a file that is not there: %v, %v", sort, end, err)
			}
		}
	}
}

// asked counts how much of a file is asked for at most.
type asked struct {
	of   Tail
	most int64
}

func (a *asked) Tail(name string, n int64) ([]byte, bool, error) {
	a.most = max(a.most, n)
	return a.of.Tail(name, n)
}

// TestShelf: a whole file that somebody has changed is written again.
func TestShelf(t *testing.T) {
	dir := Dir(t.TempDir())
	s := NewShelf(dir)
	path := filepath.Join(string(dir), "a", "b.json")
	put := func(raw string, want Found) {
		t.Helper()
		if found, err := s.Put("a/b.json", []byte(raw)); found != want || err != nil {
			t.Errorf("it is said to be %q (%v); want %q", found, err, want)
		}
		if got, err := os.ReadFile(path); string(got) != raw || err != nil {
			t.Errorf("the file is %q (%v)", got, err)
		}
	}
	put("one", Right)
	put("one", Right)
	put("two", Right)
	if err := os.WriteFile(path, []byte("owt"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, time.Now(), time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	put("two", Changed)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	put("two", Missing)
	put("two", Right)
}
