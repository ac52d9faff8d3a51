package studio

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// BenchmarkLiveUpdate is what a keystroke costs in a city of a hundred decisions: a form that is sent,
// and the page that comes back.
func BenchmarkLiveUpdate(b *testing.B) {
	s := openShared(b)
	raw, err := os.ReadFile(filepath.Join(s.o.Dir, "decisions", "2026-16-noise.yaml"))
	if err != nil {
		b.Fatal(err)
	}
	for n := range 96 {
		text := strings.NewReplacer(`"2026-16"`, fmt.Sprintf("%q", fmt.Sprintf("2027-%03d", n)),
			"stream: noise", fmt.Sprintf("stream: noise%d", n)).Replace(string(raw))
		if err := os.WriteFile(filepath.Join(s.o.Dir, "decisions", fmt.Sprintf("2027-%03d.yaml", n)), []byte(text),
			0o600); err != nil {
			b.Fatal(err)
		}
	}
	n := 0
	for b.Loop() {
		n++
		form := url.Values{"min_units": {fmt.Sprint(10 + n%50)}, "do": {"keep"}}
		if code, body := s.answer(s.request("POST", "/draft/2026-14-footfall", form.Encode())); code != 303 {
			b.Fatalf("%d %s", code, body)
		}
		if code, _ := s.answer(s.request("GET", "/draft/2026-14-footfall", "")); code != 200 {
			b.Fatal(code)
		}
	}
}
