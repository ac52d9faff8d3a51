// Package diff says what changes from one policy to another, in words, and which
// way each change goes for those who are measured: weaker, stronger or neutral.
//
// The marks come from an order over the schema: for each key there is a relation
// "protects at least as much", reflexive and transitive (docs/policy.md lists
// them). A change that goes both ways, or that cannot be compared, is weaker. A
// decision that is new, or a policy where there was none, is weaker than
// nothing; one that is taken away is stronger.
//
// Each change needs a quorum of the council: what is stronger can be done at
// once by few, what is weaker takes many.
package diff

import (
	"maps"
	"slices"

	"sluice/policy/bundle"
	"sluice/policy/decision"
	"sluice/policy/explain"
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
	return map[Quorum]int{Enact: c.Quorums.Enact, Weaken: c.Quorums.Weaken, Charter: c.Quorums.Charter, Roster: c.Quorums.Roster, Suspend: c.Quorums.Suspend}[q]
}

// Change is one thing that is different.
type Change struct {
	// About is a decision's id, or the file: charter.yaml, kinds.yaml, zones.geojson,
	// council.yaml, rules/NAME.
	About string
	// Key is what of it: protect.epsilon, or a word of its own such as added.
	Key   string
	Mark  Mark
	Needs Quorum
	// Old and New are shown in each language; both empty for added and removed.
	Old, New [3]string
}

// Compare lists all changes, the weaker ones first; old is nil for no policy.
func Compare(old, new *bundle.Policy) []Change {
	list := compare(old, new)
	slices.SortStableFunc(list, func(a, b Change) int { return int(b.Mark) - int(a.Mark) })
	return list
}

func compare(old, new *bundle.Policy) []Change {
	c := &comparison{old: old, new: new}
	if old == nil {
		c.founded()
		for _, d := range new.Decisions {
			c.add(Change{About: d.Decision, Key: "added", Mark: Weaker, Needs: Enact})
		}
		return c.changes
	}
	c.charter()
	c.council()
	c.kinds()
	c.zones()
	c.rules()
	c.suspensions()
	c.decisions()
	return c.changes
}

// Overall is the mark of all changes together.
func Overall(changes []Change) Mark {
	out := Neutral
	for _, c := range changes {
		out = max(out, c.Mark)
	}
	return out
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

type comparison struct {
	old, new *bundle.Policy
	changes  []Change
}

func (c *comparison) add(x Change) {
	if x.Needs == "" {
		x.Needs = map[Mark]Quorum{Neutral: Enact, Stronger: Suspend, Weaker: Weaken}[x.Mark]
	}
	c.changes = append(c.changes, x)
}

// decisions compares by id. A decision that takes another's place is compared
// with that one too: a new name does not make it new.
func (c *comparison) decisions() {
	for i := range c.new.Decisions {
		b := &c.new.Decisions[i]
		a := c.old.Decision(b.Decision)
		if a == nil {
			c.added(b)
			continue
		}
		c.changes = append(c.changes, Decisions(c.old, a, c.new, b)...)
	}
	for _, a := range c.old.Decisions {
		if c.new.Decision(a.Decision) == nil {
			c.add(Change{About: a.Decision, Key: "removed", Mark: Stronger})
		}
	}
}

// added notes a new decision. Where the stream was another decision's, it must
// protect as much, or it weakens what there was.
func (c *comparison) added(b *bundle.Decision) {
	needs := Enact
	for i := range c.old.Decisions {
		a := &c.old.Decisions[i]
		if a.Stream.ID == b.Stream.ID && !atLeast(a, b) {
			needs = Weaken
		}
	}
	c.add(Change{About: b.Decision, Key: "added", Mark: Weaker, Needs: needs})
}

// Decisions compares two versions of one decision, key by key.
func Decisions(oldPolicy *bundle.Policy, a *bundle.Decision, newPolicy *bundle.Policy, b *bundle.Decision) []Change {
	c := &comparison{}
	for _, k := range keys {
		x := Change{About: b.Decision, Key: k.name}
		for l := range explain.Languages {
			lang := explain.Lang(l)
			x.Old[l], x.New[l] = k.show(&shower{lang, oldPolicy}, a), k.show(&shower{lang, newPolicy}, b)
		}
		if k.mark != nil {
			x.Mark = k.mark(a, b)
		}
		if x.Old != x.New || x.Mark != Neutral {
			c.add(x)
		}
	}
	return c.changes
}

func (c *comparison) suspensions() {
	for _, s := range c.new.Suspended {
		if c.old.Suspension(s.Decision) == nil {
			c.add(Change{About: s.Decision, Key: "suspended", Mark: Stronger, New: [3]string{s.Reason, s.Reason, s.Reason}})
		}
	}
	for _, s := range c.old.Suspended {
		if c.new.Suspension(s.Decision) == nil && c.new.Decision(s.Decision) != nil {
			c.add(Change{About: s.Decision, Key: "resumed", Mark: Weaker})
		}
	}
}

// rules compares rules and modules as text: what they do cannot be told from how
// they look, so a change is weaker. Only modules where there were none must
// protect more: they can do nothing but deny.
func (c *comparison) rules() {
	old, new := c.old.Rules(), c.new.Rules()
	local := slices.ContainsFunc(slices.Collect(maps.Keys(old)), isLocal)
	for _, name := range slices.Sorted(maps.Keys(new)) {
		text, known := old[name]
		switch {
		case !known && isLocal(name) && !local:
			c.add(Change{About: name, Key: "rules", Mark: Stronger})
		case !known || text != new[name]:
			c.add(Change{About: name, Key: "rules", Mark: Weaker})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(old)) {
		if _, ok := new[name]; !ok {
			c.add(Change{About: name, Key: "rules", Mark: Weaker})
		}
	}
}

func isLocal(name string) bool { return len(name) > 6 && name[:6] == "local/" }
