package verify

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"sluice/books"
	"sluice/policy/ballot"
)

// TestStatementsAreWhatWasSigned: whatever the books say of a ballot that was not for a motion is
// held against the member's own signature.
func TestStatementsAreWhatWasSigned(t *testing.T) {
	private, line, err := ballot.Generate("")
	if err != nil {
		t.Fatal(err)
	}
	other, _, err := ballot.Generate("")
	if err != nil {
		t.Fatal(err)
	}
	motion := "a motion\n"
	sum := sha256.Sum256([]byte(motion))
	said := ballot.Statement{City: "vila", Motion: "m", Text: hex.EncodeToString(sum[:]), Choice: ballot.Against,
		Reason: "no"}
	why := said
	why.Choice = ballot.For
	sign := func(key, text []byte, space string) string {
		sig, err := ballot.Sign(key, text, space)
		if err != nil {
			t.Fatal(err)
		}
		return string(sig.File())
	}
	sig, err := ballot.Parse([]byte(sign(private, said.Bytes(), "sluice-ballot@vila")))
	if err != nil {
		t.Fatal(err)
	}
	// the books of a member who was against, changed
	try := func(change func(d *books.Decision, files source)) string {
		d := books.Decision{ID: "d", Motion: "m", Namespace: "sluice-vote@vila", Votes: []books.Vote{},
			Statements: []books.Statement{
				{Member: "anna", Key: sig.Key.Fingerprint(), Choice: "against", Reason: "no"},
			}}
		files := source{"city.json": `{"id": "vila", "gateway": "g"}`, "decisions/d/motion.txt": motion,
			"decisions/d/allowed_signers":      `anna namespaces="sluice-vote@vila" ` + strings.TrimSpace(line) + "\n",
			"decisions/d/ballots/anna.txt":     string(said.Bytes()),
			"decisions/d/ballots/anna.txt.sig": string(sig.File())}
		files["decisions/d/statement_signers"] = string(ballot.StatementSigners(
			[]byte(files["decisions/d/allowed_signers"]), d.Namespace, "vila"))
		change(&d, files)
		raw, err := json.Marshal([]books.Decision{d})
		if err != nil {
			t.Fatal(err)
		}
		files["decisions.json"] = string(raw)
		r, err := check(t, files)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(r.Problems, "; ")
	}
	if got := try(func(*books.Decision, source) {}); got != "" {
		t.Errorf("a right one: %s", got)
	}
	if got := try(func(d *books.Decision, f source) {
		d.Statements[0].Choice = "for"
		d.Votes = append(d.Votes, books.Vote{Member: "anna"})
		f["decisions/d/ballots/anna.txt"] = string(why.Bytes())
		f["decisions/d/ballots/anna.txt.sig"] = sign(private, why.Bytes(), "sluice-ballot@vila")
	}); got != "" {
		t.Errorf("a reason beside a vote: %s", got)
	}
	for name, x := range map[string]struct {
		change func(d *books.Decision, files source)
		want   string
	}{
		"another reason": {func(d *books.Decision, _ source) { d.Statements[0].Reason = "yes" }, "not what was signed"},
		"another choice": {func(d *books.Decision, _ source) {
			d.Statements[0].Choice = "abstain"
		}, "not what was signed"},
		"another text": {func(_ *books.Decision, f source) {
			f["decisions/d/ballots/anna.txt"] = strings.Replace(string(said.Bytes()), "no", "yes", 1)
		}, "does not hold"},
		"another motion": {func(_ *books.Decision, f source) {
			f["decisions/d/motion.txt"] = "x"
		}, "another text than"},
		"no signature": {func(_ *books.Decision, f source) {
			delete(f, "decisions/d/ballots/anna.txt.sig")
		}, "does not hold"},
		"another's key": {func(_ *books.Decision, f source) {
			f["decisions/d/ballots/anna.txt.sig"] = sign(other, said.Bytes(), "sluice-ballot@vila")
		}, "not signed with a key of theirs"},
		"a key that is not theirs": {func(_ *books.Decision, f source) {
			f["decisions/d/allowed_signers"] = strings.Replace(f["decisions/d/allowed_signers"], "anna", "bru", 1)
		}, "not signed with a key of theirs"},
		"a vote": {func(_ *books.Decision, f source) {
			f["decisions/d/ballots/anna.txt.sig"] = sign(private, said.Bytes(), "sluice-vote@vila")
		}, "does not hold"},
		"both": {func(d *books.Decision, _ source) {
			d.Votes = append(d.Votes, books.Vote{Member: "anna"})
		}, "is said to be for it"},
		"a reason called a ballot": {func(d *books.Decision, f source) {
			d.Statements[0].Choice = "for"
			f["decisions/d/ballots/anna.txt"] = strings.Replace(string(said.Bytes()), "against", "for", 1)
			f["decisions/d/ballots/anna.txt.sig"] = sign(private, []byte(f["decisions/d/ballots/anna.txt"]),
				"sluice-ballot@vila")
		}, "does not hold"},
		"a reason and no vote": {func(d *books.Decision, f source) {
			d.Statements[0].Choice = "for"
			f["decisions/d/ballots/anna.txt"] = string(why.Bytes())
			f["decisions/d/ballots/anna.txt.sig"] = sign(private, why.Bytes(), "sluice-ballot@vila")
		}, "has signed why they are for it, and no vote"},
		"a ballot against, called a reason": {func(d *books.Decision, f source) {
			d.Statements[0].Choice = "for"
			d.Votes = append(d.Votes, books.Vote{Member: "anna"})
		}, "not what was signed"},
		"twice": {func(d *books.Decision, _ source) {
			d.Statements = append(d.Statements, d.Statements[0])
		}, "two statements of anna"},
		"another's key by hand": {func(_ *books.Decision, f source) {
			f["decisions/d/statement_signers"] += `anna namespaces="sluice-ballot@vila" ssh-ed25519 AAAA` + "\n"
		}, "others than allowed_signers"},
		"a path": {func(d *books.Decision, _ source) { d.Statements[0].Member = "../anna" }, "of nobody"},
		"a crowd": {func(d *books.Decision, _ source) {
			d.Statements = make([]books.Statement, maxStatements+1)
		}, "at most"},
	} {
		if got := try(x.change); !strings.Contains(got, x.want) {
			t.Errorf("%s: %q; want %q", name, got, x.want)
		}
	}
	if !bytes.Contains(said.Bytes(), []byte("Choice: against")) {
		t.Error("the statement is of another form")
	}
}
