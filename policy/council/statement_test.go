package council_test

import (
	"fmt"
	"strings"
	"testing"

	"sluice/policy/ballot"
	"sluice/policy/council"
)

// stated are the two files of a member's statement over a motion's text.
func (c *chamber) stated(who string, text []byte, choice ballot.Choice, reason string) (said, sig []byte) {
	c.t.Helper()
	s := must(council.StatementOf(text, choice, reason))
	return s.Bytes(), c.sign(who, "sluice-ballot@vila", s.Bytes())
}

// motion is a motion that needs four of seven, and a ballot for it of each of these.
func (c *chamber) motion(first *council.Enacted, members ...string) council.Parts {
	parts := c.draft(first, c.with("decisions/d1.yaml", footfall))
	for _, m := range members {
		parts["ballots/"+m+".sig"] = must(council.Tidy(c.sign(m, "sluice-vote@vila", parts["motion.txt"])))
	}
	return parts
}

// TestStatementsAreOfTheRecord: who is against, or abstains, is in what was enacted, and nothing
// that they signed counts to the quorum, under whatever name it is put among the ballots.
func TestStatementsAreOfTheRecord(t *testing.T) {
	c := newChamber(t)
	first := c.founded()
	parts := c.motion(first, "anna", "carla", "dani")
	text := parts["motion.txt"]
	against, sig := c.stated("bru", text, ballot.Against, "An hour is too short")
	abstains, other := c.stated("emma", text, ballot.Abstain, "")
	problems := parts.Collect(first.Policy.Council, map[string][]byte{
		"ballots/no.txt": against, "ballots/ferran.sig": sig, // found by what was signed, and misnamed
		"ballots/emma.txt": abstains, "ballots/emma.txt.sig": other, "notes.txt": []byte("of the clerk"),
	})
	if len(problems) != 1 || !council.IsMisnamed(problems[0]) {
		t.Errorf("collected with %v", problems)
	}
	v := c.verifier(first)
	s := must(v.Count(parts))
	if s.Signed != 3 || s.Needed != 4 || s.Against != 1 || s.Abstained != 1 {
		t.Fatalf("%d of %d, %d against, %d abstain", s.Signed, s.Needed, s.Against, s.Abstained)
	}
	if _, err := v.Verify(must(parts.File())); council.CodeOf(err) != council.TooFew {
		t.Errorf("three are enough with two who are not for it: %v", err)
	}
	parts["ballots/ferran.sig"] = must(council.Tidy(c.sign("ferran", "sluice-vote@vila", text)))
	file := must(parts.File())
	e, err := v.Verify(file)
	if err != nil {
		t.Fatal(err)
	}
	again, err := council.Reopen(file, first)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []*council.Enacted{e, again} {
		said := ""
		for _, s := range e.Statements {
			said += fmt.Sprintf("%s %s %q %s; ", s.Name, s.Choice, s.Reason, s.Fingerprint[:7])
		}
		if want := `BRU against "An hour is too short" SHA256:; EMMA abstain "" SHA256:; `; said != want {
			t.Errorf("said: %s; want %s", said, want)
		}
		if strings.Join(e.Members(), " ") != "ANNA CARLA DANI FERRAN" {
			t.Errorf("signed by %v", e.Members())
		}
	}
}

// TestTwoMindsEnactNothing: who signed for a motion and a statement too does not count for it. A
// gateway refuses a file with both; the clerk's has the statement only.
func TestTwoMindsEnactNothing(t *testing.T) {
	c := newChamber(t)
	first := c.founded()
	parts := c.motion(first, "anna", "carla", "dani", "emma")
	said, sig := c.stated("emma", parts["motion.txt"], ballot.Against, "no")
	parts["ballots/emma.txt"], parts["ballots/emma.txt.sig"] = said, must(council.Tidy(sig))
	v := c.verifier(first)
	if _, err := v.Verify(must(parts.File())); council.CodeOf(err) != council.Twice {
		t.Errorf("a gateway says %v", err)
	}
	s := must(v.Count(parts))
	if s.Signed != 3 || s.Against != 1 || council.CodeOf(s.Members[4].Problem) != council.Twice {
		t.Errorf("%d signed, %d against, %v", s.Signed, s.Against, s.Members[4].Problem)
	}
	parts.Sift(s)
	if parts["ballots/emma.sig"] != nil || parts["ballots/emma.txt"] == nil {
		t.Error("the vote against is hidden")
	}
	if _, err := v.Verify(must(parts.File())); council.CodeOf(err) != council.TooFew {
		t.Errorf("enacted by three and one of two minds: %v", err)
	}
	parts["ballots/ferran.sig"] = must(council.Tidy(c.sign("ferran", "sluice-vote@vila", parts["motion.txt"])))
	if e, err := v.Verify(must(parts.File())); err != nil || len(e.Statements) != 1 {
		t.Errorf("four others: %v", err)
	}
}

