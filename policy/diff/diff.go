// Package diff says what changes from one policy to another, in words, and which
// way each change goes for those who are measured: weaker, stronger or neutral.
//
// The marks come from an order over the schema: for each key there is a relation
// "protects at least as much", reflexive and transitive (docs/policy.md lists
// them). A change that goes both ways, or that cannot be compared, is weaker. A
// decision that is new is weaker than nothing, and is compared with every decision
// about the same kinds and zones that there is or was, so that no new name makes
// it less weak than it is.
//
// Each change needs a quorum of the council: what is stronger can be done at
// once by few, what is weaker takes many. What ends a public series, or leaves it
// nothing to show, protects nobody less and still takes more than few: Ends.
//
// Everything that has an effect is listed. Text of a document is shown in quotes
// or is a plain word, so that no name, title or reason looks like a line of ours.
package diff

import (
	"slices"

	"sluice/internal/locales"
	"sluice/policy/bundle"
	"sluice/policy/decision"
)

// Quorum is which of the charter's quorums a change needs.
type Quorum string

// The quorums of the charter.
const (
	Enact   Quorum = "enact"
	Weaken  Quorum = "weaken"
	Charter Quorum = "charter"
	Roster  Quorum = "roster"
	Suspend Quorum = "suspend"
)

// Of is the number of members that the quorum is in a charter.
func (q Quorum) Of(c *decision.Charter) int {
	return map[Quorum]int{Enact: c.Quorums.Enact, Weaken: c.Quorums.Weaken, Charter: c.Quorums.Charter,
		Roster: c.Quorums.Roster, Suspend: c.Quorums.Suspend}[q]
}

// Change is one thing that is different.
type Change struct {
	// About is a decision's id, or the file: charter.yaml, kinds.yaml, zones.geojson,
	// council.yaml, rules/NAME, local/NAME; motion for what its head says.
	About string
	// Against is the decision that About is compared with; empty for what it was itself.
	Against string
	// Key is what of it: protect.epsilon, or a word of its own such as added.
	Key   string
	Mark  Mark
	Needs Quorum
	// Ends: a public series ends by this change, or may have nothing to show.
	Ends bool
	// removes is the sentence about numbers that are kept for a shorter time.
	removes string
	// Old and New are shown in each language; both empty for added and removed.
	Old, New locales.Texts
}

// Compare lists all changes, the weaker ones first.
func Compare(old Before, new *bundle.Policy) []Change {
	c := newComparison(old, new)
	if old.Policy == nil {
		c.firstPolicy()
	} else {
		c.charter()
		c.council()
		c.kinds()
		c.names()
		c.zones()
		c.rules()
		c.suspensions()
		c.decisions()
	}
	return Sorted(c.changes)
}

// Sorted puts the weaker changes first, and leaves those of one mark in their order.
func Sorted(list []Change) []Change {
	slices.SortStableFunc(list, func(a, b Change) int { return int(b.Mark) - int(a.Mark) })
	return list
}

// Gateways compares for which gateways two motions are; none stands for all. One
// that was passed over meets everything at once, so any other list is weaker.
func Gateways(old, new []string) []Change {
	if within(old, new) && within(new, old) {
		return nil
	}
	c := &comparison{}
	c.add(Change{About: "motion", Key: "gateways", Mark: Weaker, Old: text(showGateways(old)),
		New: text(showGateways(new))})
	return c.changes
}

func showGateways(names []string) string {
	if len(names) == 0 {
		return "all"
	}
	return words(names)
}

// Overall is the mark of all changes together.
func Overall(changes []Change) Mark {
	out := Neutral
	for _, c := range changes {
		out = max(out, c.Mark)
	}
	return out
}

// Ends reports whether any of the changes ends a public series.
func Ends(changes []Change) bool {
	return slices.ContainsFunc(changes, func(c Change) bool { return c.Ends })
}

// Needs are the quorums that the changes need together, in the charter's order.
func Needs(changes []Change) []Quorum {
	var out []Quorum
	for _, q := range []Quorum{Enact, Weaken, Charter, Roster, Suspend} {
		if slices.ContainsFunc(changes, func(c Change) bool { return c.Needs == q }) {
			out = append(out, q)
		}
	}
	return out
}

// comparison is one comparison in the making.
type comparison struct {
	before  Before
	old     *bundle.Policy // nil for none
	new     *bundle.Policy
	renamed map[string]string           // new ids of decisions that are otherwise as they were, to their old ones
	covered map[*bundle.Decision][]pair // what covers has computed
	changes []Change
}

func newComparison(before Before, new *bundle.Policy) *comparison {
	return &comparison{before: before, old: before.Policy, new: new, renamed: renames(before.Policy, new),
		covered: make(map[*bundle.Decision][]pair)}
}

// add notes a change. What ends a series takes more than the quick quorum.
func (c *comparison) add(x Change) {
	if x.Needs == "" {
		x.Needs = map[Mark]Quorum{Neutral: Enact, Stronger: Suspend, Weaker: Weaken}[x.Mark]
	}
	if x.Ends && x.Needs == Suspend {
		x.Needs = Enact
	}
	x.About, x.Against = word(x.About), optional(x.Against)
	c.changes = append(c.changes, x)
}

// text is the same in every language.
func text(s string) (out locales.Texts) {
	for l := range out {
		out[l] = s
	}
	return out
}
