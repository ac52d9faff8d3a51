package activation

import (
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sluice/configs/portalba"
	"sluice/gateway/config"
	"sluice/gateway/homes"
	"sluice/gateway/ingest"
	"sluice/gateway/ledger"
	"sluice/plan"
	"sluice/policy/bundle"
	"sluice/policy/rego"
	"sluice/register"
)

// rulesVerb makes this binary the rules' process.
const rulesVerb = "rules"

// TestMain lets the test binary be the rules' process.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == rulesVerb {
		if rego.Serve(os.Stdin, os.Stdout) != nil {
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// lived is a gateway that has had so many policies, one a day.
func lived(t *testing.T, versions int) *Policies {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), "test-1", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	rules := rego.NewChild(self, rulesVerb)
	t.Cleanup(func() { _, _ = rules.Close(), l.Close() })
	reg := &register.Register{Sensors: []register.Sensor{{ID: "a", Owner: "o", Kind: "wifi-counter", Zone: "rambla"}}}
	p := New(new(config.Config), l, rules, reg, func() {}, slog.New(slog.DiscardHandler))
	for n := range versions {
		files := maps.Clone(portalba.Policy())
		files["charter.yaml"] = append(fmt.Appendf(nil, "# %d\n", n), files["charter.yaml"]...)
		packed, err := files.Pack()
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Policies.Enact(t.Context(),
			ledger.Version{Digest: files.Digest(), Packed: packed, Since: monday.AddDate(0, 0, n)}, n); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

var monday = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// TestAStartDoesNotAskAboutThePast: of fifty policies those are compiled that something
// which is open may have run under, and of the others the words are known. A start with
// fifty costs little more than one with three.
func TestAStartDoesNotAskAboutThePast(t *testing.T) {
	took := map[int]time.Duration{}
	for _, many := range []int{latestVersions, 50} {
		p := lived(t, many)
		began := time.Now()
		versions, err := p.Restore(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		took[many] = time.Since(began)
		compiled := 0
		for n, v := range versions {
			if v.Past != (len(v.Streams) == 0) || len(v.Kinds) == 0 || !v.Since.Equal(monday.AddDate(0, 0, n)) {
				t.Errorf("version %d: past %v, %d streams, %d kinds, since %s", n, v.Past, len(v.Streams), len(v.Kinds),
					v.Since)
			}
			if !v.Past {
				compiled++
			}
		}
		if len(versions) != many || compiled != latestVersions || versions[many-1].Past || p.View().Versions != many ||
			len(p.View().Sets) != many || len(p.View().Homes) == 0 && len(homes.Of(p.View().Latest)) > 0 {
			t.Errorf("of %d versions %d are there, %d compiled", many, len(versions), compiled)
		}
	}
	t.Logf("3 versions after %v, 50 after %v", took[latestVersions], took[50])
	if took[50] > 8*took[latestVersions]+time.Second {
		t.Errorf("50 versions take %v, and 3 take %v", took[50], took[latestVersions])
	}
}

// TestWhatIsOpenIsCompiled: a key of its time, or a stream that was not released so far,
// keeps a version.
func TestWhatIsOpenIsCompiled(t *testing.T) {
	at := func(days int) time.Time { return monday.AddDate(0, 0, days) }
	p := &bundle.Policy{}
	p.Decisions = append(p.Decisions, bundle.Decision{})
	p.Decisions[0].Stream = &plan.Stream{ID: "s", From: at(-100), Until: at(100)}
	for name, c := range map[string]struct {
		n     need
		until time.Time
		over  bool
	}{
		"the latest":            {need{}, time.Time{}, false},
		"nothing is open":       {need{}, at(5), true},
		"an older key":          {need{held: at(4)}, at(5), false},
		"a later key":           {need{held: at(5)}, at(5), true},
		"released up to before": {need{resume: map[string]time.Time{"s": at(4)}}, at(5), false},
		"released up to then":   {need{resume: map[string]time.Time{"s": at(5)}}, at(5), true},
		"another stream":        {need{resume: map[string]time.Time{"x": at(4)}}, at(5), true},
		"it has ended":          {need{resume: map[string]time.Time{"s": at(100)}}, at(101), true},
	} {
		if got := c.n.over(p, c.until); got != c.over {
			t.Errorf("%s: over is %v", name, got)
		}
	}
	p.Decisions[0].Stream = nil
	if (need{}).over(p, at(5)) {
		t.Error("a decision that cannot be read is over")
	}
	keys := t.TempDir()
	for _, name := range []string{"w-1772712000-s.key", "e-1772625600-s-t.key", "seg-0000000000000001.key", "list",
		"w-x-s.key"} {
		if err := os.WriteFile(filepath.Join(keys, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := ingest.Oldest(keys); err != nil || got.Unix() != 1772625600 {
		t.Errorf("the oldest key is of %s, %v", got, err)
	}
	for _, none := range []string{"", filepath.Join(keys, "none")} {
		if got, err := ingest.Oldest(none); err != nil || !got.IsZero() {
			t.Errorf("without a directory: %s, %v", got, err)
		}
	}
}

// TestUntils: a motion for other gateways ends no version of ours.
func TestUntils(t *testing.T) {
	var known []ledger.Version
	for n, digest := range []string{"a", elsewhere, "b", none, "c", "d", elsewhere} {
		known = append(known, ledger.Version{Digest: digest, Since: monday.AddDate(0, 0, n)})
	}
	got := untils(known)
	for n, until := range got {
		want := time.Time{}
		switch n {
		case 0:
			want = monday.AddDate(0, 0, 2)
		case 2:
			want = monday.AddDate(0, 0, 3)
		}
		if !until.Equal(want) {
			t.Errorf("version %d is until %s; want %s", n, until, want)
		}
	}
}