// TestNoStatementIsAVote: a signature for one purpose never counts for the other.
func TestNoStatementIsAVote(t *testing.T) {
	c := newChamber(t)
	first := c.founded()
	base := c.motion(first, "anna", "carla", "dani", "emma")
	text := base["motion.txt"]
	said, sig := c.stated("bru", text, ballot.Against, "no")
	late, lateSig := c.stated("gemma", text, ballot.Against, "")
	foreign := must(council.StatementOf(text, ballot.Against, "no"))
	foreign.Text = strings.Repeat("00", 32)
	for name, in := range map[string]struct {
		add  map[string][]byte
		code council.Code
	}{
		"a statement's signature as a vote": {map[string][]byte{"bru.sig": sig}, council.Namespace},
		"a statement over motion.txt": {map[string][]byte{"bru.txt": text,
			"bru.txt.sig": c.sign("bru", "sluice-ballot@vila", text)}, council.BadSignature},
		"motion.txt for the other purpose": {map[string][]byte{
			"bru.sig": c.sign("bru", "sluice-ballot@vila", text)}, council.Namespace},
		"a statement for the purpose of votes": {map[string][]byte{"bru.txt": said,
			"bru.txt.sig": c.sign("bru", "sluice-vote@vila", said)}, council.Namespace},
		"a statement of a stranger": {map[string][]byte{"bru.txt": said,
			"bru.txt.sig": c.sign("stranger", "sluice-ballot@vila", said)}, council.UnknownKey},
		"a statement of another member": {map[string][]byte{"bru.txt": said,
			"bru.txt.sig": c.sign("ferran", "sluice-ballot@vila", said)}, council.WrongParts},
		"a statement with a lost key": {map[string][]byte{"bru.txt": said,
			"bru.txt.sig": c.sign("old", "sluice-ballot@vila", said)}, council.RevokedKey},
		"a statement on another motion": {map[string][]byte{"bru.txt": foreign.Bytes(),
			"bru.txt.sig": c.sign("bru", "sluice-ballot@vila", foreign.Bytes())}, council.BadSignature},
		"another reason": {map[string][]byte{"bru.txt": []byte(strings.Replace(string(said), "no", "yes", 1)),
			"bru.txt.sig": sig}, council.BadSignature},
		"a statement of one whose term is over": {map[string][]byte{"gemma.txt": late, "gemma.txt.sig": lateSig},
			council.NotInOffice},
		"a text alone":      {map[string][]byte{"bru.txt": said}, council.WrongParts},
		"a signature alone": {map[string][]byte{"bru.txt.sig": sig}, council.WrongParts},
	} {
		parts := council.Parts{}
		for name, raw := range base {
			parts[name] = raw
		}
		for file, raw := range in.add {
			if strings.HasSuffix(file, ".sig") {
				raw = must(council.Tidy(raw))
			}
			parts["ballots/"+file] = raw
		}
		_, err := c.verifier(first).Verify(must(parts.File()))
		if council.CodeOf(err) != in.code || err == nil {
			t.Errorf("%s: %v; want %s", name, err, in.code)
		}
		if s, err := c.verifier(first).Count(parts); err == nil && (s.Signed != 4 || s.Against != 0) {
			t.Errorf("%s: %d signed, %d against", name, s.Signed, s.Against)
		}
	}
}

