package policy

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/configs/portalba"
	"sluice/test/harness"
)

// mutate is one of the things that may happen to a file on its way. Nests of
// brackets are left to those tests that bound them.
func mutate(r *rand.Rand, raw []byte) []byte {
	raw = append([]byte(nil), raw...)
	at := r.IntN(len(raw) + 1)
	switch r.IntN(8) {
	case 0:
		return raw[:at]
	case 1:
		for range 1 + r.IntN(8) {
			if len(raw) > 0 {
				raw[r.IntN(len(raw))] ^= 1 << r.IntN(8)
			}
		}
		return raw
	case 2: // a value that is none
		values := regexp.MustCompile(`: *[^\n,{}\[\]]+`).FindAllIndex(raw, -1)
		if len(values) == 0 {
			return []byte("null")
		}
		v := values[r.IntN(len(values))]
		return append(append(append([]byte(nil), raw[:v[0]]...), ": null"...), raw[v[1]:]...)
	case 3: // an element that is none
		opens := regexp.MustCompile(`\{`).FindAllIndex(raw, -1)
		if len(opens) == 0 {
			return []byte("[null]")
		}
		o := opens[r.IntN(len(opens))][0]
		return append(append(append([]byte(nil), raw[:o]...), "null, "...), raw[o:]...)
	case 4: // much of one line
		return append(append(append([]byte(nil), raw[:at]...), strings.Repeat("x", 100_000)...), raw[at:]...)
	case 5: // another sort of document
		return []byte([]string{"null", "[]", "{}", "0", `""`, "- - 1", "---\n---\n", "\xff\xfe", "~: ~"}[r.IntN(9)])
	case 6: // a stretch twice
		to := min(len(raw), at+r.IntN(200))
		return append(append(append([]byte(nil), raw[:to]...), raw[at:to]...), raw[to:]...)
	}
	return append(append(append([]byte(nil), raw[:at]...), 0, '\r', 0x1b, 0x85), raw[at:]...)
}

// TestMutantsAreRefused changes each file that a verb reads from somebody else, in
// random ways; the seed is printed.
func TestMutantsAreRefused(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	files := portalba.Policy()
	names := []string{"charter.yaml", "council.yaml", "kinds.yaml", "zones.geojson", "suspended.yaml"}
	for name := range files {
		if strings.HasPrefix(name, "decisions/") || strings.HasPrefix(name, "rules/charter") {
			names = append(names, name)
		}
	}
	if files["suspended.yaml"] == nil {
		files["suspended.yaml"] = []byte(
			"suspended:\n  - {decision: 2026-14, reason: \"a sensor was tampered with\", since: 2026-11-01}\n")
	}
	for i, name := range names {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, uint64(i)))
			dir := t.TempDir()
			if err := files.Write(dir); err != nil {
				t.Fatal(err)
			}
			for n := range 4 {
				raw := mutate(r, files[name])
				harness.Write(t, filepath.Join(dir, filepath.FromSlash(name)), string(raw))
				harness.Judged(t, fmt.Sprintf("%s, mutant %d", name, n), raw, "policy", "check", dir)
			}
		})
	}
}

// TestMutantMotions does the same to a motion that was enacted.
func TestMutantMotions(t *testing.T) {
	t.Parallel()
	_, a, inbox := harness.Voted(t, 0)
	a.Enact("founding", inbox, harness.Members[:4]...)
	good := []byte(harness.Read(t, filepath.Join(inbox, "founding.sluice")))
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	dir := a.Path("other", "motions", "founding")
	harness.Write(t, filepath.Join(filepath.Dir(filepath.Dir(dir)), "council.yaml"),
		harness.Read(t, a.Path("council.yaml")))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "founding.sluice")
	for n := range 24 {
		raw := mutate(r, good)
		harness.Write(t, path, string(raw))
		harness.Judged(t, fmt.Sprintf("mutant %d", n), raw, "motion", "show", "--dir", filepath.Dir(filepath.Dir(dir)))
	}
}
