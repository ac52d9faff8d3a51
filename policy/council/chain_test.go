package council_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/policy/bundle"
	"sluice/policy/council"
	"sluice/policy/diff"
)

// next enacts a motion with all the ballots that there can be, and reopens it as a
// gateway does after a restart.
func (c *chamber) next(prev *council.Enacted, files bundle.Files) *council.Enacted {
	c.t.Helper()
	file := must(c.draft(prev, files, names[:6]...).File())
	v := c.verifier(prev)
	v.Now = time.Time{}
	e, err := v.Verify(file)
	if err != nil {
		c.t.Fatal(err)
	}
	again, err := council.Reopen(file, prev)
	if err != nil {
		c.t.Fatal(err)
	}
	if len(again.After.Ended) != len(e.After.Ended) {
		c.t.Errorf("reopened, the motion knows of %d decisions that ended; verified, of %d", len(again.After.Ended),
			len(e.After.Ended))
	}
	return again
}

// TestAChainRemembers: a decision that a motion ended is still there to compare the
// next ones with, two motions later and after a restart.
func TestAChainRemembers(t *testing.T) {
	c := newChamber(t)
	c.files["council.yaml"] = []byte(c.roster(func(s string) string {
		return strings.Replace(s, ", until: 2030-01-25", "", 1)
	}))
	first := c.next(nil, c.with("decisions/d1.yaml", footfall))
	second := c.next(first, c.files)
	third := c.next(second, c.with("charter.yaml", strings.Replace(charter, "name: Vila", "name: Vileta", 1)))
	if slices.Contains(diff.Needs(second.Changes), diff.Suspend) || !diff.Ends(second.Changes) {
		t.Errorf("a decision that ends needs %v", diff.Needs(second.Changes))
	}
	if days := second.NotBefore.Sub(second.Created); days < 14*24*time.Hour {
		t.Errorf("a decision ends %v after the motion was made", days)
	}
	files := c.with("decisions/d2.yaml",
		strings.NewReplacer(`"d1"`, `"d2"`, "stream: footfall", "stream: steps", "epsilon: 0.5",
			"epsilon: 0.9").Replace(footfall))
	files["charter.yaml"] = third.Policy.Files["charter.yaml"]
	parts := c.draft(third, files)
	if text := string(parts["motion.txt"]); !strings.Contains(text, "5 of 7 members (enact, weaken)") ||
		!strings.Contains(text, "compared with decision d1: privacy budget (epsilon): 0.5 → 0.9") {
		t.Errorf("the text is\n%.1500s", text)
	}
}

// TestOthersMeetEverything: a motion for other gateways than the one before says so,
// needs many, and explains every decision whole.
func TestOthersMeetEverything(t *testing.T) {
	c := newChamber(t)
	c.files["council.yaml"] = []byte(c.roster(func(s string) string {
		return strings.Replace(s, ", until: 2030-01-25", "", 1)
	}))
	first := c.next(nil, c.with("decisions/d1.yaml", footfall))
	first.Gateways = []string{"edge-2"}
	p, err := bundle.Read(c.with("decisions/d1.yaml", footfall))
	if err != nil {
		t.Fatal(err)
	}
	m, parts, err := council.Draft{Previous: first, Policy: p, ID: "m", Created: first.NotBefore,
		Within: council.MaxWithin}.Create()
	if err != nil {
		t.Fatal(err)
	}
	text := string(parts["motion.txt"])
	for _, want := range []string{"5 of 7 members (weaken)", "* weaker - motion - ", "edge-2 → all", "Decision d1",
		"All that the decision says", "time for late readings: 1 minute"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not said:\n%.1500s", want, text)
		}
	}
	if days := m.NotBefore.Sub(m.Created); days < 14*24*time.Hour {
		t.Errorf("it takes effect after %v", days)
	}
}
