package verify

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"sluice/books"
	"sluice/policy/ballot"
)

// voting is a member with a key, and motion.txt with the member's signature over it.
type voting struct {
	vote                   books.Vote
	motion, ballot, signer string
	private                []byte
}

func newVoting(t *testing.T, member string) *voting {
	t.Helper()
	private, line, err := ballot.Generate("")
	if err != nil {
		t.Fatal(err)
	}
	v := &voting{motion: "a motion\n", private: private,
		signer: member + ` namespaces="sluice-vote@x" ` + strings.TrimSpace(line) + "\n"}
	sig, err := ballot.Parse([]byte(v.sign(t, v.motion, "sluice-vote@x")))
	if err != nil {
		t.Fatal(err)
	}
	v.ballot = string(sig.File())
	v.vote = books.Vote{Member: member, Key: sig.Key.Fingerprint(), Verified: true}
	return v
}

func (v *voting) sign(t *testing.T, text, namespace string) string {
	t.Helper()
	sig, err := ballot.Sign(v.private, []byte(text), namespace)
	if err != nil {
		t.Fatal(err)
	}
	return string(sig.File())
}

// TestWhoDecidedIsSaid: decisions without a vote that holds are named, of several gateways those
// that no gateway's books have one of, and a simulation is called one.
func TestWhoDecidedIsSaid(t *testing.T) {
	decision := func(id string, votes ...books.Vote) books.Decision { return books.Decision{ID: id, Votes: votes} }
	anna := newVoting(t, "anna")
	holds, not := anna.vote, books.Vote{Member: "bru"}
	of := func(simulation bool, list ...books.Decision) books.Reader {
		raw, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		files := source{"decisions.json": string(raw),
			"city.json": fmt.Sprintf(`{"id": "x", "gateway": "g", "simulation": %v}`, simulation)}
		for _, d := range list {
			files["decisions/"+d.ID+"/motion.txt"] = anna.motion
			files["decisions/"+d.ID+"/allowed_signers"] = anna.signer
			files["decisions/"+d.ID+"/ballots/anna.sig"] = anna.ballot
		}
		return books.Reader{Source: files}
	}
	for _, x := range []struct {
		of   []books.Reader
		want string
	}{
		{[]books.Reader{of(false)}, "0 [] 0 false"},
		{[]books.Reader{of(false, decision("a", holds), decision("b", not, holds))}, "2 [] 2 false"},
		{[]books.Reader{of(true, decision("b"), decision("a", not))}, "2 [a b] 0 true"},
		{[]books.Reader{of(false, decision("a"), decision("b")), of(false, decision("a", holds))}, "2 [b] 1 false"},
	} {
		r, err := Check(x.of...)
		if err != nil || len(r.Problems) > 0 {
			t.Fatal(err, r.Problems)
		}
		if got := fmt.Sprint(r.Decisions, r.Unvoted, r.Votes, r.Simulation); got != x.want {
			t.Errorf("%s; want %s", got, x.want)
		}
	}
}

