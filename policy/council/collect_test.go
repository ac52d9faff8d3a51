package council_test

import (
	"fmt"
	"strings"
	"testing"

	"sluice/policy/council"
)

// TestOneThatHoldsCounts: of two ballots by one member the one that holds counts, whatever they are
// called; one under another member's name counts for who signed it, which is said; and one that
// gateways would refuse is left out where enough others have signed.
func TestOneThatHoldsCounts(t *testing.T) {
	c := newChamber(t)
	first := c.founded()
	parts := c.draft(first, c.with("decisions/d1.yaml", footfall))
	text, space := parts["motion.txt"], "sluice-vote@vila"
	wrong := c.sign("anna", "file", text)
	problems := parts.Collect(first.Policy.Council, map[string][]byte{
		"ballots/anna.sig": wrong, "ballots/later.sig": c.sign("anna", space, text), "ballots/z.sig": wrong,
		"ballots/emma.sig": c.sign("bru", space, text), "ballots/carla.sig": c.sign("carla", space, text),
		"ballots/dani.sig": c.sign("dani", space, text), "ballots/ferran.sig": c.sign("ferran", "file", text),
		"ballots/x.sig": c.sign("stranger", space, text),
	})
	said := fmt.Sprint(problems)
	for _, want := range []string{"ballots/anna.sig: V07: anna has signed", "ballots/z.sig: V07: anna has signed",
		"ballots/emma.sig is signed by bru and counts as theirs; emma has not", "ballots/x.sig: V06"} {
		if !strings.Contains(said, want) {
			t.Errorf("nothing says %q: %s", want, said)
		}
	}
	misnamed := 0
	for _, p := range problems {
		if council.IsMisnamed(p) {
			misnamed++
		}
	}
	v := c.verifier(first)
	s := must(v.Count(parts))
	if misnamed != 1 || len(problems) != 4 || s.Signed != 4 || s.Needed != 4 {
		t.Errorf("%d misnamed, %d signed of %d: %s", misnamed, s.Signed, s.Needed, said)
	}
	if _, err := v.Verify(must(parts.File())); council.CodeOf(err) != council.Namespace {
		t.Errorf("a gateway takes a ballot for something else: %v", err)
	}
	if left := parts.Sift(s); len(left) != 1 || council.CodeOf(left[0]) != council.Namespace {
		t.Errorf("left out: %v", left)
	}
	e, err := v.Verify(must(parts.File()))
	if err != nil || strings.Join(e.Members(), " ") != "ANNA BRU CARLA DANI" {
		t.Errorf("enacted by %v: %v", e, err)
	}
}

// TestRevokedKeyHidesNoOther: a member who has signed with a key that is lost, and with another
// one, has signed, whichever file comes first.
func TestRevokedKeyHidesNoOther(t *testing.T) {
	c := newChamber(t)
	c.files["council.yaml"] = []byte(c.roster(func(roster string) string {
		return strings.Replace(roster, "revoked: [", "revoked: [\""+c.lines["anna2"]+"\", ", 1)
	}))
	first := c.founded()
	parts := c.draft(first, c.with("decisions/d1.yaml", footfall))
	text, space := parts["motion.txt"], "sluice-vote@vila"
	problems := parts.Collect(first.Policy.Council, map[string][]byte{
		"ballots/anna.sig": c.sign("anna2", space, text), "ballots/b.sig": c.sign("anna", space, text),
		"ballots/c.sig": c.sign("anna2", space, text),
	})
	if s := must(c.verifier(first).Count(parts)); s.Signed != 1 || len(problems) != 2 {
		t.Errorf("%d signed, %v, %v", s.Signed, s.Members[0], problems)
	}
}
