package gateway

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/books"
	"sluice/configs/portalba"
	"sluice/gateway/activation"
	"sluice/gateway/config"
	"sluice/gateway/ledger"
	"sluice/gateway/release"
	"sluice/gateway/rollback"
	"sluice/policy/rego"
	"sluice/register"
)

// TestMain lets the test binary be the rules' process.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == RulesVerb {
		if rego.Serve(os.Stdin, os.Stdout) != nil {
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// releasing is a releaser over a state directory with a ledger of its own and the keys of
// whichever machine it is on.
func releasing(t *testing.T, keys string) (*releaser, *ledger.Ledger, *activation.Policies) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, log := t.TempDir(), slog.New(slog.DiscardHandler)
	cfg := &config.Config{Gateway: "edge-1", Dir: dir, Policy: config.Policy{Dir: filepath.Join(dir, "policy")}}
	if err := portalba.Policy().Write(cfg.Policy.Dir); err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(t.Context(), filepath.Join(dir, "ledger.db"), "edge-1", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	rules := rego.NewChild(self, RulesVerb)
	t.Cleanup(func() { _, _ = rules.Close(), l.Close() })
	p := activation.New(cfg, l, rules, new(register.Register), func() {}, log)
	if _, err := p.Restore(t.Context(), ""); err != nil || !p.View().Running() {
		t.Fatalf("no policy is in force: %v, %v", err, p.View().Problem)
	}
	r := &releaser{log: log, publish: release.NewPublisher(l, false), policies: p, changed: func() {}}
	r.guard = rollback.New(rollback.State{
		Config: cfg, Ledger: l, Public: books.Dir(filepath.Join(dir, "public")), Keys: keys, Policy: p,
	}, &r.stalled, func() {}, log)
	return r, l, p
}

// TestAnOlderDirectoryReleasesNothing: a window is tried again and again, and why is said,
// while the state directory is not the latest; in the latest one it is released at once.
func TestAnOlderDirectoryReleasesNothing(t *testing.T) {
	keys, at := t.TempDir(), time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC)
	latest, l, p := releasing(t, keys)
	latest.guard.SaveHead(t.Context()) // of a new directory
	stream := p.View().Current.Streams[0]
	cells := make([]release.Sums, len(stream.Cells)) // of an hour in which nobody came
	for n := range cells {
		cells[n] = release.NewSums(stream)
	}
	batch := release.NewBatch(stream, p.View().Current.Digest, at, at.Add(time.Hour), cells, "")
	if err := latest.one(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	if has, err := l.Journal.Has(t.Context(), stream.ID, at); err != nil || !has || latest.problem() != "" {
		t.Errorf("the latest directory has released it: %v, %v; %q", has, err, latest.problem())
	}

	older, l, _ := releasing(t, keys) // finds the head of the one that has released
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- older.one(ctx, batch) }()
	for older.problem() == "" && len(ended) == 0 { // the test's own deadline ends it
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-ended; err == nil {
		t.Error("an older directory has released a window")
	}
	if has, err := l.Journal.Has(t.Context(), stream.ID, at); err != nil || has {
		t.Errorf("an older directory has released it: %v, %v", has, err)
	}
	if why := older.problem(); !strings.Contains(why, "a window cannot be released: ") ||
		!strings.Contains(why, "sluice ledger recover") {
		t.Errorf("it says %q", why)
	}
}
