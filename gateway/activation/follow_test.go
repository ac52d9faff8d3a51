package activation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"sluice/configs/portalba"
	"sluice/gateway/config"
	"sluice/gateway/ingest"
	"sluice/gateway/ledger"
	"sluice/policy/rego"
	"sluice/register"
)

// common is a log of books in memory.
type common struct {
	mu     sync.Mutex
	bodies [][]byte
}

func (c *common) Append(_ context.Context, after uint64, body []byte) (uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if int(after) != len(c.bodies) {
		return 0, ledger.ErrOvertaken
	}
	c.bodies = append(c.bodies, slices.Clone(body))
	return uint64(len(c.bodies)), nil
}

func (c *common) Each(_ context.Context, after uint64, f func(uint64, []byte) error) error {
	c.mu.Lock()
	bodies := slices.Clone(c.bodies)
	c.mu.Unlock()
	for n := int(after); n < len(bodies); n++ {
		if err := f(uint64(n+1), bodies[n]); err != nil {
			return err
		}
	}
	return nil
}

// neighbour is one of several machines.
type neighbour struct {
	*Policies
	*runs
	ledger   *ledger.Ledger
	proposes bool
	told     []string
}

func (n *neighbour) Follow(ctx context.Context) error { return n.ledger.Follow(ctx) }
func (n *neighbour) Known(time.Time)                  { n.told = append(n.told, "known") }
func (n *neighbour) Overtaken()                       { n.told = append(n.told, "overtaken") }
func (n *neighbour) Proposes() bool                   { return n.proposes }

// machine is one of those that have a log of books in common.
func machine(t *testing.T, dir string, books ledger.Log, simulation bool) (*neighbour, []ingest.Version) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	n := &neighbour{runs: new(runs)}
	if n.ledger, err = ledger.Open(t.Context(), filepath.Join(dir, "ledger.db"), "town", 1<<20); err != nil {
		t.Fatal(err)
	}
	if err := n.ledger.Share(t.Context(), books, false); err != nil {
		t.Fatal(err)
	}
	rules := rego.NewChild(self, rulesVerb)
	t.Cleanup(func() { _, _ = rules.Close(), n.ledger.Close() })
	cfg := &config.Config{Gateway: "town", Dir: dir, Simulation: simulation,
		Policy: config.Policy{Dir: filepath.Join(dir, "policy")}}
	cfg.SetDefaults()
	if err := portalba.Policy().Write(cfg.Policy.Dir); err != nil {
		t.Fatal(err)
	}
	reg := &register.Register{Sensors: []register.Sensor{{ID: "a", Owner: "o", Kind: "wifi-counter", Zone: "rambla"}}}
	n.Policies = New(cfg, n.ledger, rules, reg, func() {}, slog.New(slog.DiscardHandler))
	n.Share(n)
	versions, err := n.Restore(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	n.Attach(n.runs)
	return n, versions
}

// TestWhoStandsGoesOn: a front that hands nothing over while its books are old takes no policy either. So before a
// policy is to be in force there, the front may go on, or is told that it may not.
func TestWhoStandsGoesOn(t *testing.T) {
	books := new(common)
	a, _ := machine(t, t.TempDir(), books, false)
	b, _ := machine(t, t.TempDir(), books, false)
	for n, x := range []struct {
		after time.Duration // since the policy came
		told  string
	}{{0, "known"}, {Ahead - StaleAfter - time.Minute, "known"}, {Ahead - StaleAfter + time.Minute, "overtaken"}} {
		if n > 0 {
			edit(t, a.Policies, fmt.Sprint("policy ", n))
		}
		a.source.look(t.Context())
		var before []string
		b.told, b.runs.first = nil, func() { before = slices.Clone(b.told) }
		err := (follower{b.Policies}).follow(t.Context(), time.Now().Add(x.after))
		if err != nil || len(b.from) != n+1 {
			t.Fatalf("policy %d: %v, and %d are in force", n, err, len(b.from))
		}
		if !slices.Equal(before, []string{x.told}) {
			t.Errorf("policy %d: before it is in force the front is told %v; want %s", n, before, x.told)
		}
	}
}

// TestMachinesTakePoliciesFromTheBooks: what one machine puts into the books all others take, in order, and from the
// same instant on, also who starts later; whoever has not heard of the last one puts none behind it.
func TestMachinesTakePoliciesFromTheBooks(t *testing.T) {
	books := new(common)
	a, versions := machine(t, t.TempDir(), books, false)
	b, _ := machine(t, t.TempDir(), books, false)
	if len(versions) != 1 || versions[0].Digest != none || a.View().Running() {
		t.Fatalf("before the first policy: %+v", versions)
	}
	took := func(n *neighbour) {
		t.Helper()
		if err := (follower{n.Policies}).follow(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	if a.source.look(t.Context()); !a.View().Running() || len(a.from) != 1 {
		t.Fatal("it puts no policy into the books")
	}
	if first := a.from[0].Sub(began); first < FirstAhead-time.Second || first > FirstAhead+time.Minute {
		t.Errorf("the first holds %v later", first)
	}
	edit(t, b.Policies, "from another machine")
	if err := b.activate(t.Context(), candidate{files: portalba.Policy()}); err == nil ||
		errors.Is(err, ledger.ErrOvertaken) || b.View().Running() {
		t.Errorf("who has not heard of the first puts in another: %v", err)
	}
	took(b)
	b.source.look(t.Context())
	took(a)
	if ahead := b.from[1].Sub(began); ahead < Ahead {
		t.Errorf("the second holds %v later", ahead)
	}
	c, versions := machine(t, t.TempDir(), books, false)
	took(c)
	if len(versions) != 2 || len(c.digests) != 0 {
		t.Errorf("who starts later has %d versions, and then %d", len(versions), len(c.digests))
	}
	for n, v := range versions {
		if v.Digest != a.digests[n] || v.Digest != b.digests[n] || !v.Since.Equal(a.from[n]) ||
			!v.Since.Equal(b.from[n]) {
			t.Errorf("version %d holds from %v, %v and %v", n, a.from[n], b.from[n], v.Since)
		}
	}
	if a.View().Current.Digest != b.View().Current.Digest || a.View().Current.Digest != c.View().Current.Digest {
		t.Error("different policies are in force")
	}
}