// TestVotesAreSigned: that a vote was verified is not believed, but held against its signature.
func TestVotesAreSigned(t *testing.T) {
	anna, other := newVoting(t, "anna"), newVoting(t, "bru")
	const base = "decisions/d/"
	for name, x := range map[string]struct {
		change func(d *books.Decision, files source)
		want   string
	}{
		"a right one":    {func(*books.Decision, source) {}, ""},
		"no ballot":      {func(_ *books.Decision, f source) { delete(f, base+"ballots/anna.sig") }, "does not hold"},
		"no motion":      {func(_ *books.Decision, f source) { delete(f, base+"motion.txt") }, "does not hold"},
		"another motion": {func(_ *books.Decision, f source) { f[base+"motion.txt"] = "x" }, "does not hold"},
		"another city's": {func(_ *books.Decision, f source) {
			f[base+"ballots/anna.sig"] = anna.sign(t, anna.motion, "sluice-vote@y")
		}, "does not hold"},
		"a statement": {func(_ *books.Decision, f source) {
			f[base+"ballots/anna.sig"] = anna.sign(t, anna.motion, "sluice-ballot@x")
		}, "does not hold"},
		"another's": {func(_ *books.Decision, f source) {
			f[base+"ballots/anna.sig"] = other.ballot
		}, "key of theirs"},
		"no member's": {func(_ *books.Decision, f source) {
			f[base+"allowed_signers"] = other.signer
		}, "key of theirs"},
		"another key": {func(d *books.Decision, _ source) { d.Votes[0].Key = other.vote.Key }, "key of theirs"},
		"a path":      {func(d *books.Decision, _ source) { d.Votes[0].Member = "../anna" }, "of nobody"},
		"a crowd": {func(d *books.Decision, _ source) {
			d.Votes = slices.Repeat(d.Votes, maxStatements+1)
		}, "at most"},
	} {
		d := books.Decision{ID: "d", Votes: []books.Vote{anna.vote}}
		files := source{"city.json": `{"id": "x", "gateway": "g"}`, base + "motion.txt": anna.motion,
			base + "allowed_signers": anna.signer, base + "ballots/anna.sig": anna.ballot}
		x.change(&d, files)
		raw, err := json.Marshal([]books.Decision{d})
		if err != nil {
			t.Fatal(err)
		}
		files["decisions.json"] = string(raw)
		r, err := check(t, files)
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(r.Problems, "; ")
		if (got == "") != (x.want == "") || !strings.Contains(got, x.want) || (r.Votes == 1) != (x.want == "") ||
			(len(r.Unvoted) == 0) != (x.want == "") {
			t.Errorf("%s: %q, %d votes, without %v; want %q", name, got, r.Votes, r.Unvoted, x.want)
		}
	}
}

type source map[string]string

func (s source) Get(name string) ([]byte, error) {
	if text, ok := s[name]; ok {
		return []byte(text), nil
	}
	return nil, fs.ErrNotExist
}

// check is Check on a clock that does not wait.
func check(t *testing.T, s books.Source) (r *Report, err error) {
	t.Helper()
	synctest.Test(t, func(*testing.T) { r, err = Check(books.Reader{Source: s}) })
	return r, err
}

// enacting is books in the moment in which a decision is voted anew: the files are there, the list is not yet.
type enacting struct {
	source
	before string
	looks  int
}

func (e *enacting) Get(name string) ([]byte, error) {
	if name == "decisions.json" && e.looks > 0 {
		e.looks--
		return []byte(e.before), nil
	}
	return e.source.Get(name)
}

// TestVotesThatAreBeingPublished: who checks while a motion is enacted is told nothing wrong; each vote counts once.
func TestVotesThatAreBeingPublished(t *testing.T) {
	anna, bru := newVoting(t, "anna"), newVoting(t, "bru")
	list := func(votes ...books.Vote) string {
		raw, err := json.Marshal([]books.Decision{{ID: "d", Votes: votes}})
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	for late := range looks + 1 {
		const base = "decisions/d/"
		e := &enacting{looks: late, before: list(bru.vote, anna.vote), source: source{
			"city.json": `{"id": "x", "gateway": "g"}`, "decisions.json": list(anna.vote),
			base + "motion.txt":      anna.motion,
			base + "allowed_signers": anna.signer, base + "ballots/anna.sig": anna.ballot}}
		// Who reads twice before the votes has had the list of before as often.
		r, err := check(t, e)
		if err != nil {
			t.Fatal(err)
		}
		if e.looks == 0 && (len(r.Problems) > 0 || r.Votes != 1) {
			t.Errorf("%d looks too early: %d votes, %q", late, r.Votes, r.Problems)
		}
	}
	e := &enacting{looks: 1000, before: list(bru.vote), source: source{"city.json": `{"id": "x", "gateway": "g"}`}}
	if r, err := check(t, e); err != nil || len(r.Problems) != 1 {
		t.Errorf("what stays wrong: %v, %v", r, err)
	}
}
