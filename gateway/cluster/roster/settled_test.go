package roster

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/policy/ballot"
)

// TestSettled: a roster and its signature are replaced one after the other, in whichever order, and who reads in
// between waits for the second; what does not belong together for longer is refused, at once where it is old.
func TestSettled(t *testing.T) {
	dir := t.TempDir()
	file, allowed := filepath.Join(dir, "roster.yaml"), filepath.Join(dir, "signers")
	private, line := pair(t, "operator")
	write(t, allowed, "operator "+line+"\n")
	first := sample(t)
	texts := []string{first, strings.Replace(first, "version: 1", "version: 2", 1)}
	if texts[1] == first {
		t.Fatal("both are one")
	}
	put := func(n int, ext string) {
		t.Helper()
		text := texts[n]
		if ext == ".sig" {
			sig, err := ballot.Sign(private, []byte(text), Namespace)
			if err != nil {
				t.Fatal(err)
			}
			text = string(sig.File())
		}
		write(t, file+ext, text)
	}
	for _, order := range [][]string{{"", ".sig"}, {".sig", ""}} {
		put(0, "")
		put(0, ".sig")
		put(1, order[0])
		go func() {
			time.Sleep(settles / 10)
			put(1, order[1])
		}()
		_, r, by, err := Settled(t.Context(), file, allowed)
		if err != nil || r.Version != 2 || by != "operator" {
			t.Fatalf("%q first: %+v by %q: %v", order[0], r, by, err)
		}
	}
	put(0, "")
	begun := time.Now()
	if _, _, _, err := Settled(t.Context(), file, allowed); err == nil || time.Since(begun) < settles/2 {
		t.Errorf("after %s: %v", time.Since(begun), err)
	}
	old := time.Now().Add(-time.Hour)
	for _, name := range []string{file, file + ".sig"} {
		if err := os.Chtimes(name, old, old); err != nil {
			t.Fatal(err)
		}
	}
	begun = time.Now()
	if _, _, _, err := Settled(t.Context(), file, allowed); err == nil || time.Since(begun) > settles/2 ||
		!strings.Contains(err.Error(), allowed) {
		t.Errorf("after %s: %v", time.Since(begun), err)
	}
}
