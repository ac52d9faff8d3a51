package gateway

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/gateway/activation"
	"sluice/gateway/admin"
	"sluice/gateway/config"
	"sluice/gateway/ledger"
	"sluice/plan"
	"sluice/policy/bundle"
	"sluice/policy/compile"
	"sluice/policy/rego"
	"sluice/register"
)

// TestNothingInForce: a policy whose decisions are all over, or all to come, is said.
func TestNothingInForce(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		from, until int // months from now
		want        string
	}{"in force": {-1, 1, ""}, "over": {-2, -1, "past its last day"}, "to come": {1, 2, "in force yet"}} {
		set := &compile.Set{Policy: &bundle.Policy{},
			Streams: []*plan.Stream{{From: now.AddDate(0, c.from, 0), Until: now.AddDate(0, c.until, 0)}}}
		if said := outOfTime(set, now); (said == "") != (c.want == "") || !strings.Contains(said, c.want) {
			t.Errorf("%s: it says %q", name, said)
		}
	}
}

// beforeMotions is what is in force at the first start of a gateway that takes motions.
func beforeMotions(t *testing.T) *activation.View {
	t.Helper()
	dir := t.TempDir()
	l, err := ledger.Open(t.Context(), filepath.Join(dir, "ledger.db"), "edge-1", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	cfg := &config.Config{Gateway: "edge-1", Dir: dir, Policy: config.Policy{Inbox: filepath.Join(dir, "inbox")}}
	p := activation.New(cfg, l, nil, new(register.Register), func() {}, slog.New(slog.DiscardHandler))
	if _, err := p.Restore(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	return p.View()
}

// TestNoPolicyInForce: the first policy or motion is waited for, by the words that the admin
// interface takes for waiting; one that was taken away is not.
func TestNoPolicyInForce(t *testing.T) {
	if said := string(rego.NoPolicy) + ": " + activation.FirstWaits; said != admin.MotionWaits {
		t.Errorf("of a motion that waits it is said %q, which admin does not know", said)
	}
	_, empty := compile.Files(t.Context(), nil, nil)
	before := &compile.Set{Policy: &bundle.Policy{}}
	for want, views := range map[string][]*activation.View{
		admin.NoPolicyYet: {{}, {Problem: empty}},
		admin.NoMotionYet: {beforeMotions(t)},
		takenAway:         {{Latest: before}, {Latest: before, Problem: empty}},
	} {
		for _, v := range views {
			if said := policyCheck(v, "edge-1", time.Time{}); said != want {
				t.Errorf("of %v, %v it says %q; want %q", v.Latest, v.Problem, said, want)
			}
		}
	}
}