// TestNoStatementHidesAnother: what a member said of another motion is public, and a lost key signs
// whatever its finder likes; neither, put beside the member's own statement, hides it.
func TestNoStatementHidesAnother(t *testing.T) {
	c := newChamber(t)
	c.files["council.yaml"] = []byte(c.roster(func(roster string) string {
		return strings.Replace(roster, "revoked: [", "revoked: [\""+c.lines["anna2"]+"\", ", 1)
	}))
	first := c.founded()
	text := c.motion(first)["motion.txt"]
	own, sig := c.stated("anna", text, ballot.Against, "too short")
	lost := must(council.StatementOf(text, ballot.Abstain, "")).Bytes()
	replayed := must(council.StatementOf(text, ballot.Against, "of last year"))
	replayed.Text = strings.Repeat("00", 32)
	for what, other := range map[string][2][]byte{
		"a lost key": {lost, c.sign("anna2", "sluice-ballot@vila", lost)},
		"a replay":   {replayed.Bytes(), c.sign("anna", "sluice-ballot@vila", replayed.Bytes())},
	} {
		for _, name := range []string{"a", "z"} { // before it and behind it
			parts := c.motion(first)
			problems := parts.Collect(first.Policy.Council, map[string][]byte{
				"ballots/m.txt": own, "ballots/m.txt.sig": sig,
				"ballots/" + name + ".txt": other[0], "ballots/" + name + ".txt.sig": other[1],
			})
			said := fmt.Sprint(problems)
			if len(problems) != 1 || !strings.Contains(said, "ballots/"+name+".txt.sig: V07") {
				t.Errorf("%s: %s", what, said)
			}
			s := must(c.verifier(first).Count(parts))
			if s.Against != 1 || s.Abstained != 0 || s.Members[0].Misstated != nil {
				t.Errorf("%s: %d against, %d abstain: %v", what, s.Against, s.Abstained, s.Members[0].Misstated)
			}
		}
	}
}

// TestAReasonIsNoVote: a reason goes into the record beside the vote that it is of, and is one more
// of nothing: not without that vote, not in its place, and never beside a ballot against.
func TestAReasonIsNoVote(t *testing.T) {
	c := newChamber(t)
	first := c.founded()
	v := c.verifier(first)
	three := func() council.Parts { return c.motion(first, "anna", "carla", "dani") }
	text := three()["motion.txt"]
	said, sig := c.stated("emma", text, ballot.For, "The school asked for it.")
	vote := c.sign("emma", "sluice-vote@vila", text)
	no, noSig := c.stated("emma", text, ballot.Against, "no")
	for name, x := range map[string]struct {
		ballots                  map[string][]byte
		signed, against, reasons int
		code                     council.Code // of a gateway, by the files as they were collected
	}{
		"vote and reason": {map[string][]byte{"ballots/why.txt": said, "ballots/why.txt.sig": sig,
			"ballots/e.sig": vote}, 4, 0, 1, ""},
		"a reason alone": {map[string][]byte{"ballots/why.txt": said, "ballots/why.txt.sig": sig}, 3, 0, 0,
			council.WrongParts},
		"its signature as the vote": {map[string][]byte{"ballots/emma.sig": sig}, 3, 0, 0, council.TooFew},
		"over the text of a vote": {map[string][]byte{"ballots/e.txt": said,
			"ballots/e.txt.sig": c.sign("emma", "sluice-vote@vila", said)}, 3, 0, 0, council.BadSignature},
		"with a vote against": {map[string][]byte{"ballots/a.txt": said, "ballots/a.txt.sig": sig,
			"ballots/z.txt": no, "ballots/z.txt.sig": noSig}, 3, 1, 0, council.TooFew},
		"and a vote against, and one for": {map[string][]byte{"ballots/a.txt": said, "ballots/a.txt.sig": sig,
			"ballots/z.txt": no, "ballots/z.txt.sig": noSig, "ballots/e.sig": vote}, 3, 1, 0, council.Twice},
	} {
		parts := three()
		parts.Collect(first.Policy.Council, x.ballots)
		file := must(parts.File())
		e, err := v.Verify(file)
		if err != nil && council.CodeOf(err) != x.code || err == nil && x.code != "" {
			t.Errorf("%s: a gateway says %v; want %s", name, err, x.code)
		}
		if err == nil && (len(e.Statements) != x.reasons || len(e.Ballots) != x.signed) {
			t.Errorf("%s: %d statements, %d ballots", name, len(e.Statements), len(e.Ballots))
		}
		s, reasons := must(v.Count(parts)), 0
		for _, m := range s.Members {
			if m.Reason != nil {
				reasons++
			}
		}
		if s.Signed != x.signed || s.Against != x.against || s.Abstained != 0 || reasons != x.reasons {
			t.Errorf("%s: %d signed, %d against, %d abstain, %d reasons", name, s.Signed, s.Against, s.Abstained,
				reasons)
		}
		// What the clerk's program leaves in the file is what gateways take, or too few.
		parts.Sift(s)
		if _, err := v.Verify(must(parts.File())); err != nil && council.CodeOf(err) != council.TooFew {
			t.Errorf("%s: sifted, a gateway says %v", name, err)
		}
	}
}
