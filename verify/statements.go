package verify

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"sluice/books"
	"sluice/policy/ballot"

	"sluice/internal/pattern"
)

// memberName is that of a roster (policy/decision): it is part of a path here.
var memberName = pattern.New(`^[a-z0-9][a-z0-9_-]{0,62}$`)

// maxStatements is how many members a roster can have (policy/decision).
const maxStatements = 1000

// statements checks the ballots that were not for a decision's motion, and the reasons of those that
// were: that each is signed by a key of its member, over this motion and these words, and that those
// who are said to have voted for it are those who gave a reason for that, and nobody else of them.
func (c *checker) statements(d *books.Decision) error {
	if len(d.Statements) == 0 {
		return nil
	}
	if len(d.Statements) > maxStatements {
		c.problem("decision %s has %d statements; a council has %d members at most", d.ID, len(d.Statements),
			maxStatements)
		return nil
	}
	base := "decisions/" + d.ID + "/"
	motion, err := c.proof(base + "motion.txt")
	if err != nil {
		return err
	}
	signers, err := c.proof(base + "allowed_signers")
	if err != nil {
		return err
	}
	if err := c.sameSigners(d, base, signers); err != nil {
		return err
	}
	sum := sha256.Sum256(motion)
	said := make(map[string]bool)
	for _, s := range d.Statements {
		if said[s.Member] {
			c.problem("decision %s has two statements of %s; one ballot counts", d.ID, s.Member)
			continue
		}
		said[s.Member] = true
		if !memberName.MatchString(s.Member) {
			c.problem("decision %s has a statement of nobody: a member's name is small letters, digits, - and _", d.ID)
			continue
		}
		text, err := c.proof(base + "ballots/" + s.Member + ".txt")
		if err != nil {
			return err
		}
		file, err := c.proof(base + "ballots/" + s.Member + ".txt.sig")
		if err != nil {
			return err
		}
		signed, sig, err := ballot.ReadStatement(text, file)
		switch {
		case err != nil:
			c.problem("decision %s: the statement of %s does not hold: %v", d.ID, s.Member, err)
		case signed.Text != hex.EncodeToString(sum[:]):
			c.problem("decision %s: the statement of %s is about another text than motion.txt", d.ID, s.Member)
		case string(signed.Choice) != s.Choice || signed.Reason != s.Reason:
			c.problem("decision %s: the statement of %s is not what was signed", d.ID, s.Member)
		case sig.Key.Fingerprint() != s.Key || !signs(signers, s.Member, sig.Key):
			c.problem("decision %s: the statement of %s is not signed with a key of theirs", d.ID, s.Member)
		}
		c.besideVotes(d, s)
		c.Statements++
	}
	return nil
}

// besideVotes: a reason stands beside its member's vote, and any other statement beside none.
func (c *checker) besideVotes(d *books.Decision, s books.Statement) {
	voted := slices.ContainsFunc(d.Votes, func(v books.Vote) bool { return v.Member == s.Member })
	switch reason := s.Choice == string(ballot.For); {
	case voted && !reason:
		c.problem("decision %s: %s is said to be for it, and has signed that they are not", d.ID, s.Member)
	case !voted && reason:
		c.problem("decision %s: %s has signed why they are for it, and no vote", d.ID, s.Member)
	}
}

// sameSigners: whoever verifies a statement by hand takes statement_signers, which must have nobody
// whom allowed_signers has not.
func (c *checker) sameSigners(d *books.Decision, base string, signers []byte) error {
	there, err := c.proof(base + "statement_signers")
	if err != nil {
		return err
	}
	city := strings.TrimPrefix(d.Namespace, "sluice-vote@")
	if !bytes.Equal(there, ballot.StatementSigners(signers, d.Namespace, city)) {
		c.problem("decision %s: statement_signers has others than allowed_signers", d.ID)
	}
	return nil
}

// proof is a file of a vote; none at all where the books have none, which then does not hold.
func (c *checker) proof(name string) ([]byte, error) {
	raw, err := c.books.Source.Get(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return raw, err
}

// signs reports whether allowed_signers has a key as a member's.
func signs(allowed []byte, member string, key ballot.Key) bool {
	for line := range strings.Lines(string(allowed)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, member+" ") && strings.HasSuffix(line, " "+key.Line()) {
			return true
		}
	}
	return false
}
