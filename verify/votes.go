package verify

import (
	"errors"
	"maps"
	"slices"
	"time"

	"sluice/books"
	"sluice/policy/ballot"
)

// looks is how often votes that do not hold are read, and pause the time between: a motion that is enacted at
// this moment has its files in the books before decisions.json, and a server's answers are some seconds old.
const (
	looks = 3
	pause = 2 * time.Second
)

// votes notes which decisions members have verifiably signed. Numbers add up without a vote as
// well, so that whoever reads that they do is told who decided them.
func (c *checker) votes() error {
	before := c.Report
	for look := 1; ; look++ {
		c.Report = before
		c.Problems = slices.Clone(before.Problems)
		err := c.decidedBy()
		if err != nil || len(c.Problems) == len(before.Problems) || look == looks {
			return err
		}
		time.Sleep(pause)
	}
}

// decidedBy is one look at the votes.
func (c *checker) decidedBy() error {
	list, err := c.books.Decisions()
	if err != nil {
		return err
	}
	c.voted = make(map[string]bool)
	for _, d := range list {
		if err := errors.Join(c.cast(&d), c.statements(&d)); err != nil {
			return err
		}
	}
	return nil
}

// cast checks the votes for a decision's motion: that each is signed by a key of its member, over
// motion.txt and for this city's votes. Who the members are is what allowed_signers says.
func (c *checker) cast(d *books.Decision) error {
	c.voted[d.ID] = false
	votes := slices.DeleteFunc(slices.Clone(d.Votes), func(v books.Vote) bool { return !v.Verified })
	if len(votes) == 0 {
		return nil
	}
	if len(votes) > maxStatements {
		c.problem("decision %s has %d votes; a council has %d members at most", d.ID, len(votes), maxStatements)
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
	for _, v := range votes {
		if !memberName.MatchString(v.Member) {
			c.problem("decision %s has a vote of nobody: a member's name is small letters, digits, - and _", d.ID)
			continue
		}
		file, err := c.proof(base + "ballots/" + v.Member + ".sig")
		if err != nil {
			return err
		}
		sig, err := ballot.Parse(file)
		if err == nil {
			err = sig.Verify(motion, "sluice-vote@"+c.city.ID)
		}
		switch {
		case err != nil:
			c.problem("decision %s: the vote of %s does not hold: %v", d.ID, v.Member, err)
		case sig.Key.Fingerprint() != v.Key || !signs(signers, v.Member, sig.Key):
			c.problem("decision %s: the vote of %s is not signed with a key of theirs", d.ID, v.Member)
		default:
			c.voted[d.ID] = true
			c.Votes++
		}
	}
	return nil
}

// votes adds up the decisions of all gateways: one is voted where the books of any say so.
func (w *walk) votes() {
	voted := make(map[string]bool)
	for _, c := range w.of {
		w.Simulation = w.Simulation || c.city.Simulation
		for id, yes := range c.voted {
			voted[id] = voted[id] || yes
		}
	}
	w.Decisions = len(voted)
	for _, id := range slices.Sorted(maps.Keys(voted)) {
		if !voted[id] {
			w.Unvoted = append(w.Unvoted, id)
		}
	}
}
