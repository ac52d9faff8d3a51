package books

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// chain makes n lines of about 100 bytes that follow from each other.
func chain(n int) []string {
	var list []string
	prev := ""
	for i := range n {
		raw, _ := json.Marshal(map[string]any{"n": i + 1, "prev_sha256": prev, "x": strings.Repeat("x", 20)})
		list = append(list, string(raw))
		prev = Hash(string(raw))
	}
	return list
}

// TestEndOf: the end of a copy is found without the rest, and a broken one is known,
// in a directory, behind a server that sends parts, and behind one that does not.
func TestEndOf(t *testing.T) {
	long := chain(5000)
	text := strings.Join(long, "\n") + "\n"
	lines := strings.SplitAfter(text, "\n")
	whole := func(n int) End { return End{N: int64(n), SHA256: Hash(long[n-1])} }
	cases := map[string]struct {
		text   string
		want   End
		broken bool
	}{
		"none":                     {"", End{}, false},
		"one":                      {lines[0], whole(1), false},
		"two":                      {lines[0] + lines[1], whole(2), false},
		"many":                     {text, whole(5000), false},
		"the half of a line":       {text + `{"n":5001,"pr`, whole(5000), false},
		"a half, of one":           {`{"n":1`, End{}, false},
		"cut in the last line":     {text[:len(text)-10], whole(4999), false},
		"the last garbled":         {text[:len(text)-60] + "?" + text[len(text)-59:], End{}, true},
		"the last but one garbled": {text[:len(text)-220] + "?" + text[len(text)-219:], End{}, true},
		"one taken out":            {strings.Join(lines[:4998], "") + lines[4999], End{}, true},
		"a hole of zeros":          {strings.Repeat("\x00", 3000) + lines[10], End{}, true},
		"no line for 300 KiB":      {strings.Repeat("x", 300<<10) + "\n", End{}, true},
		"the first taken out":      {lines[1], End{}, false},
	}
	cases["the first taken out"] = struct {
		text   string
		want   End
		broken bool
	}{lines[1], whole(2), false} // its number is what counts: it is ahead
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "ledger.jsonl"), []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
			parts := httptest.NewServer(http.FileServer(http.Dir(dir)))
			defer parts.Close()
			wholes := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(c.text)) }))
			defer wholes.Close()
			for place, s := range map[string]Tailer{"directory": Dir(dir), "parts": NewMirror(parts.URL), "wholes": NewMirror(wholes.URL)} {
				got, err := EndOf(s, "ledger.jsonl")
				if errors.Is(err, ErrBroken) != c.broken || err != nil && !c.broken || got != c.want {
					t.Errorf("%s: %v, %v", place, got, err)
				}
			}
		})
	}
	if end, err := EndOf(Dir(t.TempDir()), "ledger.jsonl"); err != nil || end != (End{}) {
		t.Errorf("no file gives %v, %v", end, err)
	}
}
